// SPDX-License-Identifier: Apache-2.0
/* The other direction: an innocent peer calls, or goes on talking, and the blocked process takes orders. */
#include "ways.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

/* A port of its own for each attempt, as several run at a time. */
static int bind_own(int fd)
{
	struct sockaddr_storage to;
	socklen_t length = address(&to, AF_INET, 0);

	return bind(fd, (void *)&to, length) ? failure() : 0;
}

static int bind_only(struct attempt *attempt)
{
	int fd = open_socket(AF_INET, attempt->way->how, 0), error;

	if (fd < 0)
		return failure();
	error = bind_own(fd);
	if (!error)
		puts("reached");
	return error;
}

static int own_port(int fd)
{
	struct sockaddr_in own = { 0 };
	socklen_t length = sizeof(own);

	getsockname(fd, (void *)&own, &length);
	return ntohs(own.sin_port);
}

/* What the peer sends is known to the peer alone until it is read here. */
static int receive(int fd)
{
	char secret[TOKEN_LENGTH + 1] = { 0 };

	if (recv(fd, secret, TOKEN_LENGTH, MSG_WAITALL) != TOKEN_LENGTH)
		return errno == EAGAIN ? ETIMEDOUT : failure();
	printf("got %s\n", secret);
	return 0;
}

static int accept_one(int listener)
{
	int fd;

	printf("dial %d\n", own_port(listener));
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		return errno == EAGAIN ? ETIMEDOUT : failure();
	struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return receive(fd);
}

static int listen_now(struct attempt *attempt)
{
	int error;

	attempt->fd = open_socket(AF_INET, SOCK_STREAM, 0);
	if (attempt->fd < 0)
		return failure();
	/* Without an address the port is chosen by listen(), and no bind() is seen. */
	error = attempt->way->how ? bind_own(attempt->fd) : 0;
	if (error)
		return error;
	return listen(attempt->fd, 8) ? failure() : 0;
}

static int listen_and_accept(struct attempt *attempt)
{
	int error = listen_now(attempt);

	return error ? error : accept_one(attempt->fd);
}

static int accept_on_open(struct attempt *attempt)
{
	return accept_one(attempt->fd);
}

static int connect_before(struct attempt *attempt)
{
	return prepare_socket(attempt, SOCK_STREAM, TCP_PORT);
}

static int receive_on_open(struct attempt *attempt)
{
	printf("push %d\n", own_port(attempt->fd));
	return receive(attempt->fd);
}

const struct way inbound_ways[] = {
	{ "bind", "a TCP port of its own", "", 0, bind_only, SOCK_STREAM },
	{ "bind-udp", "a UDP port of its own", "", 0, bind_only, SOCK_DGRAM },
	{ "listen", "bind, listen, accept, read", "", 0, listen_and_accept, 1 },
	{ "listen-autobind", "the same without bind", "", 0, listen_and_accept, 0 },
	{ "accept-pre", "accept on a listener from before the block", "", listen_now, accept_on_open, 1 },
	{ "est-recv", "read on a connection from before the block", "", connect_before, receive_on_open, 0 },
	{ 0 },
};
