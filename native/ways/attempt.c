// SPDX-License-Identifier: Apache-2.0
/*
 * One attacker. It prepares what has to exist before the block, says `ready`, waits for a line, makes its attempt and
 * ends with the errno it got; or it says `cannot ERRNO` when this kernel does not have what the way needs.
 * Standard input and output are pipes: a socket would be cut off by the very block that is tested.
 */
#include "ways.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Until it is told to go: long enough for a slow machine to block all attackers. */
#define WAIT_S 600

static int usage(void)
{
	fprintf(stderr, "kerngate-ways: attempt NAME TOKEN DIR ELSEWHERE PORT\n");
	return EINVAL;
}

int attempt_main(int argc, char **argv)
{
	struct attempt attempt = { .fd = -1, .other = -1 };
	char line[16];
	int error;

	if (argc != 5 || strlen(argv[1]) != TOKEN_LENGTH)
		return usage();
	attempt.way = find_way(argv[0]);
	attempt.token = argv[1];
	attempt.dir = argv[2];
	attempt.elsewhere = argv[3];
	attempt.vsock_port = atoi(argv[4]);
	if (!attempt.way)
		return usage();
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	alarm(WAIT_S);
	error = attempt.way->prepare ? attempt.way->prepare(&attempt) : 0;
	if (error) {
		printf("cannot %d\n", error);
		return error;
	}
	puts("ready");
	if (read(0, line, sizeof(line)) <= 0)
		return EPIPE;
	alarm(LIFE_S);
	return attempt.way->go(&attempt);
}
