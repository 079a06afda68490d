/*
 * Every system call can fail: each call of a session is made to fail with each
 * errno that its manual lists: once, at its first, second and each later use,
 * and always.  What must never be: a crash, a spin, an end later than the
 * limits allow, a wrong byte, or a FIN that hides that bytes were lost.
 *
 * Those are many, so make check takes every so-manieth fault, and make
 * check-faults (FAULTS=all) takes them all.  FAULTS=sendto:2:32 is only the
 * second sendto, with errno 32 (0:32: each; -1 for the errno: it does less than
 * was asked for; -3: the relay is killed in its stead).  FAULTS_LIST=1 prints
 * each fault and what came of it.  RELAY_BULK is the relay that takes every
 * flow for bulk.
 */

#include "peers.h"
#include "traced.h"

#include <stdio.h>

#if !defined(__linux__) || (!defined(__x86_64__) && !defined(__i386__))

int
main(void)
{
	puts("ok - no call that fails hides a loss # SKIP this system's ptrace is "
	    "not known here");
	return 0;
}

#else

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SAMPLE = 7,
	MOST_ERRORS = 24,
	LIMIT = 12000,		/* ms for a session whose options say 5 s */
	HEADER = 52,		/* bytes of a PROXY header, version 2 */
	MOST_BYTES = 400000	/* that a side sends */
};

/*
 * The calls, each with what its manual says that it may fail with.  Those that
 * only say that an address or a descriptor is wrong are in: who knows.
 */
static const struct call {
	const char *name;
	long number;
	int errors[MOST_ERRORS];
} calls[] = {
#define CALL(name, ...) { #name, SYS_ ## name, { __VA_ARGS__ } }
	CALL(rt_sigaction, EFAULT, EINVAL),
	CALL(rt_sigprocmask, EFAULT, EINVAL),
	CALL(close_range, EINVAL, EMFILE, ENOMEM, ENOSYS),
#ifdef SYS_newfstatat
	CALL(newfstatat, EACCES, EBADF, EFAULT, ELOOP, ENOENT, ENOMEM,
	    ENOTDIR, EOVERFLOW),
#endif
#ifdef SYS_fstat
	CALL(fstat, EBADF, EFAULT, ENOMEM, EOVERFLOW),
#endif
#ifdef SYS_fstat64
	CALL(fstat64, EBADF, EFAULT, ENOMEM, EOVERFLOW),
#endif
#ifdef SYS_fstatat64
	CALL(fstatat64, EBADF, EFAULT, ENOMEM, EOVERFLOW),
#endif
	CALL(statx, EACCES, EBADF, EFAULT, EINVAL, ENOENT, ENOMEM, ENOTDIR),
	CALL(socket, EACCES, EAFNOSUPPORT, EINVAL, EMFILE, ENFILE, ENOBUFS,
	    ENOMEM, EPROTONOSUPPORT),
	/* Not EBUSY, at which musl asks again, and would for ever. */
#ifdef SYS_dup2
	CALL(dup2, EBADF, EINTR, EMFILE),
#endif
	CALL(dup3, EBADF, EINTR, EINVAL, EMFILE),
	CALL(connect, EACCES, EPERM, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT,
	    EAGAIN, EALREADY, EBADF, ECONNREFUSED, EFAULT, EINPROGRESS, EINTR,
	    EISCONN, ENETUNREACH, ENOTSOCK, EPROTOTYPE, ETIMEDOUT),
	CALL(bind, EACCES, EADDRINUSE, EBADF, EINVAL, ENOTSOCK, EADDRNOTAVAIL,
	    EFAULT, ENOMEM),
	CALL(getsockname, EBADF, EFAULT, EINVAL, ENOBUFS, ENOTSOCK),
	CALL(getpeername, EBADF, EFAULT, EINVAL, ENOBUFS, ENOTCONN, ENOTSOCK),
	CALL(getsockopt, EBADF, EFAULT, EINVAL, ENOPROTOOPT, ENOTSOCK),
	CALL(setsockopt, EBADF, EFAULT, EINVAL, ENOPROTOOPT, ENOTSOCK, EDOM,
	    ENOMEM),
	CALL(fcntl, EACCES, EAGAIN, EBADF, EBUSY, EINTR, EINVAL, EMFILE,
	    EPERM),
#ifdef SYS_fcntl64
	CALL(fcntl64, EACCES, EAGAIN, EBADF, EBUSY, EINTR, EINVAL, EMFILE,
	    EPERM),
#endif
	CALL(ppoll, EFAULT, EINTR, EINVAL, ENOMEM, KILLED),
#ifdef SYS_ppoll_time64
	CALL(ppoll_time64, EFAULT, EINTR, EINVAL, ENOMEM, KILLED),
#endif
#ifdef SYS_poll
	CALL(poll, EFAULT, EINTR, EINVAL, ENOMEM, KILLED),
#endif
	CALL(recvfrom, EAGAIN, EBADF, ECONNREFUSED, ECONNRESET, EFAULT, EINTR,
	    EINVAL, ENOMEM, ENOTCONN, ENOTSOCK, ETIMEDOUT, SHORT, KILLED),
	CALL(sendto, EACCES, EAGAIN, EALREADY, EBADF, ECONNRESET,
	    EDESTADDRREQ, EFAULT, EINTR, EINVAL, EISCONN, EMSGSIZE, ENOBUFS,
	    ENOMEM, ENOTCONN, ENOTSOCK, EOPNOTSUPP, EPIPE, ETIMEDOUT, SHORT,
	    KILLED),
	CALL(splice, EAGAIN, EBADF, EINVAL, ENOMEM, ENOSYS, ESPIPE, EPIPE,
	    ECONNRESET, SHORT, KILLED),
	CALL(sched_yield, ENOSYS, KILLED),
#ifdef SYS_pipe
	CALL(pipe, EFAULT, EINVAL, EMFILE, ENFILE),
#endif
	CALL(pipe2, EFAULT, EINVAL, EMFILE, ENFILE),
	CALL(read, EAGAIN, EBADF, EFAULT, EINTR, EINVAL, EIO, EISDIR, SHORT),
	CALL(write, EAGAIN, EBADF, EDESTADDRREQ, EDQUOT, EFAULT, EFBIG, EINTR,
	    EINVAL, EIO, ENOSPC, EPERM, EPIPE, SHORT),
	CALL(ioctl, EBADF, EFAULT, EINVAL, ENOTTY, KILLED),
	CALL(shutdown, EBADF, EINVAL, ENOTCONN, ENOTSOCK, KILLED),
	CALL(close, EBADF, EINTR, EIO, ENOSPC, EDQUOT),
#ifdef SYS_setrlimit
	CALL(setrlimit, EFAULT, EINVAL, EPERM),
#endif
	CALL(prlimit64, EFAULT, EINVAL, EPERM, ESRCH),
	CALL(setgroups, EFAULT, EINVAL, ENOMEM, EPERM),
#ifdef SYS_setgroups32
	CALL(setgroups32, EFAULT, EINVAL, ENOMEM, EPERM),
#endif
	CALL(capset, EFAULT, EINVAL, EPERM, ESRCH),
	CALL(prctl, EACCES, EBADF, EBUSY, EFAULT, EINVAL, ENODEV, ENXIO,
	    EOPNOTSUPP, EOVERFLOW, EPERM),
	CALL(landlock_create_ruleset, EOPNOTSUPP, EINVAL, E2BIG, EFAULT,
	    ENOMSG),
	CALL(landlock_restrict_self, EOPNOTSUPP, EINVAL, EBADF, EBADFD, EPERM,
	    E2BIG),
#ifdef SYS_alarm
	CALL(alarm, ENOSYS),
#endif
	CALL(setitimer, EFAULT, EINVAL),
	CALL(clock_gettime, EFAULT, EINVAL, EPERM),
	/* The child that looks a name up, and what is behind getaddrinfo(3). */
	CALL(clone, EAGAIN, EINVAL, ENOMEM, EPERM),
#ifdef SYS_fork
	CALL(fork, EAGAIN, ENOMEM, ENOSYS),
#endif
	CALL(wait4, ECHILD, EINTR, EINVAL),
	CALL(kill, EINVAL, EPERM, ESRCH),
#ifdef SYS_open
	CALL(open, EACCES, EINTR, EMFILE, ENFILE, ENOENT, ENOMEM),
#endif
	CALL(openat, EACCES, EINTR, EMFILE, ENFILE, ENOENT, ENOMEM),
	CALL(brk, ENOMEM),
#ifdef SYS_mmap
	CALL(mmap, EACCES, EAGAIN, EINVAL, ENFILE, ENOMEM),
#endif
#ifdef SYS_mmap2
	CALL(mmap2, EACCES, EAGAIN, EINVAL, ENFILE, ENOMEM),
#endif
	CALL(mprotect, EACCES, EINVAL, ENOMEM),
	CALL(munmap, EINVAL),
	CALL(futex, EAGAIN, EINTR, EINVAL, ENOSYS),
	CALL(getrandom, EAGAIN, EFAULT, EINTR, EINVAL, ENOSYS),
	CALL(lseek, EBADF, EINVAL, EOVERFLOW, ESPIPE),
	CALL(uname, EFAULT),
	CALL(set_robust_list, EINVAL),
	/* These cannot fail. */
	CALL(getpid, 0), CALL(gettid, 0), CALL(rt_sigreturn, 0),
	CALL(restart_syscall, 0), CALL(exit_group, 0)
#undef CALL
};
enum { CALLS = sizeof calls / sizeof calls[0] };

/* Who does what in a session. */
enum who { NOBODY, CLIENT, TARGET };

struct script {
	const char *options[8];
	size_t bytes[2];	/* of the client, of the target */
	size_t urgent;		/* which of them, from 1, is urgent; 0: none */
	size_t tail;		/* how many wait until the rest has arrived */
	enum who last;		/* finishes when the other one has */
	enum who resets;	/* when all its bytes are at the relay */
	int signal;		/* to the relay, when the client's are there */
	int named;		/* the target is a name */
	int refuses;		/* the target does not listen */
	int is_header;		/* a PROXY header comes first */
	int shared;		/* descriptor 2 is the client's socket */
	int slow;		/* the target reads when the client is gone */
	int bulk;		/* through a relay that takes all for bulk */
};

/* One end of a session. */
struct side {
	int fd;			/* -1: not there, or let go */
	size_t to_send, sent, received;
	size_t expected, skip;	/* of received, and what comes before */
	int finished;		/* it sent FIN */
	int dead;		/* it got RST */
	int got_fin;
	int wrong;		/* a byte that nobody sent */
};

/* Of all scripts, and so in memory that their processes share. */
static struct totals {
	volatile unsigned faults[CALLS], losses;
} *totals;

/* What the client and the target send. */
static unsigned char streams[2][MOST_BYTES];

/* Who sees FIN has all that the other side sent before its own. */
static const char *
judge(const struct side *side)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (side[i].wrong)
			return "a byte that nobody sent";
		if (!side[i].got_fin)
			continue;
		if (!side[!i].finished)
			return i == 0 ? "LOSS: FIN that no target sent" :
			    "LOSS: FIN that no client sent";
		if (side[i].received != side[i].expected)
			return i == 0 ? "LOSS: FIN without the target's bytes" :
			    "LOSS: FIN without the client's bytes";
	}
	return NULL;
}

/* Are these the bytes that the other side has sent, at this place? */
static int
is_right(const struct side *me, const unsigned char *bytes, size_t n,
    const unsigned char *stream)
{
	size_t at, skip;

	at = me->received;
	if (n > me->expected - at)
		return 0;
	skip = me->skip > at ? me->skip - at : 0;
	return n <= skip ||
	    memcmp(bytes + skip, stream + at + skip - me->skip, n - skip) == 0;
}

static void
receive(struct side *me, const unsigned char *stream)
{
	static unsigned char buffer[262144];
	ssize_t n;

	while ((n = recv(me->fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
		if (!me->wrong && !is_right(me, buffer, (size_t)n, stream))
			me->wrong = 1;
		me->received += (size_t)n;
	}
	if (n == 0)
		me->got_fin = 1;
	else if (errno != EAGAIN && errno != EINTR)
		me->dead = 1;
}

/* How many bytes may be sent now. */
static size_t
ready(const struct script *sc, const struct side *side, int i)
{
	size_t most;

	most = side[i].to_send;
	if (sc->tail != 0 && side[!i].received < most - sc->tail)
		most -= sc->tail;
	return most - side[i].sent;
}

static void
transmit(const struct script *sc, struct side *side, int i)
{
	struct side *me;
	size_t n;
	ssize_t did;
	int flags;

	me = &side[i];
	n = ready(sc, side, i);
	flags = MSG_DONTWAIT | MSG_NOSIGNAL;
	if (me->sent + 1 == sc->urgent) {
		n = 1;
		flags |= MSG_OOB;
	} else if (me->sent < sc->urgent && me->sent + n >= sc->urgent) {
		n = sc->urgent - 1 - me->sent;
	}
	did = send(me->fd, streams[i] + me->sent, n, flags);
	if (did > 0)
		me->sent += (size_t)did;
	else if (errno != EAGAIN && errno != EINTR)
		me->dead = 1;
}

/* Everything sent: now FIN, or RST, if it is this side's turn. */
static void
conclude(const struct script *sc, struct side *side, int i)
{
	struct side *me;
	int unsent;

	me = &side[i];
	if (me->fd == -1 || me->dead || me->finished || me->sent < me->to_send)
		return;
	if (sc->resets == (i == 0 ? CLIENT : TARGET)) {
		if (side[!i].fd != -1 && side[!i].received > side[!i].skip &&
		    ioctl(me->fd, TIOCOUTQ, &unsent) == 0 && unsent == 0) {
			reset_now(&me->fd);
			me->dead = 1;
		}
	} else if (sc->resets == NOBODY && sc->signal != SIGTERM &&
	    (sc->last != (i == 0 ? CLIENT : TARGET) || me->got_fin)) {
		if (shutdown(me->fd, SHUT_WR) == 0)
			me->finished = 1;
		else
			me->dead = 1;
	}
}

/* Nothing more can come. */
static int
is_over(const struct side *me)
{
	return me->dead || (me->got_fin && me->finished);
}

static struct pollfd
interest(const struct script *sc, const struct side *side, int i)
{
	struct pollfd p;
	const struct side *me;

	me = &side[i];
	p.fd = is_over(me) ? -1 : me->fd;
	p.events = p.revents = 0;
	if (!me->got_fin && (i == 0 || !sc->slow || side[0].dead ||
	    me->received == 0))
		p.events |= POLLIN;
	if (ready(sc, side, i) > 0)
		p.events |= POLLOUT;
	return p;
}

static void
act(const struct script *sc, struct side *side, int i, int revents)
{
	struct side *me;

	me = &side[i];
	if ((revents & (POLLIN | POLLERR | POLLHUP)) != 0 && !me->got_fin)
		receive(me, streams[!i]);
	else if ((revents & POLLERR) != 0)
		me->dead = 1;
	if ((revents & POLLOUT) != 0 && !me->dead && ready(sc, side, i) > 0)
		transmit(sc, side, i);
	conclude(sc, side, i);
}

static void
inline_urgent(int fd)
{
	int yes;

	yes = 1;
	if (setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &yes, sizeof yes) == -1)
		fail("SO_OOBINLINE: %s", strerror(errno));
}

static void
set_up(const struct script *sc, struct side *side, int client)
{
	int i;

	memset(side, 0, 2 * sizeof *side);
	for (i = 0; i < 2; i++) {
		side[i].fd = i == 0 ? client : -1;
		side[i].to_send = sc->bytes[i];
		side[i].skip = i == 1 && sc->is_header ? HEADER : 0;
		side[i].expected = sc->bytes[!i] + side[i].skip;
	}
	inline_urgent(client);
}

/* Play the script at both ends.  What is wrong, or NULL. */
static const char *
play(const struct script *sc, struct tracing *t, int listener,
    struct side *side)
{
	struct pollfd p[3];
	int64_t began;
	int i, over, signalled;

	began = milliseconds();
	signalled = 0;
	do {
		if (milliseconds() - began > LIMIT)
			return "it hangs";
		over = t->over;
		for (i = 0; i < 2; i++)
			p[i] = interest(sc, side, i);
		p[2].fd = side[1].fd == -1 && !sc->refuses ? listener : -1;
		p[2].events = POLLIN;
		p[2].revents = 0;
		if (poll(p, 3, over ? 200 : 5) == 0 && over)
			break;
		if ((p[2].revents & POLLIN) != 0) {
			side[1].fd = accept(listener, NULL, NULL);
			inline_urgent(side[1].fd);
		}
		for (i = 0; i < 2; i++)
			if (p[i].fd != -1)
				act(sc, side, i, p[i].revents);
		if (sc->signal != 0 && !signalled &&
		    side[1].received == side[1].expected) {
			kill(t->pid, sc->signal);
			signalled = 1;
		}
	} while (!is_over(&side[0]) ||
	    (side[1].fd != -1 && !is_over(&side[1])));
	for (i = 0; i < 2; i++)
		if (side[i].fd != -1 && !side[i].dead && !side[i].got_fin)
			return "the relay has ended, and a peer has not";
	return judge(side);
}

static void
start(const struct script *sc, struct relay *r, int port)
{
	const char *args[16];
	static char text[8];
	size_t i;

	snprintf(text, sizeof text, "%d", port);
	for (i = 0; sc->options[i] != NULL; i++)
		args[i] = sc->options[i];
	args[i++] = "-w";
	args[i++] = "2";
	args[i++] = "-T";
	args[i++] = "3";
	args[i++] = sc->named ? "localhost" : "127.0.0.1";
	args[i++] = text;
	args[i] = NULL;
	relay_startv(r, AF_INET6, !sc->shared, args);
}

/* One session under this fault.  What is wrong, or NULL. */
static const char *
session(const struct script *sc, struct tracing *t, const struct fault *f,
    struct side *side)
{
	static char text[64];
	const char *what;
	struct relay r;
	int listener, status;

	memset(t, 0, sizeof *t);
	if (f != NULL) {
		t->faults[0] = *f;
		t->nfaults = 1;
	}
	listener = sc->refuses ? refuse_on(AF_INET) : listen_on(AF_INET);
	start(sc, &r, port_of(listener));
	set_up(sc, side, r.client);
	what = play(sc, t, listener, side);
	close(listener);
	if (side[0].fd != -1)
		close(side[0].fd);
	if (side[1].fd != -1)
		close(side[1].fd);
	if (what != NULL && !t->over && t->pid != 0)
		kill(t->pid, SIGKILL);
	status = relay_status(&r, LIMIT);
	if (r.err != -1)
		close(r.err);
	if (t->spun)
		return "it spins";
	if (what == NULL && status >= 125 && status != 128 + sc->signal &&
	    (f == NULL || f->error != KILLED)) {
		snprintf(text, sizeof text, "exit status %d", status);
		what = text;
	}
	return what;
}

static struct {
	unsigned failures;
	char text[400];
} found;

/* One session in which the nth such call fails. */
static void
try(const struct script *sc, struct tracing *t, size_t call, unsigned nth,
    int error)
{
	struct side side[2];
	struct fault f;
	const char *name, *what;
	size_t n;

	f.call = calls[call].number;
	f.argument = ANY;
	f.nth = nth;
	f.error = error;
	what = session(sc, t, &f, side);
	if (t->injected == 0)
		return;
	__sync_fetch_and_add(&totals->faults[call], 1);
	name = calls[call].name;
	if (getenv("FAULTS_LIST") != NULL)
		printf("# %s %u %s: up %zu down %zu: %s\n", name, nth,
		    error == SHORT ? "short" : error == KILLED ? "killed" :
		    strerror(error), side[1].received, side[0].received,
		    what == NULL ? "well" : what);
	if (what == NULL)
		return;
	if (strncmp(what, "LOSS", 4) == 0)
		__sync_fetch_and_add(&totals->losses, 1);
	found.failures++;
	n = strlen(found.text);
	snprintf(found.text + n, sizeof found.text - n, "; %s:%u:%d %s", name,
	    nth, error, what);
}

/* FAULTS=call:nth:errno */
static void
just_one(const struct script *sc, struct tracing *t, const char *text)
{
	size_t i, len;
	unsigned nth;
	int error;

	len = strcspn(text, ":");
	if (sscanf(text + len, ":%u:%d", &nth, &error) != 2)
		fail("FAULTS=%s: not all, nor call:nth:errno", text);
	for (i = 0; i < CALLS; i++)
		if (strlen(calls[i].name) == len &&
		    strncmp(calls[i].name, text, len) == 0)
			try(sc, t, i, nth, error);
}

/* Errors after which the same call is rightly made again. */
static int
passes(int error)
{
	return error == EAGAIN || error == EINTR || error == SHORT;
}

/*
 * Each use, of as many as there are without a fault, with each error, and then
 * (0) all uses with it; of these every so-manieth.
 */
static void
every(const struct script *sc, struct tracing *t, const unsigned *count,
    unsigned step)
{
	const int *error;
	unsigned at, nth;
	size_t i;

	at = 0;
	for (i = 0; i < CALLS; i++)
		for (nth = count[calls[i].number]; nth > 0; nth--)
			for (error = calls[i].errors; *error != 0; error++) {
				if (at++ % step == 0)
					try(sc, t, i, nth, *error);
				if (nth == 1 && !passes(*error) &&
				    at++ % step == 0)
					try(sc, t, i, 0, *error);
			}
}

/* All is well without a fault; gives how often each call is made. */
static const unsigned *
calibrate(const struct script *sc, struct tracing *t)
{
	static unsigned count[TRACE_CALLS];
	struct side side[2];
	const char *what;
	unsigned known;
	size_t i;

	what = session(sc, t, NULL, side);
	/* Others may hold all the pipes there are, see pipe(7). */
	for (i = 0; i < 20 && sc->bulk && t->count[SYS_splice] == 0; i++) {
		poll(NULL, 0, 100);
		what = session(sc, t, NULL, side);
	}
	if (what != NULL)
		fail("without a fault: %s", what);
	if (!sc->refuses && sc->signal != SIGTERM && sc->resets == NOBODY &&
	    (!side[0].got_fin || !side[1].got_fin))
		fail("without a fault there is no FIN");
	if (!sc->refuses && side[1].received != side[1].expected)
		fail("without a fault %zu bytes arrive", side[1].received);
	if (sc->bulk && t->count[SYS_splice] == 0)
		skip("nothing is spliced, see pipe-user-pages-soft in pipe(7)");
	known = 1;	/* see traced.c */
	for (i = 0; i < CALLS; i++)
		known += t->count[calls[i].number];
	if (known != t->calls)
		printf("# %u calls are not in the list\n", t->calls - known);
	for (i = 0; i < TRACE_CALLS; i++)
		count[i] = t->count[i];
	return count;
}

static void
run_script(const struct script *sc)
{
	const char *choice;
	const unsigned *count;
	struct tracing *t;
	size_t i;

	for (i = 0; i < MOST_BYTES; i++) {
		streams[0][i] = stream_byte(1, i);
		streams[1][i] = stream_byte(2, i);
	}
	if (sc->bulk)
		relay_path = getenv("RELAY_BULK") != NULL ?
		    getenv("RELAY_BULK") : "tests/stfl-relay-bulk";
	t = trace_begin();
	count = calibrate(sc, t);
	choice = getenv("FAULTS");
	if (choice == NULL) {
		every(sc, t, count, SAMPLE);
	} else {
		alarm(0);	/* takes what it takes */
		if (strcmp(choice, "all") == 0)
			every(sc, t, count, 1);
		else
			just_one(sc, t, choice);
	}
	fflush(stdout);
	if (found.failures > 0)
		fail("%u of them%s", found.failures, found.text);
}

#define SCRIPT(name, ...) \
static void \
name(void) \
{ \
	static const struct script script = { __VA_ARGS__ }; \
\
	run_script(&script); \
}

SCRIPT(talk, .options = { "-v" }, .bytes = { 1000, 3000 }, .last = TARGET)
SCRIPT(inetd, .options = { "-v" }, .bytes = { 1000, 3000 }, .last = CLIENT,
    .shared = 1)
SCRIPT(proxy, .options = { "-p", "2" }, .bytes = { 1000, 3000 }, .last = TARGET,
    .is_header = 1)
SCRIPT(source, .options = { "-s", "127.0.0.2" }, .bytes = { 1000, 3000 },
    .last = TARGET)
SCRIPT(bulk, .options = { "-q" }, .bytes = { 400000, 400000 }, .tail = 10,
    .bulk = 1)
SCRIPT(urgent, .options = { "-q" }, .bytes = { 1000, 1000 }, .urgent = 500)
SCRIPT(client_resets, .options = { "-q" }, .bytes = { 300000, 0 },
    .resets = CLIENT)
SCRIPT(target_resets, .options = { "-q" }, .bytes = { 1000, 300000 },
    .resets = TARGET)
SCRIPT(slow_target, .options = { "-q" }, .bytes = { 300000, 0 },
    .resets = CLIENT, .slow = 1)
SCRIPT(named, .options = { "-v" }, .bytes = { 1000, 3000 }, .named = 1)
SCRIPT(refused, .options = { "-v" }, .bytes = { 10, 0 }, .refuses = 1)
SCRIPT(asked, .options = { "-q" }, .bytes = { 1000, 1000 }, .signal = SIGUSR1)
SCRIPT(terminated, .options = { "-q" }, .bytes = { 1000, 1000 },
    .signal = SIGTERM)

static const struct test tests[] = {
	{ "no call that fails hides a loss in bulk", bulk },
	{ "no call that fails hides a loss in talk", talk },
	{ "no call that fails hides a loss in a session as inetd starts it",
	    inetd },
	{ "no call that fails hides a loss behind a PROXY header", proxy },
	{ "no call that fails hides a loss with -s", source },
	{ "no call that fails hides a loss around urgent bytes", urgent },
	{ "no call that fails hides a loss before a reset of the client",
	    client_resets },
	{ "no call that fails hides a loss before a reset of the target",
	    target_resets },
	{ "no call that fails hides a loss on the way to a slow target",
	    slow_target },
	{ "no call that fails hides a loss when the target is a name", named },
	{ "no call that fails hides a loss when the target refuses", refused },
	{ "no call that fails hides a loss when SIGUSR1 comes", asked },
	{ "no call that fails hides a loss when SIGTERM comes", terminated }
};

static void
print_totals(void)
{
	unsigned sum;
	size_t i;

	sum = 0;
	for (i = 0; i < CALLS; i++) {
		sum += totals->faults[i];
		if (getenv("FAULTS") != NULL && totals->faults[i] != 0)
			printf("# %u of %s\n", totals->faults[i],
			    calls[i].name);
	}
	printf("# %u faults injected, %u silent losses\n", sum,
	    totals->losses);
}

int
main(int argc, char *argv[])
{
	int failed;

	totals = mmap(NULL, sizeof *totals, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (totals == MAP_FAILED)
		return 1;
	failed = run_tests(tests, sizeof tests / sizeof tests[0], argc - 1,
	    argv + 1);
	print_totals();
	return failed;
}

#endif
