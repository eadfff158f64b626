// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Exports every shared layout into BTF: a type used only inside functions would be missing there.
 * The carrier is the value type of one tiny map, so the kernel itself can be asked for the layouts.
 * kg_window is not in it (the kernel refuses a lock inside a union); its own map carries it. */
#include "abi/maps.h"
#include <bpf/bpf_helpers.h>

union kg_abi_types {
	struct kg_event event;
	struct kg_exec_tail exec_tail;
	struct kg_verdict verdict;
	struct kg_rule rule;
	struct kg_ruleset ruleset;
	struct kg_net_key net_key;
	struct kg_uid_key uid_key;
	struct kg_exe_key exe_key;
	struct kg_process process;
	struct kg_session session;
	struct kg_root root;
	struct kg_file file;
	struct kg_owner owner;
	struct kg_listen_key listen_key;
	struct kg_quota_key quota_key;
	struct kg_quota quota;
	enum kg_limits limits;
	enum kg_verdict_kind verdict_kind;
	enum kg_mode mode;
	enum kg_subject_kind subject_kind;
	enum kg_event_flag event_flag;
	enum kg_proto proto;
	enum kg_control_slot control_slot;
	enum kg_needs needs;
	enum kg_source source;
	enum kg_counter counter;
	enum kg_entry entry;
	enum kg_reach reach;
	enum kg_way way;
	enum kg_way_counts way_counts;
	enum kg_local local;
	struct kg_maker maker;
	struct kg_unix_name unix_name;
	struct kg_own_key own_key;
	enum kg_own_kind own_kind;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, union kg_abi_types);
} kg_abi SEC(".maps");

char LICENSE[] SEC("license") = "Dual BSD/GPL";
