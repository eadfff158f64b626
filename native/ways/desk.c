// SPDX-License-Identifier: Apache-2.0
/* Starts attempts, tells them to go, and says of each what became of it. */
#include "innocent.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct trial trials[ATTEMPTS_MAX];
static char subject[4096], elsewhere[4096], folder[108], port_text[12];

long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* The innocent side has a cgroup as well, so that it is in the same scope as those that are blocked. */
int open_desk(const char *cgroup, const char *dir, unsigned vsock_port)
{
	char own[4096];
	int error = make_cgroup(own, sizeof(own), cgroup, "innocent");

	if (!error)
		error = make_cgroup(subject, sizeof(subject), cgroup, "subject");
	if (!error)
		error = make_cgroup(elsewhere, sizeof(elsewhere), cgroup, "elsewhere");
	snprintf(folder, sizeof(folder), "%s", dir);
	snprintf(port_text, sizeof(port_text), "%u", vsock_port);
	return error ? error : enter_cgroup(own);
}

static int draw(char *token)
{
	unsigned long long number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return failure();
	snprintf(token, TOKEN_LENGTH + 1, TOKEN_PREFIX "%016llx", number);
	return 0;
}

static void become_attacker(const char *name, const struct trial *trial, int in, int out)
{
	int error = enter_cgroup(subject);

	if (!error && dup2(in, 0) == 0 && dup2(out, 1) == 1)
		execl(own_path(), "kerngate-ways", "attempt", name, trial->token, folder, elsewhere, port_text,
		      (char *)NULL);
	_exit(error ? error : failure());
}

static void start(int id, const char *name)
{
	struct trial *trial = trials;
	int in[2], out[2];

	while (trial < trials + ATTEMPTS_MAX && trial->id)
		trial++;
	if (trial == trials + ATTEMPTS_MAX || pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC)) {
		printf("%d cannot %d\n%d done\n", id, EMFILE, id);
		return;
	}
	*trial = (struct trial){ .id = id, .in = in[1], .out = out[0], .pid = -1 };
	if (draw(trial->token) == 0 && draw(trial->secret) == 0)
		trial->pid = fork();
	if (trial->pid == 0)
		become_attacker(name, trial, in[0], out[1]);
	close(in[0]);
	close(out[1]);
}

static struct trial *find(int id)
{
	for (struct trial *trial = trials; trial < trials + ATTEMPTS_MAX; trial++)
		if (trial->id && trial->id == id)
			return trial;
	return NULL;
}

/* A line of whoever runs the test: `start ID NAME`, `go ID SETTLE_MS`. */
void order(char *line)
{
	struct trial *trial;
	char name[64];
	int id, settle;

	if (sscanf(line, "start %d %63s", &id, name) == 2 && id > 0)
		return start(id, name);
	if (sscanf(line, "go %d %d", &id, &settle) != 2 || !(trial = find(id)))
		return;
	trial->told = 1;
	trial->settle = settle;
	trial->until = now_ms() + LIFE_S * 1000 + settle;
	if (write(trial->in, "go\n", 3) != 3)
		trial->until = now_ms();
}

static void reached(struct trial *trial)
{
	if (!trial->reached)
		printf("%d reached\n", trial->id);
	trial->reached = 1;
}

/* Looks for tokens in what somebody received. */
void spot(const char *data, size_t length)
{
	const char *end = data + length, *at = data;

	while ((at = memmem(at, end - at, TOKEN_PREFIX, strlen(TOKEN_PREFIX)))) {
		for (struct trial *trial = trials; trial < trials + ATTEMPTS_MAX; trial++)
			if (trial->id && end - at >= TOKEN_LENGTH && memcmp(at, trial->token, TOKEN_LENGTH) == 0)
				reached(trial);
		at++;
	}
}

/* A line of an attacker. */
static void heard(struct trial *trial, const char *line)
{
	char secret[TOKEN_LENGTH + 1];
	int number, error = 0, fd;

	if (strcmp(line, "ready") == 0) {
		printf("%d ready %d\n", trial->id, trial->pid);
	} else if (sscanf(line, "cannot %d", &number) == 1) {
		printf("%d cannot %d\n", trial->id, number);
	} else if (strcmp(line, "reached") == 0) {
		reached(trial);
	} else if (sscanf(line, "got %20s", secret) == 1) {
		if (strcmp(secret, trial->secret) == 0)
			reached(trial);
	} else if (sscanf(line, "push %d", &number) == 1) {
		error = push_to(number, trial->secret);
	} else if (sscanf(line, "dial %d", &number) == 1) {
		error = dial(number, trial->secret);
	} else if (strcmp(line, "listener") == 0) {
		fd = listener_beside(trial->pid);
		error = fd < 0 ? failure() : add_listener(fd);
		if (write(trial->in, "there\n", 6) != 6)
			error = failure();
	}
	if (error)
		printf("%d peer %d\n", trial->id, error);
}

unsigned trials_to_poll(struct pollfd *list)
{
	unsigned count = 0;

	for (struct trial *trial = trials; trial < trials + ATTEMPTS_MAX; trial++)
		if (trial->id && trial->out >= 0)
			list[count++] = (struct pollfd){ trial->out, POLLIN, 0 };
	return count;
}

static void listen_to(struct trial *trial)
{
	char *line = trial->said, *end;
	ssize_t length = read(trial->out, trial->said + trial->length, sizeof(trial->said) - 1 - trial->length);

	if (length <= 0) {
		close(trial->out);
		trial->out = -1;
		trial->until = now_ms() + trial->settle;
		return;
	}
	trial->length += length;
	trial->said[trial->length] = 0;
	for (; (end = strchr(line, '\n')); line = end + 1) {
		*end = 0;
		heard(trial, line);
	}
	trial->length -= line - trial->said;
	memmove(trial->said, line, trial->length);
}

void hear_trial(int fd)
{
	for (struct trial *trial = trials; trial < trials + ATTEMPTS_MAX; trial++)
		if (trial->id && trial->out == fd)
			return listen_to(trial);
}

static void note_end(pid_t pid, int status)
{
	for (struct trial *trial = trials; trial < trials + ATTEMPTS_MAX; trial++)
		if (trial->id && trial->pid == pid) {
			trial->ended = 1;
			trial->result = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
		}
}

static void look_after(struct trial *trial, int is_quiet)
{
	/* On a busy machine the receivers may be behind; then nothing can be said yet. */
	int is_late = now_ms() >= trial->until + (is_quiet ? 0 : LIFE_S * 1000);

	if (trial->out >= 0 && trial->told && is_late) {
		kill(trial->pid, SIGKILL);
		close(trial->out);
		trial->out = -1;
	}
	/* The process ends a moment after it closed its output. */
	if (trial->out >= 0 || !trial->ended || !(trial->reached || is_late))
		return;
	printf("%d ended %d\n%d done\n", trial->id, trial->result, trial->id);
	close(trial->in);
	trial->id = 0;
}

/* `is_quiet`: nothing waits to be received. Answers whether there is any attempt to look after. */
int look_after_trials(int is_quiet)
{
	int status, left = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		note_end(pid, status);
	for (struct trial *trial = trials; trial < trials + ATTEMPTS_MAX; trial++) {
		if (trial->id)
			look_after(trial, is_quiet);
		left += trial->id != 0;
	}
	return left;
}

/* Also those that have left their parents; again and again, as a child may be born while its parent is killed. */
void end_trials(void)
{
	for (int round = 0; round < 100 && kill_members(subject) + kill_members(elsewhere) > 0; round++)
		usleep(10000);
}
