/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Hands records to the agent. Waking it costs the caller more than all the rest, so telemetry wakes
 * it at most once per KG_WAKE_NS, or per KG_RUSH_NS while it is KG_WAKE_BYTES behind: an agent that cannot
 * keep up is awake, and must not have every caller pay for waking it. A crossing wakes it at once. */
#ifndef KG_3_EMIT_H
#define KG_3_EMIT_H

#include "lib/2_control.h"

#define KG_WAKE_NS 1000000ULL
#define KG_RUSH_NS 125000ULL
#define KG_WAKE_BYTES (64 * 1024)

/* The agent drains again for a few KG_WAKE_NS after each wake-up, so a record left without one is seen. */
static __always_inline __u64 kg_wake(__u64 now)
{
	__u64 since = now - kg_control_get(KG_CTL_LAST_WAKE);

	if (since < KG_RUSH_NS ||
	    (since < KG_WAKE_NS && bpf_ringbuf_query(&kg_events, BPF_RB_AVAIL_DATA) < KG_WAKE_BYTES))
		return BPF_RB_NO_WAKEUP;
	kg_control_set(KG_CTL_LAST_WAKE, now);
	return BPF_RB_FORCE_WAKEUP;
}

static __always_inline void kg_emit(struct kg_event *event)
{
	kg_count(KG_C_EV_SENT);
	if (bpf_ringbuf_output(&kg_events, event, sizeof(*event), kg_wake(event->at_ns)))
		kg_count(KG_C_EV_DROPPED);
}

static __always_inline void kg_emit_crossing(struct kg_event *event)
{
	kg_count(KG_C_VD_SENT);
	if (bpf_ringbuf_output(&kg_crossings, event, sizeof(*event), BPF_RB_FORCE_WAKEUP))
		kg_count(KG_C_VD_DROPPED);
}

#endif
