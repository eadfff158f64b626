/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A connect as the TCP stack begins it, for the sources that watch it there. They enforce nothing. */
#ifndef KG_4_OUTGOING_H
#define KG_4_OUTGOING_H

#include "lib/3_address.h"
#include "lib/3_emit.h"
#include "lib/3_identity.h"

/* The stack has written where it goes into the socket; one of IPv6 that reaches IPv4 holds it v4-mapped. */
static __always_inline int kg_remote_of(struct kg_event *event, struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	event->proto = KG_PROTO_TCP; /* MPTCP comes as the TCP sockets it is made of */
	event->dport = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (family == KG_AF_INET)
		kg_ip_from4(event->daddr, BPF_CORE_READ(sk, __sk_common.skc_daddr));
	else if (family == KG_AF_INET6)
		BPF_CORE_READ_INTO(&event->daddr, sk, __sk_common.skc_v6_daddr.in6_u.u6_addr8);
	else
		return 0;
	kg_ip_unspecified(event->daddr);
	return 1;
}

/* The local end stays out: the gate, whose event this must equal, runs before there is one. */
static __always_inline void kg_tell_outgoing(struct sock *sk, __u32 kind)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct kg_event event = {};

	if (!kg_in_scope(BPF_CORE_READ(task, cgroups, dfl_cgrp)))
		return;
	if (!kg_remote_of(&event, sk)) {
		kg_count(KG_C_READ_FAILED);
		return;
	}
	event.at_ns = bpf_ktime_get_boot_ns();
	event.kind = kind;
	kg_identify_task(&event, task);
	if (kg_is_agent(event.tgid, event.start_ns))
		return;
	kg_identify_more(&event, task);
	kg_emit(&event);
}

#endif
