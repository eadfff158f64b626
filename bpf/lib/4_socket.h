/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a use of a socket amounts to: by which way it goes, and how far a deny must reach to hold there. */
#ifndef KG_4_SOCKET_H
#define KG_4_SOCKET_H

#include "lib/3_address.h"

static __always_inline int kg_is_inet(__u16 family)
{
	return family == KG_AF_INET || family == KG_AF_INET6;
}

/* Families that stay on the host have a reach of their own; those of the network the given one. */
static __always_inline __u32 kg_reach_of(__u16 family, __u32 reach)
{
	if (family == KG_AF_UNIX || family == KG_AF_NETLINK || family == KG_AF_KEY)
		return KG_REACH_ISOLATE;
	return family == KG_AF_ALG ? KG_REACH_NONE : reach; /* the kernel's own ciphers */
}

static __always_inline __u32 kg_family_reach(struct sock *sk, __u32 reach)
{
	return kg_reach_of(BPF_CORE_READ(sk, __sk_common.skc_family), reach);
}

/* Sockets whose use the address hooks see are made freely; the others are refused at once. */
static __always_inline __u32 kg_create_reach(int family, int type, int protocol)
{
	__u32 plain = type & KG_SOCK_MASK;

	if (family == KG_AF_UNIX)
		return KG_REACH_NONE; /* or nobody could write a log line */
	if (!kg_is_inet(family))
		return kg_reach_of(family, KG_REACH_NEW);
	if (plain == KG_SOCK_STREAM)
		return !protocol || kg_proto_of(protocol) == KG_PROTO_TCP ? KG_REACH_NONE : KG_REACH_NEW;
	if (plain == KG_SOCK_DGRAM && (!protocol || protocol == KG_PROTO_UDP || protocol == KG_IPPROTO_UDPLITE))
		return KG_REACH_NONE;
	return KG_REACH_NEW;
}

/* What the file of an AF_UNIX socket is known for. A socket without a file is not. */
static __always_inline __u32 kg_local_of(struct sock *other)
{
	struct inode *inode = BPF_CORE_READ((struct unix_sock *)other, path.dentry, d_inode);
	struct kg_file file = {};
	__u32 *local;

	if (!inode)
		return KG_LOCAL_NONE;
	file.ino = BPF_CORE_READ(inode, i_ino);
	file.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	local = bpf_map_lookup_elem(&kg_locals, &file);
	return local ? *local : KG_LOCAL_NONE;
}

/* For talking to the socket `other`. */
static __always_inline __u32 kg_local_reach(struct sock *other)
{
	__u32 local = kg_local_of(other);

	if (local == KG_LOCAL_LOG)
		return KG_REACH_NONE;
	return local == KG_LOCAL_BROKER ? KG_REACH_ALL : KG_REACH_ISOLATE;
}

/*
 * For sending on or receiving from an open socket. An AF_UNIX one without a peer sends to whom unix_may_send
 * sees.
 */
static __always_inline __u32 kg_open_reach(struct sock *sk)
{
	struct sock *peer;

	if (BPF_CORE_READ(sk, __sk_common.skc_family) != KG_AF_UNIX)
		return kg_family_reach(sk, KG_REACH_ALL);
	peer = BPF_CORE_READ((struct unix_sock *)sk, peer);
	if (!peer)
		return KG_REACH_ISOLATE;
	return kg_local_of(peer) == KG_LOCAL_LOG ? KG_REACH_NONE : KG_REACH_ISOLATE;
}

/* Raw, ping and packet sockets reach whom they like with every single send. */
static __always_inline int kg_is_raw(struct sock *sk, __u16 family)
{
	__u16 type = BPF_CORE_READ(sk, sk_type), protocol = BPF_CORE_READ(sk, sk_protocol);

	if (family == KG_AF_PACKET || family == KG_AF_XDP)
		return 1;
	return kg_is_inet(family) && (type == KG_SOCK_RAW || (type == KG_SOCK_DGRAM && (protocol == KG_IPPROTO_ICMP ||
										      protocol == KG_IPPROTO_ICMPV6)));
}

struct kg_sending {
	__u32 way;   /* enum kg_way */
	__u32 reach; /* enum kg_reach: what a deny must reach to hold here */
	__u32 gated; /* the gate sees it too: Fast Open connects, and UDP datagrams with an address */
};

/* By which way a send goes. `named`: it carries an address, which counts for all but streams. */
static __always_inline void kg_send_way(struct kg_sending *sending, struct sock *sk, int named, int fast_open)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	__u16 type = BPF_CORE_READ(sk, sk_type), protocol = BPF_CORE_READ(sk, sk_protocol);
	int is_tcp = kg_is_inet(family) && type == KG_SOCK_STREAM && kg_proto_of(protocol) == KG_PROTO_TCP;
	int is_udp = kg_is_inet(family) && (protocol == KG_PROTO_UDP || protocol == KG_IPPROTO_UDPLITE);
	/* TCP sends to nobody unless it is connected, or connects by the way */
	int is_open = is_tcp ? !fast_open : BPF_CORE_READ(sk, __sk_common.skc_state) != KG_TCP_CLOSE;

	sending->way = KG_WAY_SEND_OPEN;
	sending->gated = 0;
	if (kg_reach_of(family, KG_REACH_NEW) != KG_REACH_NEW) {
		/* unix_may_send sees where a datagram with an address goes */
		sending->reach = family == KG_AF_UNIX && named ? KG_REACH_NONE : kg_open_reach(sk);
	} else if (!kg_is_raw(sk, family) && is_open && !(named && type != KG_SOCK_STREAM)) {
		sending->reach = KG_REACH_ALL;
	} else {
		sending->way = is_tcp ? KG_WAY_CONNECT : KG_WAY_SEND;
		sending->reach = KG_REACH_NEW;
		sending->gated = is_tcp || (named && is_udp);
	}
}

#endif
