// SPDX-License-Identifier: Apache-2.0
/* io_uring: no connect or send system call is made, and with a thread in the kernel none at all. */
#include "ways.h"

#include <linux/io_uring.h>
#include <string.h>

/* include/uapi/linux/io_uring.h; named by number, as headers older than the kernel lack it. */
#define OP_SOCKET 45

/* What `how` is made of. */
#define ASYNC 1 /* by a worker of the kernel, from the start */
#define SQPOLL 2 /* by a thread of the kernel that watches the ring */
#define WRITE 4 /* not send but write */

static unsigned setup_flags(const struct attempt *attempt)
{
	return attempt->way->how & SQPOLL ? IORING_SETUP_SQPOLL : 0;
}

static int request(struct attempt *attempt, struct io_uring_sqe *entry)
{
	int result;

	if (attempt->way->how & ASYNC)
		entry->flags |= IOSQE_ASYNC;
	result = ring_do(&attempt->ring, entry);
	if (result == -EINPROGRESS)
		return -ETIMEDOUT;
	return result;
}

static int ring_connect(struct attempt *attempt, int fd)
{
	struct sockaddr_storage to;
	struct io_uring_sqe entry = { .opcode = IORING_OP_CONNECT, .fd = fd, .addr = (unsigned long)&to };

	entry.off = address(&to, AF_INET, TCP_PORT);
	return -request(attempt, &entry);
}

/* The token goes by the ring as well: that the connect came through must not depend on another hook. */
static int ring_send(struct attempt *attempt, int fd)
{
	struct io_uring_sqe entry = { .opcode = IORING_OP_SEND, .fd = fd, .addr = (unsigned long)attempt->token };
	int result;

	entry.len = TOKEN_LENGTH;
	if (attempt->way->how & WRITE)
		entry.opcode = IORING_OP_WRITE;
	else
		entry.msg_flags = MSG_NOSIGNAL;
	result = request(attempt, &entry);
	return result < 0 ? -result : 0;
}

static int ring_before(struct attempt *attempt)
{
	return ring_open(&attempt->ring, setup_flags(attempt));
}

static int connect_by_ring(struct attempt *attempt)
{
	int fd = open_socket(AF_INET, SOCK_STREAM, 0), error;

	if (fd < 0)
		return failure();
	error = ring_connect(attempt, fd);
	return error ? error : ring_send(attempt, fd);
}

static int connect_by_new_ring(struct attempt *attempt)
{
	int error = ring_before(attempt);

	return error ? error : connect_by_ring(attempt);
}

static int connection_before(struct attempt *attempt)
{
	int error = ring_before(attempt);

	return error ? error : prepare_socket(attempt, SOCK_STREAM, TCP_PORT);
}

static int send_by_ring(struct attempt *attempt)
{
	return ring_send(attempt, attempt->fd);
}

static int send_udp(struct attempt *attempt)
{
	struct sockaddr_storage to;
	struct iovec data = { (void *)attempt->token, TOKEN_LENGTH };
	struct msghdr message = { .msg_name = &to, .msg_iov = &data, .msg_iovlen = 1 };
	struct io_uring_sqe entry = { .opcode = IORING_OP_SENDMSG, .addr = (unsigned long)&message, .len = 1 };
	int error = ring_before(attempt), result;

	if (error)
		return error;
	message.msg_namelen = address(&to, AF_INET, UDP_PORT);
	entry.fd = open_socket(AF_INET, SOCK_DGRAM, 0);
	if (entry.fd < 0)
		return failure();
	result = request(attempt, &entry);
	return result < 0 ? -result : 0;
}

/* The socket, too, is made by the ring. */
static int socket_by_ring(struct attempt *attempt)
{
	struct io_uring_sqe entry = { .opcode = OP_SOCKET, .fd = AF_INET, .off = SOCK_STREAM };
	int error = ring_before(attempt), fd;

	if (error)
		return error;
	fd = request(attempt, &entry);
	if (fd < 0)
		return -fd;
	error = ring_connect(attempt, fd);
	return error ? error : ring_send(attempt, fd);
}

const struct way uring_ways[] = {
	{ "uring-connect", "connect by a ring", "io_uring", 0, connect_by_new_ring, 0 },
	{ "uring-pre-connect", "connect by a ring from before the block", "io_uring", ring_before, connect_by_ring, 0 },
	{ "uring-async", "connect by a worker of the kernel", "io_uring", 0, connect_by_new_ring, ASYNC },
	{ "uring-sqpoll", "connect by a thread of the kernel, without a call", "io_uring", 0, connect_by_new_ring,
	  SQPOLL },
	{ "uring-pre-sqpoll", "the same by a thread from before the block", "io_uring", ring_before, connect_by_ring,
	  SQPOLL },
	{ "uring-sqpoll-async", "thread and worker together", "io_uring", 0, connect_by_new_ring, SQPOLL | ASYNC },
	{ "uring-est-send", "send by a ring on a connection from before the block", "io_uring", connection_before,
	  send_by_ring, 0 },
	{ "uring-est-send-async", "the same by a worker", "io_uring", connection_before, send_by_ring, ASYNC },
	{ "uring-est-send-sqpoll", "the same by a thread", "io_uring", connection_before, send_by_ring, SQPOLL },
	{ "uring-est-write", "write by a ring on a connection from before the block", "io_uring", connection_before,
	  send_by_ring, WRITE },
	{ "uring-sendmsg-udp", "sendmsg by a ring, without connect", "io_uring", 0, send_udp, 0 },
	{ "uring-socket", "socket, connect and send, all by a ring", "io_uring with sockets", 0, socket_by_ring, 0 },
	{ 0 },
};
