// SPDX-License-Identifier: Apache-2.0
/* SCTP, with its own call to connect, and vsock: families that have no address hook. */
#include "ways.h"

#include <linux/sctp.h>
#include <linux/vm_sockets.h>

static int plain(struct attempt *attempt)
{
	int fd = open_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP), error;

	if (fd < 0)
		return failure();
	error = reach(fd, AF_INET, SCTP_PORT);
	return error ? error : say(fd, attempt->token);
}

/* connect() with a list of addresses, which is a socket option. */
static int by_option(struct attempt *attempt)
{
	struct sockaddr_storage to;
	socklen_t length = address(&to, AF_INET, SCTP_PORT);
	int fd = open_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);

	if (fd < 0)
		return failure();
	/* On success it answers the number of the association. */
	if (setsockopt(fd, IPPROTO_SCTP, SCTP_SOCKOPT_CONNECTX, &to, length) < 0)
		return errno == EINPROGRESS ? ETIMEDOUT : failure();
	return say(fd, attempt->token);
}

/* The association is made by the first message. */
static int by_sendto(struct attempt *attempt)
{
	struct sockaddr_storage to;
	socklen_t length = address(&to, AF_INET, SCTP_PORT);
	int fd = open_socket(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP);

	if (fd < 0)
		return failure();
	return sendto(fd, attempt->token, TOKEN_LENGTH, 0, (void *)&to, length) == TOKEN_LENGTH ? 0 : failure();
}

static int to_host(struct attempt *attempt)
{
	struct sockaddr_vm to = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_LOCAL };
	int fd = open_socket(AF_VSOCK, SOCK_STREAM, 0);

	to.svm_port = attempt->vsock_port;
	if (fd < 0 || connect(fd, (void *)&to, sizeof(to)))
		return failure();
	return say(fd, attempt->token);
}

const struct way sctp_ways[] = {
	{ "sctp", "connect", "SCTP", 0, plain, 0 },
	{ "sctp-connectx", "connect by a socket option", "SCTP", 0, by_option, 0 },
	{ "sctp-sendto", "sendto without connect", "SCTP", 0, by_sendto, 0 },
	{ "vsock", "connect over the loopback of vsock", "vsock_loopback", 0, to_host, 0 },
	{ 0 },
};
