// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a program does to get a socket, or to be reached by one. */
#include "lib/4_socket.h"
#include "lib/9_guard.h"
#include "hooks/socket_guard/event.h"

static __always_inline int kg_on_create(int family, int type, int protocol, int kern, __u32 prover)
{
	struct kg_attempted attempted = {
		.kind = KG_EV_HIT, .way = KG_WAY_CREATE, .least = KG_AUDIT, .prover = prover,
		.reach = kern ? KG_REACH_NONE : kg_create_reach(family, type, protocol),
		.proto = kg_proto_of(protocol),
	};

	return kg_guard(&attempted);
}

/* Binding, listening, accepting: `reach` for the families that lead to the network. */
static __always_inline int kg_on_inbound(struct socket *socket, __u32 way, __u32 reach, __u32 prover)
{
	struct kg_attempted attempted = {
		.sk = BPF_CORE_READ(socket, sk), .kind = KG_EV_HIT, .way = way, .least = KG_AUDIT, .prover = prover,
	};

	if (!kg_is_armed(reach))
		return 1; /* open: no verdict reaches that far */
	attempted.reach = kg_family_reach(attempted.sk, reach);
	return kg_guard(&attempted);
}

SEC("lsm/socket_create")
int BPF_PROG(kg_lsm_create, int family, int type, int protocol, int kern)
{
	return kg_on_create(family, type, protocol, kern, KG_ENTRY_LSM) ? 0 : -1; /* EPERM */
}

SEC("fmod_ret/security_socket_create")
int BPF_PROG(kg_fmod_create, int family, int type, int protocol, int kern)
{
	return kg_on_create(family, type, protocol, kern, KG_ENTRY_FMOD) ? 0 : -1;
}

SEC("lsm/socket_bind")
int BPF_PROG(kg_lsm_bind, struct socket *socket)
{
	return kg_on_inbound(socket, KG_WAY_BIND, KG_REACH_NEW, KG_ENTRY_LSM) ? 0 : -1; /* EPERM */
}

SEC("fmod_ret/security_socket_bind")
int BPF_PROG(kg_fmod_bind, struct socket *socket)
{
	return kg_on_inbound(socket, KG_WAY_BIND, KG_REACH_NEW, KG_ENTRY_FMOD) ? 0 : -1;
}

SEC("lsm/socket_listen")
int BPF_PROG(kg_lsm_listen, struct socket *socket)
{
	return kg_on_inbound(socket, KG_WAY_LISTEN, KG_REACH_NEW, KG_ENTRY_LSM) ? 0 : -1; /* EPERM */
}

SEC("fmod_ret/security_socket_listen")
int BPF_PROG(kg_fmod_listen, struct socket *socket)
{
	return kg_on_inbound(socket, KG_WAY_LISTEN, KG_REACH_NEW, KG_ENTRY_FMOD) ? 0 : -1;
}

SEC("lsm/socket_accept")
int BPF_PROG(kg_lsm_accept, struct socket *socket)
{
	return kg_on_inbound(socket, KG_WAY_ACCEPT, KG_REACH_ALL, KG_ENTRY_LSM) ? 0 : -1; /* EPERM */
}

SEC("fmod_ret/security_socket_accept")
int BPF_PROG(kg_fmod_accept, struct socket *socket)
{
	return kg_on_inbound(socket, KG_WAY_ACCEPT, KG_REACH_ALL, KG_ENTRY_FMOD) ? 0 : -1;
}

SEC("lsm/socket_socketpair")
int BPF_PROG(kg_lsm_pair, struct socket *socket)
{
	return kg_on_inbound(socket, KG_WAY_PAIR, KG_REACH_NEW, KG_ENTRY_LSM) ? 0 : -1; /* EPERM */
}

SEC("fmod_ret/security_socket_socketpair")
int BPF_PROG(kg_fmod_pair, struct socket *socket)
{
	return kg_on_inbound(socket, KG_WAY_PAIR, KG_REACH_NEW, KG_ENTRY_FMOD) ? 0 : -1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
