// SPDX-License-Identifier: Apache-2.0
/*
 * Makes calls on demand and says what each cost.
 *   generator CGROUP
 * It enters CGROUP, binds itself to the last CPU it may run on, and says `up`. Then, for each line `KIND COUNT`
 * of input, it makes COUNT calls and prints the nanoseconds one took. Kinds:
 *   tcp     socket, connect to a port of the loopback that refuses, close; only the connect is timed
 *   udp     connect of one UDP socket
 *   getppid an unrelated system call
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_in to = { .sin_family = AF_INET };

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

static double tcp(long count)
{
	double spent = 0;

	for (long i = 0; i < count; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		double begun = now_ns();

		if (connect(fd, (void *)&to, sizeof(to)) == 0 || errno != ECONNREFUSED)
			exit(3);
		spent += now_ns() - begun;
		close(fd);
	}
	return spent;
}

static double udp(long count)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	double begun = now_ns();

	for (long i = 0; i < count; i++)
		if (connect(fd, (void *)&to, sizeof(to)))
			exit(3);
	begun = now_ns() - begun;
	close(fd);
	return begun;
}

static double unrelated(long count)
{
	double begun = now_ns();

	for (long i = 0; i < count; i++)
		syscall(SYS_getppid);
	return now_ns() - begun;
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
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons(1);
	bind_to_last_cpu();
	setvbuf(stdout, 0, _IOLBF, 0);
	printf("up\n");
	while (scanf("%15s %ld", kind, &count) == 2) {
		if (strcmp(kind, "tcp") == 0)
			spent = tcp(count);
		else if (strcmp(kind, "udp") == 0)
			spent = udp(count);
		else
			spent = unrelated(count);
		printf("%.3f\n", spent / count);
	}
	return 0;
}
