/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The windows of the rules that match, in their order, until one refuses; a refused attempt leaves no stamp. */
#ifndef KG_7_JUDGE_H
#define KG_7_JUDGE_H

#include "lib/4_match.h"
#include "lib/6_verdict.h"

/*
 * One rule, one window. Returns the verdict for the attempt. With `live` the attempt does not match the
 * rule: it is not counted, and only meets a verdict that stands.
 */
KG_GLOBAL int kg_judge(__u32 number, __u32 slot, __u32 live)
{
	struct kg_rule *rule = bpf_map_lookup_elem(&kg_rules, &slot);
	struct kg_desk *desk = kg_desk(number);
	struct kg_event *event;
	struct kg_attempt attempt = {};
	struct kg_place place = {};
	struct kg_window *window = 0;
	__u32 verdict = KG_NONE;
	int step = KG_STEP_STALE;

	if (!desk)
		return KG_NONE; /* open: cannot happen, the desk was claimed */
	event = &desk->event;
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
		desk->taken |= (__u64)attempt.slot << ((slot & (KG_RULES - 1)) * 4);
	if (step != KG_STEP_LIVE && step != KG_STEP_CROSS)
		return KG_NONE; /* open: below the limit, or counted above */
	verdict = kg_effective(attempt.verdict, attempt.since, attempt.now);
	kg_note(event, verdict, &attempt, rule);
	if (step == KG_STEP_CROSS)
		kg_report_crossing(event, verdict, &attempt, rule, place.shared);
	return verdict;
}

/* Takes back the stamp this attempt left in slot `stamp` of one rule's window. */
KG_GLOBAL int kg_undo(__u32 number, __u32 slot, __u32 stamp)
{
	struct kg_rule *rule = bpf_map_lookup_elem(&kg_rules, &slot);
	struct kg_desk *desk = kg_desk(number);
	struct kg_window_key key = {};
	struct kg_window *window;
	struct kg_event *event;

	if (!desk || !rule)
		return 0;
	event = &desk->event;
	if (!kg_counted(&key.who, event, rule->by))
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

/*
 * The window this rule would count the attempt in, matching or not, when a verdict of `least` or stronger
 * stands there; `verdict` is what it comes to now. Read without its lock.
 */
static __always_inline struct kg_window *kg_standing(const struct kg_event *event, const struct kg_rule *rule,
						     struct kg_place *place, __u32 least, __u32 *verdict)
{
	struct kg_window *window;

	if (!kg_counted(&place->key.who, event, rule->by))
		return 0;
	place->key.rule = rule->hash;
	window = bpf_map_lookup_elem(&kg_windows, &place->key);
	if (!window && kg_control_get(KG_CTL_SHARED))
		window = kg_shared_window(place, rule, event->cgroup, event->at_ns, 0);
	if (!window || window->until_ns <= event->at_ns)
		return 0;
	*verdict = kg_effective(window->verdict, window->since_ns, event->at_ns);
	return *verdict >= least ? window : 0;
}

/* The verdict that stands in the window this rule would count the attempt in. */
KG_GLOBAL int kg_peek(__u32 number, __u32 slot)
{
	struct kg_rule *rule = bpf_map_lookup_elem(&kg_rules, &slot);
	struct kg_desk *desk = kg_desk(number);
	struct kg_place place = { .slot = slot };
	__u32 verdict = KG_NONE;

	if (!desk || !rule || !rule->used)
		return KG_NONE;
	return kg_standing(&desk->event, rule, &place, KG_AUDIT, &verdict) ? verdict : KG_NONE;
}

/* Each loop over the rules is a function of its own: nested, their paths would multiply for the verifier. */

/*
 * Meets the verdicts that stand, also of rules the attempt does not match: a block is of the subject. Returns
 * 1 when one refused it, before any rule counted it; else the desk holds the rules whose verdict lets it pass.
 */
KG_GLOBAL int kg_meet_windows(__u32 number, __u32 first)
{
	struct kg_desk *desk = kg_desk(number);
	int verdict;

	if (!desk)
		return 0; /* open: cannot happen, the desk was claimed */
	for (__u32 i = 0; i < KG_RULES; i++) {
		verdict = kg_peek(number, first + i);
		if (verdict == KG_DENY && kg_judge(number, first + i, 1) == KG_DENY)
			return 1;
		if (verdict == KG_AUDIT)
			desk->audited |= 1U << i;
	}
	return 0;
}

/* A denied attempt did not happen: it leaves no stamp with the rules that counted it. */
KG_GLOBAL int kg_undo_all(__u32 number, __u32 rules, __u32 first)
{
	struct kg_desk *desk = kg_desk(number);

	if (!desk)
		return 0;
	for (__u32 i = 0; i < KG_RULES; i++) {
		if (rules & (1U << i))
			kg_undo(number, first + i, (desk->taken >> (i * 4)) & (KG_STAMPS - 1));
	}
	return 0;
}

/* Counts the attempt with `rules`; those in `live` only tell of it. Returns the rules up to the one that
 * refused it, 0 when none did. */
KG_GLOBAL int kg_count_all(__u32 number, __u32 first, __u32 rules, __u32 live)
{
	for (__u32 i = 0; i < KG_RULES; i++) {
		if ((rules & (1U << i)) && kg_judge(number, first + i, live & (1U << i)) == KG_DENY)
			return rules & ((2U << i) - 1);
	}
	return 0;
}

/* Rules that deny come before those that only tell, so that these hear of no attempt that was refused. */
KG_GLOBAL int kg_judge_all(__u32 number, __u32 bank, __u32 rules)
{
	__u32 first = (bank & 1) * KG_RULES, denying, telling, counted;
	struct kg_ruleset *set = bpf_map_lookup_elem(&kg_rulesets, &bank);
	struct kg_desk *desk = kg_desk(number);

	if (!desk || !set)
		return 0; /* open: cannot happen, the desk was claimed and both banks exist */
	if (kg_control_get(KG_CTL_CROSSED) != kg_control_get(KG_CTL_QUIET) && kg_meet_windows(number, first))
		return 0; /* closed: a verdict that stands refused it */
	denying = rules & set->enforce & ~desk->audited;
	telling = (rules & ~denying) | desk->audited;
	counted = kg_count_all(number, first, denying, 0);
	if (!counted && telling) {
		counted = kg_count_all(number, first, telling, desk->audited);
		counted |= counted ? denying : 0; /* the operator changed a mode this very moment */
	}
	if (counted)
		kg_undo_all(number, counted, first);
	return 0;
}

#endif
