/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The guards: they stand on every way to the network, and enforce the verdicts that stand. They never count
 * into a window: a guard may run twice for one attempt (io_uring), and has no lock on 5.10. Where another hook
 * follows, a guard settles denies only; all else is that one's to tell.
 */
#ifndef KG_9_GUARD_H
#define KG_9_GUARD_H

#include "lib/8_gate.h"

/* The verdicts the agent set; those weaker than `least` are left to the next hook. Returns 1 when spared. */
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

	if (!desk || !rule || !rule->used || rule->reach < desk->reach)
		return KG_NONE; /* open: no such rule, one being replaced right now, or one that does not reach here */
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
	if (event->at_ns < window->last_ns + KG_REPEAT_NS)
		event->flags |= KG_F_REPEATED;
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

/* Ways that one program takes thousands of times a second: told at most once a second and entry. */
static __always_inline int kg_is_traffic(__u32 way)
{
	return way == KG_WAY_SEND_OPEN || way == KG_WAY_RECEIVE || way == KG_WAY_FILE || way == KG_WAY_EGRESS ||
	       way == KG_WAY_INGRESS;
}

static __always_inline int kg_is_told(const struct kg_event *event)
{
	if (kg_is_traffic(event->way))
		return event->verdict != KG_NONE && !(event->flags & KG_F_REPEATED);
	return event->verdict != KG_NONE || event->flags & KG_F_SPARED;
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
		kg_count_way(event->way, event->verdict == KG_DENY);
		if (event->way == KG_WAY_CONNECT || event->way == KG_WAY_SEND)
			kg_count(KG_C_GATE_HITS); /* no gate will see it */
		kg_remember(number, event->way != KG_WAY_CONNECT);
	}
	if (kg_is_told(event))
		kg_emit(event);
}

/* The whole way of one attempt whose event lies at the desk with its aim, kind and way. Returns 0 to refuse. */
KG_GLOBAL int kg_bar(__u32 number, __u32 least, __u32 prover)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct kg_desk *desk = kg_desk(number);

	if (!desk)
		return 1; /* open: cannot happen, the desk was claimed */
	desk->event.at_ns = bpf_ktime_get_boot_ns();
	kg_identify_current(&desk->event, task);
	if (kg_is_agent(desk->event.tgid, desk->event.start_ns))
		return 1; /* open: the agent never blocks itself */
	kg_identify_more(&desk->event, task);
	kg_enforce(number, &desk->event, least, prover);
	kg_settle(number, &desk->event);
	return desk->event.verdict != KG_DENY;
}

/* What a guard has found out about an attempt before anybody is asked. */
struct kg_attempted {
	struct sock *sk; /* 0: there is none */
	const void *address;
	int length;    /* bytes of the address; 0: none */
	__u32 way;     /* enum kg_way */
	__u32 kind;    /* of the event */
	__u32 proto;   /* where `sk` does not tell */
	__u32 reach;   /* what a deny must reach to hold here */
	__u32 least;   /* enum kg_verdict_kind: weaker verdicts are the next hook's to tell */
	__u32 prover;  /* enum kg_entry: whose canary this hook answers */
};

/* The cgroup the socket was made in. Never for AF_UNIX: a server's end is made by its client's connect. */
static __always_inline __u64 kg_group_of(struct sock *sk)
{
	struct sock_cgroup_data *data = (void *)sk + bpf_core_field_offset(struct sock, sk_cgrp_data);
	struct sock_cgroup_data___old *old = (void *)data;
	__u64 group = 0;

	if (bpf_core_field_exists(data->cgroup))
		return (__u64)BPF_CORE_READ(data, cgroup);
	if (bpf_core_field_exists(old->val))
		group = BPF_CORE_READ(old, val);
	return group & 1 ? 0 : group & ~3ULL;
}

/* `length` bytes of the address are the caller's; what is too short to be one is refused further on. */
static __always_inline void kg_aim(struct kg_event *event, const struct kg_attempted *attempted)
{
	struct kg_sockaddr name = {};

	if (attempted->length < 16)
		return;
	if (bpf_probe_read_kernel(&name, 16, attempted->address) ||
	    (attempted->length >= 24 && bpf_probe_read_kernel(&name, sizeof(name), attempted->address)))
		kg_count(KG_C_READ_FAILED); /* closed: judged all the same, without its destination */
	else
		kg_ip_from_sockaddr(event, &name);
}

static __always_inline void kg_lay_out(struct kg_desk *desk, const struct kg_attempted *attempted)
{
	struct sock *sk = attempted->sk;
	__u16 family;

	desk->event.kind = attempted->kind;
	desk->event.way = attempted->way;
	desk->event.proto = attempted->proto;
	desk->reach = attempted->reach;
	if (!sk)
		return;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (family == KG_AF_UNIX || family == KG_AF_NETLINK)
		return;
	desk->event.proto = kg_proto_of(BPF_CORE_READ(sk, sk_protocol));
	desk->group = kg_group_of(sk);
	kg_aim(&desk->event, attempted);
}

/* Returns 1 to let an attempt go on, 0 to refuse it with EPERM. Inlined where the socket is known. */
static __always_inline int kg_guard(const struct kg_attempted *attempted)
{
	struct kg_desk *desk;
	__u32 number;
	int pass;

	if (!attempted->reach || !kg_is_armed(attempted->reach))
		return 1; /* open: no verdict in force reaches that far */
	if (kg_control_get(KG_CTL_PANIC)) {
		if (attempted->least == KG_AUDIT && !kg_is_traffic(attempted->way))
			kg_count(KG_C_PANIC_OPEN);
		return 1; /* open: the operator said so */
	}
	if (!kg_in_scope(kg_current_cgroup()))
		return 1; /* open: none of ours */
	number = kg_claim_desk(0);
	desk = kg_desk(number);
	if (!desk) /* open: the next hook decides, where one follows */
		return attempted->least == KG_DENY ||
		       kg_without_desk((struct task_struct *)bpf_get_current_task());
	kg_lay_out(desk, attempted);
	pass = kg_bar(number, attempted->least, attempted->prover) != 0;
	kg_leave_desk(number);
	return pass;
}

#endif
