// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The guards of the stronger levels: the same body at two places the kernel may offer, of which one is
 * attached. Every connect comes here with its address in kernel memory, of every family and from every entry.
 */
#include "lib/9_guard.h"
#include "hooks/connect_guard/event.h"

/*
 * Does the gate see this connect too? A protocol with pre_connect runs the cgroup hooks there, and MPTCP in
 * the TCP socket below it.
 */
static __always_inline int kg_gate_follows(struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	if (family != KG_AF_INET && family != KG_AF_INET6)
		return 0;
	return BPF_CORE_READ(sk, sk_protocol) == KG_IPPROTO_MPTCP ||
	       BPF_CORE_READ(sk, __sk_common.skc_prot, pre_connect) != 0;
}

/* A way to the network: no local talk, no disconnect, and nothing on a socket that is connected already. */
static __always_inline int kg_reaches_out(struct socket *socket, __u16 family)
{
	__u16 own = BPF_CORE_READ(socket, sk, __sk_common.skc_family);

	return family != KG_AF_UNSPEC && own != KG_AF_UNIX && own != KG_AF_NETLINK &&
	       BPF_CORE_READ(socket, state) == KG_SS_UNCONNECTED;
}

static __always_inline int kg_on_connect(struct socket *socket, const void *address, int length, __u32 prover)
{
	struct kg_attempted attempted = {
		.sk = BPF_CORE_READ(socket, sk), .address = address, .length = length, .kind = KG_EV_CONNECT,
		.way = KG_WAY_CONNECT, .reach = KG_REACH_NEW, .prover = prover,
	};
	__u16 family = KG_AF_UNSPEC;

	if (!kg_is_armed(KG_REACH_NEW))
		return 1; /* open: no verdict is in force */
	if (bpf_probe_read_kernel(&family, sizeof(family), address) || !kg_reaches_out(socket, family))
		return 1; /* open: no attempt to reach the network */
	attempted.least = kg_gate_follows(attempted.sk) ? KG_DENY : KG_AUDIT;
	return kg_guard(&attempted);
}

SEC("lsm/socket_connect")
int BPF_PROG(kg_lsm_connect, struct socket *socket, void *address, int length)
{
	return kg_on_connect(socket, address, length, KG_ENTRY_LSM) ? 0 : -1; /* EPERM */
}

/* Runs before the security modules are asked, whether or not bpf is one of them. */
SEC("fmod_ret/security_socket_connect")
int BPF_PROG(kg_fmod_connect, struct socket *socket, void *address, int length)
{
	return kg_on_connect(socket, address, length, KG_ENTRY_FMOD) ? 0 : -1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
