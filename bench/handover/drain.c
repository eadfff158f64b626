// SPDX-License-Identifier: Apache-2.0
/* The ceiling of the hand-over: C reads the records where they lie. An addon, so that both sides run in one process. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <node_api.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi/event.h"

static struct bpf_object *object;
static struct ring_buffer *ring;
static int ring_fd = -1, fill_fd = -1;
static uint64_t *consumer, *producer;
static uint8_t *data;
static uint64_t mask;

/* What every side reads of every record. */
static uint64_t sum;

static inline void read_one(const struct kg_event *event)
{
	sum += event->at_ns + event->cgroup + event->tgid + event->kind + event->dport;
}

static int on_record(void *unused, void *record, size_t size)
{
	(void)unused;
	(void)size;
	read_one(record);
	return 0;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list values)
{
	(void)level;
	(void)format;
	(void)values;
	return 0;
}

static int map_ring(void)
{
	long page = sysconf(_SC_PAGESIZE);
	uint64_t size = bpf_map__max_entries(bpf_object__find_map_by_name(object, "ring"));
	void *own = mmap(0, page, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd, 0);
	void *shared = mmap(0, page + 2 * size, PROT_READ, MAP_SHARED, ring_fd, page);

	if (own == MAP_FAILED || shared == MAP_FAILED)
		return -1;
	consumer = own;
	producer = shared;
	data = (uint8_t *)shared + page;
	mask = size - 1;
	return 0;
}

static napi_value fail(napi_env env, const char *what)
{
	napi_throw_error(env, 0, what);
	return 0;
}

static napi_value number(napi_env env, double value)
{
	napi_value result;

	napi_create_double(env, value, &result);
	return result;
}

/* open(path): loads the object; the descriptor of its ring. */
static napi_value open_object(napi_env env, napi_callback_info info)
{
	napi_value argument;
	size_t count = 1, length;
	char path[4096];

	napi_get_cb_info(env, info, &count, &argument, 0, 0);
	if (napi_get_value_string_utf8(env, argument, path, sizeof(path), &length) != napi_ok)
		return fail(env, "a path is needed");
	libbpf_set_print(quiet);
	object = bpf_object__open_file(path, 0);
	if (!object || bpf_object__load(object))
		return fail(env, "the object does not load");
	fill_fd = bpf_program__fd(bpf_object__find_program_by_name(object, "fill"));
	ring_fd = bpf_object__find_map_fd_by_name(object, "ring");
	ring = ring_buffer__new(ring_fd, on_record, 0, 0);
	if (!ring || map_ring())
		return fail(env, "the ring cannot be mapped");
	return number(env, ring_fd);
}

/* fill(runs): each run writes the program's number of records. */
static napi_value fill(napi_env env, napi_callback_info info)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);
	napi_value argument;
	size_t count = 1;
	int runs = 0;

	napi_get_cb_info(env, info, &count, &argument, 0, 0);
	napi_get_value_int32(env, argument, &runs);
	for (int i = 0; i < runs; i++)
		if (bpf_prog_test_run_opts(fill_fd, &options))
			return fail(env, "the program does not run");
	return number(env, runs);
}

/* drainOwn(): walks the mapped ring; the sum of what was read. */
static napi_value drain_own(napi_env env, napi_callback_info info)
{
	uint64_t at = __atomic_load_n(consumer, __ATOMIC_ACQUIRE);
	uint64_t end = __atomic_load_n(producer, __ATOMIC_ACQUIRE);

	(void)info;
	sum = 0;
	while (at < end) {
		const uint8_t *record = data + (at & mask);
		uint32_t header = __atomic_load_n((const uint32_t *)record, __ATOMIC_ACQUIRE);
		uint32_t size = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

		if (header & BPF_RINGBUF_BUSY_BIT)
			break;
		if (!(header & BPF_RINGBUF_DISCARD_BIT))
			read_one((const void *)(record + BPF_RINGBUF_HDR_SZ));
		at += (size + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
		__atomic_store_n(consumer, at, __ATOMIC_RELEASE);
	}
	return number(env, sum);
}

/* drainLibbpf(): the same by libbpf and its callback. */
static napi_value drain_libbpf(napi_env env, napi_callback_info info)
{
	(void)info;
	sum = 0;
	if (ring_buffer__consume(ring) < 0)
		return fail(env, "the ring cannot be read");
	return number(env, sum);
}

static napi_value close_object(napi_env env, napi_callback_info info)
{
	(void)info;
	munmap(consumer, sysconf(_SC_PAGESIZE));
	munmap(producer, sysconf(_SC_PAGESIZE) + 2 * (mask + 1));
	ring_buffer__free(ring);
	bpf_object__close(object);
	return number(env, 0);
}

NAPI_MODULE_INIT()
{
	const struct {
		const char *name;
		napi_callback call;
	} calls[] = {
		{ "open", open_object },     { "fill", fill },           { "drainOwn", drain_own },
		{ "drainLibbpf", drain_libbpf }, { "close", close_object },
	};
	napi_value function;

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		napi_create_function(env, calls[i].name, NAPI_AUTO_LENGTH, calls[i].call, 0, &function);
		napi_set_named_property(env, exports, calls[i].name, function);
	}
	return exports;
}
