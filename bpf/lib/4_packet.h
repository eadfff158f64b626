/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a packet tells: where its socket goes, and whether it only says that all is over. */
#ifndef KG_4_PACKET_H
#define KG_4_PACKET_H

#include "lib/3_address.h"

/* The verifier takes no address inside a socket, and the compiler would make one for four words in a row. */
#define KG_DST_IP6 __builtin_offsetof(struct bpf_sock, dst_ip6)
#define KG_SOCKET_WORD(sk, offset) \
	({ \
		__u32 word; \
		asm volatile("%0 = *(u32 *)(%1 + %2)" : "=r"(word) : "r"(sk), "i"(offset)); \
		word; \
	})

static __always_inline void kg_far_end(struct kg_event *event, struct bpf_sock *sk)
{
	event->proto = kg_proto_of(sk->protocol);
	event->dport = bpf_ntohs(sk->dst_port);
	if (sk->family == KG_AF_INET6)
		kg_ip_from6(event->daddr, KG_SOCKET_WORD(sk, KG_DST_IP6), KG_SOCKET_WORD(sk, KG_DST_IP6 + 4),
			    KG_SOCKET_WORD(sk, KG_DST_IP6 + 8), KG_SOCKET_WORD(sk, KG_DST_IP6 + 12));
	else
		kg_ip_from4(event->daddr, sk->dst_ip4);
}

/* Offsets and bits of the headers, as on the wire. */
enum kg_wire { KG_IP4_PROTO = 9, KG_IP6_PROTO = 6, KG_IP6_SIZE = 40, KG_TCP_DATA = 12, KG_TCP_FLAGS = 13, KG_TCP_RST = 4 };

static __always_inline __u32 kg_byte(struct __sk_buff *skb, __u32 offset)
{
	__u8 value = 0;

	bpf_skb_load_bytes(skb, offset, &value, 1);
	return value;
}

/*
 * A reset without a byte of data: what tells the peer that a severed connection is over. It says no more than a
 * dropped one would after a while.
 */
static __always_inline int kg_is_reset(struct __sk_buff *skb, struct bpf_sock *sk)
{
	__u32 first, tcp;

	if (kg_proto_of(sk->protocol) != KG_PROTO_TCP)
		return 0;
	first = kg_byte(skb, 0);
	if (first >> 4 == 4 && kg_byte(skb, KG_IP4_PROTO) == KG_PROTO_TCP)
		tcp = (first & 15) * 4;
	else if (first >> 4 == 6 && kg_byte(skb, KG_IP6_PROTO) == KG_PROTO_TCP)
		tcp = KG_IP6_SIZE;
	else
		return 0;
	return kg_byte(skb, tcp + KG_TCP_FLAGS) & KG_TCP_RST &&
	       skb->len == tcp + (kg_byte(skb, tcp + KG_TCP_DATA) >> 4) * 4;
}

#endif
