/*
 * These tests run many sessions at once, and many more in a row, through one
 * super-server.  They check that no session is lost, that every byte is right,
 * and that nothing is left over.
 *
 * The environment variable LOAD_AT_ONCE sets the number of sessions at once.
 * LOAD_IN_ROW sets the number of sessions in a row.  Without these variables,
 * the numbers are TOGETHER and IN_ROW, or lower on a slow machine.
 */

#include "../lib/places.h"
#include "../lib/relay.h"
#include "../lib/use.h"

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	TOGETHER = 500, IN_ROW = 3000,
	ENOUGH = 4000,		/* ms for beginning sessions; see `deadline' */
	MOST_BYTES = 20000,
	ALWAYS_MOVES = 65536	/* KiB */
};

/*
 * What the processes of this test share.  A session has arrived when the target
 * has got its first bytes.
 */
static struct figures {
	volatile long started, ended, bad;
	volatile long refused;	/* sessions for which fork(2) failed */
	volatile long arrived;
	volatile long total;	/* sessions in all; 0: not known yet */
	volatile long descriptors, sockets;	/* how many are left over */
	volatile long up, over;	/* milliseconds */
	volatile long memory;	/* KiB, of all sessions together */
} *figures;

static long wanted;		/* how many sessions to run */
static int64_t deadline;	/* no session begins after this time */

static pid_t superserver;
static int front;		/* the super-server's port */
static int target;		/* the listener for all sessions */
static char target_port[8];

/*
 * Returns how many descriptors this process has open, or -1 if that is unknown.
 */
static long
descriptors(void)
{
	struct dirent *e;
	DIR *d;
	long n;

	d = opendir("/dev/fd");
	if (d == NULL)
		return -1;
	for (n = 0; (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void
reap(void)
{
	int status;

	while (waitpid(-1, &status, WNOHANG) > 0) {
		if (status != 0)
			figures->bad++;
		figures->ended++;
	}
}

static void
start(int fd)
{
	const char *argv[] = { NULL, "-q", "127.0.0.1", NULL, NULL };
	pid_t pid;

	argv[0] = relay_path;
	argv[3] = target_port;
	figures->started++;
	pid = fork();
	if (pid == 0) {
		dup2(fd, 0);
		dup2(fd, 1);
		dup2(fd, 2);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	if (pid == -1)
		figures->refused++;
	close(fd);
}

static volatile sig_atomic_t stop;

static void
caught(int sig)
{
	if (sig == SIGTERM)
		stop = 1;
}

static void
be_superserver(int listener)
{
	struct sigaction sa;
	long before;
	int fd;

#ifdef PR_SET_CHILD_SUBREAPER
	/*
	 * If a relay leaves a process running, that process becomes a child of
	 * the super-server, which then notices it.
	 */
	prctl(PR_SET_CHILD_SUBREAPER, 1L);
#endif
	memset(&sa, 0, sizeof sa);
	sigemptyset(&sa.sa_mask);
	sa.sa_handler = caught;
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGCHLD, &sa, NULL);
	fcntl(listener, F_SETFL, O_NONBLOCK);
	close(target);
	before = descriptors();
	while (!stop) {
		if (readable(listener, 20) &&
		    (fd = accept(listener, NULL, NULL)) != -1) {
			fcntl(fd, F_SETFL, 0);
			fcntl(fd, F_SETFD, FD_CLOEXEC);
			start(fd);
		}
		reap();
	}
	reap();
	figures->descriptors = descriptors() - before;
	_exit(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? 0 : 1);
}

static long
available(void)
{
	static const char *const words[] = { "MemAvailable:", NULL };

	return meminfo(words);
}

/* Returns how many KiB of memory the kernel uses for processes and sockets. */
static long
held(void)
{
	static const char *const words[] = {
		"SUnreclaim:", "KernelStack:", "PageTables:", "Percpu:", NULL
	};

	return meminfo(words);
}

static void
raise_to(struct rlimit *limit, long n)
{
	if (limit->rlim_cur < (rlim_t)n)
		limit->rlim_cur = (rlim_t)n;
	if (limit->rlim_max < limit->rlim_cur)
		limit->rlim_max = limit->rlim_cur;
}

/*
 * Raise the limits on descriptors and processes so that n sessions are
 * possible.  Skip the test if the system does not allow that.
 */
static void
need(long n)
{
	struct rlimit limit;

	n += 64;
	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		fail("getrlimit: %s", strerror(errno));
	raise_to(&limit, n);
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		skip("%ld descriptors may not be had", n);
#ifdef RLIMIT_NPROC
	if (getrlimit(RLIMIT_NPROC, &limit) == -1)
		fail("getrlimit: %s", strerror(errno));
	raise_to(&limit, n);
	if (setrlimit(RLIMIT_NPROC, &limit) == -1)
		skip("%ld processes may not be had", n);
#endif
}

static void
start_superserver(void)
{
	int listener;

	target = listen_on(AF_INET);
	snprintf(target_port, sizeof target_port, "%d", port_of(target));
	listener = listen_on(AF_INET6);
	front = port_of(listener);
	superserver = fork();
	if (superserver == 0)
		be_superserver(listener);
	close(listener);
}

/* Wait until this count reaches n.  Fail if it stops growing before that. */
static void
wait_for(const volatile long *count, long n, const char *what)
{
	int64_t end;
	long before;

	before = *count;
	end = milliseconds() + SOON;
	while (*count < n) {
		if (figures->refused != 0)
			skip("no more than %ld processes at once",
			    figures->started - figures->refused);
		if (*count != before)
			end = milliseconds() + SOON;
		before = *count;
		if (milliseconds() > end)
			fail("of %ld sessions %ld have not %s", n, n - before,
			    what);
		pause_for(1);
	}
}

/* Expect that no session is lost, and that nothing is left over. */
static void
expect_nothing_left(long n)
{
	int status;

	wait_for(&figures->ended, n, "ended");
	kill(superserver, SIGTERM);
	if (waitpid(superserver, &status, 0) == -1 || status != 0)
		fail("the super-server has children left");
	if (figures->started != n || figures->bad != 0)
		fail("of %ld sessions %ld started, and %ld ended badly", n,
		    figures->started, figures->bad);
	if (figures->descriptors > 0)
		fail("%ld descriptors are left", figures->descriptors);
}

static size_t
bytes_of(long session, unsigned stream)
{
	return 1 + (size_t)((uint64_t)session * 7919 + stream * 104729) %
	    MOST_BYTES;
}

static unsigned
stream_of(long session, int from)
{
	return (unsigned)session * 2 + (unsigned)from;
}

static void
send_and_expect(const int *fd, long n, int from)
{
	long i;

	for (i = 0; i < n; i++)
		send_stream(fd[i], stream_of(i, from), 0,
		    bytes_of(i, (unsigned)from));
	for (i = 0; i < n; i++)
		expect_stream(fd[i], stream_of(i, !from), 0,
		    bytes_of(i, !from));
}

static void
finish_all(const int *fd, long n)
{
	long i;

	for (i = 0; i < n; i++)
		finish(fd[i]);
	for (i = 0; i < n; i++) {
		expect_end(fd[i], FIN);
		close(fd[i]);
	}
}

static int *
room_for(long n)
{
	int *fd;

	fd = calloc((size_t)n, sizeof *fd);
	if (fd == NULL)
		fail("no memory");
	return fd;
}

/*
 * The target of all sessions.  It is a separate process, because one process
 * might have too few descriptors for both sides.  The first bytes that a
 * session carries are the session's number.
 */
static void
be_target(void)
{
	int *fd, next;
	long i, n;

	fd = room_for(wanted);
	n = 0;
	while (figures->total == 0 || n < figures->total) {
		if (!readable(target, 20))
			continue;
		next = accept_from(target);
		recv_exactly(next, &i, sizeof i);
		if (i < 0 || i >= wanted || fd[i] != 0)
			fail("session %ld comes from nowhere", i);
		fd[i] = next;
		figures->arrived = ++n;
	}
	send_and_expect(fd, n, 1);
	finish_all(fd, n);
	_exit(0);
}

/*
 * Begin sessions one after the other.  Wait whenever about UNDER_WAY of them
 * have not yet arrived, because a listener's queue is short.
 */
static void
at_once(void)
{
	enum { UNDER_WAY = 50 };
	int64_t began;
	long before, i, n;
	pid_t far;
	int *fd, status;

	need(wanted);
	fd = room_for(wanted);
	before = available();
	began = milliseconds();
	far = fork();
	if (far == 0)
		be_target();
	for (i = 0; i < wanted && milliseconds() < deadline; i++) {
		fd[i] = connect_to(AF_INET6, front);
		send_all(fd[i], &i, sizeof i);
		wait_for(&figures->arrived, i - UNDER_WAY, "arrived");
	}
	figures->total = n = i;
	wait_for(&figures->arrived, n, "arrived");
	figures->up = (long)(milliseconds() - began);
	figures->memory = before - available();
	if (figures->started - figures->ended != n)
		fail("%ld of %ld processes run", figures->started -
		    figures->ended, n);
	send_and_expect(fd, n, 0);
	if (figures->ended != 0)
		fail("%ld processes have ended", figures->ended);
	finish_all(fd, n);
	if (waitpid(far, &status, 0) == -1 || status != 0)
		fail("the target has lost something");
	expect_nothing_left(n);
	figures->over = (long)(milliseconds() - began) - figures->up;
}

static void
in_row(void)
{
	int64_t began;
	long i, n;
	int client, far;

	began = milliseconds();
	for (i = 0; i < wanted && milliseconds() < deadline; i++) {
		client = connect_to(AF_INET6, front);
		send_stream(client, stream_of(i, 0), 0, 100);
		far = accept_from(target);
		expect_stream(far, stream_of(i, 0), 0, 100);
		send_stream(far, stream_of(i, 1), 0, 1000);
		finish(far);
		expect_stream(client, stream_of(i, 1), 0, 1000);
		expect_end(client, FIN);
		finish(client);
		expect_end(far, FIN);
		close(client);
		close(far);
	}
	figures->total = n = i;
	expect_nothing_left(n);
	figures->over = (long)(milliseconds() - began);
}

/*
 * Run the sessions in a separate network, with a super-server.  Call this
 * function in a child process, because it does not return.  After that process
 * has ended, the parent only has to check the kernel's memory.
 */
static void
run_apart(void (*sessions)(void))
{
	int64_t end;

	apart();
	put_file("/proc/sys/net/ipv4/ip_local_port_range", "1024 65535");
	start_superserver();
	sessions();
	close(target);
	/* The last acknowledgement might still be on its way. */
	end = milliseconds() + SOON;
	while ((figures->sockets = sockets_in_use()) != 0) {
		if (milliseconds() > end)
			fail("%ld sockets are left", figures->sockets);
		pause_for(10);
	}
	_exit(0);
}

/*
 * Let only one of these tests run at a time, because two tests would measure
 * each other's memory in the kernel.
 */
static void
wait_for_turn(void)
{
#ifdef LOCK_EX
	int fd;

	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd != -1 && flock(fd, LOCK_EX) == 0)
		return;
#endif
	skip("/proc/self/exe: %s", strerror(errno));
}

/*
 * Do a complete run in a separate network.  After the run, the kernel must have
 * its memory back.  Up to 1 KiB per session does not count, nor does the amount
 * that varies on any machine (ALWAYS_MOVES).
 */
static void
run(void (*sessions)(void), const char *variable, long otherwise)
{
	const char *text;
	int64_t end;
	long before, left;
	pid_t pid;
	int status;

	figures = mmap(NULL, sizeof *figures, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (figures == MAP_FAILED)
		fail("mmap: %s", strerror(errno));
	/*
	 * Switch off the sanitizer's leak check, because it would take 20
	 * seconds for all sessions together.
	 */
	(void)setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	text = getenv(variable);
	if (text != NULL)
		alarm(0);
	wait_for_turn();
	wanted = text == NULL ? otherwise : strtol(text, NULL, 10);
	deadline = text == NULL ? milliseconds() + ENOUGH : INT64_MAX;
	before = held();
	pid = fork();
	if (pid == 0)
		run_apart(sessions);
	if (waitpid(pid, &status, 0) == -1 || !WIFEXITED(status))
		fail("the test broke off");
	if (WEXITSTATUS(status) != 0)
		_exit(WEXITSTATUS(status));
	end = milliseconds() + SOON;
	while ((left = held() - before) > figures->total + ALWAYS_MOVES) {
		if (milliseconds() > end)
			fail("%ld KiB of memory are left", left);
		pause_for(SETTLED);
	}
	printf("# %ld sessions: ", figures->total);
	if (figures->up != 0)
		printf("all up in %ld ms with %ld KiB each, ", figures->up,
		    figures->memory / figures->total);
	printf("over in %ld ms; left over: no process, %ld descriptors, "
	    "%ld sockets, %+ld KiB in the kernel\n", figures->over,
	    figures->descriptors, figures->sockets, left);
	fflush(stdout);
}

TEST(load_at_once,
    "of many sessions at once none is lost, and nothing is left")
{
	run(at_once, "LOAD_AT_ONCE", TOGETHER);
}

TEST(load_in_row,
    "of many sessions in a row none is lost, and nothing is left")
{
	run(in_row, "LOAD_IN_ROW", IN_ROW);
}
