// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A source of connect events (telemetry.connect: fentry), by a trampoline at the TCP stack's own connect.
 * It enforces nothing. Gaps: a call the kernel refused never comes here, and only TCP does.
 */
#include "lib/4_outgoing.h"
#include "hooks/connect_fentry/event.h"

SEC("fentry/tcp_connect")
int BPF_PROG(kg_fe_connect, struct sock *sk)
{
	kg_tell_outgoing(sk, KG_EV_CONNECT);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
