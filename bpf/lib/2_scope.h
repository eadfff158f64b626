/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Is a cgroup inside the subtree the agent is limited to? */
#ifndef KG_2_SCOPE_H
#define KG_2_SCOPE_H

#include "lib/1_maps.h"

static __always_inline __u64 kg_cgroup_id(struct cgroup *cgroup)
{
	return BPF_CORE_READ(cgroup, kn, id);
}

/* Walks up to the scope's level; a level-0 scope holds everything. */
static __always_inline int kg_in_scope(struct cgroup *cgroup)
{
	int want = kg_control_get(KG_CTL_SCOPE_LVL);
	int level = BPF_CORE_READ(cgroup, level);
	struct cgroup_subsys_state *css;

	if (want == 0)
		return 1;
	for (int i = 0; i < KG_DEPTH && level > want; i++, level--) {
		css = BPF_CORE_READ(cgroup, self.parent);
		if (!css)
			return 0;
		/* self is embedded in the cgroup; its offset is relocated like any other */
		cgroup = (void *)css - bpf_core_field_offset(struct cgroup, self);
	}
	return level == want && kg_cgroup_id(cgroup) == kg_control_get(KG_CTL_SCOPE);
}

#endif
