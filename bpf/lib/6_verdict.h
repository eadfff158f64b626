/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whom a rule counts for, and what is written down of a verdict: ids, the event, crossings and ends. */
#ifndef KG_6_VERDICT_H
#define KG_6_VERDICT_H

#include "lib/3_emit.h"
#include "lib/5_consult.h"
#include "lib/5_windows.h"

/* Whom a rule counts for; 0 when the attempt has no such subject. */
static __always_inline int kg_subject_by(struct kg_subject *who, const struct kg_event *event, __u32 by)
{
	who->kind = by;
	who->a = 0;
	who->b = 0;
	who->port = 0;
	who->pad = 0;
	if (by == KG_SUBJ_PROCESS) {
		who->a = event->tgid;
		who->b = kg_tick(event->start_ns);
	} else if (by == KG_SUBJ_LINEAGE) {
		who->a = event->lineage_tgid;
		who->b = event->lineage_tick;
	} else if (by == KG_SUBJ_SESSION) {
		who->a = event->session;
		return event->session != KG_NO_SESSION;
	} else if (by == KG_SUBJ_CGROUP) {
		who->a = event->cgroup;
	} else if (by == KG_SUBJ_USER) {
		who->a = event->uid;
		return 1;
	} else if (by == KG_SUBJ_EXE) {
		who->a = event->exe_ino;
		who->b = event->exe_dev;
	} else if (by == KG_SUBJ_DEST) {
		__builtin_memcpy(&who->a, event->daddr, 8);
		__builtin_memcpy(&who->b, event->daddr + 8, 8);
		who->port = event->dport;
		return 1;
	}
	return who->a != 0;
}

/* The id of the root of every cgroup v2 hierarchy. */
enum { KG_ROOT_CGROUP = 1 };

/*
 * Whom a rule counts the attempt for; 0 for nobody. A subject that cannot be named (no lineage known,
 * executable unreadable) is counted with its cgroup: closed, since it cannot get out of counting.
 */
static __always_inline int kg_counted(struct kg_subject *who, const struct kg_event *event, __u32 by)
{
	if (!kg_subject_by(who, event, by)) {
		if (by == KG_SUBJ_SESSION)
			return 0;
		kg_subject_cgroup(who, event->cgroup);
	}
	/* open: in the root cgroup lies what nobody sorted, on some hosts everything; it is no group to block */
	return who->kind != KG_SUBJ_CGROUP || who->a != KG_ROOT_CGROUP;
}

/* Ids must differ between decisions, not be secret: boot time, rule and subject are mixed. */
static __always_inline __u64 kg_decision_id(const struct kg_window_key *key, __u64 now)
{
	__u64 id = now ^ (key->rule * 0x9e3779b97f4a7c15ULL);

	id ^= key->who.a * 0xbf58476d1ce4e5b9ULL;
	id ^= id >> 29;
	id += key->who.b * 0x94d049bb133111ebULL + key->who.kind;
	id ^= id >> 32;
	return id ? id : 1;
}

static __always_inline void kg_note(struct kg_event *event, __u32 verdict, const struct kg_attempt *attempt,
				    const struct kg_rule *rule)
{
	if (verdict <= event->verdict)
		return; /* a stronger verdict, or the first of equals, is the one to report */
	event->verdict = verdict;
	event->decision = attempt->decision;
	event->count = attempt->count;
	event->rule = rule->hash;
	event->by = rule->by;
}

/* The crossing goes out under its own decision, even when the attempt as a whole met a stronger one. */
static __always_inline void kg_report_crossing(struct kg_event *event, __u32 verdict, const struct kg_attempt *attempt,
					       const struct kg_rule *rule, __u32 shared)
{
	__u64 decision = event->decision, hash = event->rule, count = event->count;
	__u8 by = event->by, met = event->verdict, flags = event->flags;

	kg_count(KG_C_CROSSED);
	kg_control_add(KG_CTL_CROSSED);
	event->decision = attempt->decision;
	event->rule = rule->hash;
	event->count = attempt->count;
	event->by = rule->by;
	event->verdict = verdict;
	event->result = verdict == KG_DENY ? -1 : 0;
	event->flags = KG_F_CROSSED | (shared ? KG_F_SHARED : 0) | (flags & KG_F_CROSSED ? KG_F_AGAIN : 0);
	kg_emit_crossing(event);
	event->decision = decision;
	event->rule = hash;
	event->count = count;
	event->by = by;
	event->verdict = met;
	event->result = 0;
	event->flags = flags | KG_F_CROSSED;
}

/* The last count of a decision whose time was over; the window has begun anew with this attempt. */
static __always_inline void kg_report_end(struct kg_event *event, const struct kg_attempt *attempt,
					  const struct kg_rule *rule)
{
	__u64 decision = event->decision, hash = event->rule, count = event->count;
	__u8 flags = event->flags;

	event->decision = attempt->ended;
	event->rule = rule->hash;
	event->count = attempt->ended_hits;
	event->flags = KG_F_ENDED;
	kg_emit_crossing(event);
	event->decision = decision;
	event->rule = hash;
	event->count = count;
	event->flags = flags;
}

#endif
