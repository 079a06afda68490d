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

/* Before any test runs.  Root's PATH may lack ip(8) and nft(8). */
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
	if (separate && pipe2(end, O_CLOEXEC) == -1)
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
 * Its poll(2) may look once more between the signal and the stop: whoever goes
 * on before that has the relay see half of what it is to find together.
 */
void
stop_relay(pid_t pid)
{
	int status;

	if (kill(pid, SIGSTOP) == -1 ||
	    waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		fail("the relay does not stop");
}

/* By the count of its turns: a machine may stand still for seconds. */
int
relay_status(struct relay *r, int ms)
{
	int status, turns;

	for (turns = 0; waitpid(r->pid, &status, WNOHANG) == 0; turns++) {
		if (turns > ms)
			fail("the relay did not end within %d ms", ms);
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

/*
 * The log line.
 */

/* key=address:port of a socket's own end, or of its peer, as we know it. */
static size_t
put_name(char *to, size_t size, const char *key, const union address *a)
{
	return (size_t)snprintf(to, size, "%s=%s ", key, address_text(a));
}

/* What the line says of the addresses; as long as there is no target: words. */
void
put_names(struct session *t, const char *target)
{
	union address client, local, via, own;
	char words[100];
	size_t n, size;

	/* They may be a text that the next address replaces. */
	snprintf(words, sizeof words, "%s", target == NULL ? "" : target);
	size = sizeof t->addresses;
	client = own_name(t->fd[CLIENT]);
	local = peer_name(t->fd[CLIENT]);
	n = put_name(t->addresses, size, "client", &client);
	n += put_name(t->addresses + n, size - n, "local", &local);
	if (target != NULL) {
		snprintf(t->addresses + n, size - n, "target=%s ", words);
		return;
	}
	own = own_name(t->fd[TARGET]);
	via = peer_name(t->fd[TARGET]);
	n += put_name(t->addresses + n, size - n, "target", &own);
	put_name(t->addresses + n, size - n, "via", &via);
}

/* Does the line end with this?  A * at its end is anything. */
static int
ends_with(const char *line, const char *end)
{
	size_t len;

	len = strlen(end);
	if (end[len - 1] == '*')
		return strncmp(line, end, len - 1) == 0;
	return strcmp(line, end) == 0;
}

/* Cut off what each line says of a session that root has started. */
int
cut_warning(char *line)
{
	static const char warning[] = " warning=\"root is not needed\"";
	size_t len;

	len = strlen(line);
	if (len < sizeof warning || strcmp(line +
	    len - (sizeof warning - 1), warning) != 0)
		return 0;
	line[len - (sizeof warning - 1)] = '\0';
	return 1;
}

/* Check a line; give its secs in milliseconds. */
int64_t
check_line(char *line, const struct session *t, const char *end, uint64_t up,
    uint64_t down)
{
	static const char digits[] = "0123456789";
	char want[600];
	const char *p;
	size_t len;

	if (cut_warning(line) != (geteuid() == 0))
		fail("logged \"%s\", %s root", line,
		    geteuid() == 0 ? "as" : "not as");
	len = (size_t)snprintf(want, sizeof want,
	    "stfl-relay[%ld]: %sup=%llu down=%llu secs=", (long)t->pid,
	    t->addresses, (unsigned long long)up, (unsigned long long)down);
	p = line + len;
	if (strncmp(line, want, len) != 0 || strspn(p, digits) == 0)
		fail("logged \"%s\" and not \"%s\"", line, want);
	p += strspn(p, digits);
	if (*p != '.' || strspn(p + 1, digits) != 3 ||
	    strncmp(p + 4, " end=", 5) != 0 || !ends_with(p + 9, end))
		fail("logged \"%s\" and not end=%s", line, end);
	return atol(line + len) * 1000L + atol(p + 1);
}

void
read_line(int fd, char *line, size_t size)
{
	size_t n;

	for (n = 0; n < size - 1; n++) {
		if (!readable(fd, SOON))
			fail("no line is logged");
		if (read(fd, line + n, 1) != 1)
			fail("a line is missing in the log");
		if (line[n] == '\n')
			break;
	}
	line[n] = '\0';
}

int64_t
expect_line(const struct session *t, const char *end, uint64_t up,
    uint64_t down)
{
	char line[1024];

	read_line(t->relay.err, line, sizeof line);
	return check_line(line, t, end, up, down);
}

void
expect_status(struct session *t, int want)
{
	int got;

	got = relay_status(&t->relay, SOON);
	if (got != want)
		fail("exit status %d and not %d", got, want);
}

/* The relay ends with this status, and a last line for up and down bytes. */
void
expect_exit(struct session *t, int status, const char *end, uint64_t up,
    uint64_t down)
{
	char rest[64];

	expect_status(t, status);
	expect_line(t, end, up, down);
	relay_stderr(&t->relay, rest, sizeof rest);
	if (rest[0] != '\0')
		fail("logged more: %s", rest);
}

/* The end of a session that carried so much from this side and back to it. */
void
expect_over(struct session *t, int side, const char *end, uint64_t sent,
    uint64_t back)
{
	expect_exit(t, 0, end, side == CLIENT ? sent : back,
	    side == CLIENT ? back : sent);
}

/*
 * Sessions.
 */

/* A started relay (-v, separate) connects: the session is complete. */
void
connected(struct session *t, int listener)
{
	t->fd[CLIENT] = t->relay.client;
	t->fd[TARGET] = accept_from(listener);
	t->pid = t->relay.pid;
	put_names(t, NULL);
	expect_line(t, "open", 0, 0);
}

/* A session, with an option and its value if they are not NULL. */
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

/* A session as an inetd starts it: descriptor 2 is the client's socket. */
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
 * A session of a client connection that is there already, with so many words in
 * front of the relay's own.
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

/* What it logs is not looked at: the mess may be on descriptor 2. */
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
 * Have strace(1) delay some of the relay's calls, in its own words: give how
 * many words that puts in front of the relay's.
 */
int
delay(const char *words[], const char *calls, const char *how)
{
	/* LeakSanitizer cannot look into what is traced. */
	const char *const front[] = { "ASAN_OPTIONS=detect_leaks=0", "strace",
	    "-D", "-qq", "-o", "/dev/null", "-e", calls, "-e", how,
	    relay_path };

	if (system("strace -o /dev/null true 2>/dev/null") != 0)
		skip("strace is not there, or may not trace");
	relay_path = "/usr/bin/env";
	memcpy(words, front, sizeof front);
	return sizeof front / sizeof front[0];
}

/* A relay that may find no target; the line will have these words for it. */
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

#ifdef __linux__
const char *
sockets_of(int family)
{
	return family == AF_INET ? "/proc/net/tcp" : "/proc/net/tcp6";
}
#endif

/* Wait until somebody has sent SYN to this listener, in vain. */
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

/*
 * The relay ends so, and its client sees RST and not a byte: with its own
 * descriptor 2, and with the client's socket there, at the same time.
 */
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
