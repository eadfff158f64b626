// SPDX-License-Identifier: Apache-2.0
/* Children of an attempt, and what they tell of its result: an exit code, or one byte through a pipe. */
#include "ways.h"

#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* The prober's own file by its name: executed as /proc/self/exe, nobody could tell afterwards which program it was. */
const char *own_path(void)
{
	static char path[4096];

	if (!path[0] && readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
		path[0] = 0;
	return path;
}

/* fork() of a child that ends by itself: an alarm is not inherited. */
pid_t offspring(void)
{
	pid_t pid = fork();

	if (pid == 0)
		alarm(LIFE_S);
	return pid;
}

/* The errno a child ended with. */
int result_of(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return failure();
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

/* The errno that somebody who is no child of ours sends. */
int hear(int fd)
{
	unsigned char result;
	int error = await_fd(fd, POLLIN);

	if (error)
		return error;
	return read(fd, &result, 1) == 1 ? result : EPIPE;
}

int utter(int fd, int result)
{
	unsigned char byte = result;

	return write(fd, &byte, 1) == 1 ? 0 : 1;
}

/* Executes the prober anew, to connect, or to write to `fd` when that is 0 or more. Returns only on failure. */
void become_actor(const struct attempt *attempt, int fd)
{
	char number[12];

	snprintf(number, sizeof(number), "%d", fd);
	execl(own_path(), "kerngate-ways", "act", attempt->token, number, NULL);
}
