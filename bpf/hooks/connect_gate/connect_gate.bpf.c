// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The gate: every connect and every unconnected datagram of the scope's cgroups passes here once, with
 * its address in kernel memory, from whatever entry it came (32-bit, io_uring, Fast Open).
 * Returning 0 makes the call fail with EPERM.
 */
#include "lib/4_maker.h"
#include "lib/8_gate.h"
#include "hooks/connect_gate/event.h"

static __always_inline void kg_address4(struct kg_event *event, struct bpf_sock_addr *ctx)
{
	kg_ip_from4(event->daddr, ctx->user_ip4);
}

static __always_inline void kg_address6(struct kg_event *event, struct bpf_sock_addr *ctx)
{
	kg_ip_from6(event->daddr, ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3]);
}

static __always_inline int kg_attempt(struct bpf_sock_addr *ctx, __u32 kind, __u32 send, int v6)
{
	__u32 number = kg_claim_desk(1);
	struct kg_desk *desk = kg_desk(number);
	int pass;

	kg_count(KG_C_GATE_HITS);
	if (!send)
		kg_sign_flow(ctx);
	if (!desk)
		return kg_without_desk((struct task_struct *)bpf_get_current_task());
	desk->event.proto = kg_proto_of(ctx->protocol);
	desk->event.dport = bpf_ntohs(ctx->user_port);
	if (v6)
		kg_address6(&desk->event, ctx);
	else
		kg_address4(&desk->event, ctx);
	kg_ip_unspecified(desk->event.daddr);
	pass = kg_gate(number, &desk->event, kind, send);
	kg_leave_desk(number);
	return pass;
}

SEC("cgroup/connect4")
int kg_connect4(struct bpf_sock_addr *ctx)
{
	return kg_attempt(ctx, KG_EV_CONNECT, 0, 0);
}

SEC("cgroup/connect6")
int kg_connect6(struct bpf_sock_addr *ctx)
{
	return kg_attempt(ctx, KG_EV_CONNECT, 0, 1);
}

SEC("cgroup/sendmsg4")
int kg_sendmsg4(struct bpf_sock_addr *ctx)
{
	return kg_attempt(ctx, KG_EV_SEND, 1, 0);
}

SEC("cgroup/sendmsg6")
int kg_sendmsg6(struct bpf_sock_addr *ctx)
{
	return kg_attempt(ctx, KG_EV_SEND, 1, 1);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
