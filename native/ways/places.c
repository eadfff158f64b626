// SPDX-License-Identifier: Apache-2.0
/* The attempt is plain TCP, out of another cgroup or namespace than the one the process was blocked in. */
#include "ways.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#define INTO_CGROUP 0x200000000ull

/* include/uapi/linux/sched.h, as of 5.7; headers may be older. */
struct clone3_arguments {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

static int move(const struct attempt *attempt)
{
	char path[4096];
	int fd, error = 0;

	snprintf(path, sizeof(path), "%s/cgroup.procs", attempt->elsewhere);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		error = failure();
	close(fd);
	return error;
}

static int move_and_call(struct attempt *attempt)
{
	int error = move(attempt);

	return error ? error : tcp_attempt(attempt);
}

static int open_before(struct attempt *attempt)
{
	return prepare_socket(attempt, SOCK_STREAM, 0);
}

static int move_and_connect(struct attempt *attempt)
{
	int error = move(attempt);

	if (!error)
		error = reach(attempt->fd, AF_INET, TCP_PORT);
	return error ? error : say(attempt->fd, attempt->token);
}

static int connect_before(struct attempt *attempt)
{
	return prepare_socket(attempt, SOCK_STREAM, TCP_PORT);
}

static int move_and_send(struct attempt *attempt)
{
	int error = move(attempt);

	return error ? error : say(attempt->fd, attempt->token);
}

/* The child is in the other cgroup from its first instruction. */
static int born_elsewhere(struct attempt *attempt)
{
	struct clone3_arguments arguments = { .flags = INTO_CGROUP, .exit_signal = SIGCHLD };
	int fd = open(attempt->elsewhere, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long pid;

	if (fd < 0)
		return failure();
	arguments.cgroup = fd;
	pid = syscall(SYS_clone3, &arguments, sizeof(arguments));
	if (pid == 0) {
		alarm(LIFE_S);
		_exit(tcp_attempt(attempt));
	}
	return result_of(pid);
}

/* A new namespace is empty; an innocent listener is put into it before the attempt. */
static int new_network(struct attempt *attempt)
{
	char answer[16];

	if (unshare(attempt->way->how))
		return failure();
	puts("listener");
	if (read(0, answer, sizeof(answer)) <= 0)
		return failure();
	return tcp_attempt(attempt);
}

static int new_processes(struct attempt *attempt)
{
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		return failure();
	pid = offspring();
	if (pid == 0)
		_exit(tcp_attempt(attempt));
	return result_of(pid);
}

const struct way place_ways[] = {
	{ "cgroup-move", "a new socket after a move to another cgroup", "", 0, move_and_call, 0 },
	{ "cgroup-move-preopen", "a socket opened before block and move", "", open_before, move_and_connect, 0 },
	{ "cgroup-move-est", "a connection from before block and move", "", connect_before, move_and_send, 0 },
	{ "clone-into-cgroup", "a child born in another cgroup", "", 0, born_elsewhere, 0 },
	{ "netns", "a new network namespace", "", 0, new_network, CLONE_NEWNET },
	{ "userns-netns", "a new network namespace in a new user namespace", "user namespaces", 0, new_network,
	  CLONE_NEWUSER | CLONE_NEWNET },
	{ "pidns", "a child in a new process namespace", "", 0, new_processes, 0 },
	{ 0 },
};
