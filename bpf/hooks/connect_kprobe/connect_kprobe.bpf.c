// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A source of connect events (telemetry.connect: kprobe), by a probe on the TCP stack's own connect, for
 * kernels without trampolines. It enforces nothing, and has the gaps of fentry.
 */
#include <linux/ptrace.h> /* struct pt_regs, before the macros that read it */

#include "lib/4_outgoing.h"
#include "hooks/connect_kprobe/event.h"

SEC("kprobe/tcp_connect")
int BPF_KPROBE(kg_kp_connect, struct sock *sk)
{
	kg_tell_outgoing(sk, KG_EV_CONNECT);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
