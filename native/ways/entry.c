// SPDX-License-Identifier: Apache-2.0
/* Other doors into the kernel: the 32-bit entry, and x32 numbers, out of a 64-bit program. */
#include "ways.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#if defined(__x86_64__)

/* arch/x86/entry/syscalls/syscall_32.tbl */
#define I386_SOCKET 359
#define I386_CONNECT 362
#define I386_SENDTO 369
#define X32_CONNECT (0x40000000 | 42)

/* What the 32-bit entry is handed must lie below 4 GiB. */
struct low {
	struct sockaddr_storage to;
	char token[TOKEN_LENGTH];
};

static long call32(long number, long one, long two, long three, long four, const long more[2])
{
	long result;

	/* %rbx and %rbp hold the first and the sixth; they are no operands, as the compiler may address by them. */
	__asm__ volatile("mov %%rbx, %%r12\n\t"
			 "mov %%rbp, %%r13\n\t"
			 "mov %[one], %%rbx\n\t"
			 "mov 8(%%rdi), %%rbp\n\t"
			 "mov (%%rdi), %%rdi\n\t"
			 "int $0x80\n\t"
			 "mov %%r12, %%rbx\n\t"
			 "mov %%r13, %%rbp"
			 : "=a"(result), "+D"(more)
			 : "a"(number), [one] "r"(one), "c"(two), "d"(three), "S"(four)
			 : "r8", "r9", "r10", "r11", "r12", "r13", "memory");
	return (int)result;
}

static struct low *low_memory(const char *token)
{
	struct low *low =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (low == MAP_FAILED)
		return NULL;
	memcpy(low->token, token, TOKEN_LENGTH);
	return low;
}

static int tcp_int80(struct attempt *attempt)
{
	struct low *low = low_memory(attempt->token);
	const long none[2] = { 0, 0 };
	long fd, result;
	socklen_t length;

	if (!low)
		return failure();
	length = address(&low->to, AF_INET, TCP_PORT);
	fd = call32(I386_SOCKET, AF_INET, SOCK_STREAM, 0, 0, none);
	if (fd < 0)
		return -fd;
	struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	result = call32(I386_CONNECT, fd, (long)&low->to, length, 0, none);
	if (result)
		return result == -EINPROGRESS ? ETIMEDOUT : -result;
	result = call32(I386_SENDTO, fd, (long)low->token, TOKEN_LENGTH, MSG_NOSIGNAL, none);
	return result < 0 ? -result : 0;
}

static int udp_int80(struct attempt *attempt)
{
	struct low *low = low_memory(attempt->token);
	const long none[2] = { 0, 0 };
	long fd, result, to[2];

	if (!low)
		return failure();
	to[0] = (long)&low->to;
	to[1] = address(&low->to, AF_INET, UDP_PORT);
	fd = call32(I386_SOCKET, AF_INET, SOCK_DGRAM, 0, 0, none);
	if (fd < 0)
		return -fd;
	result = call32(I386_SENDTO, fd, (long)low->token, TOKEN_LENGTH, 0, to);
	return result < 0 ? -result : 0;
}

static int tcp_x32(struct attempt *attempt)
{
	struct sockaddr_storage to;
	socklen_t length = address(&to, AF_INET, TCP_PORT);
	int fd = open_socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || syscall(X32_CONNECT, fd, &to, length))
		return failure();
	return say(fd, attempt->token);
}

#else

static int tcp_int80(struct attempt *attempt)
{
	(void)attempt;
	return ENOSYS;
}

#define udp_int80 tcp_int80
#define tcp_x32 tcp_int80

#endif

const struct way entry_ways[] = {
	{ "tcp-int80", "connect through the 32-bit entry of a 64-bit program", "32-bit calls (x86-64)", 0, tcp_int80, 0 },
	{ "tcp-x32", "connect by its x32 number", "the x32 calls, which are rarely built", 0, tcp_x32, 0 },
	{ "udp-int80", "sendto through the 32-bit entry", "32-bit calls (x86-64)", 0, udp_int80, 0 },
	{ 0 },
};
