// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A process was born: its lineage is written here, before the child can run its first instruction.
 * Of every process on the host, since one may move into the scope later.
 */
#include "lib/3_emit.h"
#include "lib/3_identity.h"
#include "hooks/fork/event.h"

/*
 * Who descends from whom is known as long as all between live. A tree whose members end as soon as they have a child
 * is never the same in two walks of the agent: so each born since a walk began also names an ancestor from before.
 */
static __always_inline void kg_anchor(const struct kg_process *mother, struct kg_root *root)
{
	struct kg_root *hers = bpf_map_lookup_elem(&kg_lineage, mother);
	__u32 epoch = kg_control_get(KG_CTL_EPOCH);

	root->anchor_tgid = mother->tgid;
	root->anchor_tick = mother->tick;
	if (hers && hers->epoch == epoch) {
		root->anchor_tgid = hers->anchor_tgid;
		root->anchor_tick = hers->anchor_tick;
	}
	root->epoch = epoch;
}

static __always_inline void kg_inherit(struct task_struct *parent, const struct kg_process *mother,
				       const struct kg_process *key, struct kg_process *anchor)
{
	struct kg_root root;

	if (kg_begins_lineage(parent) || !kg_lineage_of(parent, &root)) {
		root.tgid = key->tgid;
		root.tick = key->tick;
	}
	root.epoch = 0;
	root.anchor_tgid = 0;
	root.anchor_tick = 0;
	if (kg_control_get(KG_CTL_EPOCH))
		kg_anchor(mother, &root);
	anchor->tgid = root.anchor_tgid;
	anchor->tick = root.anchor_tick;
	root.parent_tgid = mother->tgid;
	root.parent_tick = mother->tick;
	if (bpf_map_update_elem(&kg_lineage, key, &root, BPF_ANY))
		kg_count(KG_C_LINEAGE_FULL); /* its ancestors are asked instead */
}

/* A block of a whole tree lies on each of its processes, and passes on here. */
static __always_inline void kg_bequeath(const struct kg_process *mother, const struct kg_process *anchor,
					const struct kg_process *child)
{
	struct kg_subject who = { .kind = KG_SUBJ_PROCESS, .a = mother->tgid, .b = mother->tick };
	struct kg_verdict *entry = bpf_map_lookup_elem(&kg_verdicts, &who);
	struct kg_verdict heir;

	if (!entry && anchor->tgid) {
		/* born to one the walk had not come to: the entry lies on the ancestor it knew */
		who.a = anchor->tgid;
		who.b = anchor->tick;
		entry = bpf_map_lookup_elem(&kg_verdicts, &who);
	}
	if (!entry || entry->inherit != KG_ENTRY_HEIRS)
		return;
	heir = *entry;
	heir.hits = 0;
	heir.last_ns = 0;
	who.a = child->tgid;
	who.b = child->tick;
	if (bpf_map_update_elem(&kg_verdicts, &who, &heir, BPF_ANY))
		kg_count(KG_C_HEIR_FULL); /* open: told by the counter; the agent walks the tree again */
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(kg_fork, struct task_struct *parent, struct task_struct *child)
{
	struct kg_process mother, key, anchor = {};
	struct kg_event event = {};

	if (BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid))
		return 0; /* a thread */
	kg_process_of(parent, &mother);
	kg_process_of(child, &key);
	kg_inherit(parent, &mother, &key, &anchor);
	kg_bequeath(&mother, &anchor, &key);
	if (!kg_in_scope(BPF_CORE_READ(parent, cgroups, dfl_cgrp)))
		return 0;
	event.at_ns = bpf_ktime_get_boot_ns();
	event.kind = KG_EV_FORK;
	kg_identify_task(&event, parent);
	if (kg_is_agent(event.tgid, event.start_ns))
		return 0;
	kg_identify_more(&event, parent);
	event.child = BPF_CORE_READ(child, tgid);
	event.count = BPF_CORE_READ(child, start_boottime);
	kg_emit(&event);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
