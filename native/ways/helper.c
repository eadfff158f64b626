// SPDX-License-Identifier: Apache-2.0
/*
 * A local service that means no harm and does what it is asked over AF_UNIX, one order a connection:
 *   relay TOKEN         connects to the TCP receiver and sends it
 *   give connected      hands over a connected socket
 *   give plain          hands over a socket that is not connected
 *   lend                names itself and a connected socket of its own
 */
#include "innocent.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 64

static int call(void)
{
	int fd = open_socket(AF_INET, SOCK_STREAM, 0);

	return fd < 0 || reach(fd, AF_INET, TCP_PORT) ? -1 : fd;
}

static void hand_over(int client, int fd)
{
	char byte = 'f', control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control };
	struct cmsghdr *part;

	message.msg_controllen = sizeof(control);
	part = CMSG_FIRSTHDR(&message);
	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(part), &fd, sizeof(fd));
	sendmsg(client, &message, MSG_NOSIGNAL);
	close(fd);
}

static void serve(int client, const char *order)
{
	char answer[64];
	int fd, length;

	if (strncmp(order, "relay ", 6) == 0 && strlen(order) > 6 + TOKEN_LENGTH) {
		fd = call();
		if (fd >= 0)
			say(fd, order + 6);
		close(fd);
	} else if (strcmp(order, "give connected\n") == 0) {
		hand_over(client, call());
	} else if (strcmp(order, "give plain\n") == 0) {
		hand_over(client, open_socket(AF_INET, SOCK_STREAM, 0));
	} else if (strcmp(order, "lend\n") == 0) {
		/* It stays open as long as this process, for the attacker to fetch it. */
		length = snprintf(answer, sizeof(answer), "%d %d\n", getpid(), call());
		send(client, answer, length, MSG_NOSIGNAL);
	}
}

static int open_service(const char *dir)
{
	struct sockaddr_un own = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(own.sun_path, sizeof(own.sun_path), "%s/helper", dir);
	return fd < 0 || bind(fd, (void *)&own, sizeof(own)) || listen(fd, CLIENTS_MAX) ? -1 : fd;
}

static void run(int service)
{
	struct pollfd list[CLIENTS_MAX + 1] = { { service, POLLIN, 0 } };
	unsigned count = 1;
	char order[128];
	ssize_t length;

	while (poll(list, count, -1) >= 0) {
		if (list[0].revents && count <= CLIENTS_MAX) {
			list[count].fd = accept4(service, NULL, NULL, SOCK_CLOEXEC);
			list[count].events = POLLIN;
			list[count].revents = 0;
			count += list[count].fd >= 0;
		}
		for (unsigned i = count - 1; i > 0; i--) {
			if (!list[i].revents)
				continue;
			length = recv(list[i].fd, order, sizeof(order) - 1, 0);
			if (length > 0) {
				order[length] = 0;
				serve(list[i].fd, order);
			} else {
				close(list[i].fd);
				list[i] = list[--count];
			}
		}
	}
}

/* Starts it as a child that dies with its parent. Answers an errno. */
int helper_main(const char *dir)
{
	int service = open_service(dir);
	pid_t parent = getpid(), pid = service < 0 ? -1 : fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* One that died before that call sends no signal any more. */
		if (getppid() != parent)
			_exit(0);
		signal(SIGPIPE, SIG_IGN);
		close(0);
		close(1);
		run(service);
		_exit(1);
	}
	if (pid < 0)
		return failure();
	close(service);
	return 0;
}
