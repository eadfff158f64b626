// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * AF_UNIX connects and datagrams on level cgroup, where the kernel has hooks for them (6.7). They know the path the
 * caller gave, not the socket it leads to: the sockets that take log lines are told by their names, and brokers
 * are reached by a deny that isolates, not by one of all.
 */
#include "lib/9_guard.h"
#include "hooks/unix_gate/event.h"

struct bpf_sock_addr_kern {
	void *uaddr;
} __attribute__((preserve_access_index));

extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym __weak;

static __always_inline int kg_is_log(struct bpf_sock_addr *ctx)
{
	struct bpf_sock_addr_kern *kern = bpf_cast_to_kern_ctx(ctx);
	struct kg_unix_name name = {};
	void *address = BPF_CORE_READ(kern, uaddr);

	if (bpf_probe_read_kernel_str(name.path, sizeof(name.path), address + sizeof(__u16)) <= 0)
		return 0; /* closed: refused as any other */
	return bpf_map_lookup_elem(&kg_log_names, &name) != 0;
}

static __always_inline int kg_on_unix(struct bpf_sock_addr *ctx)
{
	struct kg_attempted attempted = {
		.kind = KG_EV_HIT, .way = KG_WAY_UNIX, .prover = KG_ENTRY_GATE, .least = kg_second_net(),
		.reach = KG_REACH_ISOLATE,
	};

	if (!kg_is_armed(KG_REACH_ISOLATE) || kg_is_log(ctx))
		return 1; /* open: no verdict reaches that far, or it goes into a log */
	return kg_guard(&attempted);
}

SEC("cgroup/connect_unix")
int kg_connect_unix(struct bpf_sock_addr *ctx)
{
	return kg_on_unix(ctx);
}

SEC("cgroup/sendmsg_unix")
int kg_sendmsg_unix(struct bpf_sock_addr *ctx)
{
	return kg_on_unix(ctx);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
