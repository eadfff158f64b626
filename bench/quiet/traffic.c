// SPDX-License-Identifier: Apache-2.0
/*
 * Moves data over the loopback on demand and says what it cost.
 *   traffic CGROUP
 * It enters CGROUP, binds itself to the last CPU it may run on, and says `up`. Then, for each line `KIND COUNT`
 * of input, it does so on sockets of their own, with a child at the other end, and prints nanoseconds. Kinds:
 *   stream  COUNT sends of 64 KiB over one TCP connection; what each took until the last was read
 *   udp     COUNT requests of 64 bytes from a connected UDP socket to a connected one; until the answer was read
 *   dns     the same to a server that answers to the address the request came from, as name servers do
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 65536, REQUEST = 64 };

static char block[BLOCK];

static void must(int holds)
{
	if (!holds)
		exit(3);
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

static int bound(int type, struct sockaddr_in *name)
{
	socklen_t length = sizeof(*name);
	int fd = socket(AF_INET, type, 0);

	*name = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	must(fd >= 0 && bind(fd, (void *)name, length) == 0 && getsockname(fd, (void *)name, &length) == 0);
	return fd;
}

static void ended(pid_t child)
{
	int status;

	must(waitpid(child, &status, 0) == child && status == 0);
}

/* The reader answers with one byte once it has all. */
static void swallow(int fd, long count)
{
	for (long long left = (long long)count * BLOCK; left > 0;) {
		ssize_t got = recv(fd, block, BLOCK, 0);

		must(got > 0);
		left -= got;
	}
	must(send(fd, "", 1, 0) == 1);
}

static double stream(long count)
{
	struct sockaddr_in name;
	int listener = bound(SOCK_STREAM, &name), fd = socket(AF_INET, SOCK_STREAM, 0);
	double begun;
	pid_t child;

	must(listen(listener, 1) == 0);
	child = fork();
	if (child == 0) {
		swallow(accept(listener, 0, 0), count);
		_exit(0);
	}
	must(connect(fd, (void *)&name, sizeof(name)) == 0);
	begun = now_ns();
	for (long i = 0; i < count; i++)
		must(send(fd, block, BLOCK, 0) == BLOCK);
	must(recv(fd, block, 1, 0) == 1);
	begun = now_ns() - begun;
	ended(child);
	close(fd);
	close(listener);
	return begun;
}

static void serve(int fd, long count, int named)
{
	for (long i = 0; i < count; i++) {
		struct sockaddr_in from;
		socklen_t length = sizeof(from);

		if (named) {
			must(recvfrom(fd, block, BLOCK, 0, (void *)&from, &length) == REQUEST);
			must(sendto(fd, block, REQUEST, 0, (void *)&from, length) == REQUEST);
		} else {
			must(recv(fd, block, BLOCK, 0) == REQUEST);
			must(send(fd, block, REQUEST, 0) == REQUEST);
		}
	}
}

static double requests(long count, int named)
{
	struct sockaddr_in near, far;
	int fd = bound(SOCK_DGRAM, &near), server = bound(SOCK_DGRAM, &far);
	double begun;
	pid_t child;

	must(connect(fd, (void *)&far, sizeof(far)) == 0);
	must(named || connect(server, (void *)&near, sizeof(near)) == 0);
	child = fork();
	if (child == 0) {
		serve(server, count, named);
		_exit(0);
	}
	begun = now_ns();
	for (long i = 0; i < count; i++) {
		must(send(fd, block, REQUEST, 0) == REQUEST);
		must(recv(fd, block, BLOCK, 0) == REQUEST);
	}
	begun = now_ns() - begun;
	ended(child);
	close(fd);
	close(server);
	return begun;
}

static void bind_to_last_cpu(void)
{
	cpu_set_t may;

	if (sched_getaffinity(0, sizeof(may), &may))
		return;
	for (int cpu = CPU_SETSIZE - 1; cpu > 0; cpu--) {
		if (!CPU_ISSET(cpu, &may))
			continue;
		CPU_ZERO(&may);
		CPU_SET(cpu, &may);
		sched_setaffinity(0, sizeof(may), &may);
		return;
	}
}

int main(int argc, char **argv)
{
	char path[4096], kind[16];
	double spent;
	FILE *file;
	long count;

	if (argc != 2)
		return 2;
	snprintf(path, sizeof(path), "%s/cgroup.procs", argv[1]);
	file = fopen(path, "w");
	if (!file || fprintf(file, "%d", getpid()) < 0 || fclose(file) != 0)
		return 2;
	bind_to_last_cpu();
	setvbuf(stdout, 0, _IOLBF, 0);
	printf("up\n");
	while (scanf("%15s %ld", kind, &count) == 2) {
		spent = strcmp(kind, "stream") == 0 ? stream(count) : requests(count, strcmp(kind, "dns") == 0);
		printf("%.3f\n", spent / count);
	}
	return 0;
}
