/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The verdicts the agent set: for the process, its lineage, session, cgroups, user, executable, destination. */
#ifndef KG_5_CONSULT_H
#define KG_5_CONSULT_H

#include "lib/3_identity.h"

/* The strongest verdict met so far, and by whom: the entry is looked up again to count the hit. */
struct kg_met {
	struct kg_subject who;
	__u32 verdict; /* KG_NONE, KG_AUDIT or KG_DENY */
	__u32 allow;
};

/* Returns 1 when no other entry is to be asked. */
KG_GLOBAL int kg_meet(struct kg_met *met, const struct kg_subject *who, __u64 now)
{
	struct kg_verdict *entry;
	__u32 verdict;

	if (!met || !who)
		return 0; /* open: cannot happen; the verifier asks */
	entry = bpf_map_lookup_elem(&kg_verdicts, who);
	if (!entry || now >= entry->until_ns)
		return 0; /* open: no verdict, or past its end */
	verdict = kg_effective(entry->verdict, entry->since_ns, now);
	if (verdict == KG_ALLOW) {
		met->allow = 1;
	} else if (verdict > met->verdict) {
		met->verdict = verdict;
		met->who = *who;
	}
	return entry->inherit == KG_ENTRY_ALONE;
}

/* The current cgroup and each of its ancestors. */
static __always_inline void kg_meet_cgroups(struct kg_met *met, __u64 now)
{
	struct kg_subject who = { .kind = KG_SUBJ_CGROUP };

	for (int level = 0; level < KG_DEPTH; level++) {
		who.a = bpf_get_current_ancestor_cgroup_id(level);
		if (!who.a)
			return;
		kg_meet(met, &who, now);
	}
	kg_count(KG_C_DEPTH);
	who.a = bpf_get_current_cgroup_id();
	kg_meet(met, &who, now);
}

#define KG_HOLDS(subjects, kind) ((subjects) & (1ULL << (kind)))

/* `subjects` says which kinds the map can hold, so a host without blocks pays one lookup. */
static __always_inline void kg_meet_all(struct kg_met *met, const struct kg_event *event, __u64 subjects)
{
	struct kg_subject who = {};
	__u64 now = event->at_ns;

	if (KG_HOLDS(subjects, KG_SUBJ_PROCESS)) {
		who.kind = KG_SUBJ_PROCESS;
		who.a = event->tgid;
		who.b = kg_tick(event->start_ns);
		if (kg_meet(met, &who, now))
			return;
	}
	if (KG_HOLDS(subjects, KG_SUBJ_LINEAGE) && event->lineage_tgid) {
		who.kind = KG_SUBJ_LINEAGE;
		who.a = event->lineage_tgid;
		who.b = event->lineage_tick;
		kg_meet(met, &who, now);
	}
	if (KG_HOLDS(subjects, KG_SUBJ_EXE) && event->exe_ino) {
		who.kind = KG_SUBJ_EXE;
		who.a = event->exe_ino;
		who.b = event->exe_dev;
		kg_meet(met, &who, now);
	}
	who.b = 0;
	if (KG_HOLDS(subjects, KG_SUBJ_SESSION) && event->session != KG_NO_SESSION) {
		who.kind = KG_SUBJ_SESSION;
		who.a = event->session;
		kg_meet(met, &who, now);
	}
	if (KG_HOLDS(subjects, KG_SUBJ_USER)) {
		who.kind = KG_SUBJ_USER;
		who.a = event->uid;
		kg_meet(met, &who, now);
	}
	if (KG_HOLDS(subjects, KG_SUBJ_DEST)) {
		who.kind = KG_SUBJ_DEST;
		__builtin_memcpy(&who.a, event->daddr, 8);
		__builtin_memcpy(&who.b, event->daddr + 8, 8);
		who.port = event->dport;
		kg_meet(met, &who, now);
	}
	if (KG_HOLDS(subjects, KG_SUBJ_CGROUP))
		kg_meet_cgroups(met, now);
}

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
	entry->last_ns = event->at_ns;
	event->count = entry->hits;
	event->verdict = met->verdict;
}

/* Writes the verdict met into the event. Returns 1 when a protection or allow entry ends the matter. */
KG_GLOBAL int kg_consult(struct kg_event *event, __u64 subjects)
{
	struct kg_met met = {};

	if (!event)
		return 0;
	kg_meet_all(&met, event, subjects);
	if (met.verdict != KG_NONE)
		kg_hit(event, &met);
	return met.allow;
}

#endif
