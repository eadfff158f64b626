/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Keys, values and slots of every map. */
#ifndef KG_MAPS_H
#define KG_MAPS_H

#include <linux/bpf.h> /* struct bpf_spin_lock: the kernel finds the lock in a value by this name */

#include "event.h"
#include "own.h"
#include "sockets.h"

/* kg_control: one 64-bit slot each, so that every writer changes its own slot atomically. */
enum kg_control_slot {
	KG_CTL_PANIC = 0,      /* not 0: every hook lets everything pass; only `mode enforce` clears it */
	KG_CTL_MODE = 1,       /* enum kg_mode of the agent */
	KG_CTL_DEMOTED = 2,    /* boot ns: denies set at or before it count as audit */
	KG_CTL_LEASE = 3,      /* boot ns: past it no new deny is created */
	KG_CTL_CONFIRM = 4,    /* boot ns: past it enforcement counts as audit; 0: confirmed */
	KG_CTL_BANK = 5,       /* bank of rules in force */
	KG_CTL_SUBJECTS = 6,   /* bit per enum kg_subject_kind that kg_verdicts may hold */
	KG_CTL_NEEDS = 7,      /* enum kg_needs */
	KG_CTL_SCOPE = 8,      /* cgroup id the agent is limited to */
	KG_CTL_SCOPE_LVL = 9,  /* its level, 0 for the root */
	KG_CTL_AGENT = 10,     /* tgid of the agent */
	KG_CTL_AGENT_TICK = 11, /* its start tick */
	KG_CTL_STAMP = 12,     /* ABI stamp of the object that made the maps */
	KG_CTL_SOURCE = 13,    /* enum kg_source of connect events */
	KG_CTL_SHARED = 14,    /* not 0: a shared window has been in use */
	KG_CTL_LAST_WAKE = 15, /* boot ns of the last wake-up for telemetry */
	KG_CTL_QUOTA_CG = 16,  /* windows one cgroup may hold */
	KG_CTL_QUOTA_UID = 17, /* windows one user may hold */
	KG_CTL_OBJECT = 18,    /* hash of the object file whose programs are attached */
	KG_CTL_CROSSED = 19,   /* crossings so far, of all CPUs */
	KG_CTL_QUIET = 20,     /* that count when last no window held a live verdict; written by the agent */
	KG_CTL_REACH = 21,     /* enum kg_reach: farthest reach of the entries in kg_verdicts */
	KG_CTL_RULE_REACH = 22, /* the same of the rules in force */
	KG_CTL_GUARDED = 23,   /* not 0: guards of a stronger level stand before the cgroup programs */
	KG_CTL_BARRED = 24,    /* boot ns: until then some socket may be barred by a verdict that is gone; set by the hook */
	KG_CTL_LIFTED = 25,    /* boot ns of the latest unblock: what was barred before it is so no more */
	KG_CTL_EPOCH = 26,     /* number of the latest walk through trees; 0: none yet */
	KG_CTL_SHIELD = 27,    /* boot ns: until then our objects are the agent's alone; its end clears it */
	KG_CTL_COUNT = 28,
};

enum kg_needs {
	KG_NEED_LINEAGE = 1,
	KG_NEED_EXE = 2,
};

enum kg_source {
	KG_SRC_CGROUP = 0,
	KG_SRC_TRACEPOINT = 1,
	KG_SRC_FENTRY = 2,
	KG_SRC_KPROBE = 3,
};

/* kg_counters: per CPU, added to atomically. Each name is shown by `status`. */
enum kg_counter {
	KG_C_EV_SENT = 0,      /* telemetry records offered to the ring */
	KG_C_EV_DROPPED = 1,   /* of these, refused by a full ring */
	KG_C_VD_SENT = 2,      /* verdict records offered */
	KG_C_VD_DROPPED = 3,   /* of these, refused; the kernel entry stays the fact */
	KG_C_GATE_HITS = 4,    /* attempts the gate has seen, or the guard has settled before it */
	KG_C_DENIED = 5,
	KG_C_AUDITED = 6,      /* would have been denied */
	KG_C_SPARED = 7,       /* a deny matched, a protection held it back */
	KG_C_CROSSED = 8,
	KG_C_PANIC_OPEN = 9,   /* let through by the panic latch */
	KG_C_LEASE_OPEN = 10,  /* crossing let through: no agent renews the lease */
	KG_C_WIN_FULL = 11,    /* window map or quota full: the shared window decided */
	KG_C_WIN_LAST = 12,    /* the shared map full too: the rule's last window decided */
	KG_C_WIN_LOST = 13,    /* the entry vanished between lookup and lock, twice */
	KG_C_LINEAGE_FULL = 14,
	KG_C_LINEAGE_MISS = 15, /* no ancestor known: counted for the cgroup instead */
	KG_C_SESSION_FULL = 16,
	KG_C_SOCKET_FULL = 17,
	KG_C_NO_OWNER = 18,    /* socket without a known owner */
	KG_C_READ_FAILED = 19, /* kernel or user memory could not be read */
	KG_C_ROLLED_BACK = 20, /* stamps taken back because another rule denied */
	KG_C_NO_RULE = 21,     /* a rule slot could not be read */
	KG_C_DEPTH = 22,       /* cgroup deeper than KG_DEPTH levels */
	KG_C_HEIR_FULL = 23,   /* a child of a blocked tree got no entry: the map is full */
	KG_C_DESK_FULL = 24,   /* no room to judge an attempt: too many preempted in the gate of one CPU */
	KG_C_GUARD_HITS = 25,  /* attempts the guard of a stronger level has settled */
	KG_C_SHIELD_DENIED = 26, /* calls on our objects refused to others than the agent */
	KG_C_COUNT = 27,
};

enum kg_entry {
	KG_ENTRY_PLAIN = 0,
	KG_ENTRY_HEIRS = 1, /* its children get the same entry at birth */
	/* The canary's: no other entry is asked, so no allow entry can spare it. It names the one hook that is to
	 * answer; the others let it pass, so each is proven by itself. */
	KG_ENTRY_GATE = 2,
	KG_ENTRY_LSM = 3,  /* refused in audit mode as well: the level is proven before it is claimed */
	KG_ENTRY_FMOD = 4,
};

/* kg_ways: per CPU; two counts a way: refused, and audited. Way w: refused at 2 w. */
enum kg_way_counts { KG_WAY_COUNTS = 34 };

/* kg_verdicts: written by the agent (and by an offline unblock or panic); a process's birth passes on an
 * entry with `inherit`, and its end takes it away. */
struct kg_verdict {
	__u64 since_ns;
	__u64 until_ns;  /* all ones: no end */
	__u64 decision;
	__u64 rule;      /* hash; 0 for the operator's */
	__u64 hits;
	__u64 last_ns;
	__u32 verdict;   /* enum kg_verdict_kind */
	__u32 inherit;   /* of a process: enum kg_entry */
	__u32 reach;     /* enum kg_reach; of no meaning for KG_ALLOW */
	__u32 pad;
};

/* kg_windows and kg_shared: one window of one rule for one subject. */
struct kg_window_key {
	struct kg_subject who;
	__u64 rule;
};


struct kg_window {
	struct bpf_spin_lock lock;
	__u32 verdict;   /* KG_NONE, or the KG_AUDIT or KG_DENY its crossing set */
	__u64 since_ns;  /* the crossing */
	__u64 until_ns;
	__u64 decision;
	__u64 hits;      /* attempts denied (or that would have been) by `decision` */
	__u64 last_ns;   /* the latest of them */
	__u64 touched_ns; /* latest attempt that was counted or crossed; for sweeping and warmth */
	struct kg_window_key key; /* whose it is: an entry may be reused between lookup and lock */
	__u64 cgroup;    /* charged to this cgroup and user; 0: not charged */
	__u32 uid;
	__u32 pad;
	__u64 stamps[KG_STAMPS]; /* a free slot holds a stamp that has left the window */
};

struct kg_rule {
	__u64 hash;
	__u64 within_ns;
	__u64 for_ns;
	__u32 limit;
	__u8 by;      /* enum kg_subject_kind */
	__u8 mode;    /* enum kg_mode: the weaker of policy and agent */
	__u8 used;
	__u8 reach;  /* enum kg_reach */
};

/* kg_ruleset: per bank, which rules take part and what a missing entry means. Bit i: rule i. */
struct kg_ruleset {
	__u32 on_connect;
	__u32 on_send;
	__u32 tcp;
	__u32 udp;
	__u32 other;     /* any other protocol */
	__u32 allow;     /* rules that end the evaluation */
	__u32 test_port; /* dimensions some rule tests; others are not looked up */
	__u32 test_net;
	__u32 test_uid;
	__u32 test_exe;
	__u32 else_net;  /* rules that match an address no prefix covers */
	__u32 else_uid;
	__u32 else_exe;
	__u32 enforce;   /* rules that deny; the others only tell */
};

struct kg_net_key {
	__u32 prefixlen; /* 32 + bits of the address */
	__u32 bank;
	kg_ip addr;
};

struct kg_uid_key {
	__u32 uid;
	__u32 bank;
};

struct kg_exe_key {
	__u64 ino;
	__u32 dev; /* kernel encoding: major << 20 | minor */
	__u32 bank;
};

struct kg_process {
	__u32 tgid;
	__u32 pad;
	__u64 tick; /* start in 10 ms since boot */
};

/* kg_sessions: what each process did; telemetry, evicted when full. */
struct kg_session {
	__u64 start_ns;
	__u64 first_ns;
	__u64 last_ns;
	__u64 connects;
	__u64 sends;
	__u64 denied;
	__u64 audited;
	__u64 auth_tries;
	__u64 auth_fails;
	__u64 auth_oks;
	__u64 ended_ns; /* 0 while it lives */
	__u64 cgroup;
	__u32 uid;
	__u32 session;
	kg_comm comm;
};

/* kg_lineage: the root of each live process's tree. */
struct kg_root {
	__u64 tick;
	__u64 parent_tick; /* who forked it, even if another adopted it since */
	__u64 anchor_tick; /* of its ancestors, the latest that lived when the agent began the walk `epoch` */
	__u32 tgid;
	__u32 parent_tgid;
	__u32 anchor_tgid;
	__u32 epoch;
};

/* kg_launchers: executables whose children, when root runs them, begin a lineage. */
struct kg_file {
	__u64 ino;
	__u32 dev;
	__u32 pad;
};

/* kg_quota: windows held by a user or cgroup, in kg_windows. In use = made - gone - swept. */
struct kg_quota_key {
	__u64 id;
	__u32 kind; /* KG_SUBJ_CGROUP or KG_SUBJ_USER */
	__u32 pad;
};

struct kg_quota {
	__u64 made;
	__u64 gone;
};

#endif
