// SPDX-License-Identifier: Apache-2.0
/* What stays on this host at first: socket pairs, netlink, and packets written to a tun device. */
#include "ways.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* TEST-NET-2 (RFC 5737): where the packet says that it comes from. */
#define FAR_ADDRESS 0xc6336407

static int pair(struct attempt *attempt)
{
	char got[TOKEN_LENGTH];
	int ends[2], error, theirs;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return failure();
	pid = offspring();
	if (pid == 0)
		_exit(say(ends[1], attempt->token));
	error = await_fd(ends[0], POLLIN);
	if (!error && recv(ends[0], got, sizeof(got), 0) != sizeof(got))
		error = failure();
	if (!error && memcmp(got, attempt->token, sizeof(got)) == 0)
		puts("reached");
	theirs = result_of(pid);
	return theirs ? theirs : error;
}

static int dump_links(struct attempt *attempt)
{
	struct {
		struct nlmsghdr head;
		struct rtgenmsg family;
	} question = { .head = { .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };
	char answer[32768];
	const struct nlmsghdr *first = (void *)answer;
	int fd = open_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	(void)attempt;
	question.head.nlmsg_len = sizeof(question);
	if (fd < 0 || send(fd, &question, sizeof(question), 0) != sizeof(question))
		return failure();
	if (recv(fd, answer, sizeof(answer), 0) < (ssize_t)sizeof(*first))
		return failure();
	if (first->nlmsg_type != RTM_NEWLINK)
		return EBADMSG;
	puts("reached");
	return 0;
}

static int open_tun(struct attempt *attempt)
{
	struct ifreq device = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open_socket(AF_INET, SOCK_DGRAM, 0), error = 0;

	strcpy(device.ifr_name, "kgw%d");
	attempt->fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0 || attempt->fd < 0 || ioctl(attempt->fd, TUNSETIFF, &device))
		return failure();
	device.ifr_flags = IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &device))
		error = failure();
	close(fd);
	return error;
}

/* As if it had come in from outside; nothing on the way out sees it. */
static int write_tun(struct attempt *attempt)
{
	unsigned char packet[128];
	size_t length = udp_packet(packet, FAR_ADDRESS, OUTER_ADDRESS, attempt->token);

	return write(attempt->fd, packet, length) == (ssize_t)length ? 0 : failure();
}

const struct way local_ways[] = {
	{ "socketpair", "a pair of sockets between parent and child", "", 0, pair, 0 },
	{ "netlink", "the list of interfaces, asked of the kernel", "", 0, dump_links, 0 },
	{ "tun-write", "a packet written to a tun device opened before the block", "/dev/net/tun", open_tun, write_tun,
	  0 },
	{ 0 },
};
