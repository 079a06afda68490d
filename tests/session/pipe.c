/* The pipe through which bulk is carried: see carry_linux.c. */

#include "../lib/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__

/*
 * A user ID that nobody else has: only the test's own pipes count towards its
 * limit.
 */
static uid_t lonely;

static void
become_lonely(void)
{
	/* A leak check needs another process, which this user may not start. */
	if (setenv("ASAN_OPTIONS", "detect_leaks=0", 1) == -1 ||
	    setresuid(lonely, lonely, lonely) == -1)
		_exit(126);
}

/* True if this process of a different user has a pipe. */
static int
has_pipe(pid_t pid)
{
	char path[64], link[64];
	ssize_t n;
	int fd;

	for (fd = 0; fd < 16; fd++) {
		snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)pid, fd);
		n = readlink(path, link, sizeof link - 1);
		if (n == -1 && errno != ENOENT)
			fail("%s: %s", path, strerror(errno));
		if (n > 0 && strncmp(link, "pipe:", 5) == 0 && fd != 2)
			return 1;
	}
	return 0;
}
#define has_pipe(...) FROM(has_pipe, __VA_ARGS__)

/* A pipe that is being closed, or is too small, may exist for a moment. */
static void
expect_no_pipe(pid_t pid)
{
	int64_t limit;

	limit = milliseconds() + SOON;
	while (has_pipe(pid)) {
		if (milliseconds() > limit)
			fail("the relay holds a pipe");
		pause_for(50);
	}
}
#define expect_no_pipe(...) FROM(expect_no_pipe, __VA_ARGS__)

/*
 * pipe-user-pages-soft is the maximum of pages in all pipes of a user.  Once it
 * is reached, new pipes are small.
 */
TEST(no_large_pipe, "bulk is copied for a user whose pipes may not be large")
{
	struct session t;
	FILE *file;
	char path[32];
	pid_t sender;
	long pages;
	int fd, p[2];

	file = fopen("/proc/sys/fs/pipe-user-pages-soft", "r");
	if (file == NULL || fscanf(file, "%ld", &pages) != 1 || pages == 0)
		skip("this system does not limit the pipes of a user");
	fclose(file);
	lonely = (uid_t)(1000000 + getpid());
	fd = open(relay_path, O_RDONLY);
	if (fd == -1)
		fail("%s: %s", relay_path, strerror(errno));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	relay_path = path;
	if (setresuid(lonely, (uid_t)-1, (uid_t)-1) == -1)
		skip("only root can become another user");
	for (; pages > 0; pages -= MIB / sysconf(_SC_PAGESIZE))
		if (pipe(p) == -1 || fcntl(p[1], F_SETPIPE_SZ, MIB) == -1)
			fail("a pipe: %s", strerror(errno));

	relay_setup = become_lonely;
	relay_session(&t.relay, NULL);
	sender = aside(send_stream, t.relay.target, 1, 16 * MIB);
	expect_stream(t.relay.client, 1, 0, 8 * MIB);
	expect_no_pipe(t.relay.pid);
	expect_stream(t.relay.client, 1, 8 * MIB, 8 * MIB);
	expect_done(sender);
	converse(t.relay.client, t.relay.target);
	expect_status(&t, 0);
}

/* After bulk, an idle session keeps nothing that only bulk needs. */
TEST(pipe_given_back, "the pipe for bulk is closed when nothing moves for the "
    "time of -k")
{
	struct session t;
	pid_t sender;

	if (geteuid() != 0)
		skip("only root can look at the descriptors of a session");
	begin(&t, "-k", "1");
	sender = aside(send_stream, t.fd[TARGET], 1, 16 * MIB);
	expect_stream(t.fd[CLIENT], 1, 0, 8 * MIB);
	if (!has_pipe(t.pid))
		skip("bulk has no pipe: see pipe-user-pages-soft in pipe(7)");
	expect_stream(t.fd[CLIENT], 1, 8 * MIB, 8 * MIB);
	expect_done(sender);
	expect_no_pipe(t.pid);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 1000, 16 * MIB + 3000);
}

#endif
