// SPDX-License-Identifier: Apache-2.0
/* TCP and MPTCP: every form of connect, and Fast Open, which sends without one. */
#include "ways.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static int plain(struct attempt *attempt)
{
	return call_in(attempt->way->how, SOCK_STREAM, TCP_PORT, attempt->token);
}

static int non_blocking(struct attempt *attempt)
{
	struct sockaddr_storage to;
	socklen_t length = address(&to, AF_INET, TCP_PORT);
	int fd = open_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), error;

	if (fd < 0 || (connect(fd, (void *)&to, length) && errno != EINPROGRESS))
		return failure();
	error = await_fd(fd, POLLOUT);
	return error ? error : say(fd, attempt->token);
}

/* The first data goes with the SYN; `how` is the protocol. */
static int fast_open_send(struct attempt *attempt)
{
	struct sockaddr_storage to;
	socklen_t length = address(&to, AF_INET, TCP_PORT);
	int fd = open_socket(AF_INET, SOCK_STREAM, attempt->way->how);
	ssize_t sent;

	if (fd < 0)
		return failure();
	sent = sendto(fd, attempt->token, TOKEN_LENGTH, MSG_FASTOPEN | MSG_NOSIGNAL, (void *)&to, length);
	if (sent == TOKEN_LENGTH)
		return 0;
	return errno == EINPROGRESS ? ETIMEDOUT : failure();
}

/* connect() only notes the address; the first send() connects. */
static int fast_open_connect(struct attempt *attempt)
{
	int fd = open_socket(AF_INET, SOCK_STREAM, 0), on = 1, error;

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(on)))
		return failure();
	error = reach(fd, AF_INET, TCP_PORT);
	return error ? error : say(fd, attempt->token);
}

static int multipath(struct attempt *attempt)
{
	int fd = open_socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP), error;

	if (fd < 0)
		return failure();
	error = reach(fd, AF_INET, TCP_PORT);
	return error ? error : say(fd, attempt->token);
}

/* The address lies in a page that is not in memory yet: who reads it before the kernel does gets a fault. */
static int cold_page(struct attempt *attempt)
{
	struct sockaddr_storage to;
	socklen_t length = address(&to, AF_INET, TCP_PORT);
	int file = memfd_create("address", MFD_CLOEXEC), fd;
	void *page;

	if (file < 0 || write(file, &to, sizeof(to)) != sizeof(to))
		return failure();
	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0);
	if (page == MAP_FAILED)
		return failure();
	madvise(page, 4096, MADV_RANDOM); /* no reading around it */
	fd = open_socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, page, length))
		return errno == EINPROGRESS ? ETIMEDOUT : failure();
	return say(fd, attempt->token);
}

static int open_before(struct attempt *attempt)
{
	return prepare_socket(attempt, SOCK_STREAM, 0);
}

static int connect_open(struct attempt *attempt)
{
	int error = reach(attempt->fd, AF_INET, TCP_PORT);

	return error ? error : say(attempt->fd, attempt->token);
}

const struct way tcp_ways[] = {
	{ "tcp4", "connect over IPv4", "", 0, plain, AF_INET },
	{ "tcp6", "connect over IPv6", "IPv6", 0, plain, AF_INET6 },
	{ "tcp4in6", "connect of an IPv6 socket to an IPv4 address", "IPv6", 0, plain, V4_IN_6 },
	{ "tcp4-nb", "connect that does not wait", "", 0, non_blocking, 0 },
	{ "tfo-sendto", "Fast Open by sendto, without connect", "", 0, fast_open_send, 0 },
	{ "tfo-connect", "Fast Open by a connect that is put off until the first send", "", 0, fast_open_connect, 0 },
	{ "mptcp", "connect of a multipath socket", "MPTCP", 0, multipath, 0 },
	{ "mptcp-tfo", "Fast Open of a multipath socket", "MPTCP with Fast Open", 0, fast_open_send, IPPROTO_MPTCP },
	{ "tcp-coldpage", "connect to an address in memory that is not there yet", "", 0, cold_page, 0 },
	{ "tcp-preopen", "connect of a socket opened before the block", "", open_before, connect_open, 0 },
	{ 0 },
};
