// SPDX-License-Identifier: Apache-2.0
/* The attempt is plain TCP; who makes it is another process, thread, program or user than the one that was blocked. */
#include "ways.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int by_fork(struct attempt *attempt)
{
	pid_t pid = offspring();

	if (pid == 0)
		_exit(tcp_attempt(attempt));
	return result_of(pid);
}

static int by_grandchild(struct attempt *attempt)
{
	pid_t pid = offspring();

	if (pid == 0)
		_exit(by_fork(attempt));
	return result_of(pid);
}

static int by_vfork(struct attempt *attempt)
{
	const char *path = own_path();
	pid_t pid = vfork();

	if (pid == 0) {
		execl(path, "kerngate-ways", "act", attempt->token, "-1", (char *)NULL);
		_exit(EIO);
	}
	return result_of(pid);
}

static int by_program(struct attempt *attempt)
{
	pid_t pid = offspring();

	if (pid == 0) {
		become_actor(attempt, -1);
		_exit(failure());
	}
	return result_of(pid);
}

static int by_exec(struct attempt *attempt)
{
	become_actor(attempt, -1);
	return failure();
}

static void *in_thread(void *argument)
{
	struct attempt *attempt = argument;

	attempt->told = tcp_attempt(attempt);
	return NULL;
}

static void *exec_in_thread(void *argument)
{
	struct attempt *attempt = argument;

	become_actor(attempt, -1);
	attempt->told = failure();
	return NULL;
}

static int with_thread(struct attempt *attempt, void *(*work)(void *))
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, work, attempt);
	if (errno)
		return failure();
	pthread_join(thread, NULL);
	return attempt->told;
}

static int by_thread(struct attempt *attempt)
{
	return with_thread(attempt, in_thread);
}

/* The thread's program takes over the pid of the whole process. */
static int by_thread_exec(struct attempt *attempt)
{
	return with_thread(attempt, exec_in_thread);
}

/* In a session of its own, with its parents gone: nothing in /proc leads back to the blocked process. */
static int by_daemon(struct attempt *attempt)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return failure();
	pid = offspring();
	if (pid == 0) {
		setsid();
		if (offspring() != 0)
			_exit(0);
		_exit(utter(ends[1], tcp_attempt(attempt)));
	}
	if (pid < 0 || waitpid(pid, NULL, 0) < 0)
		return failure();
	return hear(ends[0]);
}

/* A child that has this process's parent. */
static int by_sibling(struct attempt *attempt)
{
	int ends[2];
	long pid;

	if (pipe2(ends, O_CLOEXEC))
		return failure();
	pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
	if (pid < 0)
		return failure();
	if (pid == 0) {
		alarm(LIFE_S);
		_exit(utter(ends[1], tcp_attempt(attempt)));
	}
	return hear(ends[0]);
}

/* Born before the block; waits for a byte, and ends when the parent does. */
static int fork_before(struct attempt *attempt)
{
	int start[2];
	char byte;

	if (pipe2(start, O_CLOEXEC))
		return failure();
	attempt->pid = fork();
	if (attempt->pid < 0)
		return failure();
	if (attempt->pid == 0) {
		close(start[1]);
		_exit(read(start[0], &byte, 1) == 1 ? tcp_attempt(attempt) : EPIPE);
	}
	attempt->fd = start[1];
	return 0;
}

static int by_older_child(struct attempt *attempt)
{
	if (write(attempt->fd, "g", 1) != 1)
		return failure();
	return result_of(attempt->pid);
}

static int by_other_user(struct attempt *attempt)
{
	if (setgid(65534) || setuid(65534))
		return failure();
	return tcp_attempt(attempt);
}

const struct way identity_ways[] = {
	{ "fork", "a child", "", 0, by_fork, 0 },
	{ "fork2", "a grandchild", "", 0, by_grandchild, 0 },
	{ "vfork-exec", "a program in a child made by vfork", "", 0, by_vfork, 0 },
	{ "fork-exec", "a program in a child", "", 0, by_program, 0 },
	{ "exec", "another program in the same process", "", 0, by_exec, 0 },
	{ "thread", "another thread", "", 0, by_thread, 0 },
	{ "thread-exec", "a program executed by another thread", "", 0, by_thread_exec, 0 },
	{ "daemon", "a grandchild in a session of its own, its parents gone", "", 0, by_daemon, 0 },
	{ "clone-parent", "a child that is made the parent's", "", 0, by_sibling, 0 },
	{ "preforked", "a child from before the block", "", fork_before, by_older_child, 0 },
	{ "setuid", "another user", "", 0, by_other_user, 0 },
	{ 0 },
};
