// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What became of a TCP connection. Most changes run in interrupts, where the current task is anybody:
 * the owner is written down at the two changes that run in its own context, the start of a connect and
 * the listen, and looked up at the others.
 */
#include "lib/3_address.h"
#include "lib/3_emit.h"
#include "lib/3_identity.h"
#include "hooks/tcp_state/event.h"

static __always_inline void kg_take_owner(struct kg_owner *owner, struct kg_event *event)
{
	owner->start_ns = event->start_ns;
	owner->cgroup = event->cgroup;
	owner->lineage_tick = event->lineage_tick;
	owner->lineage_tgid = event->lineage_tgid;
	owner->tgid = event->tgid;
	owner->ppid = event->ppid;
	owner->uid = event->uid;
	owner->session = event->session;
	__builtin_memcpy(owner->comm, event->comm, sizeof(owner->comm));
}

static __always_inline void kg_owned_by(struct kg_event *event, const struct kg_owner *owner)
{
	event->start_ns = owner->start_ns;
	event->cgroup = owner->cgroup;
	event->lineage_tick = owner->lineage_tick;
	event->lineage_tgid = owner->lineage_tgid;
	event->tgid = owner->tgid;
	event->ppid = owner->ppid;
	event->uid = owner->uid;
	event->session = owner->session;
	__builtin_memcpy(event->comm, owner->comm, sizeof(event->comm));
}

static __always_inline int kg_addresses(struct kg_event *event, struct sock *sk)
{
	/* plain loads: the verifier knows the argument for a socket, and a helper call a field costs as much
	 * as all the rest */
	__u16 family = sk->__sk_common.skc_family;

	event->proto = KG_PROTO_TCP;
	event->sport = sk->__sk_common.skc_num;
	if (!event->sport) /* a port the kernel chose is given back before the change to CLOSE is told */
		event->sport = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	event->dport = bpf_ntohs(sk->__sk_common.skc_dport);
	if (family == KG_AF_INET) {
		kg_ip_from4(event->saddr, sk->__sk_common.skc_rcv_saddr);
		kg_ip_from4(event->daddr, sk->__sk_common.skc_daddr);
		return 1;
	}
	if (family != KG_AF_INET6)
		return 0;
	BPF_CORE_READ_INTO(&event->saddr, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8);
	BPF_CORE_READ_INTO(&event->daddr, sk, __sk_common.skc_v6_daddr.in6_u.u6_addr8);
	return 1;
}

/* An accepted connection came from its peer: source is the remote end. */
static __always_inline void kg_swap_ends(struct kg_event *event)
{
	kg_ip ip;
	__u16 port = event->sport;

	__builtin_memcpy(ip, event->saddr, sizeof(ip));
	__builtin_memcpy(event->saddr, event->daddr, sizeof(ip));
	__builtin_memcpy(event->daddr, ip, sizeof(ip));
	event->sport = event->dport;
	event->dport = port;
}

static __always_inline void kg_listen_key_of(struct kg_listen_key *key, struct sock *sk, const __u8 *ip, __u16 port)
{
	key->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	__builtin_memcpy(key->addr, ip, sizeof(key->addr));
	key->port = port;
	key->pad0 = 0;
	key->pad1 = 0;
}

static __always_inline void kg_begin(struct kg_event *event, struct kg_owner *owner)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	kg_identify_current(event, task);
	kg_identify_more(event, task);
	kg_take_owner(owner, event);
}

static __always_inline int kg_current_in_scope(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return kg_in_scope(BPF_CORE_READ(task, cgroups, dfl_cgrp));
}

/* CLOSE to SYN_SENT: always in the caller's context (net/ipv4/tcp_ipv4.c, tcp_v4_connect). */
static __always_inline void kg_on_connecting(struct kg_event *event, __u64 cookie)
{
	struct kg_owner owner = {};

	if (!kg_current_in_scope())
		return;
	kg_begin(event, &owner);
	if (kg_is_agent(event->tgid, event->start_ns))
		return;
	if (bpf_map_update_elem(&kg_sockets, &cookie, &owner, BPF_ANY))
		kg_count(KG_C_SOCKET_FULL);
}

static __always_inline void kg_on_listen(struct kg_event *event, struct sock *sk)
{
	struct kg_listen_key key = {};
	struct kg_owner owner = {};

	if (!kg_current_in_scope())
		return;
	kg_begin(event, &owner);
	kg_listen_key_of(&key, sk, event->saddr, event->sport);
	if (bpf_map_update_elem(&kg_listeners, &key, &owner, BPF_ANY))
		kg_count(KG_C_SOCKET_FULL);
	if (kg_is_agent(event->tgid, event->start_ns))
		return;
	/* what it listens on is the destination of those who come */
	kg_swap_ends(event);
	event->kind = KG_EV_LISTEN;
	kg_emit(event);
}

static __always_inline struct kg_owner *kg_listener_of(struct kg_event *event, struct sock *sk)
{
	struct kg_listen_key key = {};
	struct kg_owner *owner;
	kg_ip any = {};

	kg_listen_key_of(&key, sk, event->saddr, event->sport);
	owner = bpf_map_lookup_elem(&kg_listeners, &key);
	if (owner)
		return owner;
	__builtin_memcpy(key.addr, any, sizeof(any)); /* on [::] */
	owner = bpf_map_lookup_elem(&kg_listeners, &key);
	if (owner)
		return owner;
	kg_ip_from4(key.addr, 0); /* on 0.0.0.0 */
	return bpf_map_lookup_elem(&kg_listeners, &key);
}

/* SYN_RECV to ESTABLISHED: the new socket is of its listener's process and in its listener's cgroup. */
static __always_inline void kg_on_accept(struct kg_event *event, struct sock *sk, __u64 cookie)
{
	struct cgroup *cgroup = BPF_CORE_READ(sk, sk_cgrp_data.cgroup);
	struct kg_owner *found, owner = {};

	if (!kg_in_scope(cgroup))
		return;
	found = kg_listener_of(event, sk);
	if (found) {
		owner = *found;
	} else {
		owner.cgroup = kg_cgroup_id(cgroup);
		owner.session = KG_NO_SESSION;
		event->flags = KG_F_NOOWNER;
		kg_count(KG_C_NO_OWNER);
	}
	owner.up = 2;
	if (bpf_map_update_elem(&kg_sockets, &cookie, &owner, BPF_ANY))
		kg_count(KG_C_SOCKET_FULL);
	kg_owned_by(event, &owner);
	if (found && kg_is_agent(event->tgid, event->start_ns))
		return;
	kg_swap_ends(event);
	event->kind = KG_EV_ACCEPT;
	kg_emit(event);
}

static __always_inline void kg_on_connected(struct kg_event *event, __u64 cookie)
{
	struct kg_owner *owner = bpf_map_lookup_elem(&kg_sockets, &cookie);

	if (!owner)
		return; /* out of scope, the agent's own, or counted as socket_full when it began */
	owner->up = 1;
	kg_owned_by(event, owner);
	event->kind = KG_EV_CONNECT_OK;
	kg_emit(event);
}

static __always_inline void kg_on_closed(struct kg_event *event, struct sock *sk, __u64 cookie, int old)
{
	struct kg_owner *owner = bpf_map_lookup_elem(&kg_sockets, &cookie);

	if (!owner)
		return;
	kg_owned_by(event, owner);
	event->kind = owner->up ? KG_EV_CLOSE : KG_EV_CONNECT_FAIL;
	if (!owner->up)
		event->result = -BPF_CORE_READ(sk, sk_err);
	if (owner->up == 2)
		kg_swap_ends(event);
	bpf_map_delete_elem(&kg_sockets, &cookie);
	kg_emit(event);
}

static __always_inline void kg_on_unlisten(struct kg_event *event, struct sock *sk)
{
	struct kg_listen_key key = {};

	kg_listen_key_of(&key, sk, event->saddr, event->sport);
	bpf_map_delete_elem(&kg_listeners, &key);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(kg_tcp_state, struct sock *sk, int old, int new)
{
	__u64 cookie = (__u64)sk;
	struct kg_event event = {};

	if (!kg_addresses(&event, sk))
		return 0;
	event.at_ns = bpf_ktime_get_boot_ns();
	if (new == KG_TCP_SYN_SENT)
		kg_on_connecting(&event, cookie);
	else if (new == KG_TCP_LISTEN)
		kg_on_listen(&event, sk);
	else if (new == KG_TCP_ESTABLISHED && old == KG_TCP_SYN_SENT)
		kg_on_connected(&event, cookie);
	else if (new == KG_TCP_ESTABLISHED && old == KG_TCP_SYN_RECV)
		kg_on_accept(&event, sk, cookie);
	else if (new == KG_TCP_CLOSE && old == KG_TCP_LISTEN)
		kg_on_unlisten(&event, sk);
	else if (new == KG_TCP_CLOSE)
		kg_on_closed(&event, sk, cookie, old);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
