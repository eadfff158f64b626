/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every map, declared once. Weak, so that the linker merges the copies of all hooks into one.
 * Sizes are defaults; the agent may choose others before it loads the object. */
#ifndef KG_1_MAPS_H
#define KG_1_MAPS_H

#include "lib/0_kernel.h"
#include "abi/maps.h"

/* Desks of attempts in work: rooms of KG_SEATS each, then one a CPU for kernels that need no lock. */
enum { KG_ROOMS = 64, KG_SEATS = 16, KG_CPU_DESKS = 1024 };
#define KG_NO_DESK 0xffffffffU

struct kg_room {
	struct bpf_spin_lock lock;
	__u32 busy; /* a bit a seat */
	__u64 pad[7]; /* a cache line of its own */
};

/* The strongest verdict met so far, and by whom: the entry is looked up again to count the hit. */
struct kg_met {
	struct kg_subject who;
	__u32 verdict; /* KG_NONE, KG_AUDIT or KG_DENY */
	__u32 allow;
};

struct kg_desk {
	struct kg_event event;
	struct kg_subject asked; /* who is looked up now */
	struct kg_met met;
	__u64 taken;   /* stamp slot of each rule that counted the attempt, four bits each */
	__u64 audited; /* rules whose standing verdict lets it pass */
	__u64 prover;  /* enum kg_entry: which canary this hook answers */
	__u64 group;   /* address of the socket's cgroup; 0: none, or none that counts */
	__u32 reach;   /* enum kg_reach: what a deny must reach to hold here; 0 in the gate: any does */
	__u32 pad;
};

#define KG_MAP(map_type, entries, key_type, value_type, name) \
	struct { \
		__uint(type, BPF_MAP_TYPE_##map_type); \
		__uint(max_entries, entries); \
		__type(key, key_type); \
		__type(value, value_type); \
	} name SEC(".maps") __weak

/* Telemetry. A flood fills it and is counted; it cannot touch the verdicts' own ring. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
} kg_events SEC(".maps") __weak;

/* Crossings and ends of kernel decisions: at most one of each for a subject and rule in its time. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
} kg_crossings SEC(".maps") __weak;

/* What hooks obey: enum kg_control_slot. */
KG_MAP(ARRAY, KG_CTL_COUNT, __u32, __u64, kg_control);
/* enum kg_counter. */
KG_MAP(PERCPU_ARRAY, KG_C_COUNT, __u32, __u64, kg_counters);

/* Blocks and protections set by the agent. */
KG_MAP(HASH, 65536, struct kg_subject, struct kg_verdict, kg_verdicts);

/* Windows of pushed-down rules. Not an LRU: a lock cannot live there, and nothing may evict a count. */
KG_MAP(HASH, 32768, struct kg_window_key, struct kg_window, kg_windows);
/* One window per cgroup and rule, used while kg_windows is full. */
KG_MAP(HASH, 4096, struct kg_window_key, struct kg_window, kg_shared);
/* One window per rule slot, used while kg_shared is full too: always there. */
KG_MAP(ARRAY, KG_BANKS * KG_RULES, __u32, struct kg_window, kg_last);
/* An empty window to insert: too large for the stack next to the event, and without the lock, which
 * the verifier lets nobody pass by address. Never written. */
struct kg_blank {
	__u64 words[sizeof(struct kg_window) / 8];
};
KG_MAP(ARRAY, 1, __u32, struct kg_blank, kg_empty);
/* Windows held per cgroup and user. */
KG_MAP(HASH, 16384, struct kg_quota_key, struct kg_quota, kg_quotas);
/* Of these, how many the agent swept; written by the agent only. */
KG_MAP(HASH, 16384, struct kg_quota_key, __u64, kg_swept);

/* Rules: bank * KG_RULES + slot, in the order of evaluation. */
KG_MAP(ARRAY, KG_BANKS * KG_RULES, __u32, struct kg_rule, kg_rules);
KG_MAP(ARRAY, KG_BANKS, __u32, struct kg_ruleset, kg_rulesets);
/* Four ports an entry, 16 bits of rules each: bank * 16384 + port / 4. */
KG_MAP(ARRAY, KG_BANKS * 16384, __u32, __u64, kg_ports);
KG_MAP(HASH, 8192, struct kg_uid_key, __u32, kg_uids);
KG_MAP(HASH, 8192, struct kg_exe_key, __u32, kg_exes);
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct kg_net_key);
	__type(value, __u32);
} kg_nets SEC(".maps") __weak;

/* Attempts being judged at this moment; nothing outlives its attempt. */
KG_MAP(ARRAY, KG_ROOMS, __u32, struct kg_room, kg_rooms);
KG_MAP(ARRAY, KG_ROOMS * KG_SEATS + KG_CPU_DESKS, __u32, struct kg_desk, kg_desks);

/* What each process did, for people. */
KG_MAP(LRU_HASH, 16384, struct kg_process, struct kg_session, kg_sessions);
/* Root of the lineage of each live process. */
KG_MAP(HASH, 131072, struct kg_process, struct kg_root, kg_lineage);
/* Executables whose children begin a lineage when root runs them. */
KG_MAP(HASH, 256, struct kg_file, __u32, kg_launchers);
/* Who opened a socket, by its address in the kernel. */
KG_MAP(LRU_HASH, 65536, __u64, struct kg_owner, kg_sockets);
KG_MAP(LRU_HASH, 8192, struct kg_listen_key, struct kg_owner, kg_listeners);

/* Who made a socket. Its end is the socket's own, so nobody can push it out; accept() copies the listener's. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct kg_maker);
} kg_makers SEC(".maps") __weak;
/* enum kg_local. */
KG_MAP(HASH, 1024, struct kg_file, __u32, kg_locals);
/* Sockets that take log lines, by the names they are called by. */
KG_MAP(HASH, 256, struct kg_unix_name, __u32, kg_log_names);
/* Our maps, programs, links and folders of pins. */
KG_MAP(HASH, 1024, struct kg_own_key, __u32, kg_own);
/* Attempts refused and audited, by way. */
KG_MAP(PERCPU_ARRAY, KG_WAY_COUNTS, __u32, __u64, kg_ways);

/* An array slot is always there; 0 only satisfies the verifier. */
static __always_inline __u64 kg_control_get(__u32 slot)
{
	__u64 *value = bpf_map_lookup_elem(&kg_control, &slot);

	return value ? *value : 0;
}

#endif
