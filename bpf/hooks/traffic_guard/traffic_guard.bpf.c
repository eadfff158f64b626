// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Every send and receive, of every family and from every entry. Sending to an address is as good as a connect;
 * what goes over an open socket is for denies that reach that far.
 */
#include "lib/4_socket.h"
#include "lib/9_guard.h"
#include "hooks/traffic_guard/event.h"

static __always_inline int kg_on_send(struct socket *socket, struct msghdr *message, __u32 prover)
{
	struct kg_attempted attempted = { .sk = BPF_CORE_READ(socket, sk), .prover = prover };
	struct kg_sending sending;
	unsigned int flags;

	if (!kg_is_armed(KG_REACH_NEW))
		return 1; /* open: no verdict is in force */
	flags = BPF_CORE_READ(message, msg_flags);
	attempted.address = BPF_CORE_READ(message, msg_name);
	attempted.length = attempted.address ? BPF_CORE_READ(message, msg_namelen) : 0;
	kg_send_way(&sending, attempted.sk, attempted.length > 0, flags & KG_MSG_FASTOPEN);
	attempted.way = sending.way;
	attempted.reach = sending.reach;
	attempted.least = sending.gated ? KG_DENY : KG_AUDIT;
	attempted.kind = sending.way == KG_WAY_SEND ? KG_EV_SEND :
			 sending.way == KG_WAY_CONNECT ? KG_EV_CONNECT : KG_EV_HIT;
	return kg_guard(&attempted);
}

static __always_inline int kg_on_receive(struct socket *socket, __u32 prover)
{
	struct kg_attempted attempted = {
		.sk = BPF_CORE_READ(socket, sk), .kind = KG_EV_HIT, .way = KG_WAY_RECEIVE, .least = KG_AUDIT,
		.prover = prover,
	};

	if (!kg_is_armed(KG_REACH_ALL))
		return 1; /* open: no verdict reaches that far */
	attempted.reach = kg_open_reach(attempted.sk);
	return kg_guard(&attempted);
}

SEC("lsm/socket_sendmsg")
int BPF_PROG(kg_lsm_sendmsg, struct socket *socket, struct msghdr *message, int size)
{
	return kg_on_send(socket, message, KG_ENTRY_LSM) ? 0 : -1; /* EPERM */
}

SEC("fmod_ret/security_socket_sendmsg")
int BPF_PROG(kg_fmod_sendmsg, struct socket *socket, struct msghdr *message, int size)
{
	return kg_on_send(socket, message, KG_ENTRY_FMOD) ? 0 : -1;
}

SEC("lsm/socket_recvmsg")
int BPF_PROG(kg_lsm_recvmsg, struct socket *socket, struct msghdr *message, int size, int flags)
{
	return kg_on_receive(socket, KG_ENTRY_LSM) ? 0 : -1; /* EPERM */
}

SEC("fmod_ret/security_socket_recvmsg")
int BPF_PROG(kg_fmod_recvmsg, struct socket *socket, struct msghdr *message, int size, int flags)
{
	return kg_on_receive(socket, KG_ENTRY_FMOD) ? 0 : -1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
