/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Canonical addresses: 16 bytes, IPv4 in its v4-mapped form, so one address has one spelling. */
#ifndef KG_3_ADDRESS_H
#define KG_3_ADDRESS_H

#include "lib/2_control.h"

static __always_inline void kg_ip_from4(__u8 *ip, __u32 address)
{
	__u32 *words = (__u32 *)ip;

	words[0] = 0;
	words[1] = 0;
	words[2] = bpf_htonl(0xffff);
	words[3] = address;
}

static __always_inline void kg_ip_from6(__u8 *ip, __u32 a, __u32 b, __u32 c, __u32 d)
{
	__u32 *words = (__u32 *)ip;

	words[0] = a;
	words[1] = b;
	words[2] = c;
	words[3] = d;
}

/* The beginning of struct sockaddr_in and sockaddr_in6. */
struct kg_sockaddr {
	__u16 family;
	__u16 port;
	__u32 in4_or_flow;
	__u32 in6[4];
};

/* The kernel takes the unspecified address for the loopback of its family (net/ipv4/tcp_ipv4.c,
 * net/ipv6/tcp_ipv6.c); a rule on the loopback must not be passed by writing it that way. */
static __always_inline void kg_ip_unspecified(__u8 *ip)
{
	__u32 *words = (__u32 *)ip;

	if (words[0] || words[1])
		return;
	if (words[2] == bpf_htonl(0xffff) && words[3] == 0)
		words[3] = bpf_htonl(0x7f000001);
	else if (words[2] == 0 && words[3] == 0)
		words[3] = bpf_htonl(1);
}

/* Takes address and port over. Returns 0 when it is of another family. */
static __always_inline int kg_ip_from_sockaddr(struct kg_event *event, const struct kg_sockaddr *address)
{
	if (address->family == KG_AF_INET6)
		kg_ip_from6(event->daddr, address->in6[0], address->in6[1], address->in6[2], address->in6[3]);
	else if (address->family == KG_AF_INET)
		kg_ip_from4(event->daddr, address->in4_or_flow);
	else
		return 0;
	kg_ip_unspecified(event->daddr);
	event->dport = bpf_ntohs(address->port);
	return 1;
}

/* MPTCP is TCP on the wire: a rule on tcp must hold for it. */
static __always_inline __u8 kg_proto_of(__u32 protocol)
{
	return protocol == KG_IPPROTO_MPTCP ? KG_PROTO_TCP : protocol;
}

#endif
