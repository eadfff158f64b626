// SPDX-License-Identifier: Apache-2.0
/* The place it all happens in: a network namespace whose loopback lets every way through, and cgroups. */
#include "innocent.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of the namespace, as /proc/sys/net shows that of the reader. What a kernel lacks is left as it is. */
static void set(const char *name, const char *value)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, value, strlen(value)) < 0)
		fprintf(stderr, "kerngate-ways: %s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static int loopback_up(void)
{
	struct ifreq device = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), error = 0;

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &device))
		error = failure();
	close(fd);
	return error;
}

/* Packets that come in by a device may not have a loopback address. */
static int add_outer_address(void)
{
	struct ifreq device = { .ifr_name = "lo:1" };
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), error = 0;

	address.sin_addr.s_addr = htonl(OUTER_ADDRESS);
	memcpy(&device.ifr_addr, &address, sizeof(address));
	if (fd < 0 || ioctl(fd, SIOCSIFADDR, &device))
		error = failure();
	close(fd);
	return error;
}

int enter_stage(void)
{
	int error;

	if (unshare(CLONE_NEWNET))
		return failure();
	set("ipv4/tcp_fastopen", "1543"); /* both sides, and without a cookie */
	set("ipv4/ping_group_range", "0 2147483647");
	set("ipv4/conf/all/rp_filter", "0");
	set("ipv4/conf/default/rp_filter", "0");
	error = loopback_up();
	return error ? error : add_outer_address();
}

/* A TCP listener in the network namespace of a process, where an attacker has nobody to call otherwise. */
int listener_beside(pid_t pid)
{
	char path[64];
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), theirs, fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	theirs = open(path, O_RDONLY | O_CLOEXEC);
	if (own >= 0 && theirs >= 0 && setns(theirs, CLONE_NEWNET) == 0) {
		if (loopback_up() == 0)
			fd = open_tcp();
		if (setns(own, CLONE_NEWNET))
			perror("kerngate-ways: back to the own network namespace");
	}
	close(own);
	close(theirs);
	return fd;
}

int enter_cgroup(const char *path)
{
	char file[4096];
	int fd, error = 0;

	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		error = failure();
	close(fd);
	return error;
}

int make_cgroup(char *path, size_t size, const char *above, const char *name)
{
	if (snprintf(path, size, "%s/%s", above, name) >= (int)size)
		return ENAMETOOLONG;
	return mkdir(path, 0755) && errno != EEXIST ? failure() : 0;
}

int kill_members(const char *cgroup)
{
	char path[4200];
	FILE *file;
	int pid, count = 0;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	file = fopen(path, "re");
	for (; file && fscanf(file, "%d", &pid) == 1; count++)
		kill(pid, SIGKILL);
	if (file)
		fclose(file);
	return count;
}
