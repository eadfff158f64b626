// SPDX-License-Identifier: Apache-2.0
/* AF_PACKET: frames handed to the interface, below IP, and past its queue when asked for. */
#include "ways.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>

#define BYPASS 1

static int open_packet(const struct attempt *attempt)
{
	/* Protocol 0: it sends and receives nothing. */
	int fd = open_socket(AF_PACKET, SOCK_RAW, 0), on = 1;

	if (fd >= 0 && attempt->way->how & BYPASS &&
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)))
		return -1;
	return fd;
}

static int send_frame(int fd, const char *token)
{
	unsigned char frame[ETH_ZLEN] = { 0 };
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = LOOPBACK_INDEX, .sll_halen = ETH_ALEN };
	unsigned short type = htons(FRAME_TYPE);

	to.sll_protocol = type;
	memcpy(frame + 2 * ETH_ALEN, &type, sizeof(type));
	memcpy(frame + ETH_HLEN, token, TOKEN_LENGTH);
	return sendto(fd, frame, sizeof(frame), 0, (void *)&to, sizeof(to)) == sizeof(frame) ? 0 : failure();
}

static int frame(struct attempt *attempt)
{
	int fd = open_packet(attempt);

	return fd < 0 ? failure() : send_frame(fd, attempt->token);
}

static int open_before(struct attempt *attempt)
{
	attempt->fd = open_packet(attempt);
	return attempt->fd < 0 ? failure() : 0;
}

static int frame_on_open(struct attempt *attempt)
{
	return send_frame(attempt->fd, attempt->token);
}

const struct way packet_ways[] = {
	{ "packet", "a frame on a packet socket", "AF_PACKET", 0, frame, 0 },
	{ "packet-qbypass", "the same past the queue of the interface", "AF_PACKET", 0, frame, BYPASS },
	{ "packet-preopen", "a frame on a packet socket opened before the block", "AF_PACKET", open_before,
	  frame_on_open, 0 },
	{ "packet-pre-qbypass", "the same past the queue of the interface", "AF_PACKET", open_before, frame_on_open,
	  BYPASS },
	{ 0 },
};
