/* The pipe through which the relay carries bulk: see carry_linux.c. */

#include "../lib/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__

#include <sys/syscall.h>

#include <sched.h>

/*
 * A user ID that no other process has.  So only the pipes of this test count
 * towards this user's limit.
 */
static uid_t lonely;

static void
become_lonely(void)
{
	/*
	 * Switch AddressSanitizer's leak checks off, because this user cannot
	 * start the process that the checks need.
	 */
	if (setenv("ASAN_OPTIONS", "detect_leaks=0", 1) == -1 ||
	    setresuid(lonely, lonely, lonely) == -1)
		_exit(126);
}

/*
 * Make the relays run as a separate user.  This user has no pipes yet, and so
 * has not reached the limit on pipes.
 */
static void
alone(void)
{
	static char path[32];
	int fd;

	if (geteuid() != 0)
		skip("only root can start a relay as a different user");
	lonely = (uid_t)(1000000 + getpid());
	fd = open(relay_path, O_RDONLY);
	if (fd == -1)
		fail("%s: %s", relay_path, strerror(errno));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	relay_path = path;
	relay_setup = become_lonely;
}
#define alone(...) FROM(alone, __VA_ARGS__)

/*
 * Returns the size of the pipe of process `pid', or 0 if that process has no
 * pipe.  The process can belong to a different user.
 */
static int
pipe_size(pid_t pid)
{
	char path[64], link[64];
	ssize_t n;
	int end, fd, size;

	for (fd = 0; fd < 16; fd++) {
		snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)pid, fd);
		n = readlink(path, link, sizeof link - 1);
		if (n == -1 && errno != ENOENT)
			fail("%s: %s", path, strerror(errno));
		if (n <= 0 || strncmp(link, "pipe:", 5) != 0 || fd == 2)
			continue;
		end = open(path, O_RDONLY | O_NONBLOCK);
		if (end == -1)
			continue;	/* it has just been closed */
		size = fcntl(end, F_GETPIPE_SZ);
		close(end);
		return size;
	}
	return 0;
}
#define pipe_size(...) FROM(pipe_size, __VA_ARGS__)

/*
 * Wait until the relay has no pipe.  For a moment, the relay can still have a
 * pipe that it is about to close, or a new pipe that turns out to be too small.
 */
static void
expect_no_pipe(pid_t pid)
{
	int64_t limit;

	limit = milliseconds() + SOON;
	while (pipe_size(pid) != 0) {
		if (milliseconds() > limit)
			fail("the relay holds a pipe");
		pause_for(50);
	}
}
#define expect_no_pipe(...) FROM(expect_no_pipe, __VA_ARGS__)

/*
 * Receive stream 1 until the relay has a pipe, but at most `end' bytes.
 * Returns the number of bytes received.  If this number is `end', the test has
 * seen no pipe.  The relay can close its pipe at any time, but as long as bytes
 * move, the relay opens a new one.
 */
static uint64_t
until_pipe(pid_t pid, int fd, uint64_t end)
{
	uint64_t at;

	for (at = 0; at < end && pipe_size(pid) == 0; at += 64 * KIB)
		expect_stream(fd, 1, at, 64 * KIB);
	return at;
}
#define until_pipe(...) FROM(until_pipe, __VA_ARGS__)

/*
 * pipe-user-pages-soft is the maximum number of pages in all pipes of a user.
 * Once a user has reached this number, the user's new pipes are small.
 */
TEST(no_large_pipe, "bulk is copied for a user who may have no more large "
    "pipes, and has a pipe once the user may")
{
	enum { MOST = 400 };
	struct session t;
	FILE *file;
	pid_t sender;
	uint64_t got;
	long pages;
	int n, p[MOST][2];

	file = fopen("/proc/sys/fs/pipe-user-pages-soft", "r");
	if (file == NULL || fscanf(file, "%ld", &pages) != 1 || pages == 0)
		skip("this system does not limit the pipes of a user");
	fclose(file);
	alone();
	if (setresuid(lonely, (uid_t)-1, (uid_t)-1) == -1)
		fail("setresuid: %s", strerror(errno));
	for (n = 0; pages > 0; n++, pages -= MIB / sysconf(_SC_PAGESIZE)) {
		if (n == MOST)
			skip("%ld more pages of pipes are too many", pages);
		if (private_pipe(p[n]) == -1 ||
		    fcntl(p[n][1], F_SETPIPE_SZ, MIB) == -1)
			fail("a pipe: %s", strerror(errno));
	}

	relay_session(&t.relay, NULL);
	sender = aside(send_stream, t.relay.target, 1, 16 * MIB);
	expect_stream(t.relay.client, 1, 0, 8 * MIB);
	expect_no_pipe(t.relay.pid);
	expect_stream(t.relay.client, 1, 8 * MIB, 8 * MIB);
	expect_done(sender);
	while (n-- > 0) {
		close(p[n][0]);
		close(p[n][1]);
	}
	sender = aside(send_stream, t.relay.target, 1, 16 * MIB);
	got = until_pipe(t.relay.pid, t.relay.client, 15 * MIB);
	if (got == 15 * MIB)
		fail("the relay still has no pipe");
	expect_stream(t.relay.client, 1, got, 16 * MIB - got);
	expect_done(sender);
	converse(t.relay.client, t.relay.target);
	expect_status(&t, 0);
}

/* After bulk, an idle session frees everything that only bulk needs. */
TEST(pipe_given_back, "the pipe for bulk is closed soon after the bulk, with "
    "-k 1")
{
	struct session t;
	pid_t sender;
	uint64_t got;

	if (geteuid() != 0)
		skip("only root can look at the descriptors of a session");
	begin(&t, "-k", "1");
	sender = aside(send_stream, t.fd[TARGET], 1, 16 * MIB);
	got = until_pipe(t.pid, t.fd[CLIENT], 15 * MIB);
	if (got == 15 * MIB)
		skip("bulk has no pipe: see pipe-user-pages-soft in pipe(7)");
	expect_stream(t.fd[CLIENT], 1, got, 16 * MIB - got);
	expect_done(sender);
	expect_no_pipe(t.pid);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 1000, 16 * MIB + 3000);
}

/* musl's sched_getscheduler(3) always fails. */
static int
policy_of(pid_t pid)
{
	return (int)syscall(SYS_sched_getscheduler, pid);
}

static void
expect_policy(pid_t pid, int policy)
{
	int64_t limit;

	limit = milliseconds() + SOON;
	while (policy_of(pid) != policy) {
		if (milliseconds() > limit)
			fail("policy %d, not %d", policy_of(pid), policy);
		pause_for(50);
	}
}
#define expect_policy(...) FROM(expect_policy, __VA_ARGS__)

static int chosen;

static void
choose_policy(void)
{
	static const struct sched_param none;

	if (syscall(SYS_sched_setscheduler, 0, chosen, &none) == -1)
		_exit(126);
	become_lonely();
}

/*
 * If the operator has chosen SCHED_BATCH, the relay keeps it after the bulk.
 * See schedule_batch() in carry_linux.c.
 */
TEST(bulk_is_batch, "while a stream has a pipe, the relay runs as SCHED_BATCH, "
    "and after that with the policy that it had before")
{
	static const int policies[] = { SCHED_OTHER, SCHED_BATCH };
	struct session t;
	pid_t sender;
	uint64_t at;
	size_t i;

	alone();
	relay_setup = choose_policy;
	for (i = 0; i < sizeof policies / sizeof policies[0]; i++) {
		chosen = policies[i];
		relay_session(&t.relay, "-k", "1", NULL);
		expect_policy(t.relay.pid, chosen);
		sender = aside(send_stream, t.relay.target, 1, 16 * MIB);
		at = until_pipe(t.relay.pid, t.relay.client, 15 * MIB);
		for (; policy_of(t.relay.pid) != SCHED_BATCH; at += 64 * KIB) {
			if (at == 15 * MIB)
				fail("policy %d for bulk",
				    policy_of(t.relay.pid));
			expect_stream(t.relay.client, 1, at, 64 * KIB);
		}
		expect_stream(t.relay.client, 1, at, 16 * MIB - at);
		expect_done(sender);
		expect_no_pipe(t.relay.pid);
		converse(t.relay.client, t.relay.target);
		expect_policy(t.relay.pid, chosen);
		expect_status(&t, 0);
	}
}

/* Begin a session whose relay runs as a separate user. */
static void
begin_alone(struct session *t)
{
	alone();
	relay_session(&t->relay, NULL);
	t->pid = t->relay.pid;
	t->fd[CLIENT] = t->relay.client;
	t->fd[TARGET] = t->relay.target;
}
#define begin_alone(...) FROM(begin_alone, __VA_ARGS__)

/*
 * Send bytes from the near side to the far side in parts.  Each part arrives
 * before the next part is sent.
 */
static void
in_parts(struct session *t, int near, const int *parts, int n, int times)
{
	uint64_t at;
	int i;

	for (at = 0; times > 0; times--)
		for (i = 0; i < n; at += (uint64_t)parts[i++]) {
			send_stream(t->fd[near], 1, at, (size_t)parts[i]);
			expect_stream(t->fd[!near], 1, at, (size_t)parts[i]);
		}
}
#define in_parts(...) FROM(in_parts, __VA_ARGS__)

/*
 * Over loopback, a block arrives in two parts if the sender's segments are a
 * little shorter than the block.
 */
EACH_WAY(bulk_in_parts,
    "a client's blocks of 16 KiB are bulk, although each comes in two parts",
    "a target's blocks of 16 KiB are bulk, although each comes in two parts")
{
	static const int parts[] = { 16331, 53 };
	struct session t;
	int64_t limit;

	begin_alone(&t);
	limit = milliseconds() + SOON;
	do {
		in_parts(&t, near, parts, 2, 64);
		if (milliseconds() > limit)
			fail("bulk has no pipe");
	} while (pipe_size(t.pid) == 0);
	converse(t.fd[CLIENT], t.fd[TARGET]);
}

/*
 * While the relay is stopped, more bytes arrive than fit into a new pipe.  When
 * the relay goes on, it must enlarge its pipe.  After that, less than 1 MB
 * arrives per second, and the relay must replace the large pipe with a small
 * one.
 */
TEST(pipe_fits, "the pipe of a fast stream grows if it is too small, and is "
    "replaced by a small one when the stream is slow")
{
	static const int block = 16384;
	struct session t;
	uint64_t sent;
	pid_t sender;
	int own[2], size, usual;
	int64_t limit;

	begin_alone(&t);
	if (private_pipe(own) == -1)
		fail("pipe: %s", strerror(errno));
	usual = fcntl(own[1], F_GETPIPE_SZ);
	if (usual >= MIB)
		skip("new pipes are as large as any");
	sender = aside(send_stream, t.fd[TARGET], 1, 32 * MIB);
	expect_stream(t.fd[CLIENT], 1, 0, 32 * MIB);
	expect_done(sender);
	limit = milliseconds() + SOON;
	do {
		stop_relay(t.pid);
		sent = fill(t.fd[TARGET], 2);
		kill(t.pid, SIGCONT);
		expect_stream(t.fd[CLIENT], 2, 0, sent);
		size = pipe_size(t.pid);
		if (size <= usual && milliseconds() > limit)
			fail("a pipe of %d bytes, after %llu at once", size,
			    (unsigned long long)sent);
	} while (size <= usual);
	limit = milliseconds() + SOON;
	while (pipe_size(t.pid) != usual) {
		if (milliseconds() > limit)
			fail("still a pipe of %d bytes", pipe_size(t.pid));
		in_parts(&t, TARGET, &block, 1, 1);
		pause_for(20);
	}
	converse(t.fd[CLIENT], t.fd[TARGET]);
}

/*
 * At first, the bytes fill the sockets' buffers, and the pipe is allowed to
 * grow.  After that, the pipe is always full, but only because the reader is
 * slow.  Many bytes move at once whenever a buffer has room again, so accept a
 * pipe of up to twice the size of a new one.
 */
EACH_WAY(pipe_of_slow_reader,
    "a client that reads slowly does not keep a large pipe",
    "a target that reads slowly does not keep a large pipe")
{
	enum { BLOCK = 16384, MANY = 8 * MIB, SIZE = 64 * MIB };
	struct session t;
	pid_t sender;
	uint64_t got;
	int own[2], own_buffer, size, usual;
	int64_t limit;

	own_buffer = 256 * KIB;
	begin_alone(&t);
	if (private_pipe(own) == -1)
		fail("pipe: %s", strerror(errno));
	usual = fcntl(own[1], F_GETPIPE_SZ);
	if (2 * usual >= MIB)
		skip("new pipes are as large as any");
	/*
	 * With a larger receive buffer, many bytes would move at once, again
	 * and again.
	 */
	setsockopt(t.fd[near], SOL_SOCKET, SO_RCVBUF, &own_buffer,
	    sizeof own_buffer);
	sender = aside(send_stream, t.fd[!near], 1, SIZE);
	expect_stream(t.fd[near], 1, 0, MANY);
	limit = milliseconds() + SOON;
	got = MANY;
	do {
		expect_stream(t.fd[near], 1, got, BLOCK);
		got += BLOCK;
		pause_for(20);
		size = pipe_size(t.pid);
		if (size > 2 * usual && milliseconds() > limit)
			fail("still a pipe of %d bytes", size);
	} while (size > 2 * usual || got < MANY + MIB);
	expect_stream(t.fd[near], 1, got, SIZE - got);
	expect_done(sender);
	converse(t.fd[CLIENT], t.fd[TARGET]);
}

#endif
