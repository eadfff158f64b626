/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who makes a socket is written down with it: all that is known of its owner when a packet comes. */
#ifndef KG_4_MAKER_H
#define KG_4_MAKER_H

#include "lib/3_identity.h"

/* The current task made it. A socket without room for the mark is known by its cgroup only. */
static __always_inline void kg_sign(struct kg_maker *maker)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct kg_process process;
	struct kg_root root;
	struct kg_file file;

	if (!maker) {
		kg_count(KG_C_SOCKET_FULL);
		return; /* open: its cgroup is still known */
	}
	kg_process_of(task, &process);
	kg_lineage_of(task, &root);
	maker->made.tgid = process.tgid;
	maker->made.tick = process.tick;
	maker->made.lineage_tgid = root.tgid;
	maker->made.lineage_tick = root.tick;
	maker->made.uid = bpf_get_current_uid_gid();
	maker->made.session = kg_session_of(task);
	if (!(kg_control_get(KG_CTL_NEEDS) & KG_NEED_EXE))
		return;
	kg_executable_of(task, &file);
	maker->made.exe_ino = file.ino;
	maker->made.exe_dev = file.dev;
}

/*
 * The flows of MPTCP are sockets the kernel makes, past the hook on making. They are signed where their user binds
 * or connects them; accept() hands the mark of a listening flow on.
 */
static __always_inline void kg_sign_flow(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct kg_maker *maker;

	if (!sk)
		return;
	maker = bpf_sk_storage_get(&kg_makers, sk, 0, 0);
	if (!maker)
		kg_sign(bpf_sk_storage_get(&kg_makers, sk, 0, BPF_SK_STORAGE_GET_F_CREATE));
}

#endif
