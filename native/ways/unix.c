// SPDX-License-Identifier: Apache-2.0
/* AF_UNIX: to a receiver on this host, and to a helper that goes to the network in the attacker's stead. */
#include "ways.h"

#include <stdio.h>
#include <string.h>
#include <sys/un.h>

int unix_connect(const struct attempt *attempt, const char *name, int type)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = open_socket(AF_UNIX, type, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s/%s", attempt->dir, name);
	return fd < 0 || connect(fd, (void *)&to, sizeof(to)) ? -1 : fd;
}

static int stream(struct attempt *attempt)
{
	int fd = unix_connect(attempt, "stream", SOCK_STREAM);

	return fd < 0 ? failure() : say(fd, attempt->token);
}

static int datagram(struct attempt *attempt)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = open_socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s/datagram", attempt->dir);
	if (fd < 0 || sendto(fd, attempt->token, TOKEN_LENGTH, 0, (void *)&to, sizeof(to)) != TOKEN_LENGTH)
		return failure();
	return 0;
}

static int stream_before(struct attempt *attempt)
{
	attempt->fd = unix_connect(attempt, "stream", SOCK_STREAM);
	return attempt->fd < 0 ? failure() : 0;
}

static int say_on_it(struct attempt *attempt)
{
	return say(attempt->fd, attempt->token);
}

static int helper_before(struct attempt *attempt)
{
	attempt->fd = unix_connect(attempt, "helper", SOCK_STREAM);
	return attempt->fd < 0 ? failure() : 0;
}

static int ask_helper(struct attempt *attempt)
{
	char order[64];
	int length = snprintf(order, sizeof(order), "relay %s\n", attempt->token);

	return send(attempt->fd, order, length, MSG_NOSIGNAL) == length ? 0 : failure();
}

static int ask_new_helper(struct attempt *attempt)
{
	int error = helper_before(attempt);

	return error ? error : ask_helper(attempt);
}

const struct way unix_ways[] = {
	{ "unix-stream", "connect to a local stream socket", "", 0, stream, 0 },
	{ "unix-dgram", "sendto to a local datagram socket", "", 0, datagram, 0 },
	{ "unix-est", "send on a local connection from before the block", "", stream_before, say_on_it, 0 },
	{ "helper-new", "a new connection to a local helper, which connects on behalf", "", 0, ask_new_helper, 0 },
	{ "helper-pre", "the same over a connection from before the block", "", helper_before, ask_helper, 0 },
	{ 0 },
};
