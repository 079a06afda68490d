/*
 * The rules of a session: two flows, the same code with the ends exchanged.
 *
 * It goes on until
 *   both flows have passed on their FIN, which is the good end;
 *   a side fails: the other gets what was read from it, and then RST;
 *   a limit or a signal ends it: both get RST.
 * The poll set is made anew from the state in each round.
 */

#include "relay.h"

#include <errno.h>
#include <limits.h>

/*
 * Milliseconds that a side may take nothing of what the other, now gone, had
 * sent.
 */
enum { PATIENCE = 20000 };

/*
 * A side is gone, by this errno, unless its socket knows better: where calls
 * on a dead connection only say EPIPE or ENOTCONN (BSD).  Always -1.
 */
static int
failed(struct session *s, int side, int error)
{
	int cause, vanished;

	cause = socket_error(s->fd[side]);
	if (cause != 0)
		error = cause;
	vanished = error == ETIMEDOUT || error == EHOSTUNREACH ||
	    error == ENETUNREACH;
	if (side == CLIENT)
		over(s, vanished ? END_CLIENT_TIMEOUT : END_CLIENT_RESET,
		    error);
	else
		over(s, vanished ? END_TARGET_TIMEOUT : END_TARGET_RESET,
		    error);
	return -1;
}

/* Something is under way: see in time whether it arrives (check_peers). */
static void
watch(struct session *s)
{
	if (s->check == NEVER && s->opt.keepalive != 0)
		s->check = s->now + s->opt.keepalive * 1000LL;
}

/* True if the last look at the clock was in this millisecond, too. */
static int
at_once(struct session *s)
{
	int64_t before;

	before = s->now;
	return now(s) == before;
}

/*
 * Fill if there is nothing pending, with what poll(2) said of this side, and
 * drain.  Of bulk more will have come: then again, without asking poll(2), but
 * not beyond this millisecond, for the other flow, signals and limits wait.
 * Turns are no bound: in each carry_drain may give the processor away.  -1 when
 * an end has failed.
 */
static int
move(struct session *s, int side, int revents)
{
	struct flow *f;
	ssize_t n;

	f = &s->flow[side];
	do {
		if (!carry_pending(f) && !f->eof) {
			n = carry_fill(f, revents);
			if (n == -1)
				return errno == EAGAIN ? 0 :
				    failed(s, side, errno);
			f->eof = n == 0;
		}
		if (!carry_pending(f))
			return 0;
		if (carry_drain(f) == -1)
			return errno == EAGAIN ? 0 : failed(s, !side, errno);
		revents = 0;
	} while (!carry_pending(f) && carry_bulk(f) && at_once(s));
	return 0;
}

/*
 * One step of the flow from this side: move bytes, and pass FIN on behind the
 * last.  -1 when one of its ends has failed.
 */
static int
step(struct session *s, int side, int revents)
{
	struct flow *f;
	uint64_t before;

	f = &s->flow[side];
	before = f->bytes;
	if (move(s, side, revents) == -1)
		return -1;
	if (f->eof && !f->done && !carry_pending(f)) {
		if (shutdown(f->to, SHUT_WR) == -1)
			return failed(s, !side, errno);
		f->done = 1;
	} else if (f->bytes == before) {
		return 0;
	}
	s->moved = s->now;	/* with FIN, -t begins */
	watch(s);
	return 0;
}

/* What to ask of a side; its descriptor, or -1 when it has nothing to tell. */
static struct pollfd
interest(const struct session *s, int side)
{
	const struct flow *in, *out;
	struct pollfd p;

	in = &s->flow[side];
	out = &s->flow[!side];
	p.fd = s->fd[side];
	p.events = 0;
	p.revents = 0;
	if (!in->eof && !carry_pending(in))
		p.events |= carry_events(in);
	if (carry_pending(out))
		p.events |= POLLOUT;
	/* After FIN both ways poll(2) says POLLHUP for ever. */
	if (p.events == 0 && out->done && in->hung)
		p.fd = -1;
	return p;
}

/* One round over both sides.  -1 when one of them has failed. */
static int
serve(struct session *s, const struct pollfd *p)
{
	int error, side;

	for (side = 0; side < SIDES; side++)
		if ((p[side].revents & (POLLERR | POLLHUP)) != 0) {
			error = socket_error(s->fd[side]);
			if (error != 0)
				return failed(s, side, error);
			s->flow[side].hung = 1;
		}
	for (side = 0; side < SIDES; side++)
		if (((p[side].revents & ~POLLOUT) != 0 ||
		    (p[!side].revents & POLLOUT) != 0) &&
		    step(s, side, p[side].revents) == -1)
			return -1;
	return 0;
}

/* When -T or -t ends the session, unless something moves before. */
static int64_t
limit(const struct session *s, enum end *end)
{
	int seconds;

	seconds = s->opt.idle;
	*end = END_IDLE;
	if (s->opt.half_closed != 0 &&
	    (s->flow[CLIENT].eof || s->flow[TARGET].eof)) {
		seconds = s->opt.half_closed;
		*end = END_HALF_CLOSED;
	}
	return seconds == 0 ? NEVER : s->moved + seconds * 1000LL;
}

/* True if bytes have moved that only the system has seen. */
static int
moving(struct session *s)
{
	int moved;

	moved = carry_moved(&s->flow[CLIENT]) | carry_moved(&s->flow[TARGET]);
	if (moved)
		s->moved = s->now;
	return moved;
}

/*
 * True if a side has left unanswered for twice -k what is under way to it.  Its
 * last answer may be older than that, for it had nothing to answer.
 */
static int
lost(struct session *s, int side)
{
	int64_t answered, silent;
	int repeated;

	repeated = carry_silence(s->fd[side], &silent);
	answered = s->now - silent;
	if (answered > s->asked[side])
		s->asked[side] = answered > s->moved ? answered : s->moved;
	return repeated &&
	    s->now - s->asked[side] >= s->opt.keepalive * 2000LL;
}

/*
 * What we sent has been under way for as long as -k says: see whether the peers
 * still answer, and again until they have acknowledged it all, and nothing has
 * moved for as long.  -1 when one of them does not.
 */
static int
check_peers(struct session *s)
{
	int64_t keepalive, rest;
	int side, unsent;

	keepalive = s->opt.keepalive * 1000LL;
	unsent = 0;
	for (side = 0; side < SIDES; side++)
		if (carry_unsent(s->fd[side]) > 0) {
			if (lost(s, side))
				return failed(s, side, ETIMEDOUT);
			unsent = 1;
		}
	rest = s->moved + keepalive;
	if (rest <= s->now) {
		for (side = 0; side < SIDES; side++)
			carry_rest(&s->flow[side]);
		rest = NEVER;
	}
	s->check = unsent ? s->now + keepalive / 2 : rest;
	return 0;
}

/* Carry until the session is over, for the reason then found in s->end. */
static int
carry_on(struct session *s)
{
	struct pollfd p[SIDES];
	enum end end;
	int64_t last;
	int ready, side;

	while (!s->flow[CLIENT].done || !s->flow[TARGET].done) {
		last = limit(s, &end);
		for (side = 0; side < SIDES; side++)
			p[side] = interest(s, side);
		ready = wait_for(s, p, SIDES,
		    last < s->check ? last : s->check);
		if (ready == -1 || (ready > 0 && serve(s, p) == -1))
			return -1;
		if (ready == 0 && s->now >= last && !moving(s))
			return over(s, end, 0);
		if (s->now >= s->check && check_peers(s) == -1)
			return -1;
	}
	return over(s, END_EOF, 0);
}

/*
 * True if the connection is gone.  SO_ERROR would not do: on Linux it tells of
 * what ICMP said too, which TCP outlives.
 */
static int
broken(int fd)
{
	struct pollfd p;

	p.fd = fd;
	p.events = 0;
	return poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0;
}

/*
 * Wait until the side that a flow leads to takes more (POLLOUT), or until it
 * has acknowledged all it got (no event).  True when so; not when it is gone, a
 * signal came, or it has taken nothing for as long as PATIENCE.  No event tells
 * of an acknowledgement, hence the pauses.
 */
static int
taken(struct session *s, const struct flow *f, short events)
{
	struct pollfd p;
	int64_t deadline;
	int before, pause, ready, unsent;

	/* After FIN both ways poll(2) says POLLHUP for ever. */
	p.fd = f->done ? -1 : f->to;
	p.events = events;
	before = INT_MAX;
	deadline = 0;
	pause = 1;
	for (;;) {
		unsent = carry_unsent(f->to);
		if (unsent <= 0 && events == 0)
			return 1;
		if (unsent < before) {
			before = unsent;
			deadline = s->now + PATIENCE;
			pause = 1;
		}
		if (s->now >= deadline || broken(f->to))
			return 0;
		ready = wait_for(s, &p, 1, s->now + pause);
		if (ready != 0)
			return ready > 0 && p.revents == events;
		if (pause < 100)
			pause *= 2;
	}
}

/*
 * Hand over what a side that is gone had sent, as long as the other side takes
 * it.  0 when that was all.
 */
static int
hand_over(struct session *s, struct flow *f)
{
	ssize_t n;

	for (;;) {
		if (!carry_pending(f)) {
			if (f->eof || (n = carry_fill(f, POLLPRI)) == -1)
				return 0;
			if (n == 0) {
				f->eof = carry_had_fin(f);
				return 0;
			}
		}
		if (carry_drain(f) == -1 &&
		    (errno != EAGAIN || !taken(s, f, POLLOUT)))
			return -1;
	}
}

/*
 * A side is gone: the other is still owed what it had sent, FIN if that came
 * before the end, and then RST.
 */
static void
last_words(struct session *s, struct flow *f)
{
	if (hand_over(s, f) == -1)
		return;
	if (f->eof && !f->done)
		f->done = shutdown(f->to, SHUT_WR) == 0;
	/* RST would overtake what is unsent, and drop it. */
	(void)taken(s, f, 0);
}

/*
 * Carry bytes both ways until the session is over.  The sockets are left open,
 * to be closed with FIN or RST as s->end demands.
 */
void
pump(struct session *s)
{
	int side;

	for (side = 0; side < SIDES; side++) {
		s->flow[side].from = s->fd[side];
		s->flow[side].to = s->fd[!side];
		s->flow[side].buffer = s->buffer[side];
	}
	s->moved = s->now;
	s->check = NEVER;
	if (s->opt.proxy != 0)
		watch(s);
	if (s->gone != 0)
		failed(s, TARGET, s->gone);
	else
		(void)carry_on(s);
	(void)moving(s);
	if (s->end == END_CLIENT_RESET || s->end == END_CLIENT_TIMEOUT)
		last_words(s, &s->flow[CLIENT]);
	if (s->end == END_TARGET_RESET || s->end == END_TARGET_TIMEOUT)
		last_words(s, &s->flow[TARGET]);
}
