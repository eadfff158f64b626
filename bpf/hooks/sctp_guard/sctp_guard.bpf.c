// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* sctp_connectx, and sends that set up an association: socket_connect does not see them. */
#include "lib/9_guard.h"
#include "hooks/sctp_guard/event.h"

static __always_inline int kg_on_sctp(struct sock *sk, const void *address, int length, __u32 prover)
{
	struct kg_attempted attempted = {
		.sk = sk, .address = address, .length = length, .kind = KG_EV_HIT, .way = KG_WAY_SCTP,
		.reach = KG_REACH_NEW, .least = KG_AUDIT, .prover = prover,
	};

	return kg_guard(&attempted);
}

SEC("lsm/sctp_bind_connect")
int BPF_PROG(kg_lsm_sctp, struct sock *sk, int option, void *address, int length)
{
	return kg_on_sctp(sk, address, length, KG_ENTRY_LSM) ? 0 : -1; /* EPERM */
}

SEC("fmod_ret/security_sctp_bind_connect")
int BPF_PROG(kg_fmod_sctp, struct sock *sk, int option, void *address, int length)
{
	return kg_on_sctp(sk, address, length, KG_ENTRY_FMOD) ? 0 : -1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
