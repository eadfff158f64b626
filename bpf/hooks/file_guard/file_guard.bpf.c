// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sockets and tun devices as files: handed over by another process (SCM_RIGHTS, pidfd_getfd), read and written
 * past the socket calls (splice, and on kernels before 6.5 sendfile), and /dev/net/tun itself. The latter two
 * hooks see every file of the host, so they ask first whether there is anything to enforce.
 */
#include "lib/4_socket.h"
#include "lib/9_guard.h"
#include "hooks/file_guard/event.h"

/* The socket of a file, 0 when it is none. */
static __always_inline struct sock *kg_socket_of(struct file *file, __u32 mode)
{
	struct socket *socket = 0;

	if ((mode & KG_S_IFMT) != KG_S_IFSOCK)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

static __always_inline int kg_is_tun(struct inode *inode, __u32 mode)
{
	return (mode & KG_S_IFMT) == KG_S_IFCHR && BPF_CORE_READ(inode, i_rdev) == KG_TUN_DEVICE;
}

static __always_inline int kg_on_receive(struct file *file, __u32 prover)
{
	struct kg_attempted attempted = {
		.kind = KG_EV_HIT, .way = KG_WAY_HANDED, .least = KG_AUDIT, .prover = prover,
	};
	struct inode *inode;
	__u32 mode;

	if (!kg_is_armed(KG_REACH_NEW))
		return 1; /* open: no verdict is in force */
	inode = BPF_CORE_READ(file, f_inode);
	mode = BPF_CORE_READ(inode, i_mode);
	attempted.sk = kg_socket_of(file, mode);
	if (attempted.sk)
		attempted.reach = kg_family_reach(attempted.sk, KG_REACH_NEW);
	else if (kg_is_tun(inode, mode))
		attempted.reach = KG_REACH_NEW;
	return kg_guard(&attempted);
}

/* What passes sendmsg and recvmsg as well is theirs to tell; here it is only refused. */
static __always_inline int kg_on_file(struct file *file, int mask, __u32 prover)
{
	struct kg_attempted attempted = {
		.kind = KG_EV_HIT, .way = KG_WAY_FILE, .least = KG_DENY, .prover = prover,
	};
	struct kg_sending sending;
	struct inode *inode;
	__u32 mode;

	if (!kg_is_armed(KG_REACH_NEW))
		return 1; /* open: no verdict is in force */
	inode = BPF_CORE_READ(file, f_inode);
	mode = BPF_CORE_READ(inode, i_mode);
	attempted.sk = kg_socket_of(file, mode);
	if (attempted.sk && mask & KG_MAY_WRITE) {
		kg_send_way(&sending, attempted.sk, 0, 0);
		attempted.reach = sending.reach;
	} else if (attempted.sk) {
		attempted.reach = kg_open_reach(attempted.sk);
	} else if (kg_is_tun(inode, mode)) {
		attempted.reach = KG_REACH_NEW;
		attempted.least = KG_AUDIT;
	}
	return kg_guard(&attempted);
}

static __always_inline int kg_on_open(struct file *file, __u32 prover)
{
	struct kg_attempted attempted = {
		.kind = KG_EV_HIT, .way = KG_WAY_TUN, .least = KG_AUDIT, .prover = prover, .reach = KG_REACH_NEW,
	};
	struct inode *inode;

	if (!kg_is_armed(KG_REACH_NEW))
		return 1; /* open: no verdict is in force */
	inode = BPF_CORE_READ(file, f_inode);
	if (!kg_is_tun(inode, BPF_CORE_READ(inode, i_mode)))
		return 1; /* open: no way to the network */
	return kg_guard(&attempted);
}

SEC("lsm/file_receive")
int BPF_PROG(kg_lsm_receive, struct file *file)
{
	return kg_on_receive(file, KG_ENTRY_LSM) ? 0 : -1; /* EPERM */
}

SEC("fmod_ret/security_file_receive")
int BPF_PROG(kg_fmod_receive, struct file *file)
{
	return kg_on_receive(file, KG_ENTRY_FMOD) ? 0 : -1;
}

SEC("lsm/file_permission")
int BPF_PROG(kg_lsm_file, struct file *file, int mask)
{
	return kg_on_file(file, mask, KG_ENTRY_LSM) ? 0 : -1; /* EPERM */
}

SEC("fmod_ret/security_file_permission")
int BPF_PROG(kg_fmod_file, struct file *file, int mask)
{
	return kg_on_file(file, mask, KG_ENTRY_FMOD) ? 0 : -1;
}

SEC("lsm/file_open")
int BPF_PROG(kg_lsm_open, struct file *file)
{
	return kg_on_open(file, KG_ENTRY_LSM) ? 0 : -1; /* EPERM */
}

SEC("fmod_ret/security_file_open")
int BPF_PROG(kg_fmod_open, struct file *file)
{
	return kg_on_open(file, KG_ENTRY_FMOD) ? 0 : -1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
