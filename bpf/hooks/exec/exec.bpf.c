// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A process became another program. Path and arguments travel with the record: a process that lives
 * for milliseconds is gone from /proc before the agent looks.
 */
#include "lib/3_emit.h"
#include "lib/3_identity.h"
#include "hooks/exec/event.h"

struct kg_exec_record {
	struct kg_event event;
	struct kg_exec_tail tail;
};

static __always_inline void kg_read_path(struct kg_exec_tail *tail, struct linux_binprm *bprm)
{
	long length = bpf_probe_read_kernel_str(tail->path, sizeof(tail->path), BPF_CORE_READ(bprm, interp));

	if (length > 0)
		tail->path_len = length - 1;
	else
		kg_count(KG_C_READ_FAILED);
}

static __always_inline void kg_read_args(struct kg_exec_tail *tail, struct task_struct *task)
{
	__u64 start = BPF_CORE_READ(task, mm, arg_start);
	__u64 length = BPF_CORE_READ(task, mm, arg_end) - start;

	if (length == 0)
		return;
	if (length > sizeof(tail->args))
		length = sizeof(tail->args);
	/* the kernel wrote these pages a moment ago; should one be gone, the arguments stay empty */
	if (bpf_probe_read_user(tail->args, length, (void *)start))
		kg_count(KG_C_READ_FAILED);
	else
		tail->args_len = length;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(kg_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct kg_exec_record *record;

	if (!kg_in_scope(BPF_CORE_READ(task, cgroups, dfl_cgrp)))
		return 0;
	kg_count(KG_C_EV_SENT);
	record = bpf_ringbuf_reserve(&kg_events, sizeof(*record), 0);
	if (!record) {
		kg_count(KG_C_EV_DROPPED);
		return 0;
	}
	__builtin_memset(&record->event, 0, sizeof(record->event));
	record->tail.path_len = 0;
	record->tail.args_len = 0;
	record->tail.pad = 0;
	record->event.at_ns = bpf_ktime_get_boot_ns();
	record->event.kind = KG_EV_EXEC;
	kg_identify_task(&record->event, task);
	kg_identify_more(&record->event, task);
	kg_read_path(&record->tail, bprm);
	kg_read_args(&record->tail, task);
	bpf_ringbuf_submit(record, kg_wake(record->event.at_ns));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
