/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Is a cgroup inside the subtree the agent is limited to? */
#ifndef KG_2_SCOPE_H
#define KG_2_SCOPE_H

#include "lib/1_maps.h"

static __always_inline __u64 kg_cgroup_id(struct cgroup *cgroup)
{
	return BPF_CORE_READ(cgroup, kn, id);
}

static __always_inline struct cgroup *kg_current_cgroup(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return BPF_CORE_READ(task, cgroups, dfl_cgrp);
}

/* Id of a cgroup's ancestor at a level, 0 below its own; as the helper of cgroup programs. */
static __always_inline __u64 kg_ancestor_id(struct cgroup *cgroup, int level)
{
	struct cgroup *ancestor = 0;
	struct cgroup___ids *older = (void *)cgroup;
	__u64 id = 0;

	if (level > BPF_CORE_READ(cgroup, level))
		return 0;
	if (bpf_core_field_exists(cgroup->ancestors)) {
		bpf_core_read(&ancestor, sizeof(ancestor), (void *)cgroup + bpf_core_field_offset(cgroup->ancestors) + level * 8);
		return kg_cgroup_id(ancestor);
	}
	if (bpf_core_field_exists(older->ancestor_ids)) /* before 6.1 */
		bpf_core_read(&id, sizeof(id), (void *)cgroup + bpf_core_field_offset(older->ancestor_ids) + level * 8);
	return id;
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
