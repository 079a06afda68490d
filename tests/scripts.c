/*
 * Random scripts: what two peers do to each other, made from a seed, played
 * once over a direct TCP connection and once through a relay.  Each end must
 * see the same: the bytes, the places of the urgent marks, how its stream ends.
 *
 *	tests/scripts [-v] [-j jobs] [-n count] [-s first-seed]
 *
 * SCRIPTS in the environment is a count, too; -v shows each script and what was
 * seen.  One process has both ends in its hand, so that one can wait for what
 * the other has seen.  It does where TCP leaves to chance what will be seen:
 *
 *   TCP has a single urgent pointer, and a second urgent byte takes the mark
 *   from one that is not read yet: it waits until that one has been seen.  The
 *   pointer reaches 64 KiB ahead: no more than NEAR bytes may lie unseen before
 *   an urgent one.
 *
 *   A reset drops what is under way.  One that waits until all is acknowledged
 *   (ACKED) leaves the other end all of it, read or not, and then RST.  One
 *   that waits until both ends have seen all (QUIET) settles what both see.  Of
 *   one that does not wait (ABRUPT) only this is certain: right bytes, as far
 *   as they go, and then RST.
 */

#include "peers.h"

#include <sys/ioctl.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	MOST_OPS = 24,
	MOST_BYTES = 4 << 20,	/* that one end sends */
	NEAR = 60000,
	SEGMENT = 400,		/* with small windows; see set_window */
	SLOTS = 24,		/* scripts that a process plays at a time */
	MOST_JOBS = 64,
	REPORT = 4096		/* at most PIPE_BUF: written in one piece */
};

enum { CLIENT, TARGET, ENDS };
enum { DIRECT, RELAYED, WAYS };
enum { ABRUPT, ACKED, QUIET };
enum what { WINDOW, SEND, URGENT, STALL, PAUSE, HALF_CLOSE, RESET };

static const char *const end_name[] = { "client", "target" };
static const char *const way_name[] = { "directly", "through the relay" };

struct op {
	int end;
	enum what what;
	unsigned arg;	/* bytes, milliseconds, or the kind of reset */
};

struct script {
	uint64_t seed;
	size_t n;
	struct op op[MOST_OPS];
};

/* What an end has seen of the other. */
struct seen {
	size_t bytes;
	size_t marks, mark[MOST_OPS];
	int wrong;	/* a byte, or a mark, that was not sent */
	int fin;
	int error;	/* ECONNRESET is RST */
};

struct peer {
	int fd;			/* -1: not yet, or no longer */
	size_t queued, sent;	/* bytes: to be sent, and taken by the socket */
	size_t urgent;		/* bytes up to and with the last urgent one */
	int half_closed, reset;
	int error;		/* met in sending; recv(2) will not tell it */
	int64_t stalled;	/* reads nothing before that time */
	struct seen seen;
};

/* A script on its way. */
struct play {
	int way;
	size_t next;		/* op */
	int64_t paused;		/* until that time */
	int64_t moved;		/* when something last did */
	int listener;		/* where the target is accepted; -1: it is */
	int over;		/* the script is; its relay may not be */
	pid_t relay;		/* 0: none, or gone */
	struct peer peer[ENDS];
};

struct slot {
	int busy;
	struct script script;
	struct play play;
	struct seen seen[WAYS][ENDS];
	char trouble[80];
};

struct text {
	size_t n;
	char s[REPORT];
};

static unsigned char bytes[ENDS][MOST_BYTES];	/* what each end sends */
static int reports;		/* the pipe to the parent */
static int verbose;
static volatile sig_atomic_t stop;
static int64_t present;		/* milliseconds() */

/* splitmix64 */
static unsigned
draw(uint64_t *state, unsigned below)
{
	uint64_t z;

	z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (unsigned)((z ^ z >> 31) % below);
}

static unsigned
draw_size(uint64_t *state, int narrow)
{
	static const unsigned most[] = { 1, 1, 16, 16, 16, 2000, 2000, 2000,
	    20000, 20000, 70000, 70000, 70000, 300000, 300000, 1000000 };

	return 1 + draw(state, most[draw(state, narrow ? 14 : 16)]);
}

static void
add(struct script *s, int end, enum what what, unsigned arg)
{
	struct op *op;

	op = &s->op[s->n++];
	op->end = end;
	op->what = what;
	op->arg = arg;
}

/*
 * A script ends with a reset, with both ends half-closed, or with one more byte
 * from each that is not, which shows that the stream was open until then.
 */
static void
make_script(struct script *s, uint64_t seed)
{
	static const enum what often[] = { SEND, SEND, SEND, SEND, SEND, SEND,
	    URGENT, URGENT, URGENT, STALL, STALL, PAUSE, HALF_CLOSE, RESET };
	static const unsigned windows[] = { 1, 4096, 16384 };
	uint64_t state;
	size_t total[ENDS];
	enum what what;
	unsigned arg, left;
	int closed[ENDS], end, i, narrow[ENDS], way_out;

	state = s->seed = seed;
	s->n = 0;
	for (end = 0; end < ENDS; end++) {
		total[end] = 0;
		closed[end] = 0;
		narrow[end] = draw(&state, 4) == 0;
		if (narrow[end])
			add(s, end, WINDOW, windows[draw(&state, 3)]);
	}
	way_out = (int)draw(&state, 3);
	left = 1 + draw(&state, draw(&state, 3) == 0 ? 3 : MOST_OPS - 5);
	for (; left > 0; left--) {
		end = (int)draw(&state, ENDS);
		what = often[draw(&state, sizeof often / sizeof often[0])];
		/* A long script should not be over at once. */
		if ((what == RESET && left > MOST_OPS / 2) ||
		    (what == HALF_CLOSE && (left > MOST_OPS / 2 ||
		    closed[CLIENT] || closed[TARGET])))
			what = SEND;
		if (closed[end] && (what == SEND || what == URGENT))
			end = !end;
		arg = 0;
		if (what == SEND) {
			arg = draw_size(&state, narrow[!end]);
			if (total[end] + arg > MOST_BYTES - MOST_OPS)
				arg = 1;
			total[end] += arg;
		} else if (what == STALL || what == PAUSE)
			arg = 1 + draw(&state, 20);
		else if (what == HALF_CLOSE)
			closed[end] = 1;
		else if (what == RESET)
			break;
		add(s, end, what, arg);
	}
	end = (int)draw(&state, ENDS);
	if (left > 0 || way_out == 0) {
		if (!closed[CLIENT] && !closed[TARGET] && draw(&state, 3) == 0)
			add(s, end, HALF_CLOSE, 0);
		add(s, end, RESET, draw(&state, 3));
		return;
	}
	for (i = 0; i < ENDS; i++, end = !end)
		if (!closed[end] && way_out == 1)
			add(s, end, HALF_CLOSE, 0);
		else if (!closed[end])
			add(s, end, SEND, 1);
}

__attribute__((format(printf, 2, 3)))
static void
put(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->s + t->n, sizeof t->s - t->n, format, ap);
	va_end(ap);
	t->n += (size_t)n;
	if (t->n >= sizeof t->s)
		t->n = sizeof t->s - 1;
}

/* As struct op has it: bytes and milliseconds. */
static void
put_script(struct text *t, const struct script *s)
{
	static const char *const names[] = {
		[WINDOW] = "window",
		[SEND] = "send",
		[URGENT] = "urgent",
		[STALL] = "stall",
		[PAUSE] = "pause",
		[HALF_CLOSE] = "half-close",
		[RESET] = "reset"
	};
	static const char *const resets[] = {
		[ABRUPT] = "at once",
		[ACKED] = "when all it sent is acknowledged",
		[QUIET] = "when both ends have seen all"
	};
	const struct op *op;

	for (op = s->op; op < s->op + s->n; op++) {
		put(t, "# %s %s", end_name[op->end], names[op->what]);
		if (op->what == RESET)
			put(t, " %s", resets[op->arg]);
		else if (op->arg != 0)
			put(t, " %u", op->arg);
		put(t, "\n");
	}
}

/*
 * What an end has seen, in words; where only the beginning and the kind of end
 * are certain, in words for these alone.
 */
static void
put_seen(struct text *t, const struct seen *seen, int certain)
{
	size_t i;

	if (certain)
		put(t, "%zu ", seen->bytes);
	put(t, "%s", seen->wrong ? "wrong bytes" : "bytes");
	for (i = 0; certain && i < seen->marks; i++)
		put(t, "%s%zu", i == 0 ? " (urgent: " : ", ", seen->mark[i]);
	put(t, "%s", certain && i > 0 ? ")" : "");
	if (certain && seen->fin)
		put(t, ", FIN");
	if (seen->error != 0)
		put(t, ", %s", seen->error == ECONNRESET ? "RST" :
		    strerror(seen->error));
	else if (certain && !seen->fin)
		put(t, ", no end");
}

/* True if TCP settles all that this end sees. */
static int
is_certain(const struct script *s, int end)
{
	const struct op *last;

	last = &s->op[s->n - 1];
	return last->what != RESET || last->arg == QUIET ||
	    (last->arg == ACKED && last->end != end);
}

/* What both ways have not in common; 0 if there is nothing. */
static int
differs(const struct slot *slot, struct text *why)
{
	struct text seen[WAYS];
	int end, way;

	why->n = 0;
	put(why, "%s", slot->trouble);
	for (end = 0; end < ENDS; end++) {
		for (way = 0; way < WAYS; way++) {
			seen[way].n = 0;
			put_seen(&seen[way], &slot->seen[way][end],
			    is_certain(&slot->script, end));
		}
		if (strcmp(seen[DIRECT].s, seen[RELAYED].s) != 0)
			put(why, "%sthrough the relay the %s saw %s; directly, "
			    "%s", why->n == 0 ? "" : "; ", end_name[end],
			    seen[RELAYED].s, seen[DIRECT].s);
	}
	return why->n != 0;
}

static void
set(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof value) == -1)
		fail("setsockopt: %s", strerror(errno));
}

/*
 * A small window, if the script asks for one, before there is a connection.
 * Small segments go with it, for Linux makes the other side's send buffer in
 * their proportion, and it should be full now and then.
 */
static void
set_window(int fd, const struct script *s, int end)
{
	const struct op *op;

	for (op = s->op; op < s->op + s->n; op++)
		if (op->what == WINDOW && op->end == end) {
			set(fd, SOL_SOCKET, SO_RCVBUF, (int)op->arg);
			set(fd, IPPROTO_TCP, TCP_MAXSEG, SEGMENT);
		}
}

/* -1 with EADDRINUSE: another process was given this port in this moment. */
static int
try_listener(int domain, const struct script *s)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} to;
	int fd;

	memset(&to, 0, sizeof to);
	to.sa.sa_family = (sa_family_t)domain;
	if (domain == AF_INET)
		to.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		to.in6.sin6_addr = in6addr_loopback;
	fd = socket(domain, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	/* Or thousands of sessions in TIME_WAIT would use the ports up. */
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (s != NULL)
		set_window(fd, s, TARGET);
	if (bind(fd, &to.sa, domain == AF_INET ? sizeof to.in : sizeof to.in6)
	    == 0 && listen(fd, 1) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Where there is no IPv6 the client has to do without. */
static int
make_listener(int domain, const struct script *s)
{
	int fd;

	while ((fd = try_listener(domain, s)) == -1)
		if (domain == AF_INET6 &&
		    (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
			domain = AF_INET;
		else if (errno != EADDRINUSE)
			fail("listen: %s", strerror(errno));
	return fd;
}

static int
take_connection(int listener)
{
	int fd;

	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd == -1)
		fail("accept: %s", strerror(errno));
	return fd;
}

static int
as_peer(int fd)
{
	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set(fd, SOL_SOCKET, SO_OOBINLINE, 1);
	return fd;
}

static int
dial(int listener, const struct script *s)
{
	struct sockaddr_storage to;
	socklen_t len;
	int fd;

	len = sizeof to;
	if (getsockname(listener, (struct sockaddr *)&to, &len) == -1)
		fail("getsockname: %s", strerror(errno));
	fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		fail("socket: %s", strerror(errno));
	set_window(fd, s, CLIENT);
	if (connect(fd, (struct sockaddr *)&to, len) == -1)
		fail("connect: %s", strerror(errno));
	return as_peer(fd);
}

/* A relay, as inetd starts it: 0, 1 and 2 are the client's socket. */
static pid_t
start_relay(int client, int port)
{
	static char *env[] = { NULL };
	posix_spawn_file_actions_t actions;
	char text[8], *argv[5];
	pid_t pid;
	int error, i;

	snprintf(text, sizeof text, "%d", port);
	argv[0] = (char *)(uintptr_t)relay_path;
	argv[1] = (char *)(uintptr_t)"-q";
	argv[2] = (char *)(uintptr_t)target_host();
	argv[3] = text;
	argv[4] = NULL;
	posix_spawn_file_actions_init(&actions);
	for (i = 0; i <= STDERR_FILENO; i++)
		posix_spawn_file_actions_adddup2(&actions, client, i);
	error = posix_spawn(&pid, relay_path, &actions, NULL, argv, env);
	if (error != 0)
		fail("%s: %s", relay_path, strerror(error));
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static void
begin(struct play *p, const struct script *s, int way)
{
	int front, theirs;

	memset(p, 0, sizeof *p);
	p->way = way;
	p->moved = present;
	p->peer[TARGET].fd = -1;
	if (way == DIRECT) {
		p->listener = make_listener(AF_INET6, s);
		p->peer[CLIENT].fd = dial(p->listener, s);
		return;
	}
	p->listener = make_listener(target_family(), s);
	front = make_listener(client_family(), NULL);
	p->peer[CLIENT].fd = dial(front, s);
	theirs = take_connection(front);
	p->relay = start_relay(theirs, port_of(p->listener));
	close(theirs);
	close(front);
}

/* RST is ECONNRESET, or on Linux EPIPE if FIN came before. */
static void
see_error(struct seen *seen, int error)
{
	seen->error = error == EPIPE ? ECONNRESET : error;
}

static void
push(struct play *p, int end)
{
	struct peer *me;
	ssize_t n;

	me = &p->peer[end];
	while (me->fd != -1 && me->sent < me->queued && me->error == 0) {
		n = send(me->fd, bytes[end] + me->sent, me->queued - me->sent,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -1 && errno == EAGAIN)
			return;
		if (n == -1)
			me->error = errno;
		else
			me->sent += (size_t)n;
	}
	if (me->seen.fin && me->error != 0)
		see_error(&me->seen, me->error);
}

/*
 * Read once after poll(2).  An urgent byte that comes after sockatmark(3) lies
 * behind the bytes that poll(2) has seen, and recv(2) stops in front of it.
 */
static void
take(struct play *p, int end)
{
	static unsigned char buffer[1 << 18];
	struct seen *seen;
	const struct peer *me, *other;
	ssize_t n;
	int mark;

	me = &p->peer[end];
	other = &p->peer[!end];
	seen = &p->peer[end].seen;
	mark = sockatmark(me->fd) == 1;
	n = recv(me->fd, buffer, mark ? 1 : sizeof buffer, MSG_DONTWAIT);
	if (n == -1 && errno == EAGAIN)
		return;
	p->moved = present;
	if (n == -1) {
		see_error(seen, errno);
		return;
	}
	if (n == 0) {
		/* After an error that send(2) has told, this is no FIN. */
		seen->fin = me->error == 0 || me->error == EPIPE;
		if (me->error != 0)
			see_error(seen, me->error);
		return;
	}
	if (mark) {
		seen->wrong |= seen->bytes + 1 != other->urgent;
		seen->mark[seen->marks % MOST_OPS] = seen->bytes;
		seen->marks++;
	}
	if (seen->bytes + (size_t)n > other->sent ||
	    memcmp(buffer, bytes[!end] + seen->bytes, (size_t)n) != 0)
		seen->wrong = 1;
	seen->bytes += (size_t)n;
}

/* An end that has seen FIN may still see RST. */
static void
look_for_error(struct play *p, int end)
{
	socklen_t len;
	int error;

	len = sizeof error;
	if (getsockopt(p->peer[end].fd, SOL_SOCKET, SO_ERROR, &error,
	    &len) == 0 && error != 0) {
		see_error(&p->peer[end].seen, error);
		p->moved = present;
	}
}

static int
is_reading(const struct peer *me)
{
	return me->fd != -1 && present >= me->stalled && me->seen.error == 0;
}

/* What to ask of an end. */
static struct pollfd
interest(const struct peer *me)
{
	struct pollfd fd;

	fd.events = fd.revents = 0;
	if (is_reading(me) && !me->seen.fin)
		fd.events |= POLLIN;
	if (me->sent < me->queued && me->error == 0)
		fd.events |= POLLOUT;
	/* After FIN both ways poll(2) says POLLHUP for ever. */
	fd.fd = fd.events != 0 || (is_reading(me) && !me->half_closed) ?
	    me->fd : -1;
	return fd;
}

static void
serve(struct play *p, int end, int revents)
{
	struct peer *me;

	me = &p->peer[end];
	if ((revents & (POLLOUT | POLLERR | POLLHUP)) != 0)
		push(p, end);
	if ((revents & ~POLLOUT) == 0 || !is_reading(me))
		return;
	if (me->seen.fin)
		look_for_error(p, end);
	else
		take(p, end);
}

/* True if an end has seen all that there is to be seen until now. */
static int
is_abreast(const struct play *p, int end)
{
	const struct peer *me, *other;

	me = &p->peer[end];
	other = &p->peer[!end];
	if (me->fd == -1 || other->reset)
		return me->reset || me->seen.error != 0 ||
		    (me->seen.fin && !other->half_closed);
	return me->seen.error != 0 || me->seen.fin ||
	    (me->seen.bytes == other->queued && !other->half_closed);
}

/* True if the socket has taken all that was to be sent until now. */
static int
is_written(const struct peer *me)
{
	return me->fd != -1 && (me->sent == me->queued || me->error != 0);
}

static int
is_acked(const struct peer *me)
{
	int n;

	return me->error != 0 ||
	    (ioctl(me->fd, TIOCOUTQ, &n) == 0 && n == 0);
}

/* True if it neither moves another mark nor is too far from what is seen. */
static int
may_be_urgent(const struct play *p, int end)
{
	const struct peer *me;
	size_t seen;

	me = &p->peer[end];
	seen = p->peer[!end].seen.bytes;
	return is_written(me) && (is_abreast(p, !end) ||
	    (seen >= me->urgent && seen + NEAR > me->sent));
}

/* Until the target has been accepted nobody would see it. */
static int
may_reset(const struct play *p, int end, unsigned kind)
{
	if (p->peer[CLIENT].fd == -1 || p->peer[TARGET].fd == -1)
		return 0;
	if (kind == ACKED)
		return is_written(&p->peer[end]) && is_acked(&p->peer[end]);
	return kind == ABRUPT || (is_abreast(p, end) && is_abreast(p, !end));
}

static int
send_urgent(struct play *p, int end)
{
	struct peer *me;

	me = &p->peer[end];
	if (me->error == 0 && send(me->fd, bytes[end] + me->sent, 1,
	    MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL) == -1) {
		if (errno == EAGAIN)
			return 0;
		me->error = errno;
	}
	me->urgent = me->sent = ++me->queued;
	return 1;
}

/* Do it; 0 if it has to wait. */
static int
perform(struct play *p, const struct op *op)
{
	struct peer *me;

	me = &p->peer[op->end];
	switch (op->what) {
	case WINDOW:
		break;
	case SEND:
		me->queued += op->arg;
		push(p, op->end);
		break;
	case URGENT:
		return may_be_urgent(p, op->end) && send_urgent(p, op->end);
	case STALL:
		me->stalled = present + op->arg;
		break;
	case PAUSE:
		p->paused = present + op->arg;
		break;
	case HALF_CLOSE:
		if (!is_written(me))
			return 0;
		(void)shutdown(me->fd, SHUT_WR);	/* or it is gone */
		me->half_closed = 1;
		break;
	case RESET:
		if (!may_reset(p, op->end, op->arg))
			return 0;
		reset_now(&me->fd);
		me->reset = 1;
		break;
	}
	return 1;
}

/*
 * Note what was seen, and let the sockets go.  What is open still is reset, as
 * too many connections in TIME_WAIT use up the ports of the machine.
 */
static void
finish_play(struct slot *slot)
{
	struct play *p;
	int end;

	p = &slot->play;
	for (end = 0; end < ENDS; end++) {
		slot->seen[p->way][end] = p->peer[end].seen;
		if (p->peer[end].fd != -1)
			reset_now(&p->peer[end].fd);
	}
	if (p->listener != -1)
		close(p->listener);
	p->listener = -1;
	p->over = 1;
	p->moved = present;
}

/* The relay should end by itself, in peace. */
static void
reap(struct slot *slot)
{
	struct play *p;
	int status;

	p = &slot->play;
	if (present - p->moved > SOON) {
		snprintf(slot->trouble, sizeof slot->trouble,
		    "the relay does not end");
		kill(p->relay, SIGKILL);
	} else if (waitpid(p->relay, &status, WNOHANG) == 0)
		return;
	else if (WIFSIGNALED(status))
		snprintf(slot->trouble, sizeof slot->trouble,
		    "the relay was killed by signal %d", WTERMSIG(status));
	else if (status != 0)
		snprintf(slot->trouble, sizeof slot->trouble,
		    "the relay's exit status is %d", WEXITSTATUS(status));
	p->relay = 0;
}

/* One round: what poll(2) has found, and then as many ops as may be done. */
static void
step(struct slot *slot, const struct pollfd *fds)
{
	const struct script *s;
	struct play *p;
	int end;

	p = &slot->play;
	s = &slot->script;
	if (p->over) {
		reap(slot);
		return;
	}
	if (fds[ENDS].revents != 0) {
		p->peer[TARGET].fd = as_peer(take_connection(p->listener));
		close(p->listener);
		p->listener = -1;
	}
	for (end = 0; end < ENDS; end++)
		if (fds[end].revents != 0)
			serve(p, end, fds[end].revents);
	while (p->next < s->n && present >= p->paused &&
	    perform(p, &s->op[p->next])) {
		p->next++;
		p->moved = present;
	}
	if (p->next == s->n && is_abreast(p, CLIENT) && is_abreast(p, TARGET))
		finish_play(slot);
	else if (present - p->moved > SOON) {
		snprintf(slot->trouble, sizeof slot->trouble,
		    "%s it stood still for %d s", way_name[p->way],
		    SOON / 1000);
		finish_play(slot);
	}
}

/* Both ways are done: tell the parent if they differ, which ends it all. */
static void
compare(const struct slot *slot)
{
	struct text t, why;
	unsigned long long seed;
	int differ, end, way;

	seed = slot->script.seed;
	t.n = 0;
	differ = differs(slot, &why);
	if (!differ && !verbose)
		return;
	if (differ)
		put(&t, "not ok - seed %llu: %s\n", seed, why.s);
	else
		put(&t, "# seed %llu\n", seed);
	put_script(&t, &slot->script);
	for (way = 0; way < WAYS; way++)
		for (end = 0; end < ENDS; end++) {
			put(&t, "# %s the %s saw ", way_name[way],
			    end_name[end]);
			put_seen(&t, &slot->seen[way][end], 1);
			put(&t, "\n");
		}
	if (!differ) {
		(void)!write(STDOUT_FILENO, t.s, t.n);
		return;
	}
	put(&t, "# again: %sRELAY=%s tests/scripts -s %llu -n 1 -v\n",
	    target_family() == AF_INET6 ? "TARGET6=yes " : "", relay_path,
	    seed);
	/* With the final zero, for another process may add its own. */
	(void)!write(reports, t.s, t.n + 1);
	stop = 1;
}

/* Both ways, one after the other; then the slot is free for another script. */
static void
proceed(struct slot *slot, const struct pollfd *fds)
{
	step(slot, fds);
	if (!slot->play.over || slot->play.relay != 0)
		return;
	if (slot->play.way == DIRECT) {
		begin(&slot->play, &slot->script, RELAYED);
		return;
	}
	compare(slot);
	slot->busy = 0;
}

static void
end_relays(struct slot *slots)
{
	int i, status;

	for (i = 0; i < SLOTS; i++)
		if (slots[i].busy && slots[i].play.relay != 0) {
			kill(slots[i].play.relay, SIGKILL);
			waitpid(slots[i].play.relay, &status, 0);
		}
}

static void
caught(int sig)
{
	(void)sig;
	stop = 1;
}

/* Play every stride'th script from this seed on, up to the last one. */
static void
play(uint64_t seed, uint64_t last, uint64_t stride)
{
	static struct slot slots[SLOTS];
	struct pollfd fds[SLOTS * (ENDS + 1)], *fd;
	struct slot *slot;
	pid_t parent;

	parent = getppid();
	/* The parent may have been killed. */
	while (!stop && getppid() == parent) {
		present = milliseconds();
		fd = fds;
		for (slot = slots; slot < slots + SLOTS; slot++) {
			if (!slot->busy && seed <= last) {
				make_script(&slot->script, seed);
				seed += stride;
				slot->trouble[0] = '\0';
				slot->busy = 1;
				begin(&slot->play, &slot->script, DIRECT);
			}
			if (slot->busy) {
				*fd++ = interest(&slot->play.peer[CLIENT]);
				*fd++ = interest(&slot->play.peer[TARGET]);
				fd->fd = slot->play.listener;
				fd->events = POLLIN;
				fd->revents = 0;
				fd++;
			}
		}
		if (fd == fds)
			break;
		/* No event tells when all is acknowledged, or a stall over. */
		if (poll(fds, (nfds_t)(fd - fds), 1) == -1 && errno != EINTR)
			fail("poll: %s", strerror(errno));
		present = milliseconds();
		fd = fds;
		for (slot = slots; slot < slots + SLOTS; slot++)
			if (slot->busy) {
				proceed(slot, fd);
				fd += ENDS + 1;
			}
	}
	end_relays(slots);
}

static pid_t
start_worker(uint64_t first, uint64_t last, uint64_t stride)
{
	pid_t pid;

	pid = fork();
	if (pid == -1)
		fail("fork: %s", strerror(errno));
	if (pid > 0)
		return pid;
	signal(SIGTERM, caught);
	play(first, last, stride);
	_exit(0);
}

/* Gives the exit status. */
static int
run(uint64_t first, uint64_t count, unsigned jobs)
{
	char report[REPORT];
	pid_t pid[MOST_JOBS];
	ssize_t n;
	unsigned i;
	int broken, end[2], status;

	if (pipe2(end, O_CLOEXEC) == -1)
		fail("pipe: %s", strerror(errno));
	reports = end[1];
	for (i = 0; i < jobs; i++)
		pid[i] = start_worker(first + i, first + count - 1, jobs);
	close(end[1]);
	/* The first report is enough; without one all have ended. */
	n = read(end[0], report, sizeof report);
	broken = 0;
	for (i = 0; i < jobs; i++) {
		if (n > 0)
			kill(pid[i], SIGTERM);
		waitpid(pid[i], &status, 0);
		broken |= status;
	}
	if (n > 0) {
		fputs(report, stdout);
		return 1;
	}
	printf("%s - %llu random scripts are the same through the relay as "
	    "over a direct connection%s\n", broken ? "not ok" : "ok",
	    (unsigned long long)count,
	    broken ? ": a process of the test broke off" : "");
	return broken != 0;
}

static uint64_t
number(const char *what, const char *text, uint64_t least, uint64_t most)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 ||
	    n < least || n > most) {
		fprintf(stderr, "scripts: %s: %s\n", what, text);
		exit(1);
	}
	return n;
}

int
main(int argc, char *argv[])
{
	uint64_t count, first, i;
	long processors;
	unsigned jobs;
	int c;

	count = getenv("SCRIPTS") == NULL ? 3000 :
	    number("SCRIPTS", getenv("SCRIPTS"), 1, UINT32_MAX);
	first = 1;
	processors = sysconf(_SC_NPROCESSORS_ONLN);
	jobs = processors < 1 ? 1 : processors > 8 ? 8 : (unsigned)processors;
	while ((c = getopt(argc, argv, "j:n:s:v")) != -1)
		switch (c) {
		case 'j':
			jobs = (unsigned)number("-j", optarg, 1, MOST_JOBS);
			break;
		case 'n':
			count = number("-n", optarg, 1, UINT32_MAX);
			break;
		case 's':
			first = number("-s", optarg, 0, UINT64_MAX / 2);
			break;
		case 'v':
			verbose = 1;
			break;
		default:
			fprintf(stderr, "usage: scripts [-v] [-j jobs] "
			    "[-n count] [-s first-seed]\n");
			return 1;
		}
	if (getenv("RELAY") != NULL)
		relay_path = getenv("RELAY");
	for (c = 0; c < ENDS; c++)
		for (i = 0; i < MOST_BYTES; i++)
			bytes[c][i] = stream_byte((unsigned)c, i);
	return run(first, count, jobs);
}
