// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Fills a ring with records of connects; run on demand, attached to nothing. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi/event.h"

#define RECORDS 1000 /* a run; a loop the verifier of every kernel walks to its end */

enum { CONNECT = 1, FIRST_NS = 1000000000 };

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
} ring SEC(".maps");

SEC("raw_tp/sys_enter")
int fill(void *ctx)
{
	struct kg_event event = { .kind = CONNECT, .proto = KG_PROTO_TCP, .cgroup = 4242, .session = 7 };

	for (int i = 0; i < RECORDS; i++) {
		event.at_ns = FIRST_NS + i;
		event.tgid = i;
		event.dport = i;
		bpf_ringbuf_output(&ring, &event, sizeof(event), BPF_RB_NO_WAKEUP);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
