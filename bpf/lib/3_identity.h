/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who acts: process, parent, user, session, cgroup, executable, lineage. */
#ifndef KG_3_IDENTITY_H
#define KG_3_IDENTITY_H

#include "lib/2_control.h"
#include "lib/2_scope.h"

static __always_inline __u64 kg_tick(__u64 start_ns)
{
	return start_ns / KG_TICK_NS;
}

/* The thread group leader's start names the process; exec from another thread keeps it. */
static __always_inline void kg_process_of(struct task_struct *task, struct kg_process *process)
{
	process->tgid = BPF_CORE_READ(task, tgid);
	process->pad = 0;
	process->tick = kg_tick(BPF_CORE_READ(task, group_leader, start_boottime));
}

static __always_inline int kg_is_agent(__u32 tgid, __u64 start_ns)
{
	return tgid == kg_control_get(KG_CTL_AGENT) && kg_tick(start_ns) == kg_control_get(KG_CTL_AGENT_TICK);
}

static __always_inline __u32 kg_session_of(struct task_struct *task)
{
	return bpf_core_field_exists(task->sessionid) ? BPF_CORE_READ(task, sessionid) : KG_NO_SESSION;
}

static __always_inline void kg_identify_task(struct kg_event *event, struct task_struct *task)
{
	event->tgid = BPF_CORE_READ(task, tgid);
	event->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	event->ppid = BPF_CORE_READ(task, group_leader, real_parent, tgid);
	event->uid = BPF_CORE_READ(task, real_cred, uid.val);
	event->session = kg_session_of(task);
	event->cgroup = kg_cgroup_id(BPF_CORE_READ(task, cgroups, dfl_cgrp));
	BPF_CORE_READ_INTO(&event->comm, task, comm);
}

/* The same for the current task, cheaper where a helper answers. */
static __always_inline void kg_identify_current(struct kg_event *event, struct task_struct *task)
{
	event->tgid = BPF_CORE_READ(task, tgid);
	event->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	event->ppid = BPF_CORE_READ(task, group_leader, real_parent, tgid);
	event->uid = bpf_get_current_uid_gid();
	event->session = kg_session_of(task);
	event->cgroup = bpf_get_current_cgroup_id();
	BPF_CORE_READ_INTO(&event->comm, task, comm);
}

static __always_inline void kg_executable_of(struct task_struct *task, struct kg_file *file)
{
	struct inode *inode = BPF_CORE_READ(task, mm, exe_file, f_inode);

	file->ino = BPF_CORE_READ(inode, i_ino);
	file->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	file->pad = 0;
}

/*
 * A child of PID 1 or of a launcher that root runs begins a lineage; every other child inherits its
 * parent's. Only root's launchers count: else anyone could start one and shed a lineage.
 */
static __always_inline int kg_begins_lineage(struct task_struct *parent)
{
	struct kg_file file;

	if (BPF_CORE_READ(parent, tgid) == 1)
		return 1;
	if (BPF_CORE_READ(parent, real_cred, euid.val) != 0)
		return 0;
	kg_executable_of(parent, &file);
	return bpf_map_lookup_elem(&kg_launchers, &file) != 0;
}

#define KG_ANCESTORS 8 /* parents that are asked when a process itself has no entry */

/* Looks a lineage up; a process the map had no room for takes that of its nearest known ancestor. */
static __always_inline int kg_lineage_of(struct task_struct *task, struct kg_root *root)
{
	struct kg_process process;
	struct kg_root *found;

	for (int i = 0; i < KG_ANCESTORS; i++) {
		kg_process_of(task, &process);
		found = bpf_map_lookup_elem(&kg_lineage, &process);
		if (found) {
			*root = *found;
			return 1;
		}
		if (process.tgid <= 1)
			break;
		task = BPF_CORE_READ(task, group_leader, real_parent);
	}
	__builtin_memset(root, 0, sizeof(*root));
	return 0;
}

static __always_inline void kg_identify_more(struct kg_event *event, struct task_struct *task)
{
	__u64 needs = kg_control_get(KG_CTL_NEEDS);
	struct kg_root root;
	struct kg_file file;

	if (needs & KG_NEED_LINEAGE) {
		if (!kg_lineage_of(task, &root))
			kg_count(KG_C_LINEAGE_MISS);
		event->lineage_tgid = root.tgid;
		event->lineage_tick = root.tick;
	}
	if (needs & KG_NEED_EXE) {
		kg_executable_of(task, &file);
		event->exe_ino = file.ino;
		event->exe_dev = file.dev;
	}
}

#endif
