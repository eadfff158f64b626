// SPDX-License-Identifier: Apache-2.0
/* What all ways share: addresses, sockets that wait for no one for ever, packets made by hand. */
#include "ways.h"

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

/* The errno of what just failed. A call that fell short without one has to count as a failure, too. */
int failure(void)
{
	return errno ? errno : EIO;
}

socklen_t address(struct sockaddr_storage *to, int family, int port)
{
	struct sockaddr_in *v4 = (void *)to;
	struct sockaddr_in6 *v6 = (void *)to;

	memset(to, 0, sizeof(*to));
	if (family == AF_INET) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	v6->sin6_addr = in6addr_loopback;
	if (family == V4_IN_6)
		inet_pton(AF_INET6, "::ffff:127.0.0.1", &v6->sin6_addr);
	return sizeof(*v6);
}

/* A call on it gives up after a while: packets that are dropped in silence must not hold up the test. */
int open_socket(int family, int type, int protocol)
{
	struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
	int fd = socket(family == V4_IN_6 ? AF_INET6 : family, type | SOCK_CLOEXEC, protocol);

	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	}
	return fd;
}

int reach(int fd, int family, int port)
{
	struct sockaddr_storage to;
	socklen_t length = address(&to, family, port);

	if (connect(fd, (void *)&to, length) == 0)
		return 0;
	return errno == EINPROGRESS ? ETIMEDOUT : failure();
}

int say(int fd, const char *token)
{
	return send(fd, token, TOKEN_LENGTH, MSG_NOSIGNAL) == TOKEN_LENGTH ? 0 : failure();
}

/* Socket, connect, send. The socket stays open until the process ends, so that what was sent is delivered. */
int call_in(int family, int type, int port, const char *token)
{
	int fd = open_socket(family, type, 0), error;

	if (fd < 0)
		return failure();
	error = reach(fd, family, port);
	return error ? error : say(fd, token);
}

/* What a process does whose identity is the way. */
int tcp_attempt(struct attempt *attempt)
{
	return call_in(AF_INET, SOCK_STREAM, TCP_PORT, attempt->token);
}

/* A socket from before the block, connected when a port is given. */
int prepare_socket(struct attempt *attempt, int type, int port)
{
	attempt->fd = open_socket(AF_INET, type, 0);
	if (attempt->fd < 0)
		return failure();
	return port ? reach(attempt->fd, AF_INET, port) : 0;
}

int await_fd(int fd, short events)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };

	switch (poll(&poll_fd, 1, PATIENCE_MS)) {
	case -1:
		return failure();
	case 0:
		return ETIMEDOUT;
	default:
		return 0;
	}
}

/* RFC 1071 */
unsigned short checksum(const void *data, size_t length)
{
	const unsigned char *bytes = data;
	unsigned long sum = 0;

	for (size_t i = 0; i + 1 < length; i += 2)
		sum += bytes[i] << 8 | bytes[i + 1];
	if (length & 1)
		sum += bytes[length - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum & 0xffff);
}

/* An IPv4 packet to the UDP receiver; without a UDP checksum, which IPv4 allows. Answers its length. */
size_t udp_packet(unsigned char *packet, unsigned from, unsigned to, const char *token)
{
	size_t length = sizeof(struct iphdr) + sizeof(struct udphdr) + TOKEN_LENGTH;
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP };
	struct udphdr udp = { .source = htons(9), .dest = htons(UDP_PORT) };

	ip.tot_len = htons(length);
	ip.saddr = htonl(from);
	ip.daddr = htonl(to);
	ip.check = checksum(&ip, sizeof(ip));
	udp.len = htons(sizeof(udp) + TOKEN_LENGTH);
	memcpy(packet, &ip, sizeof(ip));
	memcpy(packet + sizeof(ip), &udp, sizeof(udp));
	memcpy(packet + sizeof(ip) + sizeof(udp), token, TOKEN_LENGTH);
	return length;
}
