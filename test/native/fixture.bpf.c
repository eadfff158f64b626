/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the addon's tests load: maps of each kind, and programs that write records when a process connects. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define MOST 1024
#define TAIL 64

struct plan {
	__u32 count; /* records a connect writes, at most MOST */
	__u32 ring;  /* 0: `first`, 1: `second` */
	__u32 tail;  /* record i carries (i * tail) % TAIL bytes beyond its words */
	__u32 from;  /* number of the first record */
};

struct record {
	__u32 number;
	__u32 triple;
	__u32 ring;
	__u32 tail_length;
	__u8 tail[TAIL];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct plan);
} plan SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1000);
	__type(key, __u64);
	__type(value, __u32);
} table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} spread SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} sockets SEC(".maps");

struct locked {
	struct bpf_spin_lock lock;
	__u32 number;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct locked);
} guarded SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} first SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} second SEC(".maps");

static __always_inline void write_one(const struct plan *p, __u32 i)
{
	struct record r = { .number = p->from + i, .triple = 3 * (p->from + i), .ring = p->ring };

	r.tail_length = (i * p->tail) % TAIL;
	__builtin_memset(r.tail, (__u8)r.number, TAIL);
	if (p->ring == 0)
		bpf_ringbuf_output(&first, &r, 16 + (r.tail_length & (TAIL - 1)), 0);
	else
		bpf_ringbuf_output(&second, &r, 16 + (r.tail_length & (TAIL - 1)), 0);
}

SEC("cgroup/connect4")
int emit(struct bpf_sock_addr *ctx)
{
	__u32 zero = 0;
	const struct plan *p = bpf_map_lookup_elem(&plan, &zero);

	if (!p)
		return 1;
	for (__u32 i = 0; i < MOST; i++) {
		if (i >= p->count)
			break;
		write_one(p, i);
	}
	return 1;
}

SEC("cgroup/connect4")
int refuse(struct bpf_sock_addr *ctx)
{
	return 0;
}

/* Only where a test asks for it: the verifier refuses to read through a value that may be absent. */
SEC("?cgroup/connect4")
int broken(struct bpf_sock_addr *ctx)
{
	__u64 key = 7;
	__u32 *value = bpf_map_lookup_elem(&table, &key);

	return *value & 1;
}

/* A perf-event link. Counts for the one process that put its number into the table. */
SEC("?tracepoint/task/task_rename")
int renamed(void *ctx)
{
	__u64 key = bpf_get_current_pid_tgid() >> 32;
	__u32 *value = bpf_map_lookup_elem(&table, &key);

	if (value)
		__sync_fetch_and_add(value, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
