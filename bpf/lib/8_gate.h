/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The decision on one attempt to reach the network. In order: the panic latch opens everything; the
 * agent itself is exempt; a protection or allow entry holds back every deny; a deny the agent set
 * refuses; a deny some window holds refuses its subject whatever the attempt is; then the windows of the
 * rules that match count it, in their order, until one refuses.
 */
#ifndef KG_8_GATE_H
#define KG_8_GATE_H

#include "lib/3_address.h"
#include "lib/7_judge.h"

static __always_inline void kg_decide(__u32 number, struct kg_event *event, __u32 send)
{
	__u32 bank = kg_control_get(KG_CTL_BANK) & 1;
	__u32 rules;

	event->way = send ? KG_WAY_SEND : KG_WAY_CONNECT;
	if (kg_control_get(KG_CTL_PANIC)) {
		kg_count(KG_C_PANIC_OPEN);
		return; /* open: the operator said so */
	}
	if (kg_consult(number, kg_control_get(KG_CTL_SUBJECTS)) || event->verdict == KG_DENY)
		return; /* open: protected; closed: denied already, so no window counts it */
	rules = kg_match(event, bank, send);
	if (rules || kg_control_get(KG_CTL_CROSSED) != kg_control_get(KG_CTL_QUIET))
		kg_judge_all(number, bank, rules);
}

KG_GLOBAL int kg_remember(__u32 number, __u32 send)
{
	struct kg_desk *desk = kg_desk(number);
	struct kg_process key = {};
	struct kg_session *session;
	struct kg_event *event;

	if (!desk)
		return 0;
	event = &desk->event;
	key.tgid = event->tgid;
	key.tick = kg_tick(event->start_ns);
	session = bpf_map_lookup_elem(&kg_sessions, &key);
	if (!session) {
		struct kg_session fresh = {
			.start_ns = event->start_ns, .first_ns = event->at_ns, .cgroup = event->cgroup,
			.uid = event->uid, .session = event->session,
		};

		__builtin_memcpy(fresh.comm, event->comm, sizeof(fresh.comm));
		bpf_map_update_elem(&kg_sessions, &key, &fresh, BPF_NOEXIST);
		session = bpf_map_lookup_elem(&kg_sessions, &key);
	}
	if (!session) {
		kg_count(KG_C_SESSION_FULL);
		return 0;
	}
	session->last_ns = event->at_ns;
	if (event->verdict == KG_DENY)
		__sync_fetch_and_add(&session->denied, 1);
	else
		__sync_fetch_and_add(send ? &session->sends : &session->connects, 1);
	if (event->verdict == KG_AUDIT)
		__sync_fetch_and_add(&session->audited, 1);
	return 0;
}

/* Without a desk nobody can be judged: closed, unless nothing is to be denied at this time. */
static __always_inline int kg_without_desk(struct task_struct *task)
{
	__u64 now = bpf_ktime_get_boot_ns();

	return kg_control_get(KG_CTL_PANIC) || kg_effective(KG_DENY, now, now) != KG_DENY ||
	       kg_is_agent(BPF_CORE_READ(task, tgid), BPF_CORE_READ(task, group_leader, start_boottime));
}

/*
 * The whole way of one attempt; the event at the desk comes with its addresses and protocol filled in.
 * Returns 1 to let it pass, 0 to refuse it with EPERM.
 */
static __always_inline int kg_gate(__u32 number, struct kg_event *event, __u32 kind, __u32 send)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	event->at_ns = bpf_ktime_get_boot_ns();
	event->kind = kind;
	kg_identify_current(event, task);
	if (kg_is_agent(event->tgid, event->start_ns))
		return 1; /* open: the agent never blocks or watches itself */
	kg_identify_more(event, task);
	kg_decide(number, event, send);
	if (event->verdict == KG_DENY) {
		event->result = -1; /* EPERM, which the call will return */
		kg_count(KG_C_DENIED);
	} else if (event->verdict == KG_AUDIT) {
		kg_count(KG_C_AUDITED);
	}
	if (event->verdict != KG_NONE)
		kg_count_way(event->way, event->verdict == KG_DENY);
	kg_remember(number, send);
	/* a crossing has gone out on its own ring already */
	if (!(event->flags & KG_F_CROSSED) &&
	    (event->verdict != KG_NONE || send || kg_control_get(KG_CTL_SOURCE) == KG_SRC_CGROUP))
		kg_emit(event);
	return event->verdict != KG_DENY;
}

#endif
