// SPDX-License-Identifier: Apache-2.0
/* A ring of io_uring, by system calls alone, that holds one request at a time. */
#include "ways.h"

#include <linux/io_uring.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's thread goes on looking at the ring for this long before it sleeps. */
#define SQ_IDLE_MS 1000

static void *map_at(int fd, size_t size, off_t offset)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);

	return memory == MAP_FAILED ? NULL : memory;
}

int ring_open(struct ring *ring, unsigned flags)
{
	struct io_uring_params params = { .flags = flags, .sq_thread_idle = SQ_IDLE_MS };
	size_t size;

	ring->flags = flags;
	ring->fd = syscall(__NR_io_uring_setup, 4, &params);
	if (ring->fd < 0)
		return failure();
	size = params.sq_off.array + params.sq_entries * sizeof(unsigned);
	ring->queue = map_at(ring->fd, size, IORING_OFF_SQ_RING);
	size = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
	ring->results = map_at(ring->fd, size, IORING_OFF_CQ_RING);
	size = params.sq_entries * sizeof(struct io_uring_sqe);
	ring->entries = map_at(ring->fd, size, IORING_OFF_SQES);
	if (!ring->queue || !ring->results || !ring->entries)
		return failure();
	ring->sq_tail = params.sq_off.tail;
	ring->sq_flags = params.sq_off.flags;
	ring->sq_array = params.sq_off.array;
	ring->cq_head = params.cq_off.head;
	ring->cq_tail = params.cq_off.tail;
	ring->cq_mask = params.cq_off.ring_mask;
	ring->cqes = params.cq_off.cqes;
	return 0;
}

static unsigned *word(unsigned char *area, unsigned offset)
{
	return (unsigned *)(area + offset);
}

/* Without a thread in the kernel a call submits; with one only its wake-up needs a call. */
static int submit(struct ring *ring)
{
	unsigned flags = 0;

	if (ring->flags & IORING_SETUP_SQPOLL) {
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (!(__atomic_load_n(word(ring->queue, ring->sq_flags), __ATOMIC_ACQUIRE) & IORING_SQ_NEED_WAKEUP))
			return 0;
		flags = IORING_ENTER_SQ_WAKEUP;
	}
	return syscall(__NR_io_uring_enter, ring->fd, 1, 0, flags, NULL, 0) < 0 ? failure() : 0;
}

/* Does one request to its end; answers its result, negative for an errno as the kernel has it. */
int ring_do(struct ring *ring, const struct io_uring_sqe *entry)
{
	unsigned tail = *word(ring->queue, ring->sq_tail), *head = word(ring->results, ring->cq_head);
	const struct io_uring_cqe *done;
	int error, result;

	ring->entries[0] = *entry;
	word(ring->queue, ring->sq_array)[tail & 3] = 0;
	__atomic_store_n(word(ring->queue, ring->sq_tail), tail + 1, __ATOMIC_RELEASE);
	error = submit(ring);
	if (!error)
		error = await_fd(ring->fd, POLLIN);
	if (error)
		return -error;
	if (__atomic_load_n(word(ring->results, ring->cq_tail), __ATOMIC_ACQUIRE) == *head)
		return -EIO;
	done = (const struct io_uring_cqe *)(ring->results + ring->cqes) +
	       (*head & *word(ring->results, ring->cq_mask));
	result = done->res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return result;
}
