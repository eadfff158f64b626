/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The verdicts the agent set: for the process, its lineage, session, cgroups, user, executable, destination. */
#ifndef KG_5_CONSULT_H
#define KG_5_CONSULT_H

#include "lib/3_desk.h"
#include "lib/3_identity.h"

/* Meets the entry of the subject asked for. Returns 1 when no other entry is to be asked. */
KG_GLOBAL int kg_meet(__u32 number)
{
	struct kg_desk *desk = kg_desk(number);
	struct kg_verdict *entry;
	__u64 now;
	__u32 verdict;

	if (!desk)
		return 0; /* open: cannot happen, the desk was claimed */
	now = desk->event.at_ns;
	entry = bpf_map_lookup_elem(&kg_verdicts, &desk->asked);
	if (!entry || now >= entry->until_ns)
		return 0; /* open: no verdict, or past its end */
	if (entry->inherit < KG_ENTRY_GATE && entry->verdict != KG_ALLOW && entry->reach < desk->reach)
		return 0; /* open: it does not reach this way */
	verdict = kg_effective(entry->verdict, entry->since_ns, now);
	if (entry->inherit >= KG_ENTRY_GATE &&
	    (entry->inherit != desk->prover || desk->event.way != KG_WAY_CONNECT))
		verdict = KG_ALLOW; /* open: another hook's canary, and nobody's behaviour */
	else if (entry->inherit > KG_ENTRY_GATE)
		verdict = entry->verdict; /* closed in audit mode too: it proves the level, and is a child of ours */
	if (verdict == KG_ALLOW) {
		desk->met.allow = 1;
	} else if (verdict > desk->met.verdict) {
		desk->met.verdict = verdict;
		desk->met.who = desk->asked;
	}
	return entry->inherit >= KG_ENTRY_GATE;
}

static __always_inline void kg_ask_cgroup(struct kg_desk *desk)
{
	desk->asked.kind = KG_SUBJ_CGROUP;
	desk->asked.b = 0;
	desk->asked.port = 0;
}

/* The current task's cgroup and each of its ancestors, by the helper that only cgroup programs have on 5.10. */
static __always_inline void kg_meet_cgroups(struct kg_desk *desk, __u32 number)
{
	kg_ask_cgroup(desk);
	for (int level = 0; level < KG_DEPTH; level++) {
		desk->asked.a = bpf_get_current_ancestor_cgroup_id(level);
		if (!desk->asked.a)
			return;
		kg_meet(number);
	}
	kg_count(KG_C_DEPTH);
	desk->asked.a = bpf_get_current_cgroup_id();
	kg_meet(number);
}

/* The same of the cgroup at a kernel address, for every other program. */
KG_GLOBAL int kg_meet_group(__u32 number, __u64 address)
{
	struct cgroup *cgroup = (struct cgroup *)address;
	struct kg_desk *desk = kg_desk(number);

	if (!desk)
		return 0; /* open: cannot happen, the desk was claimed */
	kg_ask_cgroup(desk);
	for (int level = 0; level < KG_DEPTH; level++) {
		desk->asked.a = kg_ancestor_id(cgroup, level);
		if (!desk->asked.a)
			return 0;
		kg_meet(number);
	}
	kg_count(KG_C_DEPTH);
	desk->asked.a = kg_cgroup_id(cgroup);
	kg_meet(number);
	return 0;
}

#define KG_HOLDS(subjects, kind) ((subjects) & (1ULL << (kind)))

/* `subjects` says which kinds the map can hold, so a host without blocks pays one lookup. */
static __always_inline void kg_meet_all(struct kg_desk *desk, __u32 number, __u64 subjects, int traced)
{
	const struct kg_event *event = &desk->event;
	struct kg_subject *who = &desk->asked;

	if (KG_HOLDS(subjects, KG_SUBJ_PROCESS)) {
		who->kind = KG_SUBJ_PROCESS;
		who->a = event->tgid;
		who->b = kg_tick(event->start_ns);
		if (kg_meet(number))
			return;
	}
	if (KG_HOLDS(subjects, KG_SUBJ_LINEAGE) && event->lineage_tgid) {
		who->kind = KG_SUBJ_LINEAGE;
		who->a = event->lineage_tgid;
		who->b = event->lineage_tick;
		kg_meet(number);
	}
	if (KG_HOLDS(subjects, KG_SUBJ_EXE) && event->exe_ino) {
		who->kind = KG_SUBJ_EXE;
		who->a = event->exe_ino;
		who->b = event->exe_dev;
		kg_meet(number);
	}
	who->b = 0;
	if (KG_HOLDS(subjects, KG_SUBJ_SESSION) && event->session != KG_NO_SESSION) {
		who->kind = KG_SUBJ_SESSION;
		who->a = event->session;
		kg_meet(number);
	}
	if (KG_HOLDS(subjects, KG_SUBJ_USER)) {
		who->kind = KG_SUBJ_USER;
		who->a = event->uid;
		kg_meet(number);
	}
	if (KG_HOLDS(subjects, KG_SUBJ_DEST)) {
		who->kind = KG_SUBJ_DEST;
		__builtin_memcpy(&who->a, event->daddr, 8);
		__builtin_memcpy(&who->b, event->daddr + 8, 8);
		who->port = event->dport;
		kg_meet(number);
	}
	if (!KG_HOLDS(subjects, KG_SUBJ_CGROUP))
		return;
	if (!traced) {
		kg_meet_cgroups(desk, number);
		return;
	}
	kg_meet_group(number, (__u64)kg_current_cgroup());
	/* a socket stays in the cgroup it was made in, wherever its process moves */
	if (desk->group)
		kg_meet_group(number, desk->group);
}

#define KG_REPEAT_NS 1000000000ULL

static __always_inline void kg_hit(struct kg_event *event, const struct kg_met *met)
{
	struct kg_verdict *entry = bpf_map_lookup_elem(&kg_verdicts, &met->who);

	if (!entry)
		return; /* open: lifted this very moment */
	event->decision = entry->decision;
	event->rule = entry->rule;
	event->by = met->who.kind;
	if (met->allow) {
		event->flags |= KG_F_SPARED;
		kg_count(KG_C_SPARED);
		return; /* open: protected, and told so */
	}
	__sync_fetch_and_add(&entry->hits, 1);
	if (event->at_ns < entry->last_ns + KG_REPEAT_NS)
		event->flags |= KG_F_REPEATED;
	entry->last_ns = event->at_ns;
	event->count = entry->hits;
	event->verdict = met->verdict;
}

/* Writes the verdict met into the event. Returns 1 when a protection or allow entry ends the matter. */
KG_GLOBAL int kg_consult(__u32 number, __u64 subjects)
{
	struct kg_desk *desk = kg_desk(number);

	if (!desk)
		return 0; /* open: cannot happen, the desk was claimed */
	desk->prover = KG_ENTRY_GATE;
	kg_meet_all(desk, number, subjects, 0);
	if (desk->met.verdict != KG_NONE)
		kg_hit(&desk->event, &desk->met);
	return desk->met.allow;
}

#endif
