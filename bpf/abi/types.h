/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Integers and enums every layout is made of. Rules: enums only (BTF has no macros), no packed,
 * explicit padding, sizes in multiples of 8, names of at most 15 characters with the prefix kg_. */
#ifndef KG_TYPES_H
#define KG_TYPES_H

#include <linux/types.h>

/* Takes a hook's enum of kinds into the ABI object; nothing elsewhere. */
#ifdef KG_ABI_OBJECT
#define KG_EXPORT(type, name) type *kg_export_##name
#else
#define KG_EXPORT(type, name) _Static_assert(1, "")
#endif

/* Typedef names carry meaning into the generated TypeScript. */
typedef __u8 kg_ip[16];   /* network order, IPv4 as ::ffff:a.b.c.d */
typedef char kg_comm[16]; /* cut at the first NUL */

enum kg_limits {
	KG_STAMPS = 16,   /* largest limit of a window kept in the kernel */
	KG_RULES = 16,    /* rules in force at a time */
	KG_BANKS = 2,     /* one in force, one being written */
	KG_PATH_MAX = 192, /* longest path carried by an exec event */
	KG_ARGS_MAX = 256, /* longest command line carried by an exec event */
	KG_DEPTH = 32,    /* cgroup levels that are compared */
};

enum kg_verdict_kind {
	KG_NONE = 0,
	KG_AUDIT = 1, /* passes, counted as would-have-denied */
	KG_DENY = 2,
	KG_ALLOW = 3, /* protected or on the allow list: no deny applies */
};

/* How far a deny reaches: each holds what the one before it does. */
enum kg_reach {
	KG_REACH_NONE = 0,
	KG_REACH_NEW = 1,     /* nothing new reaches the network; what is open stays open */
	KG_REACH_ALL = 2,     /* traffic on open sockets too, accepts, and AF_UNIX connects to brokers */
	KG_REACH_ISOLATE = 3, /* every other AF_UNIX way but the logging sockets, netlink, socket pairs */
};

/* Where a verdict was met. */
enum kg_way {
	KG_WAY_NONE = 0,
	KG_WAY_CONNECT = 1,
	KG_WAY_SEND = 2,        /* a datagram with an address, Fast Open, and all that raw and packet sockets send */
	KG_WAY_SEND_OPEN = 3,   /* on a socket that is connected already */
	KG_WAY_RECEIVE = 4,
	KG_WAY_CREATE = 5,
	KG_WAY_BIND = 6,
	KG_WAY_LISTEN = 7,
	KG_WAY_ACCEPT = 8,
	KG_WAY_HANDED = 9,      /* a socket handed over by another process */
	KG_WAY_FILE = 10,       /* reading and writing a socket or a tun device as a file */
	KG_WAY_TUN = 11,        /* opening /dev/net/tun */
	KG_WAY_UNIX = 12,       /* AF_UNIX: connecting, or sending a datagram */
	KG_WAY_PAIR = 13,
	KG_WAY_SCTP = 14,       /* sctp_connectx and its like */
	KG_WAY_EGRESS = 15,     /* a packet of a socket, on its way out */
	KG_WAY_INGRESS = 16,    /* a packet on its way to a socket */
	KG_WAY_COUNT = 17,
};

enum kg_mode {
	KG_MODE_AUDIT = 0,
	KG_MODE_ENFORCE = 1,
};

enum kg_subject_kind {
	KG_SUBJ_NONE = 0,
	KG_SUBJ_PROCESS = 1,     /* a = tgid, b = start tick */
	KG_SUBJ_LINEAGE = 2,     /* a = root's tgid, b = root's start tick */
	KG_SUBJ_SESSION = 3,     /* a = audit session id */
	KG_SUBJ_CGROUP = 4,      /* a = cgroup id */
	KG_SUBJ_USER = 5,        /* a = uid */
	KG_SUBJ_EXE = 6,         /* a = inode, b = device */
	KG_SUBJ_DEST = 7,        /* a, b = address in network order, port */
};

/* Whom a window counts for and a verdict hits. Unused fields are zero. */
struct kg_subject {
	__u64 a;
	__u64 b;
	__u32 kind; /* enum kg_subject_kind */
	__u16 port; /* host order */
	__u16 pad;
};

#endif
