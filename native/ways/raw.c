// SPDX-License-Identifier: Apache-2.0
/* Raw IP and ping sockets: packets without a transport that anybody would look at. */
#include "ways.h"

#include <netinet/ip_icmp.h>
#include <string.h>

struct echo {
	struct icmphdr head;
	char token[TOKEN_LENGTH];
};

static int send_echo(int fd, const char *token)
{
	struct echo echo = { .head = { .type = ICMP_ECHO } };
	struct sockaddr_storage to;
	socklen_t length = address(&to, AF_INET, 0);

	memcpy(echo.token, token, TOKEN_LENGTH);
	echo.head.checksum = checksum(&echo, sizeof(echo));
	return sendto(fd, &echo, sizeof(echo), 0, (void *)&to, length) == sizeof(echo) ? 0 : failure();
}

static int echo_request(struct attempt *attempt)
{
	int fd = open_socket(AF_INET, attempt->way->how, IPPROTO_ICMP);

	return fd < 0 ? failure() : send_echo(fd, attempt->token);
}

static int open_before(struct attempt *attempt)
{
	attempt->fd = open_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	return attempt->fd < 0 ? failure() : 0;
}

static int echo_on_open(struct attempt *attempt)
{
	return send_echo(attempt->fd, attempt->token);
}

/* A UDP packet with a header of its own; the kernel's UDP never sees it go. */
static int own_header(struct attempt *attempt)
{
	unsigned char packet[128];
	size_t length = udp_packet(packet, INADDR_LOOPBACK, INADDR_LOOPBACK, attempt->token);
	struct sockaddr_storage to;
	socklen_t size = address(&to, AF_INET, 0);
	int fd = open_socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	if (fd < 0)
		return failure();
	return sendto(fd, packet, length, 0, (void *)&to, size) == (ssize_t)length ? 0 : failure();
}

const struct way raw_ways[] = {
	{ "raw-icmp", "an echo request on a raw socket", "", 0, echo_request, SOCK_RAW },
	{ "raw-preopen", "the same on a raw socket opened before the block", "", open_before, echo_on_open, 0 },
	{ "raw-ipproto-raw", "a UDP packet written by hand on a raw socket", "", 0, own_header, 0 },
	{ "ping", "an echo request on a ping socket", "", 0, echo_request, SOCK_DGRAM },
	{ 0 },
};
