/*
 * Rules in which time matters: slow readers, peers that pause for longer than
 * the other's system remembers, limits, and who is alive.  A test stands under
 * the rule that it shows, as in rules.c.  Each has a network of its own, in
 * which the system's own times are short.
 */

#include "peers.h"

#include <stdio.h>

#ifndef __linux__

int
main(void)
{
	puts("skip - a slow reader is waited for: needs Linux namespaces");
	return 0;
}

#else

#include <sys/ioctl.h>

#include <net/if.h>
#include <netinet/tcp.h>

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CLIENT, TARGET, NOBODY };	/* the sides */
enum { KIB = 1024, MIB = 1024 * KIB };

/*
 * Milliseconds.  SLOWLY is for readers that go on after longer than any relay
 * that looks at the clock would wait; LIMIT is what -T and -t are given here.
 */
enum { SLOWLY = 20500, LIMIT = 2000 };
#define LIMIT_TEXT "2"

/* A session may end this many times later than it should on a slow machine. */
enum { SLOW_MACHINE = 3 };

/* And so late after a peer has vanished: at -k 1 TCP asks ever more rarely. */
enum { MISSED = 6000 };

struct session {
	struct relay relay;
	pid_t pid;		/* the relay's, also when it is over */
	int fd[2];		/* the peers' own sockets */
	int port[2];		/* theirs, also when they are closed */
	int relay_port[2];	/* and the relay's, towards them */
};

/*
 * A rule holds each way: near is the side that acts, far sees it.  What is
 * called with near is a test of its own for a client and for a target there.
 */
#define EACH_WAY(test, call) \
static void client_##test(void) { const int near = CLIENT; call; } \
static void target_##test(void) { const int near = TARGET; call; }

static const char *const reset_of[] = { "client-reset", "target-reset" };
static const char *const timeout_of[] = { "client-timeout", "target-timeout" };

static void
pause_for(int ms)
{
	poll(NULL, 0, ms);
}

/* Sessions. */

/*
 * A network as others are, and not of packets larger than a window, in which a
 * closed connection is forgotten after a second, receivers have so many bytes
 * of buffer, and senders 4 MiB.
 */
static void
own_network(int receive)
{
	struct ifreq ifr;
	int fd;

	apart();
	memset(&ifr, 0, sizeof ifr);
	memcpy(ifr.ifr_name, "lo", 3);
	ifr.ifr_mtu = 1500;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd == -1 || ioctl(fd, SIOCSIFMTU, &ifr) == -1)
		fail("SIOCSIFMTU: %s", strerror(errno));
	close(fd);
	put_file("/proc/sys/net/ipv4/tcp_fin_timeout", "1");
	put_file("/proc/sys/net/ipv4/tcp_rmem", "4096 %d %d", receive, receive);
	put_file("/proc/sys/net/ipv4/tcp_wmem", "4096 %d %d", 4 * MIB, 4 * MIB);
}

static int
peer_port(int fd)
{
	struct sockaddr_in6 in6;	/* sockaddr_in has it there, too */
	socklen_t len;

	len = sizeof in6;
	if (getpeername(fd, (struct sockaddr *)&in6, &len) == -1)
		fail("getpeername: %s", strerror(errno));
	return ntohs(in6.sin6_port);
}

static void
begin(struct session *t, const char *option, const char *value,
    const char *option2, const char *value2)
{
	int side;
	char c;

	relay_session(&t->relay, option, value, option2, value2, NULL);
	do			/* a first line, of its start */
		if (!readable(t->relay.err, SOON) ||
		    read(t->relay.err, &c, 1) != 1)
			fail("no line is logged");
	while (c != '\n');
	t->pid = t->relay.pid;
	t->fd[CLIENT] = t->relay.client;
	t->fd[TARGET] = t->relay.target;
	for (side = CLIENT; side <= TARGET; side++) {
		t->port[side] = port_of(t->fd[side]);
		t->relay_port[side] = peer_port(t->fd[side]);
	}
}

/*
 * The relay ends with status 0, and its line says that so many bytes came from
 * this side and went back to it, and why it has ended.
 */
static void
expect_over(struct session *t, int side, const char *end, size_t sent,
    size_t back)
{
	char text[2048], want[128];
	const char *p;
	int status;

	status = relay_status(&t->relay, SOON);
	if (status != 0)
		fail("exit status %d", status);
	relay_stderr(&t->relay, text, sizeof text);
	snprintf(want, sizeof want, " up=%zu down=%zu ",
	    side == CLIENT ? sent : back, side == CLIENT ? back : sent);
	if (strstr(text, want) == NULL)
		fail("logged \"%s\" and not%s", text, want);
	snprintf(want, sizeof want, " end=%s", end);
	p = strstr(text, want);
	if (p == NULL || strchr(" \n", p[strlen(want)]) == NULL)
		fail("logged \"%s\" and not%s", text, want);
}

/* Both sides have got it all: FIN from whoever has not finished yet. */
static void
finish_both(struct session *t, int near, int finished)
{
	if (finished != near)
		finish(t->fd[near]);
	expect_end(t->fd[!near], FIN);
	if (finished == !near)
		return;
	finish(t->fd[!near]);
	expect_end(t->fd[near], FIN);
}

/* Sockets, as their systems have them. */

/* tcp(7): the state of this side's connection; 0: its system knows it not. */
static int
state_at(int side, int local, int remote)
{
	char line[256];
	FILE *f;
	unsigned here, there, state, found;
	int family;

	family = side == CLIENT ? client_family() : target_family();
	f = fopen(family == AF_INET ? "/proc/self/net/tcp" :
	    "/proc/self/net/tcp6", "r");
	if (f == NULL)
		skip("no list of sockets in /proc");
	found = 0;
	while (fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "%*d: %*[0-9A-F]:%x %*[0-9A-F]:%x %x", &here,
		    &there, &state) == 3 && here == (unsigned)local &&
		    there == (unsigned)remote)
			found = state;
	fclose(f);
	return (int)found;
}

static int
peer_state(const struct session *t, int side)
{
	return state_at(side, t->port[side], t->relay_port[side]);
}

static int
relay_state(const struct session *t, int side)
{
	return state_at(side, t->relay_port[side], t->port[side]);
}

/* Wait until one end of a connection is forgotten. */
static void
expect_forgotten(const struct session *t, int side,
    int state(const struct session *, int))
{
	int64_t end;

	end = milliseconds() + SOON;
	while (state(t, side) != 0) {
		if (milliseconds() > end)
			fail("a connection that is over stays known");
		pause_for(10);
	}
}

/* Bytes that wait to be read. */
static int
arrived(int fd)
{
	int n;

	if (ioctl(fd, FIONREAD, &n) == -1)
		fail("FIONREAD: %s", strerror(errno));
	return n;
}

/* Wait until nothing comes any more. */
static void
settle(int fd)
{
	int before;

	do {
		before = arrived(fd);
		pause_for(100);
	} while (before == 0 || arrived(fd) != before);
}

static int
broken(int fd)
{
	struct pollfd p;

	p.fd = fd;
	p.events = 0;
	return poll(&p, 1, 0) == 1;
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

/*
 * A side that has sent FIN is then forgotten by its system, because it had
 * closed for good: the other gets every byte and FIN, however long its reader
 * takes, and no RST.
 */

/*
 * Send so much and close for good, now or once all is with the relay.  The far
 * side reads only what is too much for the relay: give how much that was.
 */
static size_t
send_and_close(struct session *t, int near, size_t size, int late)
{
	size_t got;
	int state;

	send_stream(t->fd[near], 1, 0, size);
	if (late)
		finish(t->fd[near]);
	else
		close(t->fd[near]);
	for (got = 0;; got += 16 * KIB) {
		pause_for(100);
		state = peer_state(t, near);
		if (state != TCP_ESTABLISHED && state != TCP_FIN_WAIT1)
			break;
		expect_stream(t->fd[!near], 1, got, 16 * KIB);
	}
	if (late)
		close(t->fd[near]);
	expect_forgotten(t, near, peer_state);
	return got;
}

static void
paused(int near, int late, int ms)
{
	const size_t size = 3 * MIB;
	struct session t;
	size_t got;

	own_network(64 * KIB);
	begin(&t, "-k", "1", NULL, NULL);
	got = send_and_close(&t, near, size, late);
	expect_forgotten(&t, near, relay_state);
	pause_for(ms);
	expect_stream(t.fd[!near], 1, got, size - got);
	expect_end(t.fd[!near], FIN);
	expect_over(&t, near, "eof", size, 0);
	if (broken(t.fd[!near]))
		fail("RST after FIN");
}

EACH_WAY(forgotten_for_long, paused(near, 0, SLOWLY))
EACH_WAY(forgotten_late, paused(near, 1, 0))

/* A byte of the far side's meets RST; with -k 0 nothing else would tell. */
static void
forgotten_and_told(int near)
{
	const size_t size = 3 * MIB;
	struct session t;
	size_t got;

	own_network(64 * KIB);
	begin(&t, "-k", "0", NULL, NULL);
	got = send_and_close(&t, near, size, 0);
	send_stream(t.fd[!near], 2, 0, 1);
	expect_forgotten(&t, near, relay_state);
	pause_for(SLOWLY);
	expect_stream(t.fd[!near], 1, got, size - got);
	expect_end(t.fd[!near], FIN);
	expect_over(&t, near, reset_of[near], size, 1);
}
EACH_WAY(forgotten_and_told, forgotten_and_told(near))

/* The far side says nothing more, but stays. */
static void
forgotten_by_stayer(int near)
{
	struct tcp_info info;
	struct session t;
	socklen_t len;

	own_network(64 * KIB);
	begin(&t, "-k", "1", NULL, NULL);
	send_stream(t.fd[!near], 2, 0, 500);
	expect_stream(t.fd[near], 2, 0, 500);
	send_stream(t.fd[near], 1, 0, 1000);
	close(t.fd[near]);
	expect_stream(t.fd[!near], 1, 0, 1000);
	expect_end(t.fd[!near], FIN);
	expect_over(&t, near, "eof", 1000, 500);
	len = sizeof info;
	if (getsockopt(t.fd[!near], IPPROTO_TCP, TCP_INFO, &info, &len) == -1)
		fail("TCP_INFO: %s", strerror(errno));
	if (broken(t.fd[!near]) || info.tcpi_state != TCP_CLOSE_WAIT)
		fail("the side that stays is in state %d", info.tcpi_state);
	send_all(t.fd[!near], "x", 1);
	expect_reset(t.fd[!near]);
	if (send(t.fd[!near], "x", 1, MSG_NOSIGNAL) != -1)
		fail("it sends on, and nobody gets it");
}
EACH_WAY(forgotten_by_stayer, forgotten_by_stayer(near))

/*
 * One side resets before it sent FIN: what had already been read, then RST.  A
 * reader is waited for as long as its system answers.
 */
static void
aborted_for_long(int near)
{
	const size_t size = 2 * MIB;
	struct session t;

	own_network(64 * KIB);
	begin(&t, "-k", "1", NULL, NULL);
	send_stream(t.fd[near], 1, 0, size);
	wait_acked(t.fd[near]);
	reset_now(&t.fd[near]);
	pause_for(SLOWLY);
	expect_stream(t.fd[!near], 1, 0, size);
	expect_end(t.fd[!near], RST);
	expect_over(&t, near, reset_of[near], size, 0);
}
EACH_WAY(aborted_for_long, aborted_for_long(near))

/*
 * -T and -t: no byte has moved for so long.  One has when it came from a peer
 * or was acknowledged by one.
 */

/* The relay has all at once, and the reader takes more than three limits. */
static void
slow_reader(int near, const char *option, int finished)
{
	enum { PIECE = 8 * KIB, PIECES = 65, PAUSE = 100 };
	const size_t size = PIECE * PIECES;
	struct session t;
	size_t i;

	own_network(16 * KIB);
	begin(&t, option, LIMIT_TEXT, NULL, NULL);
	if (finished == !near) {
		finish(t.fd[!near]);
		expect_end(t.fd[near], FIN);
	}
	send_stream(t.fd[near], 1, 0, size);
	if (finished == near)
		finish(t.fd[near]);
	for (i = 0; i < PIECES; i++) {
		pause_for(PAUSE);
		expect_stream(t.fd[!near], 1, i * PIECE, PIECE);
	}
	finish_both(&t, near, finished);
	expect_over(&t, near, "eof", size, 0);
}

EACH_WAY(slow_in_mid_stream, slow_reader(near, "-T", NOBODY))
EACH_WAY(slow_after_others_fin, slow_reader(near, "-t", near))
EACH_WAY(slow_after_own_fin, slow_reader(near, "-t", !near))

/* What becomes of the near side while the far side reads nothing. */
enum fate { STAYS, HAS_FINISHED, IS_GONE, FAR_HAS_FINISHED };

/* The near side sends 1 MiB, and the relay has it. */
static void
stall(struct session *t, int near, enum fate fate)
{
	if (fate == FAR_HAS_FINISHED) {
		finish(t->fd[!near]);
		expect_end(t->fd[near], FIN);
	}
	send_stream(t->fd[near], 1, 0, MIB);
	if (fate == HAS_FINISHED)
		finish(t->fd[near]);
	wait_acked(t->fd[near]);
	if (fate == IS_GONE)
		reset_now(&t->fd[near]);
}

/*
 * The last byte that moves is one that comes after `since', for the far side
 * reads more than its buffer holds.
 */
static void
stalled(int near, const char *option, enum fate fate, const char *end)
{
	struct session t;
	int64_t since, settled, took;

	own_network(16 * KIB);
	begin(&t, option, LIMIT_TEXT, "-k", "1");
	stall(&t, near, fate);
	since = milliseconds();
	expect_stream(t.fd[!near], 1, 0, 64 * KIB);
	settled = milliseconds();
	if (fate != IS_GONE)
		expect_reset(t.fd[near]);
	expect_reset(t.fd[!near]);
	took = milliseconds() - since;
	if (took < LIMIT)
		fail("after %lld ms", (long long)took);
	took = milliseconds() - settled;
	if (took > LIMIT * 3 / 2 * SLOW_MACHINE)
		fail("only after %lld ms", (long long)took);
	expect_over(&t, near, end, MIB, 0);
}

EACH_WAY(stalled_open, stalled(near, "-T", STAYS, "idle"))
EACH_WAY(stalled_finished, stalled(near, "-T", HAS_FINISHED, "idle"))
EACH_WAY(stalled_half_closed, stalled(near, "-t", HAS_FINISHED, "half-closed"))
EACH_WAY(stalled_after_own_fin,
    stalled(near, "-t", FAR_HAS_FINISHED, "half-closed"))
EACH_WAY(stalled_gone, stalled(near, "-T", IS_GONE, reset_of[near]))

/* A silent peer, by -k: its window is closed, and then it is lost. */
static void
lost(int near, enum fate fate, const char *end)
{
	struct session t;
	int64_t since, took;

	own_network(16 * KIB);
	begin(&t, "-k", "1", NULL, NULL);
	stall(&t, near, fate);
	settle(t.fd[!near]);
	vanish(t.fd[!near]);
	since = milliseconds();
	if (fate != IS_GONE)
		expect_reset(t.fd[near]);
	expect_over(&t, near, end, MIB, 0);
	took = milliseconds() - since;
	if (took > MISSED)
		fail("only after %lld ms", (long long)took);
}

EACH_WAY(lost_open, lost(near, STAYS, timeout_of[!near]))
EACH_WAY(lost_finished, lost(near, HAS_FINISHED, timeout_of[!near]))
EACH_WAY(lost_gone, lost(near, IS_GONE, reset_of[near]))

/*
 * A peer that sends is alive, though it acknowledges nothing: large segments do
 * not get through to it, as on a path whose MTU nobody tells.
 */
static void
sends_alone(int near)
{
	enum { BYTES = 55, SEGMENT = 1200 };
	struct session t;
	int i;

	own_network(64 * KIB);
	begin(&t, "-k", "1", NULL, NULL);
	lose(t.fd[near], 1000);
	send_stream(t.fd[!near], 2, 0, SEGMENT);
	for (i = 0; i < BYTES; i++) {
		pause_for(100);
		send_stream(t.fd[near], 1, (uint64_t)i, 1);
	}
	lose_nothing(t.fd[near]);
	expect_stream(t.fd[near], 2, 0, SEGMENT);
	expect_stream(t.fd[!near], 1, 0, BYTES);
	finish_both(&t, near, NOBODY);
	expect_over(&t, near, "eof", BYTES, SEGMENT);
}
EACH_WAY(sends_alone, sends_alone(near))

/* What is not needed. */

/* How often the relay has gone to sleep. */
static long
sleeps_of(pid_t pid)
{
	static const char key[] = "voluntary_ctxt_switches:";
	char path[64], line[256];
	FILE *f;
	long n;

	snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
	f = fopen(path, "r");
	if (f == NULL)
		skip("no %s", path);
	n = -1;
	while (n == -1 && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, key, sizeof key - 1) == 0)
			n = atol(line + sizeof key - 1);
	fclose(f);
	return n;
}

/* At most six looks from the last byte that moved until -T ends the session. */
static void
looks(int near, int unsent)
{
	struct session t;
	long first, last;

	own_network(16 * KIB);
	begin(&t, "-T", LIMIT_TEXT, NULL, NULL);
	if (unsent) {
		stall(&t, near, STAYS);
		settle(t.fd[!near]);
	}
	first = last = sleeps_of(t.pid);
	while (!readable(t.relay.err, 20))
		last = sleeps_of(t.pid);
	if (last - first > 6)
		fail("%ld looks", last - first);
	expect_over(&t, near, "idle", unsent ? MIB : 0, 0);
}

static void
few_looks(void)
{
	looks(CLIENT, 0);
}

EACH_WAY(few_looks_at_unsent, looks(near, 1))

/* How many ends of pipes the relay has; its 2 is one, too. */
static int
pipes_of(pid_t pid)
{
	char path[300], to[16];
	struct dirent *e;
	DIR *d;
	ssize_t n;
	int pipes;

	snprintf(path, sizeof path, "/proc/%ld/fd", (long)pid);
	d = opendir(path);
	if (d == NULL)
		skip("%s: %s", path, strerror(errno));
	pipes = 0;
	while ((e = readdir(d)) != NULL) {
		snprintf(path, sizeof path, "/proc/%ld/fd/%s", (long)pid,
		    e->d_name);
		n = readlink(path, to, sizeof to);
		pipes += n > 5 && strncmp(to, "pipe:", 5) == 0;
	}
	closedir(d);
	return pipes;
}

/* The far side sends a byte each 100 ms, if it talks at all. */
static void
pipe_given_back(int near, const char *keepalive, int talks)
{
	enum { SENT = 8 * MIB, TURNS = 80 };
	struct session t;
	pid_t sender;
	size_t said;
	int pipes, turns;

	apart();
	begin(&t, "-k", keepalive, NULL, NULL);
	said = 0;
	if (talks) {
		send_stream(t.fd[!near], 2, said, 1);
		expect_stream(t.fd[near], 2, said++, 1);
	}
	pipes = pipes_of(t.pid);
	sender = aside(send_stream, t.fd[near], 1, SENT);
	expect_stream(t.fd[!near], 1, 0, SENT);
	expect_done(sender);
	for (turns = 0; pipes_of(t.pid) > pipes; turns++) {
		if (turns == TURNS)
			fail("a pipe is held");
		pause_for(100);
		send_stream(t.fd[!near], 2, said, (size_t)talks);
		expect_stream(t.fd[near], 2, said, (size_t)talks);
		said += (size_t)talks;
	}
	finish_both(&t, near, NOBODY);
	expect_over(&t, near, "eof", SENT, said);
}

EACH_WAY(pipe_of_bulk, pipe_given_back(near, "0", 0))
EACH_WAY(pipe_beside_talk, pipe_given_back(near, "1", 1))

/* Long waits come first: they pass beside all the rest. */
static const struct test tests[] = {
	{ "a client that pauses for 20 s gets all of a target that closed and "
	    "is forgotten", target_forgotten_for_long },
	{ "a target that pauses for 20 s gets all of a client that closed and "
	    "is forgotten", client_forgotten_for_long },
	{ "a client that pauses for 20 s gets all that a target had sent, then "
	    "its reset", target_aborted_for_long },
	{ "a target that pauses for 20 s gets all that a client had sent, then "
	    "its reset", client_aborted_for_long },
	{ "a client that speaks to a target that closed gets all the same, "
	    "after 20 s, with -k 0", target_forgotten_and_told },
	{ "a target that speaks to a client that closed gets all the same, "
	    "after 20 s, with -k 0", client_forgotten_and_told },
	{ "-T spares a client that takes 80 kB/s of what the target has sent",
	    target_slow_in_mid_stream },
	{ "-T spares a target that takes 80 kB/s of what the client has sent",
	    client_slow_in_mid_stream },
	{ "-t spares a client that takes 80 kB/s of a target that has finished",
	    target_slow_after_others_fin },
	{ "-t spares a target that takes 80 kB/s of a client that has finished",
	    client_slow_after_others_fin },
	{ "-t spares a client that has finished and takes 80 kB/s",
	    target_slow_after_own_fin },
	{ "-t spares a target that has finished and takes 80 kB/s",
	    client_slow_after_own_fin },
	{ "-k spares a client that sends and loses large segments",
	    client_sends_alone },
	{ "-k spares a target that sends and loses large segments",
	    target_sends_alone },
	{ "a pipe is given back after a target's bulk, with -k 0",
	    target_pipe_of_bulk },
	{ "a pipe is given back after a client's bulk, with -k 0",
	    client_pipe_of_bulk },
	{ "a pipe is given back after a target's bulk while the client talks",
	    target_pipe_beside_talk },
	{ "a pipe is given back after a client's bulk while the target talks",
	    client_pipe_beside_talk },
	{ "-T ends a session whose client stands still",
	    target_stalled_open },
	{ "-T ends a session whose target stands still",
	    client_stalled_open },
	{ "-T ends a session whose client stands still, after the target's FIN",
	    target_stalled_finished },
	{ "-T ends a session whose target stands still, after the client's FIN",
	    client_stalled_finished },
	{ "-t ends a session whose client stands still, after the target's FIN",
	    target_stalled_half_closed },
	{ "-t ends a session whose target stands still, after the client's FIN",
	    client_stalled_half_closed },
	{ "-t ends a session whose client has finished and stands still",
	    target_stalled_after_own_fin },
	{ "-t ends a session whose target has finished and stands still",
	    client_stalled_after_own_fin },
	{ "-T ends a session whose client stands still, after the target's "
	    "reset", target_stalled_gone },
	{ "-T ends a session whose target stands still, after the client's "
	    "reset", client_stalled_gone },
	{ "-T has few looks taken at an idle session", few_looks },
	{ "-T has few looks taken at a client that stands still",
	    target_few_looks_at_unsent },
	{ "-T has few looks taken at a target that stands still",
	    client_few_looks_at_unsent },
	{ "a client that stood still and vanishes is missed",
	    target_lost_open },
	{ "a target that stood still and vanishes is missed",
	    client_lost_open },
	{ "a client that stood still and vanishes after the target's FIN is "
	    "missed", target_lost_finished },
	{ "a target that stood still and vanishes after the client's FIN is "
	    "missed", client_lost_finished },
	{ "a client that stood still and vanishes after the target's reset is "
	    "missed", target_lost_gone },
	{ "a target that stood still and vanishes after the client's reset is "
	    "missed", client_lost_gone },
	{ "a client gets all and no reset of a target that finished, closed "
	    "and is forgotten", target_forgotten_late },
	{ "a target gets all and no reset of a client that finished, closed "
	    "and is forgotten", client_forgotten_late },
	{ "a client may stay in silence when its target is forgotten, and the "
	    "relay ends", target_forgotten_by_stayer },
	{ "a target may stay in silence when its client is forgotten, and the "
	    "relay ends", client_forgotten_by_stayer }
};

int
main(int argc, char *argv[])
{
	return run_tests(tests, sizeof tests / sizeof tests[0], argc - 1,
	    argv + 1);
}

#endif
