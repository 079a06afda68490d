#define TEST_LIBRARY
#include "address.h"
#include "relay.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *relay_path = "./stfl-relay";
void (*relay_setup)(void);

/*
 * This function runs before any test.  It adds the directories of ip(8) and
 * nft(8) to PATH, because root's PATH may lack these directories.
 */
__attribute__((constructor)) static void
take_paths(void)
{
	const char *path;
	char text[4096];

	if (getenv("RELAY") != NULL)
		relay_path = getenv("RELAY");
	path = getenv("PATH");
	snprintf(text, sizeof text, "%s:/usr/sbin:/sbin",
	    path == NULL ? "/usr/bin:/bin" : path);
	setenv("PATH", text, 1);
}

const char *const reset_of[] = { "client-reset", "target-reset" };
const char *const timeout_of[] = { "client-timeout", "target-timeout" };

void
need_relay(void)
{
	if (access(relay_path, X_OK) == 0)
		return;
	fprintf(stderr, "RELAY=%s cannot be executed (%s): run make\n",
	    relay_path, strerror(errno));
	exit(2);
}

void
relay_on(struct relay *r, int theirs, int separate, const char *const *args)
{
	const char *argv[32];
	int end[2], i;

	argv[0] = relay_path;
	for (i = 0; args[i] != NULL && i < 30; i++)
		argv[i + 1] = args[i];
	argv[i + 1] = NULL;

	r->client = r->target = r->err = -1;
	end[0] = end[1] = -1;
	if (separate && private_pipe(end) == -1)
		fail("pipe: %s", strerror(errno));
	r->pid = fork();
	if (r->pid == -1)
		fail("fork: %s", strerror(errno));
	if (r->pid == 0) {
		dup2(theirs, 0);
		dup2(theirs, 1);
		dup2(separate ? end[1] : theirs, 2);
		alarm(0);
		signal(SIGPIPE, SIG_DFL);
		if (relay_setup != NULL)
			relay_setup();
		execv(argv[0], (char *const *)(uintptr_t)argv);
		fail("cannot execute %s: %s", argv[0], strerror(errno));
	}
	/* A test may run many sessions, one after another (see run.c). */
	if (alarm(0) != 0)
		alarm(TEST_LIMIT);
	close(theirs);
	if (separate) {
		close(end[1]);
		r->err = end[0];
	}
}

void
relay_startv(struct relay *r, int family, int separate,
    const char *const *args)
{
	int ours, theirs;

	socket_pair(family, &ours, &theirs);
	relay_on(r, theirs, separate, args);
	r->client = ours;
}

static void
collect(const char **args, int at, int most, va_list ap)
{
	while (at < most - 1 && (args[at] = va_arg(ap, const char *)) != NULL)
		at++;
	args[at] = NULL;
}

void
relay_start(struct relay *r, int family, int separate, ...)
{
	const char *args[31];
	va_list ap;

	va_start(ap, separate);
	collect(args, 0, 31, ap);
	va_end(ap);
	relay_startv(r, family, separate, args);
}

void
relay_session(struct relay *r, ...)
{
	const char *args[31];
	char port[8];
	va_list ap;
	int listener, n;

	listener = listen_on(target_family());
	snprintf(port, sizeof port, "%d", port_of(listener));
	args[0] = "-v";
	va_start(ap, r);
	collect(args, 1, 28, ap);
	va_end(ap);
	for (n = 0; args[n] != NULL; n++)
		;
	args[n] = target_host();
	args[n + 1] = port;
	args[n + 2] = NULL;
	relay_startv(r, client_family(), 1, args);
	r->target = accept_from(listener);
	close(listener);
}

/*
 * After the signal, the relay may call poll(2) once more before it stops.  So
 * wait until the relay has stopped.  Otherwise, that poll(2) might report only
 * a part of what the test does next.
 */
void
stop_relay(pid_t pid)
{
	int status;

	if (kill(pid, SIGSTOP) == -1 ||
	    waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		fail("the relay does not stop");
}

/*
 * Returns what /proc says about a process: the system call that it has called,
 * and where in the kernel it waits.
 */
static const char *
doing(pid_t pid)
{
	static const char *const files[] = { "syscall", "wchan", "stat" };
	static char text[300];
	char path[40];
	size_t i, len;
	ssize_t n;
	int fd;

	for (i = len = 0; i < sizeof files / sizeof files[0]; i++) {
		snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid,
		    files[i]);
		fd = open(path, O_RDONLY);
		if (fd == -1)
			continue;
		n = read(fd, text + len, 90);
		close(fd);
		len += n > 0 ? (size_t)n : 0;
		text[len++] = ' ';
	}
	text[len] = '\0';
	while (strchr(text, '\n') != NULL)
		*strchr(text, '\n') = ' ';
	return text;
}

/*
 * Count the turns of the loop instead of reading the clock, because the machine
 * may stand still for seconds.
 */
int
relay_status(struct relay *r, int ms)
{
	int status, turns;

	for (turns = 0; waitpid(r->pid, &status, WNOHANG) == 0; turns++) {
		if (turns > ms)
			fail("the relay did not end within %d ms: %s", ms,
			    doing(r->pid));
		poll(NULL, 0, 1);
	}
	r->pid = -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
	    WEXITSTATUS(status);
}

void
relay_stderr(struct relay *r, char *text, size_t size)
{
	ssize_t n;
	size_t got;

	for (got = 0; got < size - 1; got += (size_t)n) {
		if (!readable(r->err, SOON))
			fail("the relay's descriptor 2 stays open");
		n = read(r->err, text + got, size - 1 - got);
		if (n <= 0)
			break;
	}
	text[got] = '\0';
}

/* Sessions. */

/*
 * Wait until a relay that was started with -v and `separate' has connected to
 * its target.  Then fill in the rest of the session.  Returns how long the
 * relay says that it has run, in milliseconds.
 */
int64_t
connected(struct session *t, int listener)
{
	t->fd[CLIENT] = t->relay.client;
	t->fd[TARGET] = accept_from(listener);
	t->pid = t->relay.pid;
	put_names(t, NULL);
	return expect_line(t, "open", 0, 0);
}

/* Begin a session, with this option and value if they are not NULL. */
void
begin(struct session *t, const char *option, const char *value)
{
	relay_session(&t->relay, option, value, NULL);
	t->fd[CLIENT] = t->relay.client;
	t->fd[TARGET] = t->relay.target;
	t->pid = t->relay.pid;
	put_names(t, NULL);
	expect_line(t, "open", 0, 0);
}

const char *
port_text(int listener)
{
	static char text[8];

	snprintf(text, sizeof text, "%d", port_of(listener));
	return text;
}

/* Begin a session as inetd does, so descriptor 2 is the accepted socket. */
void
begin_as_inetd(struct session *t, const char *option)
{
	const char *args[] = { option, target_host(), NULL, NULL };
	int listener;

	listener = listen_on(target_family());
	args[2] = port_text(listener);
	relay_startv(&t->relay, AF_INET6, 0, option == NULL ? args + 1 : args);
	t->fd[CLIENT] = t->relay.client;
	t->fd[TARGET] = accept_from(listener);
	t->pid = t->relay.pid;
	put_names(t, NULL);
	close(listener);
}

/*
 * Begin a session on an existing client connection.  The first n of these words
 * come before the relay's usual arguments.
 */
void
begin_on(struct session *t, int ours, int theirs, const char *const *words,
    int n)
{
	const char *args[24];
	int i, listener;

	for (i = 0; i < n; i++)
		args[i] = words[i];
	listener = listen_on(target_family());
	args[n] = "-v";
	args[n + 1] = target_host();
	args[n + 2] = port_text(listener);
	args[n + 3] = NULL;
	relay_on(&t->relay, theirs, 1, args);
	t->relay.client = ours;
	connected(t, listener);
	close(listener);
}

void
let_go(struct session *t)
{
	if (t->fd[CLIENT] != -1)
		close(t->fd[CLIENT]);
	if (t->fd[TARGET] != -1)
		close(t->fd[TARGET]);
	if (t->relay.err != -1)
		close(t->relay.err);
}

/* The log is not checked, because `mess' may have changed descriptor 2. */
void
session_after(void (*mess)(void))
{
	struct session t;

	relay_setup = mess;
	relay_session(&t.relay, NULL);
	t.fd[CLIENT] = t.relay.client;
	t.fd[TARGET] = t.relay.target;
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_status(&t, 0);
	let_go(&t);
}

/*
 * Prepare a command with which strace(1) delays some of the relay's system
 * calls, or makes them fail: see relay.h.
 */
int
delay(const char *words[], const char *calls, const char *how)
{
	/* LeakSanitizer does not work in a traced process. */
	const char *const front[] = { "ASAN_OPTIONS=detect_leaks=0", "strace",
	    "-D", "-qq", "-o", "/dev/null", "-e", calls, "-e", how,
	    relay_path };

	if (system("strace -o /dev/null true 2>/dev/null") != 0)
		skip("strace is not there, or may not trace");
	relay_path = "/usr/bin/env";
	memcpy(words, front, sizeof front);
	return sizeof front / sizeof front[0];
}

/*
 * Start a relay that does not have to reach a target.  `target' is what the
 * relay's line must say about the target.
 */
void
begin_without(struct session *t, int separate, const char *target,
    const char *const *args)
{
	int theirs;

	socket_pair(client_family(), &t->fd[CLIENT], &theirs);
	t->fd[TARGET] = -1;
	put_names(t, target);
	relay_on(&t->relay, theirs, separate, args);
	t->pid = t->relay.pid;
}

void
signals_work(struct session *t)
{
	send_stream(t->fd[CLIENT], 1, 0, 10);
	expect_stream(t->fd[TARGET], 1, 0, 10);
	kill(t->pid, SIGUSR1);
	expect_line(t, "open", 10, 0);
	kill(t->pid, SIGTERM);
	expect_end(t->fd[CLIENT], RST);
	expect_end(t->fd[TARGET], RST);
	expect_over(t, CLIENT, "signal", 10, 0);
}

const char *
sockets_of(int family)
{
	return family == AF_INET ? "/proc/net/tcp" : "/proc/net/tcp6";
}

/* Wait until somebody has sent this listener a SYN that is still unanswered. */
void
expect_dialing(int listener)
{
#ifdef __linux__
	char line[256];
	FILE *f;
	unsigned port, state;
	int64_t end;

	end = milliseconds() + SOON;
	do {
		f = fopen(sockets_of(target_family()), "r");
		if (f == NULL)
			skip("no list of sockets in /proc");
		while (fgets(line, sizeof line, f) != NULL)
			if (sscanf(line, "%*d: %*s %*[0-9A-F]:%x %x", &port,
			    &state) == 2 && state == 2 &&
			    port == (unsigned)port_of(listener)) {
				fclose(f);
				return;
			}
		fclose(f);
		pause_for(1);
	} while (milliseconds() < end);
	fail("nobody connects");
#else
	(void)listener;
	pause_for(STILL);
#endif
}

const char *
target_text(int listener)
{
	static char text[32];

	snprintf(text, sizeof text, target_family() == AF_INET ?
	    "127.0.0.1:%d" : "[::1]:%d", port_of(listener));
	return text;
}

/* Expect that a session fails in this way: see relay.h. */
void
fails(int status, const char *target, const char *end, const char *const *args)
{
	struct session t[2];
	int i;

	for (i = 0; i < 2; i++)
		begin_without(&t[i], i == 0, target, args);
	for (i = 0; i < 2; i++)
		expect_end(t[i].fd[CLIENT], RST);
	expect_exit(&t[0], status, end, 0, 0);
	expect_status(&t[1], status);
}
