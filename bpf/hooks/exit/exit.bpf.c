// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The last thread of a process ends: its windows and its lineage entry go with it, so that no map fills
 * with the dead. No thread of it can stand in the gate any more. A decision that ends so is reported.
 */
#include "lib/3_desk.h"
#include "lib/3_emit.h"
#include "lib/3_identity.h"
#include "lib/5_windows.h"
#include "hooks/exit/event.h"

static __always_inline void kg_end_window(struct kg_event *event, const struct kg_window_key *key)
{
	struct kg_window *window = bpf_map_lookup_elem(&kg_windows, key);
	__u64 cgroup;
	__u32 uid;

	if (!window)
		return;
	if (window->verdict != KG_NONE) {
		event->decision = window->decision;
		event->count = window->hits;
		event->rule = key->rule;
		event->by = KG_SUBJ_PROCESS;
		event->flags = KG_F_ENDED;
		kg_emit_crossing(event);
		event->flags = 0;
		event->decision = 0;
		event->rule = 0;
		event->by = 0;
	}
	cgroup = window->cgroup;
	uid = window->uid;
	if (bpf_map_delete_elem(&kg_windows, key) == 0 && cgroup) {
		kg_discharge(KG_SUBJ_CGROUP, cgroup);
		kg_discharge(KG_SUBJ_USER, uid);
	}
}

/*
 * An entry that was born with the process dies with it: a blocked tree that forks without end would else
 * fill the map with the dead and free its living. Its hits go to the mother's entry, if she lives.
 */
static __always_inline void kg_end_heir(const struct kg_process *key)
{
	struct kg_subject who = { .kind = KG_SUBJ_PROCESS, .a = key->tgid, .b = key->tick };
	struct kg_verdict *entry = bpf_map_lookup_elem(&kg_verdicts, &who);
	struct kg_verdict *mother;
	struct kg_root *root;
	__u64 hits, last, decision;

	if (!entry || entry->inherit != KG_ENTRY_HEIRS)
		return;
	hits = entry->hits;
	last = entry->last_ns;
	decision = entry->decision;
	bpf_map_delete_elem(&kg_verdicts, &who);
	root = bpf_map_lookup_elem(&kg_lineage, key);
	if (!hits || !root)
		return;
	who.a = root->parent_tgid;
	who.b = root->parent_tick;
	mother = bpf_map_lookup_elem(&kg_verdicts, &who);
	if (!mother || mother->decision != decision)
		return;
	__sync_fetch_and_add(&mother->hits, hits);
	if (mother->last_ns < last)
		mother->last_ns = last;
}

KG_GLOBAL int kg_end_rule(__u32 number, __u32 slot)
{
	struct kg_rule *rule = bpf_map_lookup_elem(&kg_rules, &slot);
	struct kg_desk *desk = kg_desk(number);
	struct kg_window_key key = {};
	struct kg_event *event;

	if (!desk || !rule || !rule->used || rule->by != KG_SUBJ_PROCESS)
		return 0;
	event = &desk->event;
	key.who.kind = KG_SUBJ_PROCESS;
	key.who.a = event->tgid;
	key.who.b = kg_tick(event->start_ns);
	key.rule = rule->hash;
	kg_end_window(event, &key);
	return 0;
}

static __always_inline void kg_end_session(const struct kg_process *key, __u64 now)
{
	struct kg_session *session = bpf_map_lookup_elem(&kg_sessions, key);

	if (session)
		session->ended_ns = now;
}

/* What needs a desk: windows end, and the end is told. Without one the sweep finds the windows. */
static __always_inline void kg_end_process(struct task_struct *task, __u32 number, struct kg_event *event)
{
	__u32 first = (kg_control_get(KG_CTL_BANK) & 1) * KG_RULES;

	event->at_ns = bpf_ktime_get_boot_ns();
	event->kind = KG_EV_EXIT;
	kg_identify_task(event, task);
	for (__u32 i = 0; i < KG_RULES; i++)
		kg_end_rule(number, first + i);
	if (!kg_in_scope(BPF_CORE_READ(task, cgroups, dfl_cgrp)) || kg_is_agent(event->tgid, event->start_ns))
		return;
	kg_identify_more(event, task);
	event->count = BPF_CORE_READ(task, exit_code);
	kg_emit(event);
}

/* Without its agent nobody could answer a caller: commands and a shell work on the pins from here on. */
static __always_inline void kg_end_shield(const struct kg_process *key)
{
	if (key->tgid == kg_control_get(KG_CTL_AGENT) && key->tick == kg_control_get(KG_CTL_AGENT_TICK))
		kg_control_set(KG_CTL_SHIELD, 0);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(kg_exit, struct task_struct *task)
{
	struct kg_process key;
	struct kg_desk *desk;
	__u32 number;

	/* counted down before this tracepoint (kernel/exit.c, do_exit) */
	if (BPF_CORE_READ(task, signal, live.counter) != 0)
		return 0;
	kg_process_of(task, &key);
	kg_end_shield(&key);
	number = kg_claim_desk(0);
	desk = kg_desk(number);
	if (desk) {
		kg_end_process(task, number, &desk->event);
		kg_leave_desk(number);
	}
	kg_end_heir(&key);
	kg_end_session(&key, bpf_ktime_get_boot_ns());
	bpf_map_delete_elem(&kg_lineage, &key);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
