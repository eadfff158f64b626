/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading what the agent asked for, and counting what happened. */
#ifndef KG_2_CONTROL_H
#define KG_2_CONTROL_H

#include "lib/1_maps.h"

static __always_inline void kg_control_set(__u32 slot, __u64 value)
{
	bpf_map_update_elem(&kg_control, &slot, &value, BPF_ANY);
}

static __always_inline void kg_control_add(__u32 slot)
{
	__u64 *value = bpf_map_lookup_elem(&kg_control, &slot);

	if (value)
		__sync_fetch_and_add(value, 1);
}

/* Atomic although per CPU: a task can be preempted here by another one that counts too. */
static __always_inline void kg_count(__u32 counter)
{
	__u64 *value = bpf_map_lookup_elem(&kg_counters, &counter);

	if (value)
		__sync_fetch_and_add(value, 1);
}

static __always_inline void kg_count_way(__u32 way, int refused)
{
	__u32 slot = way * 2 + !refused;
	__u64 *value = bpf_map_lookup_elem(&kg_ways, &slot);

	if (value)
		__sync_fetch_and_add(value, 1);
}

/* Can any verdict in force reach that far? What no block is in force for costs this much and no more. */
static __always_inline int kg_is_armed(__u32 reach)
{
	if (kg_control_get(KG_CTL_REACH) >= reach)
		return 1;
	return kg_control_get(KG_CTL_RULE_REACH) >= reach &&
	       kg_control_get(KG_CTL_CROSSED) != kg_control_get(KG_CTL_QUIET);
}

/* What the cgroup programs tell of by themselves: under guards only what those let through. */
static __always_inline __u32 kg_second_net(void)
{
	return kg_control_get(KG_CTL_GUARDED) ? KG_DENY : KG_AUDIT;
}

static __always_inline __u64 kg_floor(__u64 now, __u64 within)
{
	return now > within ? now - within : 0;
}

/* A deny holds only while the agent's mode, its confirmation and its time of setting allow it. */
static __always_inline __u32 kg_effective(__u32 verdict, __u64 since, __u64 now)
{
	__u64 confirm;

	if (verdict != KG_DENY)
		return verdict;
	if (kg_control_get(KG_CTL_MODE) != KG_MODE_ENFORCE || since <= kg_control_get(KG_CTL_DEMOTED))
		return KG_AUDIT;
	confirm = kg_control_get(KG_CTL_CONFIRM);
	return confirm && now >= confirm ? KG_AUDIT : KG_DENY;
}

#endif
