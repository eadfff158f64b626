// SPDX-License-Identifier: Apache-2.0
/* All that can be reached, in one process that never waits: each receiver looks for tokens in what comes. */
#include "innocent.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum kind { LISTENER, STREAM, MESSAGES, FRAMES, DIALLED };

static struct receiver {
	int fd;
	enum kind kind;
	unsigned length;
	char seen[3 * TOKEN_LENGTH], secret[TOKEN_LENGTH + 1];
} receivers[RECEIVERS_MAX];
static unsigned count;

static struct receiver *add(int fd, enum kind kind)
{
	if (fd < 0 || count == RECEIVERS_MAX) {
		close(fd);
		return NULL;
	}
	receivers[count] = (struct receiver){ .fd = fd, .kind = kind };
	return &receivers[count++];
}

static void drop(struct receiver *receiver)
{
	close(receiver->fd);
	*receiver = receivers[--count];
}

int add_listener(int fd)
{
	return add(fd, LISTENER) ? 0 : EMFILE;
}

/* Says what is missing, so that the ways that need it are reported with the reason. */
static int missing(const char *what, int fd)
{
	printf("without %s %d\n", what, failure());
	if (fd >= 0)
		close(fd);
	return -1;
}

/* IPv6 with IPv4 in it, or IPv4 alone where there is no IPv6. */
static int open_inet(int type, int protocol, int port)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	int off = 0, fd = socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

	if (fd >= 0 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0 &&
	    bind(fd, (void *)&six, sizeof(six)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	if (fd < 0 || bind(fd, (void *)&four, sizeof(four)) == 0)
		return fd;
	close(fd);
	return -1;
}

int open_tcp(void)
{
	int fd = open_inet(SOCK_STREAM, 0, TCP_PORT);

	return fd < 0 || listen(fd, 256) ? missing("TCP", fd) : fd;
}

static void open_sctp(void)
{
	int fd = open_inet(SOCK_SEQPACKET, IPPROTO_SCTP, SCTP_PORT);

	add(fd < 0 || listen(fd, 256) ? missing("SCTP", fd) : fd, MESSAGES);
}

static void open_messages(const char *what, int family, int type, int protocol, enum kind kind)
{
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

	add(fd < 0 ? missing(what, fd) : fd, kind);
}

static void open_unix(const char *dir, const char *name, int type, enum kind kind)
{
	struct sockaddr_un own = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(own.sun_path, sizeof(own.sun_path), "%s/%s", dir, name);
	if (fd < 0 || bind(fd, (void *)&own, sizeof(own)) || (kind == LISTENER && listen(fd, 64)))
		fd = missing("AF_UNIX", fd);
	add(fd, kind);
}

/* Its port, for vsock knows no network namespaces on most kernels: a fixed one could be taken. */
static unsigned open_vsock(void)
{
	struct sockaddr_vm own = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = VMADDR_PORT_ANY };
	socklen_t length = sizeof(own);
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (void *)&own, sizeof(own)) || listen(fd, 64) ||
	    getsockname(fd, (void *)&own, &length))
		fd = missing("vsock", fd);
	add(fd, LISTENER);
	return own.svm_port;
}

unsigned open_receivers(const char *dir)
{
	add(open_tcp(), LISTENER);
	add(open_inet(SOCK_DGRAM, 0, UDP_PORT), MESSAGES);
	add(open_inet(SOCK_DGRAM, 0, DNS_PORT), MESSAGES);
	open_sctp();
	open_messages("raw sockets", AF_INET, SOCK_RAW, IPPROTO_ICMP, MESSAGES);
	open_messages("AF_PACKET", AF_PACKET, SOCK_RAW, htons(FRAME_TYPE), FRAMES);
	open_unix(dir, "stream", SOCK_STREAM, LISTENER);
	open_unix(dir, "datagram", SOCK_DGRAM, MESSAGES);
	return open_vsock();
}

unsigned receivers_to_poll(struct pollfd *list)
{
	for (unsigned i = 0; i < count; i++)
		list[i] = (struct pollfd){ receivers[i].fd, receivers[i].kind == DIALLED ? POLLOUT : POLLIN, 0 };
	return count;
}

/* A token may come in parts; so the end of what came before is kept. */
static void take(struct receiver *receiver, const char *data, size_t length)
{
	char whole[sizeof(receiver->seen) + 4096];
	size_t keep;

	memcpy(whole, receiver->seen, receiver->length);
	memcpy(whole + receiver->length, data, length);
	length += receiver->length;
	spot(whole, length);
	keep = length < TOKEN_LENGTH - 1 ? length : TOKEN_LENGTH - 1;
	memcpy(receiver->seen, whole + length - keep, keep);
	receiver->length = receiver->kind == STREAM ? keep : 0;
}

/* An innocent process that is refused is a fault of its own, whatever became of the attempt. */
static void failed(struct receiver *receiver, const char *what)
{
	if (errno == EAGAIN)
		return;
	if (errno == EPERM || errno == EACCES)
		printf("hurt %s %d\n", what, errno);
	if (receiver->kind == STREAM || receiver->kind == DIALLED)
		drop(receiver);
}

static void serve(struct receiver *receiver, short events)
{
	struct sockaddr_ll from = { 0 };
	socklen_t size = sizeof(from);
	char data[4096];
	ssize_t length;
	int fd;

	if (receiver->kind == DIALLED) {
		if (send(receiver->fd, receiver->secret, TOKEN_LENGTH, MSG_NOSIGNAL) != TOKEN_LENGTH)
			failed(receiver, "send");
		else
			receiver->kind = STREAM;
	} else if (receiver->kind == LISTENER) {
		while ((fd = accept4(receiver->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
			add(fd, STREAM);
		failed(receiver, "accept");
	} else if (receiver->kind == FRAMES) {
		length = recvfrom(receiver->fd, data, sizeof(data), 0, (void *)&from, &size);
		/* Seen on its way out, a frame has reached nobody yet. */
		if (length > 0 && from.sll_pkttype != PACKET_OUTGOING)
			take(receiver, data, length);
	} else {
		length = recv(receiver->fd, data, sizeof(data), 0);
		if (length > 0)
			take(receiver, data, length);
		else if (length < 0)
			failed(receiver, "receive");
		else if (receiver->kind == STREAM || events & POLLHUP)
			drop(receiver);
	}
}

void serve_receiver(int fd, short events)
{
	for (unsigned i = 0; i < count; i++)
		if (receivers[i].fd == fd) {
			serve(&receivers[i], events);
			return;
		}
}

/* Goes on talking to the attacker's end of a connection, which is known by its port. */
int push_to(int port, const char *secret)
{
	struct sockaddr_in6 peer;
	socklen_t size;

	for (unsigned i = 0; i < count; i++) {
		size = sizeof(peer);
		if (receivers[i].kind != STREAM || getpeername(receivers[i].fd, (void *)&peer, &size))
			continue;
		/* The port lies at the same place in both families. */
		if (size >= sizeof(struct sockaddr_in) && ntohs(peer.sin6_port) == port)
			return say(receivers[i].fd, secret);
	}
	return ENOENT;
}

/* Calls a listener of the attacker; the secret is sent once the connection stands. */
int dial(int port, const char *secret)
{
	struct receiver *receiver = add(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), DIALLED);
	int error;

	if (!receiver)
		return failure();
	memcpy(receiver->secret, secret, TOKEN_LENGTH);
	error = reach(receiver->fd, AF_INET, port);
	return error == ETIMEDOUT ? 0 : error; /* begun */
}
