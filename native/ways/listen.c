// SPDX-License-Identifier: Apache-2.0
/*
 * The innocent side: listen CGROUP DIR
 * It goes into a network namespace of its own and into CGROUP/innocent, receives all that can be received, and starts
 * attackers in CGROUP/subject. It reads `start ID NAME` and `go ID SETTLE_MS`, and says, a line each:
 *   without WHAT ERRNO   this kernel lacks what some ways need
 *   up                   it receives
 *   ID ready PID         prepared; to be blocked now, then told to go
 *   ID cannot ERRNO      the way cannot even be prepared
 *   ID reached           the token arrived, or the blocked process got what only a peer could send
 *   ID peer ERRNO        the peer could not do its part
 *   ID ended ERRNO       what the attacker itself saw; negative for the signal that ended it
 *   ID done              nothing more comes of it
 *   hurt WHAT ERRNO      the innocent side itself was refused something
 * At the end of its input it ends, and takes every attacker with it.
 */
#include "innocent.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS 20

static char orders[8192];
static size_t ordered;

/* Answers 0 at the end of the input. */
static int read_orders(void)
{
	char *line = orders, *end;
	ssize_t length = read(0, orders + ordered, sizeof(orders) - 1 - ordered);

	if (length <= 0)
		return 0;
	ordered += length;
	orders[ordered] = 0;
	for (; (end = strchr(line, '\n')); line = end + 1) {
		*end = 0;
		order(line);
	}
	ordered -= line - orders;
	memmove(orders, line, ordered);
	return ordered < sizeof(orders) - 1;
}

static void serve(void)
{
	static struct pollfd list[1 + RECEIVERS_MAX + ATTEMPTS_MAX];
	unsigned receivers, trials;
	int busy = 0, is_quiet;

	for (;;) {
		list[0] = (struct pollfd){ 0, POLLIN, 0 };
		receivers = receivers_to_poll(list + 1);
		trials = trials_to_poll(list + 1 + receivers);
		if (poll(list, 1 + receivers + trials, busy ? TICK_MS : -1) < 0 && errno != EINTR)
			return;
		/* Receivers first: what an attempt sent has to be found before its end is. */
		is_quiet = 1;
		for (unsigned i = 1; i <= receivers; i++)
			if (list[i].revents) {
				is_quiet = 0;
				serve_receiver(list[i].fd, list[i].revents);
			}
		for (unsigned i = 1 + receivers; i <= receivers + trials; i++)
			if (list[i].revents)
				hear_trial(list[i].fd);
		if (list[0].revents && !read_orders())
			return;
		busy = look_after_trials(is_quiet);
	}
}

static int failed(const char *what, int error)
{
	fprintf(stderr, "kerngate-ways: %s: %s\n", what, strerror(error));
	return 1;
}

int listen_main(int argc, char **argv)
{
	unsigned vsock_port;
	int error;

	if (argc != 2)
		return failed("listen CGROUP DIR", EINVAL);
	signal(SIGPIPE, SIG_IGN);
	/* ^C at the terminal is for the self-test, which closes our input. */
	signal(SIGINT, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	error = enter_stage();
	if (error)
		return failed("a network namespace of its own", error);
	vsock_port = open_receivers(argv[1]);
	error = open_desk(argv[0], argv[1], vsock_port);
	if (error)
		return failed(argv[0], error);
	error = helper_main(argv[1]);
	if (error)
		return failed(argv[1], error);
	puts("up");
	serve();
	end_trials();
	return 0;
}
