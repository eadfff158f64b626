/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ways to the network that the self-test tries. A way is prepared before its process is blocked and tried after
 * that; whether it reached anybody is for the receiver to say, not for the system call that went out.
 */
#ifndef KERNGATE_WAYS_H
#define KERNGATE_WAYS_H

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/* All of these are in a network namespace of the prober's own, so that they are free. */
#define TCP_PORT 7001
#define UDP_PORT 7002
#define SCTP_PORT 7003
#define DNS_PORT 53
#define LOOPBACK_INDEX 1 /* the first interface of every namespace */
#define FRAME_TYPE 0x88b5 /* IEEE 802: for local experiments */
#define OUTER_ADDRESS 0xc0000201 /* 192.0.2.1 (RFC 5737), laid on the loopback */

/* Families of address() beyond the kernel's. */
#define V4_IN_6 1000

#define TOKEN_PREFIX "kgw-"
#define TOKEN_LENGTH 20 /* the prefix and 16 hexadecimal digits */
#define PATIENCE_MS 2000 /* for one step of an attempt */
#define LIFE_S 20 /* of a process, after it was told to go */

struct ring {
	int fd;
	unsigned flags; /* IORING_SETUP_* */
	unsigned char *queue, *results;
	struct io_uring_sqe *entries;
	unsigned sq_tail, sq_flags, sq_array, cq_head, cq_tail, cq_mask, cqes;
};

/* One attempt, as the attacker's process sees it. */
struct attempt {
	const struct way *way;
	const char *token;
	const char *dir; /* of the AF_UNIX sockets */
	const char *elsewhere; /* another cgroup to move to */
	unsigned vsock_port;
	int fd, other, told;
	pid_t pid;
	struct ring ring;
};

struct way {
	const char *name, *meaning, *needs;
	int (*prepare)(struct attempt *); /* before the block; answers an errno, 0 when well */
	int (*go)(struct attempt *); /* the attempt; the same */
	int how; /* which of several alike */
};

struct family {
	const char *name;
	const struct way *ways; /* ends with one without a name */
};

extern const struct family families[];
extern const struct way tcp_ways[], entry_ways[], udp_ways[], uring_ways[], raw_ways[], packet_ways[], sctp_ways[],
	unix_ways[], established_ways[], handed_ways[], identity_ways[], place_ways[], inbound_ways[], local_ways[];

const struct way *find_way(const char *name);

/* common.c */
int failure(void);
socklen_t address(struct sockaddr_storage *to, int family, int port);
int open_socket(int family, int type, int protocol);
int reach(int fd, int family, int port);
int say(int fd, const char *token);
int call_in(int family, int type, int port, const char *token);
int tcp_attempt(struct attempt *attempt);
int prepare_socket(struct attempt *attempt, int type, int port);
int await_fd(int fd, short events);
unsigned short checksum(const void *data, size_t length);
size_t udp_packet(unsigned char *packet, unsigned from, unsigned to, const char *token);

/* children.c */
const char *own_path(void);
pid_t offspring(void);
int result_of(pid_t pid);
int hear(int fd);
int utter(int fd, int result);
void become_actor(const struct attempt *attempt, int fd);

/* ring.c */
int ring_open(struct ring *ring, unsigned flags);
int ring_do(struct ring *ring, const struct io_uring_sqe *entry);

/* unix.c */
int unix_connect(const struct attempt *attempt, const char *name, int type);

/* The sub-commands. */
int attempt_main(int argc, char **argv);
int listen_main(int argc, char **argv);
int helper_main(const char *dir);

#endif
