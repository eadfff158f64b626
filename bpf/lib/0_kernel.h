/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The few kernel fields that are read, relocated at load time (CO-RE). */
#ifndef KG_0_KERNEL_H
#define KG_0_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

/* Verified once and on its own, not once a caller and path: sixteen rules would else exceed the
 * verifier's budget. Weak, so that several hooks may bring it. */
#define KG_GLOBAL __weak __noinline

/* include/linux/socket.h */
#define KG_AF_UNSPEC 0
#define KG_AF_UNIX 1
#define KG_AF_INET 2
#define KG_AF_INET6 10
#define KG_AF_KEY 15
#define KG_AF_NETLINK 16
#define KG_AF_PACKET 17
#define KG_AF_ALG 38
#define KG_AF_XDP 44
#define KG_IPPROTO_MPTCP 262 /* include/uapi/linux/in.h */
#define KG_MSG_FASTOPEN 0x20000000 /* include/linux/socket.h */
#define KG_TUN_DEVICE ((10 << 20) | 200) /* Documentation/admin-guide/devices.txt, in the kernel's encoding */
#define KG_NO_SESSION 0xffffffffU /* AUDIT_SID_UNSET, include/linux/audit.h */
#define KG_TICK_NS 10000000ULL /* 1 s / USER_HZ, as in /proc/PID/stat */

/* include/linux/net.h, include/linux/in.h, include/linux/fs.h */
enum kg_sock_type { KG_SOCK_STREAM = 1, KG_SOCK_DGRAM = 2, KG_SOCK_RAW = 3, KG_SOCK_SEQPACKET = 5, KG_SOCK_MASK = 15 };
enum kg_ipproto { KG_IPPROTO_ICMP = 1, KG_IPPROTO_ICMPV6 = 58, KG_IPPROTO_UDPLITE = 136 };
enum kg_file_mode { KG_S_IFMT = 0170000, KG_S_IFCHR = 0020000, KG_S_IFSOCK = 0140000, KG_MAY_WRITE = 2 };

/* include/net/tcp_states.h */
enum kg_tcp { KG_TCP_ESTABLISHED = 1, KG_TCP_SYN_SENT = 2, KG_TCP_SYN_RECV = 3, KG_TCP_CLOSE = 7, KG_TCP_LISTEN = 10 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernfs_node {
	__u64 id;
};

struct cgroup_subsys_state {
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
	int level;
	struct cgroup *ancestors[]; /* from 6.1 on */
};

struct cgroup___ids {
	int level;
	__u64 ancestor_ids[];
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct super_block {
	__u32 s_dev;
};

struct inode {
	unsigned short i_mode;
	__u32 i_rdev;
	unsigned long i_ino;
	struct super_block *i_sb;
};

struct dentry {
	struct inode *d_inode;
};

struct path {
	struct dentry *dentry;
};

struct file {
	struct inode *f_inode;
	void *private_data;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct mm_struct {
	struct file *exe_file;
	unsigned long arg_start;
	unsigned long arg_end;
};

typedef struct {
	int counter;
} atomic_t;

struct signal_struct {
	atomic_t live;
};

typedef struct {
	__u32 val;
} kuid_t;

struct cred {
	kuid_t uid;
	kuid_t euid;
};

struct task_struct {
	int pid;
	int tgid;
	int exit_code;
	__u64 start_boottime;
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct css_set *cgroups;
	struct mm_struct *mm;
	struct signal_struct *signal;
	struct files_struct *files;
	const struct cred *real_cred;
	unsigned int sessionid; /* only with CONFIG_AUDIT */
	char comm[16];
};

struct linux_binprm {
	const char *interp;
};

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union {
		__u8 u6_addr8[16];
	} in6_u;
};

struct proto {
	void *pre_connect;
};

struct sock_common {
	struct proto *skc_prot;
	__u32 skc_daddr;
	__u32 skc_rcv_saddr;
	__u16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	unsigned char skc_state;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	possible_net_t skc_net;
};

struct sock_cgroup_data {
	struct cgroup *cgroup;
};

/* Before 5.15: the cgroup, or, with the lowest bit set, the marks of cgroup v1. */
struct sock_cgroup_data___old {
	__u64 val;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_type;
	__u16 sk_protocol;
	int sk_err;
	struct sock_cgroup_data sk_cgrp_data;
};

struct unix_sock {
	struct path path;
	struct sock *peer;
};

struct msghdr {
	void *msg_name;
	int msg_namelen;
	unsigned int msg_flags;
};

struct inet_sock {
	__u16 inet_sport;
};

typedef enum {
	KG_SS_UNCONNECTED = 1, /* include/uapi/linux/net.h */
} socket_state;

struct socket {
	socket_state state;
	struct sock *sk;
};

struct bpf_map {
	__u32 id;
};

struct bpf_prog_aux {
	__u32 id;
};

struct bpf_prog {
	struct bpf_prog_aux *aux;
};

struct bpf_link {
	__u32 id;
};

#pragma clang attribute pop

#endif
