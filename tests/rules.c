/*
 * The rules of a session, each seen from both ends of real connections through
 * real relay processes.  A test stands under the rule that it shows, and its
 * name is the sentence it proves.
 */

#include "peers.h"

#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { CLIENT, TARGET, NOBODY };	/* the sides */
enum { KIB = 1024, MIB = 1024 * KIB };

struct session {
	struct relay relay;
	pid_t pid;		/* the relay's, also when it is over */
	int fd[2];		/* the peers' own sockets */
	char addresses[300];	/* as the log line is to give them */
};

/* Most rules hold each way: near is the side that acts, far sees it. */
#define EACH_WAY(test) \
static void client_##test(void) { test(CLIENT); } \
static void target_##test(void) { test(TARGET); }

static const char *const reset_of[] = { "client-reset", "target-reset" };
static const char *const timeout_of[] = { "client-timeout", "target-timeout" };

static void
pause_for(int ms)
{
	poll(NULL, 0, ms);
}

/* The log line. */

/* key=address:port of a socket's own end, or of its peer, as we know it. */
static size_t
put_name(char *to, size_t size, const char *key, int fd, int peer)
{
	struct sockaddr_storage ss;
	const struct sockaddr_in *in;
	const struct sockaddr_in6 *in6;
	socklen_t len;
	char text[INET6_ADDRSTRLEN], scope[16];

	len = sizeof ss;
	if ((peer ? getpeername(fd, (struct sockaddr *)&ss, &len) :
	    getsockname(fd, (struct sockaddr *)&ss, &len)) == -1)
		fail("no address: %s", strerror(errno));
	in = (struct sockaddr_in *)&ss;
	in6 = (struct sockaddr_in6 *)&ss;
	if (ss.ss_family == AF_INET) {
		inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
		return (size_t)snprintf(to, size, "%s=%s:%d ", key, text,
		    ntohs(in->sin_port));
	}
	inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
	scope[0] = '\0';
	if (in6->sin6_scope_id != 0)
		snprintf(scope, sizeof scope, "%%%u",
		    (unsigned)in6->sin6_scope_id);
	return (size_t)snprintf(to, size, "%s=[%s%s]:%d ", key, text, scope,
	    ntohs(in6->sin6_port));
}

/* What the line says of the addresses; as long as there is no target: words. */
static void
put_names(struct session *t, const char *target)
{
	size_t n, size;

	size = sizeof t->addresses;
	n = put_name(t->addresses, size, "client", t->fd[CLIENT], 0);
	n += put_name(t->addresses + n, size - n, "local", t->fd[CLIENT], 1);
	if (target != NULL) {
		snprintf(t->addresses + n, size - n, "target=%s ", target);
		return;
	}
	n += put_name(t->addresses + n, size - n, "target", t->fd[TARGET], 0);
	put_name(t->addresses + n, size - n, "via", t->fd[TARGET], 1);
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
static int
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
static int64_t
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

static void
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

static int64_t
expect_line(const struct session *t, const char *end, uint64_t up,
    uint64_t down)
{
	char line[1024];

	read_line(t->relay.err, line, sizeof line);
	return check_line(line, t, end, up, down);
}

static void
expect_status(struct session *t, int want)
{
	int got;

	got = relay_status(&t->relay, SOON);
	if (got != want)
		fail("exit status %d and not %d", got, want);
}

/* The relay ends with this status, and a last line for up and down bytes. */
static void
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
static void
expect_over(struct session *t, int side, const char *end, uint64_t sent,
    uint64_t back)
{
	expect_exit(t, 0, end, side == CLIENT ? sent : back,
	    side == CLIENT ? back : sent);
}

/* Sessions. */

/* A started relay (-v, separate) connects: the session is complete. */
static void
connected(struct session *t, int listener)
{
	t->fd[CLIENT] = t->relay.client;
	t->fd[TARGET] = accept_from(listener);
	t->pid = t->relay.pid;
	put_names(t, NULL);
	expect_line(t, "open", 0, 0);
}

/* A session, with an option and its value if they are not NULL. */
static void
begin(struct session *t, const char *option, const char *value)
{
	relay_session(&t->relay, option, value, NULL);
	t->fd[CLIENT] = t->relay.client;
	t->fd[TARGET] = t->relay.target;
	t->pid = t->relay.pid;
	put_names(t, NULL);
	expect_line(t, "open", 0, 0);
}

static const char *
port_text(int listener)
{
	static char text[8];

	snprintf(text, sizeof text, "%d", port_of(listener));
	return text;
}

/* A session as an inetd starts it: descriptor 2 is the client's socket. */
static void
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
static void
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

enum { MOST_WORDS = 16 };

/*
 * Have strace(1) delay some of the relay's calls, in its own words: give how many
 * words that puts in front of the relay's.
 */
static int
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
static void
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

/* RST, also where recv(2) keeps silent of it, for FIN came before. */
static void
expect_reset(int fd)
{
	struct pollfd p;
	socklen_t len;
	int error;

	p.fd = fd;
	p.events = 0;
	if (poll(&p, 1, SOON) != 1)
		fail("no RST");
	len = sizeof error;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1 ||
	    (error != ECONNRESET && error != EPIPE))
		fail("%s and not RST", strerror(error));
}

/* Send until nothing goes any more; give the bytes that the kernel took. */
static uint64_t
fill(int fd, unsigned stream)
{
	unsigned char buffer[16 * KIB];
	struct pollfd p;
	uint64_t sent;
	ssize_t n;
	size_t i;

	p.fd = fd;
	p.events = POLLOUT;
	for (sent = 0; poll(&p, 1, 500) == 1; sent += (uint64_t)n) {
		for (i = 0; i < sizeof buffer; i++)
			buffer[i] = stream_byte(stream, sent + i);
		n = send(fd, buffer, sizeof buffer, MSG_DONTWAIT);
		if (n == -1 && errno == EAGAIN)
			n = 0;
		if (n == -1)
			fail("send: %s", strerror(errno));
	}
	return sent;
}

/* Bytes that the peer's kernel has not taken. */
static uint64_t
unacked(int fd)
{
	int n;

	if (ioctl(fd, TIOCOUTQ, &n) == -1)
		skip("TIOCOUTQ: %s", strerror(errno));
	return (uint64_t)n;
}

static int
listen_at(const char *address, int port, int backlog)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} a;
	socklen_t len;
	int fd;

	memset(&a, 0, sizeof a);
	if (inet_pton(AF_INET, address, &a.in.sin_addr) == 1) {
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons((in_port_t)port);
		len = sizeof a.in;
	} else {
		inet_pton(AF_INET6, address, &a.in6.sin6_addr);
		a.in6.sin6_family = AF_INET6;
		a.in6.sin6_port = htons((in_port_t)port);
		len = sizeof a.in6;
	}
	fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || bind(fd, &a.sa, len) == -1 || listen(fd, backlog) == -1)
		fail("listen: %s", strerror(errno));
	return fd;
}

/*
 * Make a listener with a backlog of 0 answer no one: until *filler, which is to
 * be accepted first, is.
 */
static void
congest(int listener, int *filler)
{
	struct sockaddr_storage ss;
	struct pollfd p;
	socklen_t len;

	len = sizeof ss;
	getsockname(listener, (struct sockaddr *)&ss, &len);
	*filler = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(*filler, (struct sockaddr *)&ss, len) == -1)
		fail("connect: %s", strerror(errno));
	p.fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	p.events = POLLOUT;
	(void)connect(p.fd, (struct sockaddr *)&ss, len);
	if (poll(&p, 1, 200) != 0)
		skip("a listener cannot be made to answer no one");
	close(p.fd);
}

static int
blackhole(void)
{
	int filler, listener;

	listener = listen_at(target_host(), 0, 0);
	congest(listener, &filler);
	return listener;
}

#ifdef __linux__
static const char *
sockets_of(int family)
{
	return family == AF_INET ? "/proc/net/tcp" : "/proc/net/tcp6";
}
#endif

/* Wait until somebody has sent SYN to this listener, in vain. */
static void
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
	pause_for(300);
#endif
}

static const char *
target_text(int listener)
{
	static char text[32];

	snprintf(text, sizeof text, target_family() == AF_INET ?
	    "127.0.0.1:%d" : "[::1]:%d", port_of(listener));
	return text;
}

/* What a process uses. */

static int64_t
cpu_microseconds(pid_t pid)
{
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 ||
	    clock_gettime(clock, &t) == -1)
		skip("no clock of another process here");
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* A number from /proc/PID/status. */
static long
status_of(pid_t pid, const char *key)
{
	char path[64], line[256];
	FILE *f;
	long n;

	snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
	f = fopen(path, "r");
	if (f == NULL)
		skip("no %s", path);
	n = -1;
	while (n == -1 && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, key, strlen(key)) == 0)
			n = atol(line + strlen(key));
	fclose(f);
	if (n == -1)
		skip("no %s in %s", key, path);
	return n;
}

/* proc_pid_stat(5): S asleep, t traced.  S where that is not told. */
static char
state_of(pid_t pid)
{
	char state;
#ifdef __linux__
	char path[64];
	FILE *f;

	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	f = fopen(path, "r");
	if (f == NULL || fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		skip("no %s", path);
	fclose(f);
#else
	(void)pid;
	state = 'S';
#endif
	return state;
}

/* How often it has gone to sleep; 0 where that is not told. */
static long
sleeps_of(pid_t pid)
{
#ifdef __linux__
	return status_of(pid, "voluntary_ctxt_switches:");
#else
	(void)pid;
	return 0;
#endif
}

/*
 * It neither spins, which takes time, nor looks more often than that: a look is
 * counted, for a machine that others use may charge half a millisecond for one.
 * What went before may take longer on a busy machine: first it comes to rest.
 */
static void
expect_idle(pid_t pid, int ms, int looks)
{
	int64_t used;
	long slept;
	int i, tries;

	i = 0;
	do {
		slept = sleeps_of(pid);
		pause_for(50);
	} while ((sleeps_of(pid) != slept || state_of(pid) != 'S') && ++i < 40);
	tries = 0;
	do {			/* a pipe is let go once, after two seconds */
		used = cpu_microseconds(pid);
		slept = sleeps_of(pid);
		pause_for(ms);
		used = cpu_microseconds(pid) - used;
		slept = sleeps_of(pid) - slept;
	} while ((used > ms * 50 || slept > looks) && ++tries < 2);
	if (tries == 2)
		fail("%lld us of CPU and %ld looks in %d ms with nothing to do",
		    (long long)used, slept, ms);
}

/*
 * One side sends FIN: the other gets every byte, then FIN; the opposite
 * direction goes on for as long as it likes.
 */

static void
half_close(int near)
{
	struct session t;
	pid_t reply;
	int far;

	far = !near;
	begin(&t, NULL, NULL);
	send_stream(t.fd[near], 1, 0, 1000);
	finish(t.fd[near]);
	expect_stream(t.fd[far], 1, 0, 1000);
	expect_end(t.fd[far], FIN);
	if (readable(t.fd[near], 1500))
		fail("something comes before the reply");
	reply = aside(send_stream, t.fd[far], 2, MIB);
	expect_stream(t.fd[near], 2, 0, MIB);
	expect_done(reply);
	expect_end(t.fd[near], NOTHING);
	finish(t.fd[far]);
	expect_end(t.fd[near], FIN);
	expect_over(&t, near, "eof", 1000, MIB);
}
EACH_WAY(half_close)

static void
tails(int near)
{
	struct session t;
	size_t size;
	int i;

	for (i = 0; i < 150; i++) {
		size = (size_t)(1 + i * 7919 % 200000);
		begin(&t, NULL, NULL);
		send_stream(t.fd[!near], 1, 0, 100);
		expect_stream(t.fd[near], 1, 0, 100);
		send_stream(t.fd[near], 2, 0, size);
		close(t.fd[near]);
		expect_stream(t.fd[!near], 2, 0, size);
		expect_end(t.fd[!near], FIN);
		close(t.fd[!near]);
		expect_over(&t, near, "eof", size, 100);
		close(t.relay.err);
	}
}
EACH_WAY(tails)

/* What the far side has not taken yet outlives the relay. */
static void
slow_tail(int near)
{
	struct session t;
	uint64_t sent;
	size_t first;
	int far, same;

	far = !near;
	begin(&t, NULL, NULL);
	same = 64 * KIB;	/* the size it has, to stay as it is */
	setsockopt(t.fd[far], SOL_SOCKET, SO_RCVBUF, &same, sizeof same);
	finish(t.fd[far]);
	expect_end(t.fd[near], FIN);
	sent = fill(t.fd[near], 1);
	finish(t.fd[near]);
	first = (size_t)sent - MIB;
	expect_stream(t.fd[far], 1, 0, first);
	expect_over(&t, near, "eof", sent, 0);
	expect_stream(t.fd[far], 1, first, MIB);
	expect_end(t.fd[far], FIN);
}
EACH_WAY(slow_tail)

static void
both_finish(void)
{
	struct session t;

	begin(&t, NULL, NULL);
	finish(t.fd[CLIENT]);
	finish(t.fd[TARGET]);
	expect_end(t.fd[CLIENT], FIN);
	expect_end(t.fd[TARGET], FIN);
	expect_over(&t, CLIENT, "eof", 0, 0);
}

static void
fin_before_target(void)
{
	const char *args[] = { "-v", target_host(), NULL, NULL };
	struct session t;
	int filler, listener;

	listener = listen_at(target_host(), 0, 0);
	congest(listener, &filler);
	args[2] = port_text(listener);
	relay_startv(&t.relay, client_family(), 1, args);
	send_stream(t.relay.client, 1, 0, 5000);
	finish(t.relay.client);
	expect_dialing(listener);
	close(accept_from(listener));
	connected(&t, listener);
	expect_stream(t.fd[TARGET], 1, 0, 5000);
	expect_end(t.fd[TARGET], FIN);
	send_stream(t.fd[TARGET], 2, 0, 5000);
	expect_stream(t.fd[CLIENT], 2, 0, 5000);
	finish(t.fd[TARGET]);
	expect_end(t.fd[CLIENT], FIN);
	expect_over(&t, CLIENT, "eof", 5000, 5000);
}

/*
 * One side resets, or vanishes: the other gets what had already been read, then
 * RST.  Never a FIN.
 */

static void
reset_after(int near, size_t bytes, int finished)
{
	struct session t;
	int far;

	far = !near;
	begin(&t, NULL, NULL);
	if (bytes > 0)
		send_stream(t.fd[near], 1, 0, bytes);
	if (finished != NOBODY) {
		finish(t.fd[finished]);
		if (finished == near)
			expect_stream(t.fd[far], 1, 0, bytes);
		expect_end(t.fd[!finished], FIN);
	}
	wait_acked(t.fd[near]);
	reset_now(&t.fd[near]);
	if (finished == near) {
		expect_reset(t.fd[far]);
	} else {
		expect_stream(t.fd[far], 1, 0, bytes);
		expect_end(t.fd[far], RST);
	}
	/* Who had finished, and was owed nothing, has lost nothing. */
	expect_over(&t, near, finished == near ? "eof" : reset_of[near], bytes,
	    0);
}

static void
bare_reset(int near)
{
	reset_after(near, 0, NOBODY);
}
EACH_WAY(bare_reset)

static void
reset_with_bytes(int near)
{
	reset_after(near, 50000, NOBODY);
}
EACH_WAY(reset_with_bytes)

static void
reset_after_own_fin(int near)
{
	reset_after(near, 50000, near);
}
EACH_WAY(reset_after_own_fin)

static void
reset_after_others_fin(int near)
{
	reset_after(near, 50000, !near);
}
EACH_WAY(reset_after_others_fin)

/* What the relay is to see is there before it looks (carry_had_fin). */
static void
need_had_fin(void)
{
#ifndef __linux__
	skip("only Linux tells of FIN when the connection is lost already");
#endif
}

/* FIN and RST wait together behind bytes that the far side takes late. */
static void
reset_right_behind_fin(int near)
{
	struct session t;

	need_had_fin();
	begin(&t, NULL, NULL);
	kill(t.pid, SIGSTOP);
	send_stream(t.fd[near], 1, 0, 50000);
	wait_acked(t.fd[near]);
	finish(t.fd[near]);
	reset_now(&t.fd[near]);
	kill(t.pid, SIGCONT);
	expect_stream(t.fd[!near], 1, 0, 50000);
	expect_end(t.fd[!near], FIN);
	expect_reset(t.fd[!near]);
	expect_over(&t, near, "eof", 50000, 0);
}
EACH_WAY(reset_right_behind_fin)

/*
 * The same, while FIN to the near side waits behind what that does not read: to
 * Linux the reset is another error then.  The far side, which has had FIN both
 * ways, does not see it.
 */
static void
reset_right_behind_crossing_fin(int near)
{
	struct session t;

	need_had_fin();
	begin(&t, NULL, NULL);
	send_stream(t.fd[!near], 2, 0, 300000);
	finish(t.fd[!near]);
	send_stream(t.fd[near], 1, 0, 50000);
	expect_idle(t.pid, 300, 0);
	kill(t.pid, SIGSTOP);
	finish(t.fd[near]);
	reset_now(&t.fd[near]);
	kill(t.pid, SIGCONT);
	expect_stream(t.fd[!near], 1, 0, 50000);
	expect_end(t.fd[!near], FIN);
	expect_over(&t, near, reset_of[near], 50000, 300000);
}
EACH_WAY(reset_right_behind_crossing_fin)

/* True if the connection is gone. */
static int
broken(int fd)
{
	struct pollfd p;

	p.fd = fd;
	p.events = 0;
	return poll(&p, 1, 0) == 1;
}

/*
 * FIN came, and is only seen when its sender's system answers no more.  Nobody
 * has lost anything: the far side may stay, and learns nothing of it.
 */
static void
vanished_behind_fin(int near)
{
	struct session t;

	need_had_fin();
	begin(&t, "-k", "1");
	kill(t.pid, SIGSTOP);
	send_stream(t.fd[near], 1, 0, 50000);
	finish(t.fd[near]);
	wait_acked(t.fd[near]);
	vanish(t.fd[near]);
	pause_for(4000);
	kill(t.pid, SIGCONT);
	expect_stream(t.fd[!near], 1, 0, 50000);
	expect_end(t.fd[!near], FIN);
	expect_over(&t, near, "eof", 50000, 0);
	if (broken(t.fd[!near]))
		fail("RST");
}
EACH_WAY(vanished_behind_fin)

/* Send until the relay takes no more, and sleeps; give what was taken. */
static uint64_t
fill_relay(const struct session *t, int near)
{
	uint64_t before, left, sent;

	sent = fill(t->fd[near], 1);
	left = unacked(t->fd[near]);
	do {
		before = left;
		pause_for(100);		/* ACK may take 40 ms */
		left = unacked(t->fd[near]);
	} while (left != before || state_of(t->pid) != 'S');
	return sent - left;
}

static uint64_t
fill_and_reset(struct session *t, int near)
{
	uint64_t taken;

	begin(t, NULL, NULL);
	taken = fill_relay(t, near);
	if (taken < 32 * KIB)
		fail("only %llu bytes fit", (unsigned long long)taken);
	reset_now(&t->fd[near]);
	return taken;
}

static void
reset_while_far_is_slow(int near)
{
	struct session t;
	uint64_t taken;

	taken = fill_and_reset(&t, near);
	pause_for(5000);
	expect_stream(t.fd[!near], 1, 0, (size_t)taken);
	expect_end(t.fd[!near], RST);
	expect_over(&t, near, reset_of[near], taken, 0);
}
EACH_WAY(reset_while_far_is_slow)

/*
 * FIN has gone to the near side, and has nothing more to tell it; but its reset
 * is still to come.
 */
static void
reset_while_far_is_done_and_stuck(int near)
{
	struct session t;
	uint64_t taken;

	begin(&t, NULL, NULL);
	finish(t.fd[!near]);
	expect_end(t.fd[near], FIN);
	taken = fill_relay(&t, near);
	reset_now(&t.fd[near]);
	pause_for(500);
	expect_stream(t.fd[!near], 1, 0, (size_t)taken);
	expect_reset(t.fd[!near]);
	expect_over(&t, near, reset_of[near], taken, 0);
}
EACH_WAY(reset_while_far_is_done_and_stuck)

/* The same, of a far side that takes nothing: then -T ends it. */
static void
reset_while_far_is_done_for(int near)
{
	char line[2048];
	struct session t;

	begin(&t, "-T", "2");
	finish(t.fd[!near]);
	expect_end(t.fd[near], FIN);
	(void)fill(t.fd[near], 1);
	reset_now(&t.fd[near]);
	if (relay_status(&t.relay, SOON) != 0)
		fail("exit status is not 0");
	relay_stderr(&t.relay, line, sizeof line);
	if (strstr(line, reset_of[near]) == NULL)
		fail("logged %s", line);
	expect_reset(t.fd[!near]);
}
EACH_WAY(reset_while_far_is_done_for)

/*
 * The far side takes some 20 KB/s, and the relay's send buffer has room for
 * megabytes: it says so only when a third of it is free.
 */
static void
reset_while_far_dribbles(int near)
{
	struct session t;
	uint64_t at, taken;
	int64_t end;

	taken = fill_and_reset(&t, near);
	end = milliseconds() + 21000;
	for (at = 0; milliseconds() < end; at += 2000) {
		pause_for(100);
		expect_stream(t.fd[!near], 1, at, 2000);
	}
	expect_stream(t.fd[!near], 1, at, (size_t)(taken - at));
	expect_end(t.fd[!near], RST);
	expect_over(&t, near, reset_of[near], taken, 0);
}
EACH_WAY(reset_while_far_dribbles)

/* The relay has taken the client, and is stopped before it sees its target. */
static void
stop_when_connected(struct session *t, int ours, int theirs)
{
	const char *args[] = { "-v", target_host(), NULL, NULL };
	int filler, listener;

	listener = listen_at(target_host(), 0, 0);
	congest(listener, &filler);
	args[2] = port_text(listener);
	relay_on(&t->relay, theirs, 1, args);
	t->pid = t->relay.pid;
	expect_dialing(listener);
	kill(t->pid, SIGSTOP);
	close(accept_from(listener));
	t->fd[CLIENT] = t->relay.client = ours;
	t->fd[TARGET] = accept_from(listener);
	put_names(t, NULL);
}

/* The target speaks and resets before the relay can look at it. */
static void
reset_when_connected(int finished)
{
	struct session t;
	int ours, theirs;

	socket_pair(client_family(), &ours, &theirs);
	stop_when_connected(&t, ours, theirs);
	send_stream(t.fd[TARGET], 1, 0, 500);
	wait_acked(t.fd[TARGET]);
	if (finished)
		finish(t.fd[TARGET]);
	reset_now(&t.fd[TARGET]);
	kill(t.pid, SIGCONT);
	expect_line(&t, "open", 0, 0);
	expect_stream(t.fd[CLIENT], 1, 0, 500);
	if (finished) {
		expect_end(t.fd[CLIENT], FIN);
		expect_reset(t.fd[CLIENT]);
	} else {
		expect_end(t.fd[CLIENT], RST);
	}
	expect_over(&t, TARGET, finished ? "eof" : "target-reset", 500, 0);
}

static void
target_reset_at_once(void)
{
	reset_when_connected(0);
}

static void
target_fin_and_reset_at_once(void)
{
	need_had_fin();
	reset_when_connected(1);
}

/* FIN that is there before the relay is no byte that its parent has read. */
static void
reset_behind_early_fin(void)
{
	struct session t;
	int ours, theirs;

	need_had_fin();
	socket_pair(client_family(), &ours, &theirs);
	send_stream(ours, 1, 0, 5000);
	finish(ours);
	wait_acked(ours);
	stop_when_connected(&t, ours, theirs);
	reset_now(&t.fd[CLIENT]);
	kill(t.pid, SIGCONT);
	expect_line(&t, "open", 0, 0);
	expect_stream(t.fd[TARGET], 1, 0, 5000);
	expect_end(t.fd[TARGET], FIN);
	expect_reset(t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 5000, 0);
}

/* The wait for a far side that takes nothing costs nothing and can be ended. */
static void
last_words_and_signal(int near)
{
	struct session t;

	(void)fill_and_reset(&t, near);
	expect_idle(t.pid, 1000, 12);	/* pauses of 100 ms, pump.c */
	kill(t.pid, SIGTERM);
	if (relay_status(&t.relay, 4000) != 0)
		fail("exit status is not 0");
	expect_reset(t.fd[!near]);
}
EACH_WAY(last_words_and_signal)

static void
vanished(int near, size_t pending)
{
	struct session t;

	begin(&t, "-k", "1");
	send_stream(t.fd[near], 1, 0, 1000);
	wait_acked(t.fd[near]);
	vanish(t.fd[near]);
	if (pending > 0)
		send_stream(t.fd[!near], 2, 0, pending);
	expect_stream(t.fd[!near], 1, 0, 1000);
	expect_end(t.fd[!near], RST);
	expect_over(&t, near, timeout_of[near], 1000, pending);
}

static void
vanished_idle(int near)
{
	vanished(near, 0);
}
EACH_WAY(vanished_idle)

static void
vanished_busy(int near)
{
	vanished(near, 500);
}
EACH_WAY(vanished_busy)

/* A closed window is no silence, however long it lasts. */
static void
closed_window_lives(int near)
{
	struct session t;
	uint64_t sent;

	begin(&t, "-k", "1");
	sent = fill(t.fd[near], 1);
	pause_for(7000);
	expect_stream(t.fd[!near], 1, 0, (size_t)sent);
	finish(t.fd[near]);
	expect_end(t.fd[!near], FIN);
	finish(t.fd[!near]);
	expect_end(t.fd[near], FIN);
	expect_over(&t, near, "eof", sent, 0);
}
EACH_WAY(closed_window_lives)

/* Seconds until the kernel's next keepalive probe on a connection; 0: none. */
static int
probe_due(const char *table, int local, int remote)
{
	char line[256];
	FILE *f;
	unsigned when, kind, here, there;
	int due;

	f = fopen(table, "r");
	if (f == NULL)
		skip("no %s", table);
	due = -1;
	while (fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "%*d: %*[0-9A-F]:%x %*[0-9A-F]:%x %*x "
		    "%*x:%*x %x:%x", &here, &there, &kind, &when) == 4 &&
		    here == (unsigned)local && there == (unsigned)remote)
			due = kind == 2 ? (int)(when + 99) / 100 : 0;
	fclose(f);
	return due;
}

static int
peer_port(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len;

	len = sizeof ss;
	getpeername(fd, (struct sockaddr *)&ss, &len);
	return ntohs(((struct sockaddr_in6 *)&ss)->sin6_port);
}

static void
probed_after(const char *option, const char *value, int least, int latest)
{
	struct session t;
	int due;

	begin(&t, option, value);
	due = probe_due(sockets_of(client_family()), peer_port(t.fd[CLIENT]),
	    port_of(t.fd[CLIENT]));
	if (due < least || due > latest)
		fail("the client is probed in %d s", due);
	due = probe_due(sockets_of(target_family()), peer_port(t.fd[TARGET]),
	    port_of(t.fd[TARGET]));
	if (due < least || due > latest)
		fail("the target is probed in %d s", due);
}

static void
keepalive_times(void)
{
	probed_after(NULL, NULL, 30, 60);
	probed_after("-k", "1000", 970, 1000);
	probed_after("-k", "0", 0, 0);
}

/*
 * Urgent data: the same byte at the same place in the stream, with the urgent
 * mark on it, however many there are in a session.
 */

static void
send_urgent(int fd, char c)
{
	if (send(fd, &c, 1, MSG_OOB) != 1)
		fail("send: %s", strerror(errno));
}

static void
keep_inline(int fd)
{
	int one;

	one = 1;
	if (setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &one, sizeof one) == -1)
		fail("SO_OOBINLINE: %s", strerror(errno));
}

/* Read size bytes of the stream; the mark is on none of them. */
static void
expect_unmarked(int fd, unsigned stream, uint64_t from, size_t size)
{
	unsigned char buffer[65536];
	ssize_t i, n;

	for (; size > 0; size -= (size_t)n, from += (uint64_t)n) {
		if (!readable(fd, SOON))
			fail("%zu bytes did not come", size);
		if (sockatmark(fd) == 1)
			fail("byte %llu is marked", (unsigned long long)from);
		n = recv(fd, buffer, size < sizeof buffer ? size :
		    sizeof buffer, 0);
		if (n <= 0)
			fail("the stream ends %zu bytes too early", size);
		for (i = 0; i < n; i++)
			if (buffer[i] != stream_byte(stream, from +
			    (uint64_t)i))
				fail("byte %llu is wrong",
				    (unsigned long long)from + (unsigned)i);
	}
}

static void
expect_urgent(int fd, char want)
{
	char c;

	if (!readable(fd, SOON))
		fail("the urgent byte did not come");
	if (sockatmark(fd) != 1)
		fail("the mark is not where it was set");
	if (recv(fd, &c, 1, 0) != 1)
		fail("the urgent byte is lost");
	if (c != want)
		fail("the urgent byte is %02x and not %02x",
		    (unsigned char)c, (unsigned char)want);
}

static void
urgent_at(int near, size_t before, size_t after, int fin)
{
	struct session t;
	int far;

	far = !near;
	begin(&t, NULL, NULL);
	keep_inline(t.fd[far]);
	send_stream(t.fd[near], 1, 0, before);
	send_urgent(t.fd[near], 'U');
	send_stream(t.fd[near], 1, before, after);
	if (fin)
		finish(t.fd[near]);
	expect_unmarked(t.fd[far], 1, 0, before);
	expect_urgent(t.fd[far], 'U');
	expect_unmarked(t.fd[far], 1, before, after);
	if (fin)
		expect_end(t.fd[far], FIN);
	expect_idle(t.pid, 300, 0);
	if (!fin) {
		expect_end(t.fd[far], NOTHING);
		finish(t.fd[near]);
		expect_end(t.fd[far], FIN);
	}
	send_stream(t.fd[far], 2, 0, 1000);
	expect_stream(t.fd[near], 2, 0, 1000);
	finish(t.fd[far]);
	expect_end(t.fd[near], FIN);
	expect_over(&t, near, "eof", before + 1 + after, 1000);
}

static void
urgent_first(int near)
{
	urgent_at(near, 0, 1000, 0);
}
EACH_WAY(urgent_first)

static void
urgent_middle(int near)
{
	urgent_at(near, 1000, 1000, 0);
}
EACH_WAY(urgent_middle)

static void
urgent_last(int near)
{
	urgent_at(near, 1000, 0, 0);
}
EACH_WAY(urgent_last)

static void
urgent_alone(int near)
{
	urgent_at(near, 0, 0, 0);
}
EACH_WAY(urgent_alone)

static void
urgent_before_fin(int near)
{
	urgent_at(near, 1000, 0, 1);
	urgent_at(near, 0, 0, 1);
}
EACH_WAY(urgent_before_fin)

static void
ten_urgent(int near)
{
	struct session t;
	uint64_t at;
	size_t size;
	int far, i;

	far = !near;
	begin(&t, NULL, NULL);
	keep_inline(t.fd[far]);
	for (at = 0, i = 0; i < 10; at += size, i++) {
		size = (size_t)(i % 3 * 1000);
		send_stream(t.fd[near], 1, at, size);
		send_urgent(t.fd[near], (char)(i + 0xf0));
		expect_unmarked(t.fd[far], 1, at, size);
		expect_urgent(t.fd[far], (char)(i + 0xf0));
		if (i == 4)
			expect_idle(t.pid, 300, 0);
	}
	expect_idle(t.pid, 300, 0);
	finish(t.fd[near]);
	expect_end(t.fd[far], FIN);
	finish(t.fd[far]);
	expect_over(&t, near, "eof", at + 10, 0);
}
EACH_WAY(ten_urgent)

/* Both ways at once, so that one way's mark cannot stand for the other's. */
static void
urgent_each_way(void)
{
	struct session t;
	int side;

	begin(&t, NULL, NULL);
	for (side = 0; side < 2; side++)
		keep_inline(t.fd[side]);
	for (side = 0; side < 2; side++) {
		send_stream(t.fd[side], (unsigned)side, 0, 300);
		send_urgent(t.fd[side], (char)('A' + side));
		send_stream(t.fd[side], (unsigned)side, 300, 300);
	}
	for (side = 0; side < 2; side++) {
		expect_unmarked(t.fd[!side], (unsigned)side, 0, 300);
		expect_urgent(t.fd[!side], (char)('A' + side));
		expect_unmarked(t.fd[!side], (unsigned)side, 300, 300);
	}
	expect_idle(t.pid, 300, 0);
	finish(t.fd[CLIENT]);
	finish(t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 601, 601);
}

static void
send_bulk_with_urgent(int fd, unsigned stream, uint64_t from, size_t size)
{
	send_stream(fd, stream, from, size / 2);
	send_urgent(fd, 'U');
	send_stream(fd, stream, from + size / 2, size / 2);
}

static void
urgent_in_bulk(int near)
{
	struct session t;
	pid_t sender;
	int far;

	far = !near;
	begin(&t, NULL, NULL);
	keep_inline(t.fd[far]);
	sender = aside(send_bulk_with_urgent, t.fd[near], 1, 8 * MIB);
	pause_for(300);		/* every buffer on the way is full */
	expect_unmarked(t.fd[far], 1, 0, 4 * MIB);
	expect_urgent(t.fd[far], 'U');
	expect_unmarked(t.fd[far], 1, 4 * MIB, 4 * MIB);
	expect_done(sender);
	expect_idle(t.pid, 300, 0);
	finish(t.fd[near]);
	expect_end(t.fd[far], FIN);
	finish(t.fd[far]);
	expect_over(&t, near, "eof", 8 * MIB + 1, 0);
}
EACH_WAY(urgent_in_bulk)

/* Linux tells of an urgent byte at once, in order or not: at_mark in carry.c. */

/* An urgent byte has come, and the 1,000 bytes before it have not. */
static void
lose_before_urgent(struct session *t, int end)
{
	keep_inline(t->fd[TARGET]);
	lose(end, 1000);
	send_stream(t->fd[CLIENT], 1, 0, 1000);
	send_urgent(t->fd[CLIENT], 'U');
}

/* Now they come, too. */
static void
expect_lost_and_urgent(struct session *t, int end)
{
	lose_nothing(end);
	close(end);
	expect_unmarked(t->fd[TARGET], 1, 0, 1000);
	expect_urgent(t->fd[TARGET], 'U');
}

static void
urgent_behind_lost(void)
{
	struct session t;
	int end, ours, theirs;

	socket_pair(client_family(), &ours, &theirs);
	end = dup(theirs);
	begin_on(&t, ours, theirs, NULL, 0);
	lose_before_urgent(&t, end);
	expect_idle(t.pid, 300, 0);
	send_stream(t.fd[CLIENT], 1, 1000, 100);
	send_stream(t.fd[TARGET], 2, 0, 1000);
	expect_stream(t.fd[CLIENT], 2, 0, 1000);
	expect_idle(t.pid, 300, 0);
	expect_lost_and_urgent(&t, end);
	expect_unmarked(t.fd[TARGET], 1, 1000, 100);
	finish(t.fd[CLIENT]);
	expect_end(t.fd[TARGET], FIN);
	finish(t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 1101, 1000);
}

/* What was lost comes between poll(2) and recv(2), for which there is a second. */
static void
urgent_behind_late(void)
{
	const char *words[MOST_WORDS];
	struct session t;
	int end, ours, theirs;

	socket_pair(client_family(), &ours, &theirs);
	end = dup(theirs);
	begin_on(&t, ours, theirs, words, delay(words, "trace=recvfrom",
	    "inject=recvfrom:delay_enter=1000000:when=1"));
	lose_before_urgent(&t, end);
	do			/* it is held, and not in passing */
		pause_for(100);
	while (state_of(t.pid) != 't');
	expect_lost_and_urgent(&t, end);
	kill(t.pid, SIGTERM);
	expect_status(&t, 0);
}

/* A receiver of the older kind takes the byte beside the stream. */
static void
urgent_out_of_line(int near)
{
	struct session t;
	struct pollfd p;
	char c;

	begin(&t, NULL, NULL);
	send_stream(t.fd[near], 1, 0, 100);
	send_urgent(t.fd[near], 'U');
	send_stream(t.fd[near], 1, 100, 100);
	p.fd = t.fd[!near];
	p.events = POLLPRI;
	if (poll(&p, 1, SOON) != 1 || recv(p.fd, &c, 1, MSG_OOB) != 1 ||
	    c != 'U')
		fail("no urgent byte by MSG_OOB");
	expect_stream(p.fd, 1, 0, 200);
	finish(t.fd[near]);
	expect_end(p.fd, FIN);
}
EACH_WAY(urgent_out_of_line)

static void
reset_behind_urgent(int near)
{
	struct session t;

	begin(&t, NULL, NULL);
	keep_inline(t.fd[!near]);
	send_stream(t.fd[near], 1, 0, 100);
	send_urgent(t.fd[near], 'U');
	send_stream(t.fd[near], 1, 100, 100);
	wait_acked(t.fd[near]);
	reset_now(&t.fd[near]);
	expect_unmarked(t.fd[!near], 1, 0, 100);
	expect_urgent(t.fd[!near], 'U');
	expect_unmarked(t.fd[!near], 1, 100, 100);
	expect_end(t.fd[!near], RST);
	expect_over(&t, near, reset_of[near], 201, 0);
}
EACH_WAY(reset_behind_urgent)

/*
 * Bytes that came before our time are not taken for FIN: one that the parent has
 * read, or one that Linux drops, urgent, for the next.
 */
static void
reset_after_early(int urgent)
{
	struct session t;
	char c;
	int ours, theirs;

	socket_pair(client_family(), &ours, &theirs);
	if (urgent) {
		send_urgent(ours, '1');
		send_urgent(ours, '2');
	} else {
		send_all(ours, "1", 1);
		recv_exactly(theirs, &c, 1);
	}
	wait_acked(ours);
	begin_on(&t, ours, theirs, NULL, 0);
	keep_inline(t.fd[TARGET]);
	if (urgent)
		expect_urgent(t.fd[TARGET], '2');
	send_stream(ours, 1, 0, 50000);
	expect_unmarked(t.fd[TARGET], 1, 0, 50000);
	reset_now(&t.fd[CLIENT]);
	expect_end(t.fd[TARGET], RST);
	expect_over(&t, CLIENT, "client-reset", 50000 + (unsigned)urgent, 0);
}

static void
reset_after_read(void)
{
	reset_after_early(0);
}

static void
reset_after_urgent(void)
{
	reset_after_early(1);
}

/*
 * The target refuses, cannot be reached, -w runs out, or its name is unknown:
 * RST, without a byte.  No byte of ours reaches the client.
 */

/*
 * The relay ends so, and its client sees RST and not a byte: with its own
 * descriptor 2, and with the client's socket there, at the same time.
 */
static void
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

static void
refused(void)
{
	const char *args[] = { target_host(), NULL, NULL };
	int fd;

	fd = refuse_on(target_family());
	args[1] = port_text(fd);
	fails(69, target_text(fd), "refused error=\"Connection refused\"",
	    args);
}

static void
times_out(void)
{
	const char *args[] = { "-w", "1", target_host(), NULL, NULL };
	int64_t took;
	int fd;

	fd = blackhole();
	args[3] = port_text(fd);
	took = milliseconds();
	fails(69, target_text(fd), "timeout error=\"*", args);
	took = milliseconds() - took;
	if (took < 1000 || took > 5000)
		fail("after %lld ms", (long long)took);
}

/* -w runs from the start, however long it takes to get to the target. */
static void
times_out_in_all(void)
{
	const char *args[MOST_WORDS + 5];
	struct session t;
	int64_t took;
	int fd, n;

	n = delay(args, "trace=getpeername",
	    "inject=getpeername:delay_enter=3000000");
	fd = blackhole();
	args[n] = "-w";
	args[n + 1] = "4";
	args[n + 2] = target_host();
	args[n + 3] = port_text(fd);
	args[n + 4] = NULL;
	took = milliseconds();
	begin_without(&t, 1, target_text(fd), args);
	expect_end(t.fd[CLIENT], RST);
	took = milliseconds() - took;
	if (took < 4000 || took > 6000)
		fail("after %lld ms", (long long)took);
	expect_exit(&t, 69, "timeout error=\"*", 0, 0);
}

/* The attempt stops at once. */
static void
leaves_while_dialing(int bytes)
{
	const char *args[] = { "-v", "-w", "30", target_host(), NULL, NULL };
	struct session t;
	int fd;

	fd = blackhole();
	args[4] = port_text(fd);
	begin_without(&t, 1, target_text(fd), args);
	if (bytes) {
		send_stream(t.fd[CLIENT], 1, 0, 1000);
		finish(t.fd[CLIENT]);
	}
	expect_dialing(fd);
	reset_now(&t.fd[CLIENT]);
	if (relay_status(&t.relay, 3000) != 0)
		fail("exit status is not 0");
	expect_line(&t, "client-reset", 0, 0);
}

static void
client_leaves(void)
{
	leaves_while_dialing(0);
	leaves_while_dialing(1);
}

static void
signal_while_dialing(void)
{
	const char *args[] = { "-v", "-w", "30", target_host(), NULL, NULL };
	struct session t;
	int fd;

	fd = blackhole();
	args[4] = port_text(fd);
	begin_without(&t, 1, target_text(fd), args);
	expect_dialing(fd);
	kill(t.pid, SIGUSR1);
	expect_line(&t, "open", 0, 0);
	kill(t.pid, SIGTERM);
	expect_end(t.fd[CLIENT], RST);
	expect_exit(&t, 0, "signal", 0, 0);
}

/* An /etc with nothing but these hosts, and a nameserver at 127.0.0.1. */
static void
own_etc(const char *hosts)
{
	apart();
	mount_over("/etc");
	put_file("/etc/host.conf", "multi on\n");
	put_file("/etc/hosts", "%s", hosts);
	put_file("/etc/nsswitch.conf", "hosts: files dns\nservices: files\n");
	put_file("/etc/resolv.conf",
	    "nameserver 127.0.0.1\noptions timeout:20\n");
}

static void
unreachable(void)
{
	static const char *const args[] = { "192.0.2.1", "80", NULL };

	apart();
	fails(69, "192.0.2.1:80", "unreachable error=\"*", args);
}

/* A nameserver's socket. */
static int
name_socket(void)
{
	struct sockaddr_in in;
	int fd;

	memset(&in, 0, sizeof in);
	in.sin_family = AF_INET;
	in.sin_port = htons(53);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || bind(fd, (struct sockaddr *)&in, sizeof in) == -1)
		fail("nameserver: %s", strerror(errno));
	return fd;
}

/* A nameserver that knows no name (NXDOMAIN; RFC 1035, 4.1.1). */
static void
know_nothing(int fd, unsigned stream, uint64_t from, size_t size)
{
	struct sockaddr_in in;
	unsigned char message[512];
	socklen_t len;
	ssize_t n;

	(void)stream;
	(void)from;
	(void)size;
	for (;;) {
		len = sizeof in;
		n = recvfrom(fd, message, sizeof message, 0,
		    (struct sockaddr *)&in, &len);
		if (n < 12)
			continue;
		message[2] |= 0x80;
		message[3] = 0x83;
		sendto(fd, message, (size_t)n, 0, (struct sockaddr *)&in, len);
	}
}

static void
unknown_name(void)
{
	static const char *const args[] = { "nowhere.invalid", "80", NULL };

	own_etc("");
	(void)aside(know_nothing, name_socket(), 0, 0);
	fails(68, "nowhere.invalid", "resolve error=\"*", args);
}

static void
silent_nameserver(void)
{
	static const char *const args[] = {
		"-w", "1", "nowhere.invalid", "80", NULL
	};
	int64_t took;

	own_etc("");
	(void)name_socket();
	took = milliseconds();
	fails(69, "nowhere.invalid", "timeout error=\"*", args);
	took = milliseconds() - took;
	if (took < 1000 || took > 5000)
		fail("after %lld ms", (long long)took);
}

static void
leaves_while_resolving(void)
{
	static const char *const args[] = {
		"-v", "-w", "30", "nowhere.invalid", "80", NULL
	};
	struct session t;
	int names;

	own_etc("");
	names = name_socket();
	begin_without(&t, 1, "nowhere.invalid", args);
	if (!readable(names, SOON))
		fail("nothing is looked up");
	reset_now(&t.fd[CLIENT]);
	if (relay_status(&t.relay, 4000) != 0)
		fail("exit status is not 0");
	expect_line(&t, "client-reset", 0, 0);
}

/* Every A record is tried, in order, sharing what is left of -w. */

static void
name_of_target(void)
{
	const char *args[] = { "-v", "localhost", NULL, NULL };
	struct session t;
	int listener;

	listener = listen_on(AF_INET);
	args[2] = port_text(listener);
	relay_startv(&t.relay, client_family(), 1, args);
	connected(&t, listener);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 1000, 3000);
}

/* Each address in turn is the one that works, so one comes behind others. */
static void
next_address(void)
{
	const char *args[] = { "-v", "three", NULL, NULL };
	char address[16];
	struct session t;
	int i, listener;

	own_etc("127.0.0.2 three\n127.0.0.3 three\n127.0.0.4 three\n");
	for (i = 2; i < 5; i++) {
		snprintf(address, sizeof address, "127.0.0.%d", i);
		listener = listen_at(address, 0, 5);
		args[2] = port_text(listener);
		relay_startv(&t.relay, client_family(), 1, args);
		connected(&t, listener);
		converse(t.fd[CLIENT], t.fd[TARGET]);
		expect_over(&t, CLIENT, "eof", 1000, 3000);
		close(listener);
	}
}

/* The line names the last one tried. */
static void
addresses_in_order(void)
{
	static const char *const up[] = { "up", "9", NULL };
	static const char *const down[] = { "down", "9", NULL };

	own_etc("127.0.0.2 up\n127.0.0.3 up\n"
	    "127.0.0.3 down\n127.0.0.2 down\n");
	fails(69, "127.0.0.3:9", "refused error=\"Connection refused\"", up);
	fails(69, "127.0.0.2:9", "refused error=\"Connection refused\"", down);
}

static void
silent_address(void)
{
	const char *args[] = { "-v", "-w", "4", "two", NULL, NULL };
	char address[16];
	struct session t;
	int64_t began;
	int filler, i, listener, silent;

	own_etc("127.0.0.2 two\n127.0.0.3 two\n");
	for (i = 2; i < 4; i++) {
		snprintf(address, sizeof address, "127.0.0.%d", i);
		listener = listen_at(address, 0, 5);
		snprintf(address, sizeof address, "127.0.0.%d", 5 - i);
		silent = listen_at(address, port_of(listener), 0);
		congest(silent, &filler);
		args[4] = port_text(listener);
		began = milliseconds();
		relay_startv(&t.relay, client_family(), 1, args);
		connected(&t, listener);
		if (milliseconds() - began > 3900)
			fail("the silent one got all of -w");
		converse(t.fd[CLIENT], t.fd[TARGET]);
		expect_over(&t, CLIENT, "eof", 1000, 3000);
		close(listener);
		close(silent);
	}
}

/* Nobody listens, and the system has but this one port to connect from. */
static void
connects_to_itself(void)
{
	const char *args[] = { target_host(), "40000", NULL };
	struct session t;
	int theirs;

	apart();
	socket_pair(client_family(), &t.fd[CLIENT], &theirs);
	put_names(&t, target_family() == AF_INET ? "127.0.0.1:40000" :
	    "[::1]:40000");
	put_file("/proc/sys/net/ipv4/ip_local_port_range", "40000 40000");
	relay_on(&t.relay, theirs, 1, args);
	t.pid = t.relay.pid;
	expect_end(t.fd[CLIENT], RST);
	expect_exit(&t, 69, "refused error=\"Connection refused\"", 0, 0);
}

/* The target would be this very service: RST. */

static int
listen_dual(void)
{
	struct sockaddr_in6 in6;
	int fd, zero;

	memset(&in6, 0, sizeof in6);
	in6.sin6_family = AF_INET6;
	zero = 0;
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero,
	    sizeof zero) == -1 ||
	    bind(fd, (struct sockaddr *)&in6, sizeof in6) == -1 ||
	    listen(fd, 20) == -1)
		skip("no listener for both protocols: %s", strerror(errno));
	return fd;
}

/*
 * Serve such a listener with relays to itself, until this client is told that
 * it is over; give how many were started.
 */
static int
serve_itself(int listener, int client, const char *const *args)
{
	enum { MOST = 10 };
	struct session t[MOST];
	struct pollfd p[2];
	char rest[1024];
	int i, n;

	p[0].fd = listener;
	p[1].fd = client;
	p[0].events = p[1].events = POLLIN;
	for (n = 0; n < MOST; n++) {
		if (poll(p, 2, SOON) < 1)
			fail("nothing happens after %d processes", n);
		if ((p[0].revents & POLLIN) == 0)
			break;
		relay_on(&t[n].relay, accept_from(listener), 1, args);
		t[n].pid = t[n].relay.pid;
	}
	for (i = 0; i < n && n < MOST; i++) {
		expect_status(&t[i], i == n - 1 ? 78 : 0);
		relay_stderr(&t[i].relay, rest, sizeof rest);
		if (i == n - 1 && strstr(rest, " end=loop error=\"") == NULL)
			fail("logged %s", rest);
	}
	return n;
}

static void
loops(int family, const char *target, int with_port, int most_processes)
{
	const char *args[] = { target, NULL, NULL };
	int client, listener, n;

	listener = listen_dual();
	if (with_port)
		args[1] = port_text(listener);
	client = connect_to(family, port_of(listener));
	n = serve_itself(listener, client, args);
	if (n > most_processes)
		fail("%s breeds %d processes", target, n);
	expect_end(client, RST);
	if (readable(listener, 0))
		fail("%s breeds one process more", target);
	close(listener);
	close(client);
}

static void
loop(void)
{
	loops(AF_INET6, "127.0.0.1", 1, 2);
	loops(AF_INET6, "127.0.0.1", 0, 2);
	loops(AF_INET, "127.0.0.1", 1, 1);
	loops(AF_INET6, "localhost", 1, 2);
	loops(AF_INET6, "127.0.0.2", 1, 2);
}

/* 0.0.0.0 means this host too (RFC 1122, 3.2.1.3), and so does ::. */
static void
loop_by_another_name(void)
{
	loops(AF_INET6, "0.0.0.0", 1, 2);
	loops(AF_INET6, "0.0.0.0", 0, 2);
	loops(AF_INET, "::", 1, 2);
	loops(AF_INET6, "::ffff:127.0.0.1", 1, 2);
}

static void
loop_by_host_name(void)
{
	own_etc("0.0.0.0 any\n127.0.0.1 self\n");
	loops(AF_INET6, "self", 1, 2);
	loops(AF_INET6, "any", 1, 2);
}

/* -T and -t run out: RST on both sides. */

static void
idle_limit(void)
{
	struct session t;
	int64_t last;
	int i;

	begin(&t, "-T", "2");
	for (last = i = 0; i < 4; i++) {
		pause_for(800);
		last = milliseconds();
		send_stream(t.fd[i % 2], (unsigned)i, 0, 1);
		expect_stream(t.fd[!(i % 2)], (unsigned)i, 0, 1);
	}
	expect_end(t.fd[CLIENT], RST);
	expect_end(t.fd[TARGET], RST);
	if (milliseconds() - last < 2000)
		fail("too early");
	expect_over(&t, CLIENT, "idle", 2, 2);
}

/* Nor is it put off by a parent's timer, say, of which there is nothing to log. */
static void
idle_limit_and_signals(void)
{
	struct session t;
	int i;

	apart();
	mount_over("/dev");
	begin_as_inetd(&t, "-T1");
	for (i = 0; i < 50 && ending(t.fd[CLIENT], 100) == NOTHING; i++)
		kill(t.pid, SIGALRM);
	if (i == 50)
		fail("it goes on for %d times 100 ms", i);
	expect_reset(t.fd[TARGET]);
	expect_status(&t, 0);
}

static void
half_closed_limit(int near)
{
	struct session t;
	int64_t last;

	begin(&t, "-t", "2");
	if (readable(t.fd[near], 2500) || readable(t.fd[!near], 0))
		fail("it ends before a side has finished");
	finish(t.fd[near]);
	expect_end(t.fd[!near], FIN);
	pause_for(500);
	last = milliseconds();
	send_stream(t.fd[!near], 1, 0, 100);
	expect_stream(t.fd[near], 1, 0, 100);
	expect_end(t.fd[near], RST);
	expect_reset(t.fd[!near]);
	if (milliseconds() - last < 2000)
		fail("too early");
	expect_over(&t, near, "half-closed", 0, 100);
}
EACH_WAY(half_closed_limit)

/* Signals. */

static void
ended_by(int sig)
{
	struct session t;

	begin(&t, NULL, NULL);
	send_stream(t.fd[CLIENT], 1, 0, 10);
	expect_stream(t.fd[TARGET], 1, 0, 10);
	kill(t.pid, sig);
	expect_end(t.fd[CLIENT], RST);
	expect_end(t.fd[TARGET], RST);
	expect_over(&t, CLIENT, "signal", 10, 0);
}

static void
signals_end_it(void)
{
	ended_by(SIGTERM);
	ended_by(SIGHUP);
}

static void
line_so_far(void)
{
	struct session t;

	begin(&t, NULL, NULL);
	send_stream(t.fd[CLIENT], 1, 0, 10);
	expect_stream(t.fd[TARGET], 1, 0, 10);
	send_stream(t.fd[TARGET], 2, 0, 20);
	expect_stream(t.fd[CLIENT], 2, 0, 20);
	kill(t.pid, SIGUSR1);
	expect_line(&t, "open", 10, 20);
#ifdef SIGINFO
	kill(t.pid, SIGINFO);
	expect_line(&t, "open", 10, 20);
#endif
	kill(t.pid, SIGALRM);
	kill(t.pid, SIGPIPE);
	kill(t.pid, SIGCHLD);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 1010, 3020);
}

/* Backpressure is exact, and a session in which nothing moves costs nothing. */

static void
bulk(void)
{
	struct session t;
	pid_t jobs[3];
	size_t i, size;

	size = 128 * MIB;
	begin(&t, NULL, NULL);
	jobs[0] = aside(send_stream, t.fd[CLIENT], 1, size);
	jobs[1] = aside(send_stream, t.fd[TARGET], 2, size);
	jobs[2] = aside(expect_stream, t.fd[TARGET], 1, size);
	expect_stream(t.fd[CLIENT], 2, 0, size);
	for (i = 0; i < 3; i++)
		expect_done(jobs[i]);
	finish(t.fd[CLIENT]);
	expect_end(t.fd[TARGET], FIN);
	finish(t.fd[TARGET]);
	expect_end(t.fd[CLIENT], FIN);
	expect_over(&t, CLIENT, "eof", size, size);
}

/* Ask and answer from far to near: the way that nobody stalls. */
static void
expect_lively(struct session *t, int near, uint64_t *back)
{
	int64_t began;
	pid_t job;
	int i;

	began = milliseconds();
	for (i = 0; i < 100; i++, *back += 10) {
		send_stream(t->fd[!near], 2, *back, 10);
		expect_stream(t->fd[near], 2, *back, 10);
	}
	if (milliseconds() - began > 3000)
		fail("the other way crawls");
	job = aside(send_stream, t->fd[!near], 3, 8 * MIB);
	expect_stream(t->fd[near], 3, 0, 8 * MIB);
	expect_done(job);
	*back += 8 * MIB;
}

static void
stalled_reader(int near)
{
	struct session t;
	uint64_t back, sent;
	long rss;

	begin(&t, NULL, NULL);
	back = 0;
	expect_lively(&t, near, &back);
	send_stream(t.fd[near], 1, 0, 256 * KIB);
	expect_stream(t.fd[!near], 1, 0, 256 * KIB);
	rss = status_of(t.pid, "VmRSS:");
	sent = fill(t.fd[near], 4);
	expect_idle(t.pid, 700, 0);
	back = 0;
	expect_lively(&t, near, &back);
	rss = status_of(t.pid, "VmRSS:") - rss;
	if (rss > 64)
		fail("%ld KiB more memory", rss);
	expect_idle(t.pid, 300, 0);
	expect_stream(t.fd[!near], 4, 0, (size_t)sent);
	finish(t.fd[near]);
	expect_end(t.fd[!near], FIN);
	finish(t.fd[!near]);
	expect_end(t.fd[near], FIN);
	expect_over(&t, near, "eof", 256 * KIB + sent, 2 * back);
}
EACH_WAY(stalled_reader)

/* As fast as can be, whatever it is. */
static void
flood(int fd, unsigned stream, uint64_t from, size_t size)
{
	static char buffer[256 * KIB];

	(void)stream;
	for (; from < size; from += sizeof buffer)
		send_all(fd, buffer, sizeof buffer);
}

static void
discard(int fd, unsigned stream, uint64_t from, size_t size)
{
	static char buffer[256 * KIB];
	ssize_t n;

	(void)stream;
	for (; from < size; from += (uint64_t)n)
		if ((n = recv(fd, buffer, sizeof buffer, 0)) <= 0)
			_exit(1);
}

/*
 * strace(1) lets the relay wait for 2 ms whenever it is to ask how much there is,
 * so that of bulk there always is more, and never more than the other side takes:
 * it has to see what else there is all the same.
 */
static void
turn_beside_bulk(int near)
{
	const char *words[MOST_WORDS];
	struct session t;
	pid_t reader, sender;
	char c;
	int i, ours, size, theirs;

	size = 64 * KIB;
	socket_pair(client_family(), &ours, &theirs);
	begin_on(&t, ours, theirs, words, delay(words, "trace=ioctl",
	    "inject=ioctl:delay_enter=2000"));
	if (setsockopt(t.fd[near], SOL_SOCKET, SO_SNDBUF, &size, sizeof size)
	    == -1)
		fail("SO_SNDBUF: %s", strerror(errno));
	reader = aside(discard, t.fd[!near], 1, SIZE_MAX);
	flood(t.fd[near], 1, 0, 2 * MIB);
	sender = aside(flood, t.fd[near], 1, SIZE_MAX);
	for (i = 0; i < 30; i++) {
		send_all(t.fd[!near], "x", 1);
		recv_exactly(t.fd[near], &c, 1);
	}
	kill(reader, SIGKILL);
	kill(sender, SIGKILL);
	kill(t.pid, SIGTERM);
	expect_status(&t, 0);
}
EACH_WAY(turn_beside_bulk)

/*
 * Against a receiver that is slow to acknowledge, a sender that waits for that
 * (RFC 896) would need 40 ms for each byte.
 */
static void
small_pieces(int near)
{
	struct session t;
	int64_t took;
	int i, no;

	begin(&t, NULL, NULL);
	no = 0;
	took = milliseconds();
	for (i = 0; i < 100; i++) {
#ifdef TCP_QUICKACK
		setsockopt(t.fd[!near], IPPROTO_TCP, TCP_QUICKACK, &no,
		    sizeof no);
#endif
		send_stream(t.fd[near], 1, (uint64_t)i, 1);
		expect_stream(t.fd[!near], 1, (uint64_t)i, 1);
	}
	took = milliseconds() - took;
	if (took > 2000)
		fail("100 bytes took %lld ms", (long long)took);
}
EACH_WAY(small_pieces)

static void
never_wakes_up(void)
{
	static const char key[] = "voluntary_ctxt_switches:";
	struct session t;
	int64_t used;
	long woken;

	begin(&t, NULL, NULL);
	send_stream(t.fd[CLIENT], 1, 0, 100);
	expect_stream(t.fd[TARGET], 1, 0, 100);
	send_stream(t.fd[TARGET], 2, 0, 100);
	expect_stream(t.fd[CLIENT], 2, 0, 100);
	do {			/* first it falls asleep, and lets a pipe go */
		woken = status_of(t.pid, key);
		pause_for(2500);
	} while (status_of(t.pid, key) != woken);
	used = cpu_microseconds(t.pid);
	pause_for(10000);
	woken = status_of(t.pid, key) - woken;
	used = cpu_microseconds(t.pid) - used;
	if (woken != 0 || used != 0)
		fail("woken %ld times, %lld us", woken, (long long)used);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 1100, 3100);
}

/* The line: which clients, which target. */

static void
seconds_taken(void)
{
	struct session t;
	int64_t began, logged;

	began = milliseconds();
	begin(&t, NULL, NULL);
	pause_for(1234);
	kill(t.pid, SIGUSR1);
	logged = expect_line(&t, "open", 0, 0);
	if (logged < 1234 || logged > milliseconds() - began + 1)
		fail("%lld ms after %lld", (long long)logged,
		    (long long)(milliseconds() - began));
}

/* The client is of this family; the listener of that, or for both. */
static void
session_through(int family, int listener, const char *const *args, int target)
{
	struct session t;
	int client;

	client = connect_to(family, port_of(listener));
	relay_on(&t.relay, accept_from(listener), 1, args);
	t.relay.client = client;
	connected(&t, target);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 1000, 3000);
}

static void
ipv4_clients(void)
{
	const char *args[] = { "-v", target_host(), NULL, NULL };
	int target;

	target = listen_on(target_family());
	args[2] = port_text(target);
	session_through(AF_INET, listen_on(AF_INET), args, target);
	session_through(AF_INET, listen_dual(), args, target);
	session_through(AF_INET6, listen_dual(), args, target);
}

/* One port for both: the client dials [::1], the target is at 127.0.0.1. */
static void
dialled_port(void)
{
	static const char *const args[] = { "-v", "127.0.0.1", NULL };
	struct sockaddr_in in;
	int i, service, target;

	memset(&in, 0, sizeof in);
	in.sin_family = AF_INET;
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (i = 0; i < 100; i++) {
		service = listen_on(AF_INET6);
		in.sin_port = htons((in_port_t)port_of(service));
		target = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (bind(target, (struct sockaddr *)&in, sizeof in) == 0 &&
		    listen(target, 5) == 0) {
			session_through(AF_INET6, service, args, target);
			return;
		}
		close(service);
		close(target);
	}
	fail("no port is free for both protocols");
}

static void
service_name(void)
{
	const char *args[] = { "-v", target_host(), "stfl-test", NULL };
	int target;

	own_etc("");
	target = listen_on(target_family());
	put_file("/etc/services", "stfl-test %d/tcp\n", port_of(target));
	session_through(AF_INET6, listen_on(AF_INET6), args, target);
}

/* Without -v only failures go to 2; what -q leaves out is never there. */
static void
quiet(const char *option)
{
	const char *args[] = { target_host(), NULL, NULL, NULL };
	struct session t;
	char text[256];
	int listener;

	listener = listen_on(target_family());
	args[0] = option != NULL ? option : target_host();
	args[1] = option != NULL ? target_host() : port_text(listener);
	args[2] = option != NULL ? port_text(listener) : NULL;
	relay_startv(&t.relay, client_family(), 1, args);
	t.fd[CLIENT] = t.relay.client;
	t.fd[TARGET] = accept_from(listener);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_status(&t, 0);
	relay_stderr(&t.relay, text, sizeof text);
	if (text[0] != '\0')
		fail("logged %s", text);
}

static void
silence_when_well(void)
{
	quiet(NULL);
	quiet("-q");
}

/* Syslog. */

/* Fill the socket that nobody reads. */
static void
wedge(void)
{
	struct sockaddr_un sun;
	int fd;

	memset(&sun, 0, sizeof sun);
	sun.sun_family = AF_UNIX;
	strcpy(sun.sun_path, "/dev/log");
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&sun, sizeof sun) == -1)
		fail("/dev/log: %s", strerror(errno));
	while (send(fd, "x", 1, MSG_DONTWAIT) == 1)
		;
	close(fd);
}

static void
receive_line(int fd, char *line, size_t size)
{
	ssize_t n;

	if (!readable(fd, SOON) || (n = recv(fd, line, size - 1, 0)) < 0)
		fail("nothing comes to syslogd");
	line[n] = '\0';
}

/* One datagram: the priority, and the line. */
static void
expect_syslog(int fd, const struct session *t, const char *priority,
    const char *end, uint64_t up, uint64_t down)
{
	char line[2048];
	size_t len;

	receive_line(fd, line, sizeof line);
	len = strlen(priority);
	if (strncmp(line, priority, len) != 0)
		fail("syslogd gets \"%s\" and not %s", line, priority);
	check_line(line + len, t, end, up, down);
}

static void
syslog_session(int fd, const char *option, int lines)
{
	struct session t;

	begin_as_inetd(&t, option);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_status(&t, 0);
	if (lines > 1)
		expect_syslog(fd, &t, "<30>", "open", 0, 0);
	if (lines > 0)
		expect_syslog(fd, &t, "<30>", "eof", 1000, 3000);
	if (readable(fd, 0))
		fail("a line too many");
}

static void
syslog_lines(void)
{
	int fd;

	fd = syslog_socket();
	syslog_session(fd, NULL, 1);
	syslog_session(fd, "-v", 2);
	syslog_session(fd, "-q", 0);
}

static void
syslog_failures(void)
{
	const char *args[] = { "-q", target_host(), NULL, NULL };
	struct session t;
	int fd, port;

	fd = syslog_socket();
	port = refuse_on(target_family());
	args[2] = port_text(port);
	begin_without(&t, 0, target_text(port), args);
	expect_end(t.fd[CLIENT], RST);
	expect_status(&t, 69);
	expect_syslog(fd, &t, "<28>",
	    "refused error=\"Connection refused\"", 0, 0);
}

static void
syslog_usage(void)
{
	const char *args[] = { "-w", "x", target_host(), NULL };
	char line[512], want[64];
	struct session t;
	int fd;

	fd = syslog_socket();
	begin_without(&t, 0, "", args);
	expect_end(t.fd[CLIENT], RST);
	expect_status(&t, 64);
	receive_line(fd, line, sizeof line);
	snprintf(want, sizeof want, "<27>stfl-relay[%ld]: -w x: ",
	    (long)t.pid);
	if (strncmp(line, want, strlen(want)) != 0)
		fail("syslogd gets \"%s\"", line);
}

/* The peers see the end at once; the process may wait 5 s for the line. */
static void
wedged_syslogd(void)
{
	static const char *const nothing[] = { NULL };
	const char *args[] = { target_host(), NULL, NULL };
	struct session bad, failed, t;
	int64_t began;
	int port;

	(void)syslog_socket();
	wedge();
	port = refuse_on(target_family());
	args[1] = port_text(port);
	began = milliseconds();
	begin_without(&bad, 0, "", nothing);
	expect_end(bad.fd[CLIENT], RST);
	begin_without(&failed, 0, target_text(port), args);
	expect_end(failed.fd[CLIENT], RST);
	begin_as_inetd(&t, "-v");
	converse(t.fd[CLIENT], t.fd[TARGET]);
	if (milliseconds() - began > 3000)
		fail("the peers wait for syslogd");
	began = milliseconds();
	expect_status(&bad, 64);
	expect_status(&failed, 69);
	expect_status(&t, 0);
	if (milliseconds() - began > 7500)
		fail("still there after %lld ms",
		    (long long)(milliseconds() - began));
}

static void
syslogd_recovers(void)
{
	struct session t;
	char line[2048];
	int fd;

	fd = syslog_socket();
	wedge();
	begin_as_inetd(&t, NULL);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	pause_for(500);
	do
		receive_line(fd, line, sizeof line);
	while (strcmp(line, "x") == 0);
	check_line(line + 4, &t, "eof", 1000, 3000);
	expect_status(&t, 0);
}

/* Descriptor 2 is a pipe that is full and stays so. */
static void
fill_two(void)
{
	static char page[4096];

	fcntl(2, F_SETFL, O_NONBLOCK);
	while (write(2, page, sizeof page) > 0 || write(2, "x", 1) == 1)
		;
	fcntl(2, F_SETFL, 0);
}

static void
full_pipe(void)
{
	struct relay r;
	struct session t;
	int64_t began;

	relay_setup = fill_two;
	began = milliseconds();
	relay_session(&r, NULL);
	t.relay = r;
	t.fd[CLIENT] = r.client;
	t.fd[TARGET] = r.target;
	kill(r.pid, SIGUSR1);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	if (milliseconds() - began > 3000)
		fail("the peers wait for a reader of 2");
	began = milliseconds();
	expect_status(&t, 0);
	if (milliseconds() - began > 7500)
		fail("still there after %lld ms",
		    (long long)(milliseconds() - began));
}

/* Nothing inherited is trusted. */

static void
hostile_parent(void)
{
	struct rlimit none;
	sigset_t all;
	int sig;

	for (sig = 1; sig < 32; sig++)
		signal(sig, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setenv("LOCALDOMAIN", "example.invalid", 1);
	setenv("RES_OPTIONS", "ndots:9", 1);
	none.rlim_cur = none.rlim_max = 0;
	setrlimit(RLIMIT_FSIZE, &none);
	setrlimit(RLIMIT_CORE, &none);
	umask(0777);
}

/* The relay starts as that parent's child, in a directory that is gone. */
static void
be_hostile(void)
{
	static char path[4096];
	char dir[] = "/tmp/stfl-relay.XXXXXX";

	if (realpath(relay_path, path) == NULL)
		fail("%s: %s", relay_path, strerror(errno));
	relay_path = path;
	if (mkdtemp(dir) == NULL || chdir(dir) == -1 || rmdir(dir) == -1)
		fail("%s: %s", dir, strerror(errno));
	relay_setup = hostile_parent;
}

static void
begin_hostile(struct session *t)
{
	const char *args[] = { "-v", "localhost", NULL, NULL };
	int listener;

	be_hostile();
	listener = listen_on(AF_INET);
	args[2] = port_text(listener);
	relay_startv(&t->relay, AF_INET6, 1, args);
	connected(t, listener);
}

static void
inherited_signals(void)
{
	struct session t;

	begin_hostile(&t);
	send_stream(t.fd[CLIENT], 1, 0, 10);
	expect_stream(t.fd[TARGET], 1, 0, 10);
	kill(t.pid, SIGUSR1);
	expect_line(&t, "open", 10, 0);
	kill(t.pid, SIGTERM);
	expect_end(t.fd[CLIENT], RST);
	expect_end(t.fd[TARGET], RST);
	expect_over(&t, CLIENT, "signal", 10, 0);
}

static void
hostile_session(void)
{
	struct session t;

	begin_hostile(&t);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 1000, 3000);
}

/* alarm(2) outlives execve(2). */
static void
leave_alarm(void)
{
	alarm(1);
}

static void
inherited_alarm(void)
{
	struct session t;

	relay_setup = leave_alarm;
	begin_as_inetd(&t, NULL);
	pause_for(1500);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_status(&t, 0);
}

/* What the resolver asks for is what the command line says. */
static void
hostile_resolver(void)
{
	static const char *const args[] = { "single", "80", NULL };
	char query[512];
	struct session t;
	int names;

	own_etc("");
	names = name_socket();
	be_hostile();
	begin_without(&t, 0, "", args);
	if (!readable(names, SOON) ||
	    recv(names, query, sizeof query, 0) < 12 + 8)
		fail("nothing is looked up");
	if (memcmp(query + 12, "\6single", 8) != 0)
		fail("looked up is something else");
}

/* The write end of a pipe, left open in the relay at many numbers. */
static int stray;

static void
leave_strays(void)
{
	static const int at[] = { 3, 4, 5, 6, 7, 40, 63, 64, 65, 100, 500 };
	struct rlimit limit;
	size_t i;

	for (i = 0; i < sizeof at / sizeof at[0]; i++)
		if (at[i] != stray)
			dup2(stray, at[i]);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = 50;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void
stray_descriptors(void)
{
	struct session t;
	int end[2];

	if (pipe2(end, O_CLOEXEC) == -1)
		fail("pipe: %s", strerror(errno));
	/* Out of the way of the numbers above. */
	stray = fcntl(end[1], F_DUPFD_CLOEXEC, 200);
	close(end[1]);
	relay_setup = leave_strays;
	begin(&t, NULL, NULL);
	close(stray);
	if (!readable(end[0], SOON))
		fail("one stays open");
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 1000, 3000);
}

/* The descriptors that the relay may have. */
static int most;

static void
few_descriptors(void)
{
	struct rlimit limit;

	limit.rlim_cur = limit.rlim_max = (rlim_t)most;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* 0 to 3, and one on the way; none for a faster way to carry. */
static void
limit_of_five(void)
{
	struct session t;
	pid_t sender;

	relay_setup = few_descriptors;
	most = 5;
	begin(&t, NULL, NULL);
	sender = aside(send_stream, t.fd[CLIENT], 3, 8 * MIB);
	expect_stream(t.fd[TARGET], 3, 0, 8 * MIB);
	expect_done(sender);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 8 * MIB + 1000, 3000);
}

/* A name needs more descriptors than there are. */
static void
system_error(void)
{
	static const char *const args[] = { "localhost", "80", NULL };

	relay_setup = few_descriptors;
	most = 4;
	fails(71, "localhost", "error error=\"*", args);
}

/* The descriptors that are closed when the relay starts, as bits. */
static int closed;

static void
close_some(void)
{
	int fd;

	for (fd = 0; fd < 3; fd++)
		if ((closed & 1 << fd) != 0)
			close(fd);
}

static void
closed_one_and_two(void)
{
	static const int masks[] = { 1 << 1, 1 << 2, 1 << 1 | 1 << 2 };
	const char *args[] = { target_host(), NULL, NULL };
	struct session t;
	size_t i;
	int port;

	port = refuse_on(target_family());
	relay_setup = close_some;
	for (i = 0; i < sizeof masks / sizeof masks[0]; i++) {
		closed = masks[i];
		begin_as_inetd(&t, "-v");
		converse(t.fd[CLIENT], t.fd[TARGET]);
		expect_status(&t, 0);
		begin_as_inetd(&t, "-v");
		send_stream(t.fd[TARGET], 1, 0, 100);
		wait_acked(t.fd[TARGET]);
		reset_now(&t.fd[TARGET]);
		expect_stream(t.fd[CLIENT], 1, 0, 100);
		expect_end(t.fd[CLIENT], RST);
		expect_status(&t, 0);
		args[1] = port_text(port);
		begin_without(&t, 0, "", args);
		expect_end(t.fd[CLIENT], RST);
		expect_status(&t, 69);
	}
}

static void
client_gone(void)
{
	const char *args[] = { "-v", target_host(), NULL, NULL };
	struct pollfd p;
	struct relay r;
	char text[256];
	int listener, ours, theirs;

	listener = listen_on(target_family());
	args[2] = port_text(listener);
	socket_pair(AF_INET6, &ours, &theirs);
	reset_now(&ours);
	p.fd = theirs;
	p.events = 0;
	if (poll(&p, 1, SOON) != 1)
		fail("no RST");
	relay_on(&r, theirs, 1, args);
	if (relay_status(&r, SOON) != 0)
		fail("exit status is not 0");
	relay_stderr(&r, text, sizeof text);
	if (text[0] != '\0')
		fail("logged %s", text);
	if (readable(listener, 0))
		fail("the target is connected to");
}

/* What bad input gets. */

static const struct {
	const char *args[6];
	const char *words;	/* in the line */
} bad_lines[] = {
	{ { NULL }, "no target" },
	{ { "-v", NULL }, "no target" },
	{ { "192.0.2.1", "192.0.2.2", NULL }, "192.0.2.2" },
	{ { "192.0.2.1", "80", "192.0.2.2", NULL }, "192.0.2.2" },
	{ { "-Z", "192.0.2.1", "80", NULL }, "-Z: unknown option" },
	{ { "-nZ", "192.0.2.1", "80", NULL }, "-Z: unknown option" },
	{ { "--wait=1", "192.0.2.1", "80", NULL }, "unknown option" },
	{ { "-w", NULL }, "-w: needs a value" },
	{ { "-w", "x", "192.0.2.1", "80", NULL }, "-w x:" },
	{ { "-w", "", "192.0.2.1", "80", NULL }, "-w :" },
	{ { "-w", "-1", "192.0.2.1", "80", NULL }, "-w -1:" },
	{ { "-w", "+1", "192.0.2.1", "80", NULL }, "-w +1:" },
	{ { "-w", " 1", "192.0.2.1", "80", NULL }, "-w  1:" },
	{ { "-w", "0", "192.0.2.1", "80", NULL }, "-w 0:" },
	{ { "-w", "1s", "192.0.2.1", "80", NULL }, "-w 1s:" },
	{ { "-w", "99999999999", "192.0.2.1", "80", NULL },
	    "-w 99999999999:" },
	{ { "-w", "99999999999999999999", "192.0.2.1", "80", NULL },
	    "-w 99999999999999999999:" },
	{ { "-k", "-1", "192.0.2.1", "80", NULL }, "-k -1:" },
	{ { "-k", "32768", "192.0.2.1", "80", NULL }, "-k 32768:" },
	{ { "-T", "-1", "192.0.2.1", "80", NULL }, "-T -1:" },
	{ { "-t", "4294967296", "192.0.2.1", "80", NULL }, "-t 4294967296:" },
	{ { "192.0.2.1", "0", NULL }, "port 0:" },
	{ { "192.0.2.1", "65536", NULL }, "port 65536:" },
	{ { "192.0.2.1", "4294967376", NULL }, "port 4294967376:" },
	{ { "192.0.2.1", "80x", NULL }, "port 80x:" },
	{ { "192.0.2.1", "-80", NULL }, "port -80:" },
	{ { "192.0.2.1", "", NULL }, "port \"\":" },
	{ { "192.0.2.1", "no-such-service", NULL }, "port no-such-service:" },
	{ { "-n", "192.0.2.1", "http", NULL }, "port http:" },
	{ { "", "80", NULL }, "target \"\":" },
	{ { "[2001:db8::1]", "80", NULL }, "target [2001:db8::1]:" },
	{ { "2001:db8::1::", "80", NULL }, "target 2001:db8::1:::" },
	{ { "192.0.2.1:80", NULL }, "target 192.0.2.1:80:" },
	{ { "192.0.2.256", "80", NULL }, "target 192.0.2.256:" },
	{ { "192.0.2", "80", NULL }, "target 192.0.2:" },
	{ { "3221225985", "80", NULL }, "target 3221225985:" },
	{ { "192.0.2.1 ", "80", NULL }, "target 192.0.2.1 :" },
	{ { "a name", "80", NULL }, "target a name:" },
	{ { "-n", "localhost", "80", NULL }, "target localhost:" }
};

/* One line that has the words, and usage. */
static void
expect_usage(struct relay *r, const char *words)
{
	char text[2048], want[64], *end;

	snprintf(want, sizeof want, "stfl-relay[%ld]: ", (long)r->pid);
	if (relay_status(r, SOON) != 64)
		fail("%s exit status is not 64", words);
	relay_stderr(r, text, sizeof text);
	end = strchr(text, '\n');
	if (strncmp(text, want, strlen(want)) != 0 || end == NULL ||
	    strncmp(end + 1, "usage: stfl-relay ", 18) != 0)
		fail("%s gets no line and usage, but \"%s\"", words, text);
	*end = '\0';
	if (strstr(text, words) == NULL)
		fail("\"%s\" does not say \"%s\"", text, words);
}

static void
bad_command_lines(void)
{
	struct relay r;
	size_t i;

	for (i = 0; i < sizeof bad_lines / sizeof bad_lines[0]; i++) {
		relay_startv(&r, AF_INET6, 1, bad_lines[i].args);
		expect_usage(&r, bad_lines[i].words);
		expect_end(r.client, RST);
		close(r.client);
		close(r.err);
	}
}

static void
bad_lines_as_inetd(void)
{
	struct relay r;
	size_t i;

	for (i = 0; i < sizeof bad_lines / sizeof bad_lines[0]; i++) {
		relay_startv(&r, AF_INET6, 0, bad_lines[i].args);
		if (ending(r.client, SOON) != RST)
			fail("%s no RST", bad_lines[i].words);
		if (relay_status(&r, SOON) != 64)
			fail("%s exit status", bad_lines[i].words);
		close(r.client);
	}
}

static int
terminal(void)
{
	int master;

	master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master == -1 || grantpt(master) == -1 || unlockpt(master) == -1)
		skip("no terminal: %s", strerror(errno));
	return open(ptsname(master), O_RDWR | O_NOCTTY);
}

static int
pipe_end(void)
{
	int end[2];

	return pipe(end) == -1 ? -1 : end[0];
}

static int
unix_socket(int type)
{
	int fd[2];

	return socketpair(AF_UNIX, type, 0, fd) == -1 ? -1 : fd[0];
}

static void
refused_on_zero(int fd, const char *words)
{
	static const char *const args[] = { "192.0.2.1", "80", NULL };
	struct relay r;

	if (fd == -1)
		fail("%s %s", words, strerror(errno));
	relay_on(&r, fd, 1, args);
	expect_usage(&r, words);
	close(r.err);
}

static void
bad_standard_input(void)
{
	refused_on_zero(terminal(), "standard input is a terminal;");
	refused_on_zero(open(relay_path, O_RDONLY), "is a file;");
	refused_on_zero(open("/", O_RDONLY), "is a directory;");
	refused_on_zero(open("/dev/null", O_RDWR), "is a device;");
	refused_on_zero(pipe_end(), "is a pipe;");
	refused_on_zero(listen_on(AF_INET6), "is a listening socket");
	refused_on_zero(socket(AF_INET6, SOCK_DGRAM, 0),
	    "is a datagram socket;");
	refused_on_zero(unix_socket(SOCK_STREAM),
	    "is a socket that is not TCP;");
	refused_on_zero(unix_socket(SOCK_DGRAM), "is a datagram socket;");
	relay_setup = close_some;
	closed = 1 << 0;
	refused_on_zero(pipe_end(), "is closed;");
	closed = 1 << 0 | 1 << 1;
	refused_on_zero(pipe_end(), "is closed;");
}

/* -V, on a pipe and on the client's socket. */
static int version_pipe;

static void
version_to_pipe(void)
{
	dup2(version_pipe, 1);
}

static void
version(void)
{
	static const char *const args[] = { "-V", NULL };
	struct session t;
	char line[64];
	int end[2];

	begin_without(&t, 0, "", args);
	expect_end(t.fd[CLIENT], RST);
	expect_status(&t, 0);
	if (pipe2(end, O_CLOEXEC) == -1)
		fail("pipe: %s", strerror(errno));
	version_pipe = end[1];
	relay_setup = version_to_pipe;
	begin_without(&t, 0, "", args);
	expect_end(t.fd[CLIENT], RST);
	expect_status(&t, 0);
	read_line(end[0], line, sizeof line);
	if (strncmp(line, "stfl-relay ", 11) != 0)
		fail("it says %s", line);
}

/* Long waits come first: they pass beside all the rest. */
static const struct test tests[] = {
	{ "a client that takes little at a time gets all that a target had "
	    "sent, then its reset", target_reset_while_far_dribbles },
	{ "a target that takes little at a time gets all that a client had "
	    "sent, then its reset", client_reset_while_far_dribbles },
	{ "a client's reset is seen though the target has finished and takes "
	    "nothing", client_reset_while_far_is_done_for },
	{ "a target's reset is seen though the client has finished and takes "
	    "nothing", target_reset_while_far_is_done_for },
	{ "an idle session does not wake up in ten seconds", never_wakes_up },
	{ "a client whose window stays closed is not given up",
	    target_closed_window_lives },
	{ "a target whose window stays closed is not given up",
	    client_closed_window_lives },
	{ "a wedged syslogd delays no peer, and the process's end by five "
	    "seconds at most", wedged_syslogd },
	{ "a full pipe on descriptor 2 delays no peer, and the process's end "
	    "by five seconds at most", full_pipe },
	{ "a client that vanishes becomes a reset at the target",
	    client_vanished_idle },
	{ "a target that vanishes becomes a reset at the client",
	    target_vanished_idle },
	{ "a client that vanishes before it took all becomes a reset at the "
	    "target", client_vanished_busy },
	{ "a target that vanishes before it took all becomes a reset at the "
	    "client", target_vanished_busy },
	{ "-T resets both sides when no byte has moved for so long",
	    idle_limit },
	{ "-T is not put off by signals",
	    idle_limit_and_signals },
	{ "-t resets both sides when a client has finished and no byte has "
	    "moved since", client_half_closed_limit },
	{ "-t resets both sides when a target has finished and no byte has "
	    "moved since", target_half_closed_limit },
	{ "a slow target gets all that a client had sent, then its reset",
	    client_reset_while_far_is_slow },
	{ "a target that has finished and is slow gets all that a client had "
	    "sent, then its reset", client_reset_while_far_is_done_and_stuck },
	{ "a client that has finished and is slow gets all that a target had "
	    "sent, then its reset", target_reset_while_far_is_done_and_stuck },
	{ "a slow client gets all that a target had sent, then its reset",
	    target_reset_while_far_is_slow },

	/* FIN */
	{ "a client's FIN follows its last byte, and a reply of 1 MiB comes "
	    "1.5 s later", client_half_close },
	{ "a target's FIN follows its last byte, and the client sends 1 MiB "
	    "1.5 s later", target_half_close },
	{ "no tail is lost of 150 replies whose target closes at once",
	    target_tails },
	{ "no tail is lost of 150 requests whose client closes at once",
	    client_tails },
	{ "what a slow client has still to take outlives the process",
	    target_slow_tail },
	{ "what a slow target has still to take outlives the process",
	    client_slow_tail },
	{ "FIN from both ends the session with end=eof and status 0",
	    both_finish },
	{ "bytes and FIN from before the target is connected are carried",
	    fin_before_target },

	/* RST */
	{ "a client's reset becomes a reset at the target",
	    client_bare_reset },
	{ "a target's reset becomes a reset at the client",
	    target_bare_reset },
	{ "what the client sent comes before its reset",
	    client_reset_with_bytes },
	{ "what the target sent comes before its reset",
	    target_reset_with_bytes },
	{ "a client that has finished may still reset",
	    client_reset_after_own_fin },
	{ "a target that has finished may still reset",
	    target_reset_after_own_fin },
	{ "a client's reset passes a target that has finished",
	    client_reset_after_others_fin },
	{ "a target's reset passes a client that has finished",
	    target_reset_after_others_fin },
	{ "a client's FIN and the reset right behind it both arrive",
	    client_reset_right_behind_fin },
	{ "a target's FIN and the reset right behind it both arrive",
	    target_reset_right_behind_fin },
	{ "a client's FIN that crosses the target's and the reset behind it "
	    "both arrive", client_reset_right_behind_crossing_fin },
	{ "a target's FIN that crosses the client's and the reset behind it "
	    "both arrive", target_reset_right_behind_crossing_fin },
	{ "a client's FIN arrives though the client is given up before it is "
	    "seen", client_vanished_behind_fin },
	{ "a target's FIN arrives though the target is given up before it is "
	    "seen", target_vanished_behind_fin },
	{ "a client's FIN from before the relay arrives, and the reset behind it",
	    reset_behind_early_fin },
	{ "a reset is no FIN, though the parent had read a byte",
	    reset_after_read },
	{ "a reset is no FIN, though two urgent bytes came before the relay",
	    reset_after_urgent },
	{ "a target that resets before it is seen to be connected has its "
	    "bytes carried", target_reset_at_once },
	{ "a target that resets behind FIN before it is seen to be connected "
	    "has both carried", target_fin_and_reset_at_once },
	{ "the wait for a slow client costs no CPU, and a signal ends it",
	    target_last_words_and_signal },
	{ "the wait for a slow target costs no CPU, and a signal ends it",
	    client_last_words_and_signal },
	{ "both peers are probed after 60 seconds, after -k, or never with "
	    "-k 0", keepalive_times },

	/* Urgent data */
	{ "an urgent byte that is a client's first arrives with its mark",
	    client_urgent_first },
	{ "an urgent byte that is a target's first arrives with its mark",
	    target_urgent_first },
	{ "an urgent byte in the middle of a client's bytes keeps place and "
	    "mark", client_urgent_middle },
	{ "an urgent byte in the middle of a target's bytes keeps place and "
	    "mark", target_urgent_middle },
	{ "an urgent byte that is a client's last arrives with its mark",
	    client_urgent_last },
	{ "an urgent byte that is a target's last arrives with its mark",
	    target_urgent_last },
	{ "an urgent byte that is a client's only one arrives with its mark",
	    client_urgent_alone },
	{ "an urgent byte that is a target's only one arrives with its mark",
	    target_urgent_alone },
	{ "a client's urgent byte and FIN behind it both arrive",
	    client_urgent_before_fin },
	{ "a target's urgent byte and FIN behind it both arrive",
	    target_urgent_before_fin },
	{ "ten urgent bytes of a client arrive with their marks",
	    client_ten_urgent },
	{ "ten urgent bytes of a target arrive with their marks",
	    target_ten_urgent },
	{ "urgent bytes both ways at once keep their places and marks",
	    urgent_each_way },
	{ "an urgent byte in 8 MiB from a client keeps place and mark",
	    client_urgent_in_bulk },
	{ "an urgent byte in 8 MiB from a target keeps place and mark",
	    target_urgent_in_bulk },
	{ "an urgent byte behind a lost segment is waited for, without a spin",
	    urgent_behind_lost },
	{ "an urgent byte whose lost segment comes as the relay reads keeps "
	    "its mark", urgent_behind_late },
	{ "a target without SO_OOBINLINE gets the urgent byte by MSG_OOB",
	    client_urgent_out_of_line },
	{ "a client without SO_OOBINLINE gets the urgent byte by MSG_OOB",
	    target_urgent_out_of_line },
	{ "an urgent byte before a client's reset keeps place and mark",
	    client_reset_behind_urgent },
	{ "an urgent byte before a target's reset keeps place and mark",
	    target_reset_behind_urgent },

	/* No target */
	{ "a target that refuses is RST at the client, without a byte: 69",
	    refused },
	{ "a target that does not answer within -w is RST at the client: 69",
	    times_out },
	{ "what passes before the relay gets to its target counts for -w",
	    times_out_in_all },
	{ "a target without a route is RST at the client: 69", unreachable },
	{ "a name that nobody knows is RST at the client: 68", unknown_name },
	{ "a look-up is given up after -w: RST at the client, 69",
	    silent_nameserver },
	{ "a client that resets while the target is being connected ends the "
	    "attempt at once", client_leaves },
	{ "a client that resets during the look-up ends it at once",
	    leaves_while_resolving },
	{ "signals work while the target is being connected",
	    signal_while_dialing },
	{ "a target that would be ourselves is refused", connects_to_itself },
	{ "the target may be a name", name_of_target },
	{ "each address of a name is tried until one answers",
	    next_address },
	{ "the addresses of a name are tried in order", addresses_in_order },
	{ "an address that is silent leaves time for the next within -w",
	    silent_address },

	/* Loop */
	{ "a dual-stack listener that relays to itself stops after at most "
	    "two processes, with status 78", loop },
	{ "a dual-stack listener that relays to 0.0.0.0, :: or a mapped "
	    "address of its own stops after at most two processes, with "
	    "status 78", loop_by_another_name },
	{ "so it does when the target is a name for such an address",
	    loop_by_host_name },

	/* Signals */
	{ "SIGTERM and SIGHUP reset both sides", signals_end_it },
	{ "SIGUSR1 logs the line so far, and the session goes on",
	    line_so_far },

	/* Backpressure */
	{ "small pieces from a client are not held back",
	    client_small_pieces },
	{ "small pieces from a target are not held back",
	    target_small_pieces },
	{ "128 MiB each way at once arrive unchanged", bulk },
	{ "a target that reads nothing stalls its own direction alone, in "
	    "constant memory and without CPU", client_stalled_reader },
	{ "a client that reads nothing stalls its own direction alone, in "
	    "constant memory and without CPU", target_stalled_reader },
	{ "a client's bulk leaves the target its turn", client_turn_beside_bulk },
	{ "a target's bulk leaves the client its turn", target_turn_beside_bulk },

	/* The line */
	{ "secs is the time since the relay's start", seconds_taken },
	{ "IPv4 clients, mapped or not, are served and logged as what they "
	    "are", ipv4_clients },
	{ "a port left out is the one that the client dialled",
	    dialled_port },
	{ "the port may be a name from services(5)", service_name },
	{ "descriptor 2 gets nothing when all is well", silence_when_well },
	{ "syslogd gets one line a session, with -v two, with -q none",
	    syslog_lines },
	{ "syslogd gets a failure as a warning", syslog_failures },
	{ "syslogd gets the operator's mistake as an error", syslog_usage },
	{ "a syslogd that recovers in time gets the line", syslogd_recovers },

	/* What is inherited */
	{ "signals that the parent ignored and blocked work",
	    inherited_signals },
	{ "an alarm that the parent has set does no harm", inherited_alarm },
	{ "umask, environment, limits and a removed directory do no harm",
	    hostile_session },
	{ "the environment does not change what is looked up",
	    hostile_resolver },
	{ "stray descriptors are closed", stray_descriptors },
	{ "five descriptors are enough", limit_of_five },
	{ "a system call that fails is RST at the client: 71",
	    system_error },
	{ "closed descriptors 1 and 2 do no harm", closed_one_and_two },
	{ "a client that is gone already is a quiet exit", client_gone },

	/* Bad input */
	{ "a bad command line gets one line that names the bad value, usage, "
	    "and status 64", bad_command_lines },
	{ "a bad command line gets a client RST and not a byte",
	    bad_lines_as_inetd },
	{ "a standard input that is no TCP connection is refused in words",
	    bad_standard_input },
	{ "the version is printed, but never to the client", version }
};

int
main(int argc, char *argv[])
{
	return run_tests(tests, sizeof tests / sizeof tests[0], argc - 1,
	    argv + 1);
}
