// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The guards of the stronger levels: the same body at two places the kernel may offer, of which one is
 * attached. Every connect comes here with its address in kernel memory, of every family and from every entry.
 */
#include "lib/9_guard.h"
#include "hooks/connect_guard/event.h"

SEC("lsm/socket_connect")
int BPF_PROG(kg_lsm_connect, struct socket *socket, void *address, int length)
{
	return kg_guard(socket, address, length, KG_EV_CONNECT, KG_ENTRY_LSM) ? 0 : -1; /* EPERM */
}

/* Runs before the security modules are asked, whether or not bpf is one of them. */
SEC("fmod_ret/security_socket_connect")
int BPF_PROG(kg_fmod_connect, struct socket *socket, void *address, int length)
{
	return kg_guard(socket, address, length, KG_EV_CONNECT, KG_ENTRY_FMOD) ? 0 : -1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
