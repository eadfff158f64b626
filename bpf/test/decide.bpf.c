// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The decision alone, for tests: judges an attempt that never was, at whatever time it names. User space
 * writes rules and verdicts into the maps as the agent does and runs this with an event for a packet; the
 * event comes back judged. A classifier, since the kernel runs one without attaching it, and since one may
 * use both a lock and a prefix trie; a `syscall` program is refused the trie. Never part of what is shipped.
 */
#include "lib/8_gate.h"
#include "hooks/connect_gate/event.h"

SEC("tc")
int kg_test_decide(struct __sk_buff *packet)
{
	__u32 number = kg_claim_desk(1);
	struct kg_desk *desk = kg_desk(number);
	int fault;

	if (!desk)
		return 1;
	fault = bpf_skb_load_bytes(packet, 0, &desk->event, sizeof(desk->event));
	kg_decide(number, &desk->event, desk->event.kind == KG_EV_SEND);
	fault |= bpf_skb_store_bytes(packet, 0, &desk->event, sizeof(desk->event), 0);
	kg_leave_desk(number);
	return fault ? 2 : 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
