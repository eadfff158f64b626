/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finding the window of a subject. A full map must not open anything: whoever gets no window of its own
 * shares one with its cgroup, and stays there while that one is warm, so that filling and freeing the
 * map wins no second allowance.
 */
#ifndef KG_5_WINDOWS_H
#define KG_5_WINDOWS_H

#include "lib/4_window.h"

struct kg_place {
	struct kg_window_key key;
	__u32 slot;   /* bank * KG_RULES + rule */
	__u32 shared; /* out: the window belongs to more than the subject */
};

static __always_inline int kg_has_quota(__u32 kind, __u64 id, __u64 most)
{
	struct kg_quota_key key = { .kind = kind, .id = id };
	struct kg_quota *quota = bpf_map_lookup_elem(&kg_quotas, &key);
	__u64 *swept, freed;

	if (!quota || !most)
		return 1;
	/* what others free or make meanwhile can only make the answer too high by as much, never wrap it */
	swept = bpf_map_lookup_elem(&kg_swept, &key);
	freed = (swept ? *swept : 0) + *(volatile __u64 *)&quota->gone;
	return (__s64)(*(volatile __u64 *)&quota->made - freed) < (__s64)most;
}

static __always_inline void kg_charge_one(__u32 kind, __u64 id)
{
	struct kg_quota_key key = { .kind = kind, .id = id };
	struct kg_quota none = {};
	struct kg_quota *quota = bpf_map_lookup_elem(&kg_quotas, &key);

	if (!quota) {
		bpf_map_update_elem(&kg_quotas, &key, &none, BPF_NOEXIST);
		quota = bpf_map_lookup_elem(&kg_quotas, &key);
	}
	if (quota)
		__sync_fetch_and_add(&quota->made, 1);
}

static __always_inline void kg_charge(__u64 cgroup, __u32 uid)
{
	kg_charge_one(KG_SUBJ_CGROUP, cgroup);
	kg_charge_one(KG_SUBJ_USER, uid);
}

static __always_inline void kg_discharge(__u32 kind, __u64 id)
{
	struct kg_quota_key key = { .kind = kind, .id = id };
	struct kg_quota *quota = bpf_map_lookup_elem(&kg_quotas, &key);

	if (quota)
		__sync_fetch_and_add(&quota->gone, 1);
}

/* Unlocked reads: a torn answer costs at most one detour through the other window. */
static __always_inline int kg_is_warm(const struct kg_window *window, const struct kg_rule *rule, __u64 now)
{
	return window->until_ns > now || window->touched_ns > kg_floor(now, rule->within_ns);
}

static __always_inline void kg_subject_cgroup(struct kg_subject *who, __u64 cgroup)
{
	who->a = cgroup;
	who->b = 0;
	who->kind = KG_SUBJ_CGROUP;
	who->port = 0;
	who->pad = 0;
}

static __always_inline void kg_share(struct kg_place *place, __u64 cgroup)
{
	place->shared = 1;
	kg_subject_cgroup(&place->key.who, cgroup);
}

/*
 * The shared window; made when `make` is set, else only a warm one is returned. The last resort of a rule
 * is shared by the whole host: only who finds no room at all lands there, and nobody stays, or one user
 * with many cgroups could have everybody denied with him.
 */
static __always_inline struct kg_window *kg_shared_window(struct kg_place *place, const struct kg_rule *rule,
							  __u64 cgroup, __u64 now, int make)
{
	struct kg_window_key key = { .who = { .kind = KG_SUBJ_CGROUP, .a = cgroup }, .rule = place->key.rule };
	struct kg_window *window = bpf_map_lookup_elem(&kg_shared, &key);
	__u32 zero = 0;

	if (!window && make) {
		struct kg_blank *empty = bpf_map_lookup_elem(&kg_empty, &zero);

		if (empty)
			bpf_map_update_elem(&kg_shared, &key, empty, BPF_NOEXIST);
		window = bpf_map_lookup_elem(&kg_shared, &key);
	}
	if (window && (make || kg_is_warm(window, rule, now))) {
		kg_share(place, cgroup);
		return window;
	}
	if (!make)
		return 0;
	window = bpf_map_lookup_elem(&kg_last, &place->slot);
	if (window) {
		kg_share(place, 0);
		kg_count(KG_C_WIN_LAST);
	}
	return window;
}

static __always_inline struct kg_window *kg_own_window(struct kg_place *place, const struct kg_event *event)
{
	__u32 zero = 0;
	struct kg_blank *empty;

	if (!kg_has_quota(KG_SUBJ_CGROUP, event->cgroup, kg_control_get(KG_CTL_QUOTA_CG)) ||
	    !kg_has_quota(KG_SUBJ_USER, event->uid, kg_control_get(KG_CTL_QUOTA_UID)))
		return 0;
	empty = bpf_map_lookup_elem(&kg_empty, &zero);
	if (empty)
		bpf_map_update_elem(&kg_windows, &place->key, empty, BPF_NOEXIST);
	/* whoever inserted it, there is one window for the key now, or none because the map is full */
	return bpf_map_lookup_elem(&kg_windows, &place->key);
}

static __always_inline struct kg_window *kg_window_for(struct kg_place *place, const struct kg_rule *rule,
							const struct kg_event *event)
{
	struct kg_window *window = bpf_map_lookup_elem(&kg_windows, &place->key);

	if (window)
		return window;
	if (kg_control_get(KG_CTL_SHARED)) {
		window = kg_shared_window(place, rule, event->cgroup, event->at_ns, 0);
		if (window)
			return window;
	}
	window = kg_own_window(place, event);
	if (window)
		return window;
	kg_count(KG_C_WIN_FULL); /* closed: the cgroup shares one window */
	kg_control_set(KG_CTL_SHARED, 1);
	return kg_shared_window(place, rule, event->cgroup, event->at_ns, 1);
}

#endif
