// SPDX-License-Identifier: Apache-2.0
/* A TCP connection from before the block, and every call that puts data into one. */
#include "ways.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

static int connect_before(struct attempt *attempt)
{
	return prepare_socket(attempt, SOCK_STREAM, TCP_PORT);
}

static int by_write(struct attempt *attempt)
{
	return write(attempt->fd, attempt->token, TOKEN_LENGTH) == TOKEN_LENGTH ? 0 : failure();
}

static int by_send(struct attempt *attempt)
{
	return say(attempt->fd, attempt->token);
}

static int by_sendfile(struct attempt *attempt)
{
	int file = memfd_create("token", MFD_CLOEXEC);
	off_t start = 0;

	if (file < 0 || write(file, attempt->token, TOKEN_LENGTH) != TOKEN_LENGTH)
		return failure();
	return sendfile(attempt->fd, file, &start, TOKEN_LENGTH) == TOKEN_LENGTH ? 0 : failure();
}

static int from_pipe(struct attempt *attempt, int mapped)
{
	struct iovec data = { (void *)attempt->token, TOKEN_LENGTH };
	ssize_t filled;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return failure();
	filled = mapped ? vmsplice(ends[1], &data, 1, 0) : write(ends[1], attempt->token, TOKEN_LENGTH);
	if (filled != TOKEN_LENGTH)
		return failure();
	return splice(ends[0], NULL, attempt->fd, NULL, TOKEN_LENGTH, 0) == TOKEN_LENGTH ? 0 : failure();
}

static int by_splice(struct attempt *attempt)
{
	return from_pipe(attempt, 0);
}

static int by_vmsplice(struct attempt *attempt)
{
	return from_pipe(attempt, 1);
}

const struct way established_ways[] = {
	{ "est-write", "write", "", connect_before, by_write, 0 },
	{ "est-send", "send", "", connect_before, by_send, 0 },
	{ "est-sendfile", "sendfile", "", connect_before, by_sendfile, 0 },
	{ "est-splice", "splice out of a pipe", "", connect_before, by_splice, 0 },
	{ "est-vmsplice", "memory spliced into a pipe, and on into the socket", "", connect_before, by_vmsplice, 0 },
	{ 0 },
};
