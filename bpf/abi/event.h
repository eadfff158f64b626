/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The one record of both rings. A hook names its kinds in its own event.h. */
#ifndef KG_EVENT_H
#define KG_EVENT_H

#include "types.h"

enum kg_event_flag {
	KG_F_CROSSED = 1, /* this attempt crossed a limit: `decision` is new */
	KG_F_SPARED = 2,  /* a deny matched, a protection held it back */
	KG_F_ENDED = 4,   /* `decision` is over: its process (exit) or its time (else) is; `count`: its hits */
	KG_F_SHARED = 8,  /* decided by the shared window of the cgroup: the window map was full */
	KG_F_NOOWNER = 16, /* the socket's owner is unknown: identity fields are zero */
	KG_F_AGAIN = 32,  /* a further limit crossed by an attempt that was told of already */
	KG_F_REPEATED = 64, /* the same entry was hit less than a second ago */
};

enum kg_proto {
	KG_PROTO_NONE = 0,
	KG_PROTO_TCP = 6,
	KG_PROTO_UDP = 17,
	KG_PROTO_SCTP = 132,
};

struct kg_event {
	__u64 at_ns;        /* boot time */
	__u64 start_ns;     /* start of the thread group leader, boot time */
	__u64 cgroup;       /* cgroup v2 id */
	__u64 lineage_tick; /* root of the lineage; 0 when unknown or not asked for */
	__u64 decision;     /* id of the verdict met, 0 for none */
	__u64 rule;         /* hash of the rule that set it, 0 for the operator's */
	__u64 exe_ino;      /* only when a rule needs it */
	__u64 count;        /* hits of `decision` so far; exit: the exit code; fork: start_ns of the child */
	__u32 exe_dev;
	__u32 tgid;
	__u32 ppid;
	__u32 uid;
	__u32 session;      /* audit session id, all ones when unset */
	__u32 lineage_tgid;
	__u32 child;        /* fork: the child; its start is in `count` */
	__s32 result;       /* 0 or a negative errno */
	__u16 kind;         /* one of the enums kg_kind_* */
	__u16 sport;        /* host order */
	__u16 dport;        /* host order */
	__u8 proto;         /* enum kg_proto, or the IP protocol number */
	__u8 verdict;       /* enum kg_verdict_kind, as it was applied */
	__u8 flags;         /* enum kg_event_flag */
	__u8 by;            /* enum kg_subject_kind of the verdict's subject */
	__u8 way;           /* enum kg_way */
	__u8 pad0;
	__u32 pad1;
	kg_comm comm;
	kg_ip saddr;
	kg_ip daddr;
};

/* Follows the record of an exec. */
struct kg_exec_tail {
	__u16 path_len; /* bytes in use, without the NUL */
	__u16 args_len;
	__u32 pad;
	char path[KG_PATH_MAX];
	char args[KG_ARGS_MAX]; /* separated by NUL */
};

#endif
