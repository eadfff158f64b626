// SPDX-License-Identifier: Apache-2.0
/*
 * The prober of `kerngate selftest`.
 *   kerngate-ways list                 the ways: name, family, what it needs, meaning, by tabs
 *   kerngate-ways listen CGROUP DIR    the innocent side, which also starts the attempts; see listen.c
 *   kerngate-ways attempt NAME TOKEN DIR ELSEWHERE PORT    one attacker; see attempt.c
 *   kerngate-ways act TOKEN FD         what an attacker executes: connects, or writes to FD
 *   kerngate-ways tether COMMAND...    executes it; it is asked to end when the caller dies
 */
#include "ways.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

const struct family families[] = {
	{ "tcp", tcp_ways },
	{ "entry", entry_ways },
	{ "udp", udp_ways },
	{ "io_uring", uring_ways },
	{ "raw", raw_ways },
	{ "packet", packet_ways },
	{ "sctp, vsock", sctp_ways },
	{ "unix", unix_ways },
	{ "established", established_ways },
	{ "handed over", handed_ways },
	{ "identity", identity_ways },
	{ "place", place_ways },
	{ "inbound", inbound_ways },
	{ "local", local_ways },
	{ 0 },
};

const struct way *find_way(const char *name)
{
	for (const struct family *family = families; family->name; family++)
		for (const struct way *way = family->ways; way->name; way++)
			if (strcmp(way->name, name) == 0)
				return way;
	return NULL;
}

static int list(void)
{
	for (const struct family *family = families; family->name; family++)
		for (const struct way *way = family->ways; way->name; way++)
			printf("%s\t%s\t%s\t%s\n", way->name, family->name, way->needs, way->meaning);
	return 0;
}

/* Ends with an errno. */
static int act(const char *token, int fd)
{
	alarm(LIFE_S);
	if (fd >= 0)
		return write(fd, token, TOKEN_LENGTH) == TOKEN_LENGTH ? 0 : failure();
	return call_in(AF_INET, SOCK_STREAM, TCP_PORT, token);
}

static int tether(char **command)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	execvp(command[0], command);
	perror(command[0]);
	return 127;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "list") == 0)
		return list();
	if (strcmp(what, "listen") == 0)
		return listen_main(argc - 2, argv + 2);
	if (strcmp(what, "attempt") == 0)
		return attempt_main(argc - 2, argv + 2);
	if (strcmp(what, "act") == 0 && argc == 4 && strlen(argv[2]) == TOKEN_LENGTH)
		return act(argv[2], atoi(argv[3]));
	if (strcmp(what, "tether") == 0 && argc > 2)
		return tether(argv + 2);
	fprintf(stderr, "kerngate-ways: list, listen CGROUP DIR, or tether COMMAND...\n");
	return 2;
}
