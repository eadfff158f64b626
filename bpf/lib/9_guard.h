/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The guard of the levels lsm and fmod_ret: it stands before the gate, in every connect of every family, and
 * enforces the verdicts that stand. It never counts into a window: it may run twice for one attempt (io_uring),
 * and has no lock on 5.10. Where a gate follows, it settles denies only; all else is the gate's to tell.
 */
#ifndef KG_9_GUARD_H
#define KG_9_GUARD_H

#include "lib/8_gate.h"

/* The verdicts the agent set; those weaker than `least` are left to the gate. Returns 1 when spared. */
KG_GLOBAL int kg_consult_least(__u32 number, __u64 subjects, __u32 least, __u32 prover)
{
	struct kg_desk *desk = kg_desk(number);

	if (!desk)
		return 0; /* open: cannot happen, the desk was claimed */
	desk->prover = prover;
	kg_meet_all(desk, number, subjects, 1);
	if (desk->met.verdict >= least && !(desk->met.allow && least == KG_DENY))
		kg_hit(&desk->event, &desk->met);
	return desk->met.allow;
}

/* Meets the verdict that stands in one rule's window, and counts the hit without its lock. Returns it. */
KG_GLOBAL int kg_stand(__u32 number, __u32 slot, __u32 least)
{
	struct kg_rule *rule = bpf_map_lookup_elem(&kg_rules, &slot);
	struct kg_desk *desk = kg_desk(number);
	struct kg_attempt attempt = {};
	struct kg_place place = { .slot = slot };
	struct kg_window *window;
	struct kg_event *event;
	__u32 verdict = KG_NONE;

	if (!desk || !rule || !rule->used)
		return KG_NONE; /* open: no such rule, or one being replaced right now */
	event = &desk->event;
	if (event->verdict == KG_AUDIT && event->rule == rule->hash)
		return KG_NONE; /* open: passes under the audit entry this very rule set */
	window = kg_standing(event, rule, &place, least, &verdict);
	if (!window)
		return KG_NONE; /* open: nothing stands against it here */
	attempt.decision = window->decision;
	if (!kg_same_key(&window->key, &place.key))
		return KG_NONE; /* open: the entry was freed meanwhile, and is another subject's */
	__sync_fetch_and_add(&window->hits, 1);
	window->last_ns = event->at_ns;
	attempt.count = window->hits;
	kg_note(event, verdict, &attempt, rule);
	return verdict;
}

/* One strength after the other, as the gate does: a deny is met alone, audits all together. */
KG_GLOBAL int kg_stand_all(__u32 number, __u32 first, __u32 least)
{
	for (__u32 i = 0; i < KG_RULES; i++) {
		if (kg_stand(number, first + i, least) == KG_DENY)
			return 1;
	}
	return 0;
}

static __always_inline void kg_enforce(__u32 number, struct kg_event *event, __u32 least, __u32 prover)
{
	__u32 first = (kg_control_get(KG_CTL_BANK) & 1) * KG_RULES;
	__u64 subjects = kg_control_get(KG_CTL_SUBJECTS);

	if (kg_consult_least(number, subjects, least, prover) || event->verdict == KG_DENY)
		return; /* open: protected; closed: denied already */
	if (kg_control_get(KG_CTL_CROSSED) == kg_control_get(KG_CTL_QUIET))
		return; /* open: no window holds a verdict */
	if (!kg_stand_all(number, first, KG_DENY) && least == KG_AUDIT)
		kg_stand_all(number, first, KG_AUDIT);
}

/*
 * Does the gate see this connect too? A protocol with pre_connect runs the cgroup hooks there, and MPTCP in
 * the TCP socket below it.
 */
static __always_inline int kg_gate_follows(struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	if (family != KG_AF_INET && family != KG_AF_INET6)
		return 0;
	return BPF_CORE_READ(sk, sk_protocol) == KG_IPPROTO_MPTCP ||
	       BPF_CORE_READ(sk, __sk_common.skc_prot, pre_connect) != 0;
}

/* A way to the network: no local talk, no disconnect, and nothing on a socket that is connected already. */
static __always_inline int kg_reaches_out(struct socket *socket, __u16 family)
{
	__u16 own = BPF_CORE_READ(socket, sk, __sk_common.skc_family);

	return family != KG_AF_UNSPEC && own != KG_AF_UNIX && own != KG_AF_NETLINK &&
	       BPF_CORE_READ(socket, state) == KG_SS_UNCONNECTED;
}

/* `length` bytes of the address are the caller's; what is too short to be one is refused further on. */
static __always_inline void kg_aim(struct kg_event *event, struct sock *sk, const void *address, int length)
{
	struct kg_sockaddr name = {};

	event->proto = kg_proto_of(BPF_CORE_READ(sk, sk_protocol));
	if (length < 16)
		return;
	if (bpf_probe_read_kernel(&name, 16, address) ||
	    (length >= 24 && bpf_probe_read_kernel(&name, sizeof(name), address)))
		kg_count(KG_C_READ_FAILED); /* closed: judged all the same, without its destination */
	else
		kg_ip_from_sockaddr(event, &name);
}

static __always_inline void kg_settle(__u32 number, struct kg_event *event)
{
	if (event->verdict == KG_DENY) {
		event->result = -1; /* EPERM, which the call will return */
		kg_count(KG_C_DENIED);
	} else if (event->verdict == KG_AUDIT) {
		kg_count(KG_C_AUDITED);
	}
	if (event->verdict != KG_NONE) {
		kg_count(KG_C_GUARD_HITS);
		kg_count(KG_C_GATE_HITS); /* no gate will see it */
		kg_remember(number, 0);
	}
	if (event->verdict != KG_NONE || event->flags & KG_F_SPARED)
		kg_emit(event);
}

/* Returns 1 to let a connect go on, 0 to refuse it with EPERM. `prover`: whose canary it answers. */
static __always_inline int kg_guard(struct socket *socket, const void *address, int length, __u32 kind,
				    __u32 prover)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct sock *sk = BPF_CORE_READ(socket, sk);
	__u16 family = KG_AF_UNSPEC;
	struct kg_desk *desk;
	__u32 number, least;
	int pass;

	if (bpf_probe_read_kernel(&family, sizeof(family), address) || !kg_reaches_out(socket, family))
		return 1; /* open: no attempt to reach the network */
	least = kg_gate_follows(sk) ? KG_DENY : KG_AUDIT;
	if (kg_control_get(KG_CTL_PANIC)) {
		if (least == KG_AUDIT)
			kg_count(KG_C_PANIC_OPEN);
		return 1; /* open: the operator said so */
	}
	if (!kg_in_scope(BPF_CORE_READ(task, cgroups, dfl_cgrp)))
		return 1; /* open: none of ours */
	number = kg_claim_desk(0);
	desk = kg_desk(number);
	if (!desk)
		return least == KG_DENY || kg_without_desk(task); /* open: the gate decides, where one follows */
	desk->event.at_ns = bpf_ktime_get_boot_ns();
	desk->event.kind = kind;
	kg_identify_current(&desk->event, task);
	kg_aim(&desk->event, sk, address, length);
	if (!kg_is_agent(desk->event.tgid, desk->event.start_ns)) {
		kg_identify_more(&desk->event, task);
		kg_enforce(number, &desk->event, least, prover);
		kg_settle(number, &desk->event);
	}
	pass = desk->event.verdict != KG_DENY;
	kg_leave_desk(number);
	return pass;
}

#endif
