// SPDX-License-Identifier: Apache-2.0
/* UDP: connected, unconnected by each call, from before the block, and a question to a resolver. */
#include "ways.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int connected(struct attempt *attempt)
{
	return call_in(attempt->way->how, SOCK_DGRAM, UDP_PORT, attempt->token);
}

static int send_to(int fd, int family, const char *token)
{
	struct sockaddr_storage to;
	socklen_t length = address(&to, family, UDP_PORT);

	return sendto(fd, token, TOKEN_LENGTH, 0, (void *)&to, length) == TOKEN_LENGTH ? 0 : failure();
}

static int by_sendto(struct attempt *attempt)
{
	int fd = open_socket(attempt->way->how, SOCK_DGRAM, 0);

	return fd < 0 ? failure() : send_to(fd, attempt->way->how, attempt->token);
}

static int by_message(struct attempt *attempt, int many)
{
	struct sockaddr_storage to;
	struct iovec data = { (void *)attempt->token, TOKEN_LENGTH };
	struct mmsghdr message = { .msg_hdr = { .msg_name = &to, .msg_iov = &data, .msg_iovlen = 1 } };
	int fd = open_socket(attempt->way->how, SOCK_DGRAM, 0);

	if (fd < 0)
		return failure();
	message.msg_hdr.msg_namelen = address(&to, attempt->way->how, UDP_PORT);
	if (many)
		return sendmmsg(fd, &message, 1, 0) == 1 ? 0 : failure();
	return sendmsg(fd, &message.msg_hdr, 0) == TOKEN_LENGTH ? 0 : failure();
}

static int by_sendmsg(struct attempt *attempt)
{
	return by_message(attempt, 0);
}

static int by_sendmmsg(struct attempt *attempt)
{
	return by_message(attempt, 1);
}

static int connect_before(struct attempt *attempt)
{
	return prepare_socket(attempt, SOCK_DGRAM, UDP_PORT);
}

static int open_before(struct attempt *attempt)
{
	return prepare_socket(attempt, SOCK_DGRAM, 0);
}

static int send_connected(struct attempt *attempt)
{
	return say(attempt->fd, attempt->token);
}

static int send_open(struct attempt *attempt)
{
	return send_to(attempt->fd, AF_INET, attempt->token);
}

static int splice_connected(struct attempt *attempt)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) || write(ends[1], attempt->token, TOKEN_LENGTH) != TOKEN_LENGTH)
		return failure();
	return splice(ends[0], NULL, attempt->fd, NULL, TOKEN_LENGTH, 0) == TOKEN_LENGTH ? 0 : failure();
}

/* What a resolver library does: a connected socket, and the data as a name to look up. */
static int ask_resolver(struct attempt *attempt)
{
	static const unsigned char head[] = { 0x4b, 0x47, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
	static const unsigned char tail[] = { 7, 'i', 'n', 'v', 'a', 'l', 'i', 'd', 0, 0, 1, 0, 1 };
	unsigned char question[sizeof(head) + 1 + TOKEN_LENGTH + sizeof(tail)];
	int fd = open_socket(AF_INET, SOCK_DGRAM, 0), error;

	if (fd < 0)
		return failure();
	memcpy(question, head, sizeof(head));
	question[sizeof(head)] = TOKEN_LENGTH;
	memcpy(question + sizeof(head) + 1, attempt->token, TOKEN_LENGTH);
	memcpy(question + sizeof(head) + 1 + TOKEN_LENGTH, tail, sizeof(tail));
	error = reach(fd, AF_INET, DNS_PORT);
	if (error)
		return error;
	return send(fd, question, sizeof(question), 0) == sizeof(question) ? 0 : failure();
}

const struct way udp_ways[] = {
	{ "udp4-connect", "connect and send over IPv4", "", 0, connected, AF_INET },
	{ "udp4-sendto", "sendto without connect", "", 0, by_sendto, AF_INET },
	{ "udp4-sendmsg", "sendmsg without connect", "", 0, by_sendmsg, AF_INET },
	{ "udp4-sendmmsg", "sendmmsg without connect", "", 0, by_sendmmsg, AF_INET },
	{ "udp6-connect", "connect and send over IPv6", "IPv6", 0, connected, AF_INET6 },
	{ "udp6-sendto", "sendto over IPv6", "IPv6", 0, by_sendto, AF_INET6 },
	{ "udp6-sendmsg", "sendmsg over IPv6", "IPv6", 0, by_sendmsg, AF_INET6 },
	{ "udp4in6-sendto", "sendto of an IPv6 socket to an IPv4 address", "IPv6", 0, by_sendto, V4_IN_6 },
	{ "udp4in6-connect", "connect of an IPv6 socket to an IPv4 address", "IPv6", 0, connected, V4_IN_6 },
	{ "udp-est-send", "send on a socket connected before the block", "", connect_before, send_connected, 0 },
	{ "udp-est-splice", "splice into a socket connected before the block", "", connect_before, splice_connected, 0 },
	{ "udp-preopen", "sendto on a socket opened before the block", "", open_before, send_open, 0 },
	{ "dns", "a question to a resolver, with the data as the name", "", 0, ask_resolver, 0 },
	{ 0 },
};
