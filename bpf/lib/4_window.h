/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One exact window. It holds `limit` time stamps; a slot is free when its stamp has left the window.
 * An attempt that finds a free slot takes it and is admitted; one that finds none crosses the limit.
 * So exactly `limit` attempts lie in any span of `within`, in whatever order the CPUs arrive, since
 * stamp and verdict change under one lock. Nothing is called while it is held.
 */
#ifndef KG_4_WINDOW_H
#define KG_4_WINDOW_H

#include "lib/2_bits.h"
#include "lib/3_identity.h"

enum kg_step {
	KG_STEP_ADMIT, /* counted, below the limit */
	KG_STEP_LIVE,  /* met the verdict an earlier crossing set */
	KG_STEP_CROSS, /* this attempt set the verdict */
	KG_STEP_OPEN,  /* would cross, but no agent renews the lease */
	KG_STEP_STALE, /* the entry belongs to another subject by now */
	KG_STEP_PASS,  /* only a live verdict was asked for, and there is none */
};

/* One attempt at one window: what the step needs, and what it found. */
struct kg_attempt {
	__u64 now;
	__u64 decision; /* id in case it crosses */
	__u64 since;
	__u64 count;
	__u64 cgroup;   /* who is charged for a new window; 0: nobody */
	__u32 uid;
	__u32 verdict;
	__u32 leased;
	__u32 claimed;
	__u32 slot;     /* taken by an admitted attempt */
	__u32 live;     /* not 0: it does not match the rule, and only meets a verdict that stands */
	__u64 ended;    /* decision whose time was over, 0 for none */
	__u64 ended_hits;
};

static __always_inline int kg_same_key(const struct kg_window_key *a, const struct kg_window_key *b)
{
	return a->rule == b->rule && a->who.a == b->who.a && a->who.b == b->who.b && a->who.kind == b->who.kind &&
	       a->who.port == b->who.port;
}

/*
 * Lock held. Index of a free slot, or KG_STAMPS. Straight-line arithmetic: sixteen branches would
 * double the verifier's work sixteen times over. A stamp above the floor makes the difference negative.
 */
static __always_inline __u32 kg_free_slot(const struct kg_window *window, __u32 limit, __u64 floor)
{
	__u32 busy = 0;

#pragma unroll
	for (__u32 i = 0; i < KG_STAMPS; i++)
		busy |= (__u32)((floor - window->stamps[i]) >> 63) << i;
	return kg_lowest_bit(~busy & ((1U << limit) - 1));
}

/* Lock held. A verdict past its end leaves an empty window behind. */
static __always_inline void kg_reset(struct kg_window *window)
{
	window->verdict = KG_NONE;
	window->since_ns = 0;
	window->until_ns = 0;
	window->decision = 0;
	window->hits = 0;
#pragma unroll
	for (__u32 i = 0; i < KG_STAMPS; i++)
		window->stamps[i] = 0;
}

static __always_inline int kg_step_locked(struct kg_window *window, const struct kg_window_key *key,
					  const struct kg_rule *rule, struct kg_attempt *attempt)
{
	__u64 now = attempt->now;
	__u32 slot;
	int step;

	if (window->key.rule == 0) { /* fresh: the first one here owns it */
		window->key = *key;
		window->cgroup = attempt->cgroup;
		window->uid = attempt->uid;
		attempt->claimed = attempt->cgroup != 0;
	} else if (!kg_same_key(&window->key, key)) {
		return KG_STEP_STALE;
	}
	if (window->verdict != KG_NONE && now >= window->until_ns) {
		attempt->ended = window->decision;
		attempt->ended_hits = window->hits;
		kg_reset(window);
	}
	if (window->verdict != KG_NONE) {
		step = KG_STEP_LIVE;
	} else if (attempt->live) {
		return KG_STEP_PASS;
	} else {
		slot = kg_free_slot(window, rule->limit & 31, kg_floor(now, rule->within_ns));
		if (slot < KG_STAMPS) {
			window->stamps[slot & (KG_STAMPS - 1)] = now;
			window->touched_ns = now;
			attempt->slot = slot;
			return KG_STEP_ADMIT;
		}
		if (!attempt->leased)
			return KG_STEP_OPEN;
		step = KG_STEP_CROSS;
		window->touched_ns = now;
		window->verdict = rule->mode == KG_MODE_ENFORCE ? KG_DENY : KG_AUDIT;
		window->since_ns = now;
		window->until_ns = now + rule->for_ns;
		window->decision = attempt->decision;
	}
	__sync_fetch_and_add(&window->hits, 1); /* a guard counts without the lock */
	window->last_ns = now;
	attempt->verdict = window->verdict;
	attempt->since = window->since_ns;
	attempt->decision = window->decision;
	attempt->count = window->hits;
	return step;
}

static __always_inline int kg_step(struct kg_window *window, const struct kg_window_key *key,
				   const struct kg_rule *rule, struct kg_attempt *attempt)
{
	int step;

	bpf_spin_lock(&window->lock);
	step = kg_step_locked(window, key, rule, attempt);
	bpf_spin_unlock(&window->lock);
	return step;
}

/* Another rule denied the attempt, so it did not happen here either. Returns 1 when its stamp was here. */
static __always_inline int kg_take_back(struct kg_window *window, const struct kg_window_key *key, __u32 slot,
					 __u64 now)
{
	int mine;

	bpf_spin_lock(&window->lock);
	mine = kg_same_key(&window->key, key) && window->stamps[slot & (KG_STAMPS - 1)] == now;
	if (mine)
		window->stamps[slot & (KG_STAMPS - 1)] = 0;
	bpf_spin_unlock(&window->lock);
	if (mine)
		kg_count(KG_C_ROLLED_BACK);
	return mine;
}

#endif
