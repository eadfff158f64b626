/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Keys and values of the maps about sockets: whose they are, and what they are known for. */
#ifndef KG_SOCKETS_H
#define KG_SOCKETS_H

#include "types.h"

/* kg_sockets, kg_listeners: who opened a socket. */
struct kg_owner {
	__u64 start_ns;
	__u64 cgroup;
	__u64 lineage_tick;
	__u32 lineage_tgid;
	__u32 tgid;
	__u32 ppid;
	__u32 uid;
	__u32 session;
	__u32 up;       /* the connection was established */
	kg_comm comm;
};

/* Who made a socket, or held it when a block was set; zeros: nobody known. */
struct kg_holder {
	__u64 tick;
	__u64 lineage_tick;
	__u64 exe_ino; /* of a maker only when an entry asked for it */
	__u64 cgroup;  /* 0 of a maker: the socket itself knows it */
	__u32 exe_dev;
	__u32 tgid;
	__u32 lineage_tgid;
	__u32 uid;
	__u32 session;
	__u32 pad;
};

/* The verdict that dropped a packet of the socket. Its process may end and its entry with it, while what it queued is
 * still to be sent: TCP goes on for up to a quarter of an hour. */
struct kg_barred {
	__u64 at_ns;    /* 0: never */
	__u64 since_ns; /* of the verdict */
	__u64 until_ns;
};

/* kg_makers: kept with each socket of the internet families, and cloned by accept(). */
struct kg_maker {
	struct kg_holder made;
	struct kg_holder held; /* written by the agent: for sockets older than itself, and when a block is set */
	struct kg_barred barred;
};

/* kg_locals: AF_UNIX sockets by their file, and what they are. */
enum kg_local {
	KG_LOCAL_NONE = 0,
	KG_LOCAL_BROKER = 1, /* acts for whom it serves: container runtimes, systemd, D-Bus */
	KG_LOCAL_LOG = 2,    /* takes log lines, and nothing goes on from there */
};

/* kg_log_names: the same by the name a caller gives, cut at the first NUL. */
enum kg_unix_sizes { KG_UNIX_PATH = 112 };
struct kg_unix_name {
	char path[KG_UNIX_PATH];
};

struct kg_listen_key {
	__u64 netns; /* inode number of the network namespace */
	kg_ip addr;
	__u16 port;
	__u16 pad0;
	__u32 pad1;
};

#endif
