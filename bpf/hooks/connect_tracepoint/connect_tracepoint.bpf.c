// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A source of connect events (telemetry.connect: tracepoint). It enforces nothing. Gaps: blind
 * to io_uring, 32-bit entry and Fast Open, sees repeated calls, and cannot read an address that lies
 * on a page not in memory (counted as read_failed).
 */
#include "lib/3_address.h"
#include "lib/3_emit.h"
#include "lib/3_identity.h"
#include "hooks/connect_tracepoint/event.h"

/* /sys/kernel/tracing/events/syscalls/sys_enter_connect/format */
struct kg_sys_enter_connect {
	__u64 common;
	__s64 number;
	__u64 fd;
	const void *address;
	__u64 length;
};

static __always_inline __u8 kg_proto_of_fd(struct task_struct *task, __u64 fd)
{
	struct file **files = BPF_CORE_READ(task, files, fdt, fd);
	struct file *file = 0;
	struct socket *socket;
	__u32 protocol;

	if (bpf_probe_read_kernel(&file, sizeof(file), files + (fd & 0xffffff)) || !file)
		return KG_PROTO_NONE;
	socket = BPF_CORE_READ(file, private_data);
	protocol = BPF_CORE_READ(socket, sk, sk_protocol);
	return kg_proto_of(protocol);
}

SEC("tracepoint/syscalls/sys_enter_connect")
int kg_tp_connect(struct kg_sys_enter_connect *ctx)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct kg_sockaddr address = {};
	struct kg_event event = {};

	if (!kg_in_scope(BPF_CORE_READ(task, cgroups, dfl_cgrp)))
		return 0;
	if (bpf_probe_read_user(&address, 16, ctx->address)) {
		kg_count(KG_C_READ_FAILED);
		return 0;
	}
	if (address.family == KG_AF_INET6 && bpf_probe_read_user(&address, sizeof(address), ctx->address)) {
		kg_count(KG_C_READ_FAILED);
		return 0;
	}
	if (!kg_ip_from_sockaddr(&event, &address))
		return 0;
	event.at_ns = bpf_ktime_get_boot_ns();
	event.kind = KG_EV_CONNECT;
	kg_identify_task(&event, task);
	if (kg_is_agent(event.tgid, event.start_ns))
		return 0;
	kg_identify_more(&event, task);
	event.proto = kg_proto_of_fd(task, ctx->fd);
	kg_emit(&event);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
