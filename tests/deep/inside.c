/*
 * These tests check from inside what a session can no longer do.  An intruder
 * in the relay (probe.c) makes attempts.  If an attempt is not denied, the
 * intruder reports it to the target.
 */

#include "../lib/relay.h"
#include "../lib/traced.h"
#include "../lib/use.h"

#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__) || defined(__OpenBSD__)

/* What a relay can have as its descriptor 2. */
enum { CLIENT_ITSELF, PIPE, REGULAR, TERMINAL, KINDS };

static int second;	/* becomes descriptor 2, unless it is -1 */
static int unpowered;

static void
change_over(void)
{
	if (second != -1)
		dup2(second, STDERR_FILENO);
	if (unpowered && (setgid(65534) == -1 || setuid(65534) == -1))
		_exit(125);
}

/* Open the file or the terminal that becomes the relay's descriptor 2. */
static int
open_kind(int kind)
{
	char path[] = "/tmp/stfl-relay.XXXXXX";
	int fd;

	if (kind == REGULAR) {
		fd = mkstemp(path);
		if (fd == -1 || unlink(path) == -1)
			fail("%s: %s", path, strerror(errno));
		return fd;
	}
	if (kind == TERMINAL)
		return terminal();
	return -1;
}

/*
 * Begin a session with an intruder.  The session's relay is not the build under
 * test, but it is built from the same sources.
 */
static void
take_over(struct session *t, const char *what, int kind)
{
	int listener;

	relay_path = "tests/stfl-relay-probed";
	setenv("PROBE", what, 1);
	second = open_kind(kind);
	relay_setup = change_over;
	listener = listen_on(target_family());
	relay_start(&t->relay, client_family(), kind != CLIENT_ITSELF,
	    target_host(), port_text(listener), NULL);
	t->pid = t->relay.pid;
	t->fd[CLIENT] = t->relay.client;
	t->fd[TARGET] = accept_from(listener);
	close(listener);
	if (second != -1)
		close(second);
}
#define take_over(...) FROM(take_over, __VA_ARGS__)

#ifdef __linux__

static const char *const kinds[] = { "the client", "a pipe", "a file",
    "a terminal" };

/*
 * Read everything that the intruder reports to the target.  The client sends a
 * line, which arrives after the reports and so marks their end.
 */
static void
hear(struct session *t, char *text, size_t size)
{
	ssize_t n;
	size_t len;

	send_all(t->fd[CLIENT], ".\n", 2);
	for (len = 0; len < 2 || strcmp(text + len - 2, ".\n") != 0;) {
		if (!readable(t->fd[TARGET], SOON))
			fail("the session is silent after \"%s\"", text);
		n = recv(t->fd[TARGET], text + len, size - 1 - len, 0);
		if (n <= 0)
			fail("the session ends after \"%s\"", text);
		len += (size_t)n;
		text[len] = '\0';
	}
	if (status_of(t->pid, "NoNewPrivs:") != 1)
		skip("this build has no confinement");
	if (strstr(text, "tried ") == NULL)
		fail("nothing was tried");
}
#define hear(...) FROM(hear, __VA_ARGS__)

/*
 * Expect that the session still works, and that it ends as it should, whatever
 * the intruder has tried.
 */
static void
still_carries(struct session *t)
{
	converse(t->fd[CLIENT], t->fd[TARGET]);
	expect_status(t, 0);
	let_go(t);
}
#define still_carries(...) FROM(still_carries, __VA_ARGS__)

static void
need_filter(pid_t pid)
{
	if (status_of(pid, "Seccomp:") != 2)
		skip("this kernel has no seccomp filter");
}

/*
 * Expect that the intruder makes at least `least' attempts, and that all of
 * them fail with ENOSYS.
 */
static void
all_denied(const char *what, int kind, unsigned least)
{
	static char text[65536];
	struct session t;

	take_over(&t, what, kind);
	hear(&t, text, sizeof text);
	need_filter(t.pid);
	if (strncmp(text, "tried ", 6) != 0)
		fail("where 2 is %s: %.*s", kinds[kind],
		    (int)strcspn(text, "\n"), text);
	if (strtoul(text + 6, NULL, 10) < least)
		fail("no more than this was %s", text);
	still_carries(&t);
}
#define all_denied(...) FROM(all_denied, __VA_ARGS__)

/*
 * Expect that every attempt is denied in each of three cases: without Landlock,
 * with the Landlock ABI of Debian 12, and with the Landlock ABI of this kernel.
 */
static void
denied_everywhere(const char *what, unsigned least)
{
	static const char *const abis[] = { "0", "2", "99" };
	size_t i;
	int kind;

	for (i = 0; i < sizeof abis / sizeof abis[0]; i++) {
		setenv("PROBE_ABI", abis[i], 1);
		for (kind = 0; kind < KINDS; kind++)
			all_denied(what, kind, least);
	}
}
#define denied_everywhere(...) FROM(denied_everywhere, __VA_ARGS__)

TEST(break_out,
    "open, socket, connect, sendto an address, execve, fork, kill and ptrace "
    "fail from inside a session")
{
	denied_everywhere("calls", 25);
}

TEST(wrong_arguments,
    "signals, keystrokes, offsets, options and descriptor 2 are out of reach "
    "of a session")
{
	denied_everywhere("arguments", 15000);
}

TEST(as_user, "all of that is out of reach of a session that a user has "
    "started, too")
{
	if (geteuid() != 0)
		skip("not root: break_out and wrong_arguments say it");
	unpowered = 1;
	denied_everywhere("calls", 25);
	denied_everywhere("arguments", 15000);
}

#if defined(__x86_64__) || defined(__i386__) || defined(__s390x__) || \
    defined(__powerpc64__)
TEST(old_doors,
    "the system calls of x32, and socketcall, are unknown inside a session")
{
	all_denied("doors", PIPE, 20);
}
#endif

/*
 * The maximum number of system calls that the intruder finds allowed.  Which
 * calls these are depends on the machine and the libc.  On 32-bit machines,
 * some calls have two forms.  On PowerPC, recv(2) and send(2) are system calls,
 * too.
 */
#if defined(__powerpc64__)
enum { MOST_KNOWN = 12 };
#else
enum { MOST_KNOWN = sizeof(long) == 8 ? 10 : 14 };
#endif

TEST(every_number,
    "every call except those of a session is unknown inside it")
{
	static char text[65536];
	struct session t;
	const char *line;
	int known;

	take_over(&t, "numbers", PIPE);
	hear(&t, text, sizeof text);
	need_filter(t.pid);
	known = 0;
	for (line = text; strncmp(line, "call ", 5) == 0;
	    line = strchr(line, '\n') + 1)
		known++;
	if (strncmp(line, "tried 69", 8) != 0)
		fail("the intruder says %s", line);
	if (known > MOST_KNOWN)
		fail("%d are known, and %d at most: %s", known, MOST_KNOWN,
		    text);
	still_carries(&t);
}

#ifdef __x86_64__
/*
 * Execute int 0x80 in a process without a filter.  Returns the signal that
 * kills that process, or 0 if the process survives.
 */
static int
foreign_signal(void)
{
	pid_t pid;
	int status;

	pid = fork();
	if (pid == 0) {
		__asm__ volatile("int $0x80" : : "a"(20) : "memory");
		_exit(0);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		fail("fork: %s", strerror(errno));
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/*
 * If this kernel does not support int 0x80, the kernel itself ends the session
 * with a signal.  Otherwise, the filter ends the session with SIGSYS.
 */
TEST(foreign_architecture,
    "a call of another architecture ends the session with RST")
{
	struct session t;
	char text[100];
	int expected, reset;

	expected = foreign_signal();
	if (expected == 0)
		expected = SIGSYS;
	take_over(&t, "foreign", PIPE);
	/*
	 * Without a filter, the session carries this byte.  With a filter, RST
	 * can come even before send(2) is called.  If send(2) reports that RST,
	 * no later call reports it again.
	 */
	reset = send(t.fd[CLIENT], ".", 1, MSG_NOSIGNAL) == -1 &&
	    errno == ECONNRESET;
	if (!reset && readable(t.fd[TARGET], SOON) &&
	    recv(t.fd[TARGET], text, sizeof text, 0) > 0) {
		if (status_of(t.pid, "Seccomp:") != 2)
			skip("this build or this kernel has no seccomp filter");
		fail("the intruder goes on");
	}
	if (!reset)
		expect_end(t.fd[CLIENT], RST);
	expect_status(&t, 128 + expected);
	let_go(&t);
}
#endif

/*
 * Make what the intruder will try to reach: a file and two local sockets.  One
 * of the sockets has a path, and the other does not.
 */
static void
offer_things(void)
{
	static char place[80];
	struct sockaddr_un un;
	int by_path, fd;

	snprintf(place, sizeof place, "/tmp/stfl-relay.%ld", (long)getpid());
	setenv("PLACE", place, 1);
	for (by_path = 0; by_path < 2; by_path++) {
		memset(&un, 0, sizeof un);
		un.sun_family = AF_UNIX;
		snprintf(un.sun_path, sizeof un.sun_path, "%s.socket", place);
		if (!by_path)
			un.sun_path[0] = '\0';
		fd = socket(AF_UNIX, SOCK_DGRAM, 0);
		if (fd == -1 ||
		    bind(fd, (struct sockaddr *)&un, sizeof un) == -1)
			fail("a local socket: %s", strerror(errno));
	}
	snprintf(un.sun_path, sizeof un.sun_path, "%s.there", place);
	fd = open(un.sun_path, O_WRONLY | O_CREAT, 0666);
	if (fd == -1)
		fail("%s: %s", un.sun_path, strerror(errno));
	close(fd);
}

static void
remove_things(void)
{
	static const char *const words[] = { "socket", "there", "new" };
	char path[120];
	size_t i;

	for (i = 0; i < sizeof words / sizeof words[0]; i++) {
		snprintf(path, sizeof path, "%s.%s", getenv("PLACE"), words[i]);
		(void)remove(path);
	}
}

/* The relay has no filter here, so Landlock alone must deny the attempts. */
TEST(landlock_alone,
    "without a filter Landlock still denies files, ports and signals")
{
	static char text[4096];
	static const char *const abis[] = { "1", "2", "3", "4", "5", "6", "9",
	    "99" };
	struct session t;
	size_t i;

	if (landlock_abi() < 1)
		skip("this kernel has no Landlock");
	offer_things();
	for (i = 0; i < sizeof abis / sizeof abis[0]; i++) {
		setenv("PROBE_ABI", abis[i], 1);
		take_over(&t, "landlock", PIPE);
		hear(&t, text, sizeof text);
		if (status_of(t.pid, "Seccomp:") != 0)
			fail("there is a filter");
		if (strncmp(text, "abi ", 4) != 0) {
			remove_things();
			fail("with ABI %s, %.*s", abis[i],
			    (int)strcspn(text, "\n"), text);
		}
		still_carries(&t);
	}
	remove_things();
	printf("# Landlock's ABI is %ld\n", landlock_abi());
	fflush(stdout);
}

#elif defined(__OpenBSD__)

TEST(pledge_kills,
    "a session that opens, executes, forks, signals or asks for a local socket "
    "is killed, with RST at both peers")
{
	static const char *const what[] = { "open", "execve", "fork", "kill",
	    "unix" };
	struct session t;
	char c[1];
	size_t i;

	for (i = 0; i < sizeof what / sizeof what[0]; i++) {
		test_about(what[i]);
		take_over(&t, what[i], PIPE);
		send_all(t.fd[CLIENT], ".", 1);
		recv_exactly(t.fd[TARGET], c, 1);
		expect_end(t.fd[CLIENT], RST);
		expect_end(t.fd[TARGET], RST);
		expect_status(&t, 128 + SIGABRT);
		let_go(&t);
	}
}
#endif

#endif
