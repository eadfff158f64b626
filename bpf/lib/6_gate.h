/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The decision on one attempt to reach the network. In order: the panic latch opens everything; the
 * agent itself is exempt; a protection or allow entry holds back every deny; a deny the agent set
 * refuses; a deny some window holds refuses its subject whatever the attempt is; then the windows of the
 * rules that match count it, in their order, until one refuses.
 */
#ifndef KG_6_GATE_H
#define KG_6_GATE_H

#include "lib/3_address.h"
#include "lib/3_emit.h"
#include "lib/4_match.h"
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

/*
 * Whom a rule counts the attempt for; 0 for nobody. A subject that cannot be named (no lineage known,
 * executable unreadable) is counted with its cgroup: closed, since it cannot get out of counting.
 */
static __always_inline int kg_counted(struct kg_subject *who, const struct kg_event *event, __u32 by)
{
	if (kg_subject_by(who, event, by))
		return 1;
	if (by == KG_SUBJ_SESSION)
		return 0;
	kg_subject_cgroup(who, event->cgroup);
	return 1;
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

/*
 * One rule, one window. Returns the verdict for the attempt. With `live` the attempt does not match the
 * rule: it is not counted, and only meets a verdict that stands.
 */
KG_GLOBAL int kg_judge(struct kg_event *event, __u32 slot, __u64 *taken, __u32 live)
{
	struct kg_rule *rule = bpf_map_lookup_elem(&kg_rules, &slot);
	struct kg_attempt attempt = {};
	struct kg_place place = {};
	struct kg_window *window = 0;
	__u32 verdict = KG_NONE;
	int step = KG_STEP_STALE;

	if (!event || !taken)
		return KG_NONE; /* open: cannot happen; the verifier asks */
	if (!rule || !rule->used) {
		kg_count(KG_C_NO_RULE);
		return KG_NONE; /* open: a rule being replaced right now */
	}
	attempt.now = event->at_ns;
	attempt.cgroup = event->cgroup;
	attempt.uid = event->uid;
	attempt.leased = event->at_ns < kg_control_get(KG_CTL_LEASE);
	attempt.live = live;
	place.slot = slot;
	place.key.rule = rule->hash;
	if (!kg_counted(&place.key.who, event, rule->by))
		return KG_NONE; /* open: no session, so the rule does not speak of it */
	if (event->verdict == KG_AUDIT && event->rule == rule->hash)
		return KG_NONE; /* open: passes under the audit entry this very rule set, and feeds all others */
	attempt.decision = kg_decision_id(&place.key, attempt.now);
	window = kg_window_for(&place, rule, event);
	if (place.shared)
		attempt.cgroup = 0;
	if (window)
		step = kg_step(window, &place.key, rule, &attempt);
	if (step == KG_STEP_STALE) {
		/* closed: the entry was freed between lookup and lock; the cgroup's window decides */
		kg_count(KG_C_WIN_LOST);
		kg_control_set(KG_CTL_SHARED, 1);
		attempt.cgroup = 0;
		window = kg_shared_window(&place, rule, event->cgroup, event->at_ns, 1);
		if (window)
			step = kg_step(window, &place.key, rule, &attempt);
	}
	if (attempt.ended)
		kg_report_end(event, &attempt, rule);
	if (attempt.claimed)
		kg_charge(event->cgroup, event->uid);
	if (step == KG_STEP_OPEN)
		kg_count(KG_C_LEASE_OPEN); /* open: without an agent no new deny is made */
	if (step == KG_STEP_ADMIT)
		*taken |= (__u64)attempt.slot << ((slot & (KG_RULES - 1)) * 4);
	if (step != KG_STEP_LIVE && step != KG_STEP_CROSS)
		return KG_NONE; /* open: below the limit, or counted above */
	verdict = kg_effective(attempt.verdict, attempt.since, attempt.now);
	kg_note(event, verdict, &attempt, rule);
	if (step == KG_STEP_CROSS)
		kg_report_crossing(event, verdict, &attempt, rule, place.shared);
	return verdict;
}

/* Takes back the stamp this attempt left in slot `stamp` of one rule's window. */
KG_GLOBAL int kg_undo(struct kg_event *event, __u32 slot, __u32 stamp)
{
	struct kg_rule *rule = bpf_map_lookup_elem(&kg_rules, &slot);
	struct kg_window_key key = {};
	struct kg_window *window;

	if (!event || !rule || !kg_counted(&key.who, event, rule->by))
		return 0;
	key.rule = rule->hash;
	window = bpf_map_lookup_elem(&kg_windows, &key);
	if (window && kg_take_back(window, &key, stamp, event->at_ns))
		return 0;
	kg_subject_cgroup(&key.who, event->cgroup);
	window = bpf_map_lookup_elem(&kg_shared, &key);
	if (window && kg_take_back(window, &key, stamp, event->at_ns))
		return 0;
	kg_subject_cgroup(&key.who, 0);
	window = bpf_map_lookup_elem(&kg_last, &slot);
	if (window)
		kg_take_back(window, &key, stamp, event->at_ns);
	return 0;
}

/* The verdict that stands in the window this rule would count the attempt in, matching or not. */
KG_GLOBAL int kg_peek(struct kg_event *event, __u32 slot)
{
	struct kg_rule *rule = bpf_map_lookup_elem(&kg_rules, &slot);
	struct kg_place place = {};
	struct kg_window *window;

	if (!event || !rule || !rule->used || !kg_counted(&place.key.who, event, rule->by))
		return KG_NONE;
	place.key.rule = rule->hash;
	place.slot = slot;
	window = bpf_map_lookup_elem(&kg_windows, &place.key);
	if (!window && kg_control_get(KG_CTL_SHARED))
		window = kg_shared_window(&place, rule, event->cgroup, event->at_ns, 0);
	if (!window || window->until_ns <= event->at_ns)
		return KG_NONE;
	return kg_effective(window->verdict, window->since_ns, event->at_ns);
}

/* Each loop over the rules is a function of its own: nested, their paths would multiply for the verifier. */

/*
 * Meets the verdicts that stand, also of rules the attempt does not match: a block is of the subject. Returns
 * 1 when one refused it, before any rule counted it; else `audited` holds the rules whose verdict lets it pass.
 */
KG_GLOBAL int kg_meet_windows(struct kg_event *event, __u32 first, __u64 *audited)
{
	__u64 taken = 0;
	int verdict;

	if (!event || !audited)
		return 0;
	for (__u32 i = 0; i < KG_RULES; i++) {
		verdict = kg_peek(event, first + i);
		if (verdict == KG_DENY && kg_judge(event, first + i, &taken, 1) == KG_DENY)
			return 1;
		if (verdict == KG_AUDIT)
			*audited |= 1U << i;
	}
	return 0;
}

/* A denied attempt did not happen: it leaves no stamp with the rules that counted it. */
KG_GLOBAL int kg_undo_all(struct kg_event *event, __u32 rules, __u32 first, __u64 taken)
{
	if (!event)
		return 0;
	for (__u32 i = 0; i < KG_RULES; i++) {
		if (rules & (1U << i))
			kg_undo(event, first + i, (taken >> (i * 4)) & (KG_STAMPS - 1));
	}
	return 0;
}

/* Counts the attempt with `rules`; those in `live` only tell of it. Returns the rules up to the one that
 * refused it, 0 when none did. */
KG_GLOBAL int kg_count_all(struct kg_event *event, __u32 first, __u32 rules, __u32 live, __u64 *taken)
{
	if (!event || !taken)
		return 0;
	for (__u32 i = 0; i < KG_RULES; i++) {
		if ((rules & (1U << i)) && kg_judge(event, first + i, taken, live & (1U << i)) == KG_DENY)
			return rules & ((2U << i) - 1);
	}
	return 0;
}

/* Rules that deny come before those that only tell, so that these hear of no attempt that was refused. */
KG_GLOBAL int kg_judge_all(struct kg_event *event, __u32 bank, __u32 rules)
{
	__u32 first = (bank & 1) * KG_RULES, denying, telling, counted;
	struct kg_ruleset *set = bpf_map_lookup_elem(&kg_rulesets, &bank);
	__u64 taken = 0, audited = 0;

	if (!event || !set)
		return 0; /* open: cannot happen, both banks exist */
	if (kg_control_get(KG_CTL_CROSSED) != kg_control_get(KG_CTL_QUIET) &&
	    kg_meet_windows(event, first, &audited))
		return 0;
	denying = rules & set->enforce & ~audited;
	telling = (rules & ~denying) | audited;
	counted = kg_count_all(event, first, denying, 0, &taken);
	if (!counted && telling) {
		counted = kg_count_all(event, first, telling, audited, &taken);
		counted |= counted ? denying : 0; /* the operator changed a mode this very moment */
	}
	if (counted)
		kg_undo_all(event, counted, first, taken);
	return 0;
}

static __always_inline void kg_decide(struct kg_event *event, __u32 send)
{
	__u32 bank = kg_control_get(KG_CTL_BANK) & 1;
	__u32 rules;

	if (kg_control_get(KG_CTL_PANIC)) {
		kg_count(KG_C_PANIC_OPEN);
		return; /* open: the operator said so */
	}
	if (kg_consult(event, kg_control_get(KG_CTL_SUBJECTS)) || event->verdict == KG_DENY)
		return; /* open: protected; closed: denied already, so no window counts it */
	rules = kg_match(event, bank, send);
	if (rules || kg_control_get(KG_CTL_CROSSED) != kg_control_get(KG_CTL_QUIET))
		kg_judge_all(event, bank, rules);
}

KG_GLOBAL int kg_remember(struct kg_event *event, __u32 send)
{
	struct kg_process key = {};
	struct kg_session *session;

	if (!event)
		return 0;
	key.tgid = event->tgid;
	key.tick = kg_tick(event->start_ns);
	session = bpf_map_lookup_elem(&kg_sessions, &key);
	if (!session) {
		struct kg_session fresh = {
			.start_ns = event->start_ns, .first_ns = event->at_ns, .cgroup = event->cgroup,
			.uid = event->uid, .session = event->session,
		};

		__builtin_memcpy(fresh.comm, event->comm, sizeof(fresh.comm));
		bpf_map_update_elem(&kg_sessions, &key, &fresh, BPF_NOEXIST);
		session = bpf_map_lookup_elem(&kg_sessions, &key);
	}
	if (!session) {
		kg_count(KG_C_SESSION_FULL);
		return 0;
	}
	session->last_ns = event->at_ns;
	if (event->verdict == KG_DENY)
		__sync_fetch_and_add(&session->denied, 1);
	else
		__sync_fetch_and_add(send ? &session->sends : &session->connects, 1);
	if (event->verdict == KG_AUDIT)
		__sync_fetch_and_add(&session->audited, 1);
	return 0;
}

/*
 * The whole way of one attempt; `event` comes with its addresses and protocol filled in.
 * Returns 1 to let it pass, 0 to refuse it with EPERM.
 */
static __always_inline int kg_gate(struct kg_event *event, __u32 kind, __u32 send)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	kg_count(KG_C_GATE_HITS);
	event->at_ns = bpf_ktime_get_boot_ns();
	event->kind = kind;
	kg_identify_current(event, task);
	if (kg_is_agent(event->tgid, event->start_ns))
		return 1; /* open: the agent never blocks or watches itself */
	kg_identify_more(event, task);
	kg_decide(event, send);
	if (event->verdict == KG_DENY) {
		event->result = -1; /* EPERM, which the call will return */
		kg_count(KG_C_DENIED);
	} else if (event->verdict == KG_AUDIT) {
		kg_count(KG_C_AUDITED);
	}
	kg_remember(event, send);
	/* a crossing has gone out on its own ring already */
	if (!(event->flags & KG_F_CROSSED) &&
	    (event->verdict != KG_NONE || send || kg_control_get(KG_CTL_SOURCE) == KG_SRC_CGROUP))
		kg_emit(event);
	return event->verdict != KG_DENY;
}

#endif
