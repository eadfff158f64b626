// SPDX-License-Identifier: Apache-2.0
/* Sockets of others: handed over in a message, fetched out of another process, inherited by a new program. */
#include "ways.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

/* The helper sends at once; what it sends waits in this process's queue until after the block. */
static int ask(struct attempt *attempt, const char *order)
{
	attempt->fd = unix_connect(attempt, "helper", SOCK_STREAM);
	if (attempt->fd < 0 || send(attempt->fd, order, strlen(order), MSG_NOSIGNAL) != (ssize_t)strlen(order))
		return failure();
	return await_fd(attempt->fd, POLLIN);
}

static int ask_connected(struct attempt *attempt)
{
	return ask(attempt, "give connected\n");
}

static int ask_plain(struct attempt *attempt)
{
	return ask(attempt, "give plain\n");
}

/* Answers the descriptor that was handed over; -1 with errno when there is none. */
static int take(int fd)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control };
	struct cmsghdr *part;
	int got;

	message.msg_controllen = sizeof(control);
	if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	part = CMSG_FIRSTHDR(&message);
	/* The message without its descriptor is how a refusal looks. */
	errno = EBADMSG;
	if (!part || part->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&got, CMSG_DATA(part), sizeof(got));
	return got;
}

static int use_connected(struct attempt *attempt)
{
	int fd = take(attempt->fd);

	return fd < 0 ? failure() : say(fd, attempt->token);
}

static int use_plain(struct attempt *attempt)
{
	int fd = take(attempt->fd), error;

	if (fd < 0)
		return failure();
	error = reach(fd, AF_INET, TCP_PORT);
	return error ? error : say(fd, attempt->token);
}

/* The helper names itself and the descriptor of a connection it has. */
static int ask_lend(struct attempt *attempt)
{
	char answer[64] = { 0 };
	int error = ask(attempt, "lend\n");

	if (error)
		return error;
	if (recv(attempt->fd, answer, sizeof(answer) - 1, 0) <= 0 ||
	    sscanf(answer, "%d %d", &attempt->pid, &attempt->other) != 2)
		return failure();
	return 0;
}

static int fetch(struct attempt *attempt)
{
	int process = syscall(SYS_pidfd_open, attempt->pid, 0), fd;

	if (process < 0)
		return failure();
	fd = syscall(SYS_pidfd_getfd, process, attempt->other, 0);
	return fd < 0 ? failure() : say(fd, attempt->token);
}

static int connect_before(struct attempt *attempt)
{
	return prepare_socket(attempt, SOCK_STREAM, TCP_PORT);
}

static int inherit(struct attempt *attempt)
{
	pid_t pid = offspring();

	if (pid == 0) {
		become_actor(attempt, dup(attempt->fd));
		_exit(failure());
	}
	return result_of(pid);
}

const struct way handed_ways[] = {
	{ "scm-connected", "a connected socket that another process hands over", "", ask_connected, use_connected, 0 },
	{ "scm-unconnected", "a socket that another process hands over, then connect", "", ask_plain, use_plain, 0 },
	{ "pidfd-getfd", "a connected socket fetched out of another process", "", ask_lend, fetch, 0 },
	{ "inherit-exec", "a connection inherited by a program executed later", "", connect_before, inherit, 0 },
	{ 0 },
};
