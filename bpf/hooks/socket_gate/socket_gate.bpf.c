// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Making and binding internet sockets, on every level: here it is written down who made one, which is all that is
 * known of its owner when a packet comes. Raw sockets and binding are refused here where no guard did so before.
 */
#include "lib/4_maker.h"
#include "lib/4_socket.h"
#include "lib/9_guard.h"
#include "hooks/socket_gate/event.h"

SEC("cgroup/sock_create")
int kg_sock_create(struct bpf_sock *ctx)
{
	struct kg_attempted attempted = {
		.kind = KG_EV_HIT, .way = KG_WAY_CREATE, .prover = KG_ENTRY_GATE, .least = kg_second_net(),
		.proto = kg_proto_of(ctx->protocol), .reach = kg_create_reach(ctx->family, ctx->type, ctx->protocol),
	};

	kg_sign(bpf_sk_storage_get(&kg_makers, ctx, 0, BPF_SK_STORAGE_GET_F_CREATE));
	return kg_guard(&attempted);
}

static __always_inline int kg_on_bind(struct bpf_sock_addr *ctx)
{
	struct kg_attempted attempted = {
		.kind = KG_EV_HIT, .way = KG_WAY_BIND, .prover = KG_ENTRY_GATE, .least = kg_second_net(),
		.proto = kg_proto_of(ctx->protocol), .reach = KG_REACH_NEW,
	};

	kg_sign_flow(ctx);
	return kg_guard(&attempted);
}

SEC("cgroup/bind4")
int kg_bind4(struct bpf_sock_addr *ctx)
{
	return kg_on_bind(ctx);
}

SEC("cgroup/bind6")
int kg_bind6(struct bpf_sock_addr *ctx)
{
	return kg_on_bind(ctx);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
