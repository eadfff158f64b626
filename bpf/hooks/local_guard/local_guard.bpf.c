// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * AF_UNIX, where the other end is known: one that serves a broker (container runtime, systemd, D-Bus) would act
 * for the blocked, so a deny of all reaches it; the sockets that take log lines stay open whatever is blocked.
 */
#include "lib/4_socket.h"
#include "lib/9_guard.h"
#include "hooks/local_guard/event.h"

static __always_inline int kg_on_local(struct sock *other, __u32 prover)
{
	struct kg_attempted attempted = {
		.kind = KG_EV_HIT, .way = KG_WAY_UNIX, .least = KG_AUDIT, .prover = prover,
	};

	if (!kg_is_armed(KG_REACH_ALL))
		return 1; /* open: no verdict reaches that far */
	attempted.reach = kg_local_reach(other);
	return kg_guard(&attempted);
}

SEC("lsm/unix_stream_connect")
int BPF_PROG(kg_lsm_unix, struct sock *sk, struct sock *other)
{
	return kg_on_local(other, KG_ENTRY_LSM) ? 0 : -1; /* EPERM */
}

SEC("fmod_ret/security_unix_stream_connect")
int BPF_PROG(kg_fmod_unix, struct sock *sk, struct sock *other)
{
	return kg_on_local(other, KG_ENTRY_FMOD) ? 0 : -1;
}

SEC("lsm/unix_may_send")
int BPF_PROG(kg_lsm_dgram, struct socket *socket, struct socket *other)
{
	return kg_on_local(BPF_CORE_READ(other, sk), KG_ENTRY_LSM) ? 0 : -1; /* EPERM */
}

SEC("fmod_ret/security_unix_may_send")
int BPF_PROG(kg_fmod_dgram, struct socket *socket, struct socket *other)
{
	return kg_on_local(BPF_CORE_READ(other, sk), KG_ENTRY_FMOD) ? 0 : -1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
