/* SPDX-License-Identifier: Apache-2.0 */
/* The innocent side: what receives, what helps without knowing, and the desk that attempts are started from. */
#ifndef KERNGATE_INNOCENT_H
#define KERNGATE_INNOCENT_H

#include <poll.h>

#include "ways.h"

#define ATTEMPTS_MAX 128
#define RECEIVERS_MAX 1024

/* One attempt, as the innocent side sees it. */
struct trial {
	int id, in, out; /* `out` is -1 once every process of the attempt has closed it */
	pid_t pid;
	char token[TOKEN_LENGTH + 1], secret[TOKEN_LENGTH + 1];
	char said[256];
	unsigned length;
	int told, reached, ended, result;
	int settle; /* ms: what it sent may be on its way for so long after its last process ended */
	long long until; /* ms: what has not come by then does not count */
};

long long now_ms(void);

/* stage.c */
int enter_stage(void);
int listener_beside(pid_t pid);
int enter_cgroup(const char *path);
int make_cgroup(char *path, size_t size, const char *above, const char *name);
int kill_members(const char *cgroup);

/* receivers.c */
int open_tcp(void);
unsigned open_receivers(const char *dir);
int add_listener(int fd);
unsigned receivers_to_poll(struct pollfd *list);
void serve_receiver(int fd, short events);
int push_to(int port, const char *secret);
int dial(int port, const char *secret);

/* desk.c */
int open_desk(const char *cgroup, const char *dir, unsigned vsock_port);
void order(char *line);
void spot(const char *data, size_t length);
unsigned trials_to_poll(struct pollfd *list);
void hear_trial(int fd);
int look_after_trials(int is_quiet);
void end_trials(void);

#endif
