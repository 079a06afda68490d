/*
 * The rules of a session.  A session has two flows, and the same code serves
 * both, with the ends exchanged.
 *
 * A flow is done once it has passed on its last byte and then FIN.  When a side
 * is gone, the flow to that side is done, too.  The flow from that side goes on
 * as before: it carries the bytes that the side had sent, and FIN if the side
 * had sent FIN.  Whatever the other side still sends is read and dropped.
 * Otherwise a peer that writes everything before it reads would never read.
 *
 * The session goes on until one of these is true:
 *   both flows are done and, if a side is gone, the other side has acknowledged
 *   everything;
 *   both sides are gone;
 *   a limit or a signal ends the session;
 *   one side is gone, and the other keeps sending but reads nothing (see drop).
 * The poll set is built anew in each round, from the state of the session.
 */

#include "relay.h"

#include <errno.h>

/* Milliseconds from one look to the next while a flow holds a pipe for bulk. */
enum { REST = 2000 };

/* Maximum number of bytes to drop from a peer that sends but does not read. */
enum { MOST_DROPPED = 64 << 20 };

/*
 * Returns the limit that applies now (-T or -t) in milliseconds, or NEVER if
 * there is none.  If no byte moves within the limit, the session ends.  Stores
 * the reason for that end in *end.
 */
static int64_t
limit(const struct session *s, enum end *end)
{
	int seconds;

	seconds = s->opt.idle;
	*end = END_IDLE;
	if (s->opt.half_closed != 0 && (s->gone != SIDES ||
	    s->flow[CLIENT].fin || s->flow[TARGET].fin)) {
		seconds = s->opt.half_closed;
		*end = END_HALF_CLOSED;
	}
	return seconds == 0 ? NEVER : seconds * 1000LL;
}

/* The time at which a peer last sent or acknowledged anything. */
static int64_t
last_moved(const struct session *s)
{
	return s->moved[CLIENT] > s->moved[TARGET] ? s->moved[CLIENT] :
	    s->moved[TARGET];
}

static int
all_done(const struct session *s)
{
	return s->flow[CLIENT].done && s->flow[TARGET].done;
}

/*
 * The number of milliseconds from one look to the next.
 *
 * There are at least four looks within a limit (-T or -t), so the time at which
 * a byte was acknowledged is known to within a quarter of the limit.  If a side
 * is gone and both flows are done, the relay waits only for the last
 * acknowledgements, which no event reports.  The interval is then at most 1 ms
 * plus an eighth of the time that the relay has already waited for them.
 */
static int64_t
interval(const struct session *s)
{
	int64_t ms, least;

	least = NEVER / 2;
	if (s->opt.idle != 0)
		least = s->opt.idle * 250LL;
	ms = s->opt.half_closed * 250LL;
	if (ms != 0 && ms < least)
		least = ms;
	ms = s->opt.keepalive * 500LL;
	if (ms != 0 && ms < least)
		least = ms;
	if (REST < least && (carry_holds(&s->flow[CLIENT]) ||
	    carry_holds(&s->flow[TARGET])))
		least = REST;
	ms = 1 + (s->now - s->settling) / 8;
	return s->gone != SIDES && all_done(s) && ms < least ? ms : least;
}

/* Something has moved: make sure that the next look comes in time. */
static void
watch(struct session *s)
{
	int64_t next;

	if (s->check == NEVER)
		s->asked[CLIENT] = s->asked[TARGET] = s->now;
	next = s->now + interval(s);
	if (next < s->check)
		s->check = next;
}

static void
done(struct session *s, struct flow *f)
{
	f->done = 1;
	s->settling = s->now;
}

/*
 * Note whether a side has sent or acknowledged anything, bytes or FIN, since
 * the last look.  Bytes count when they arrive, even if they then have to wait
 * until the other side takes them.
 */
static void
note_movement(struct session *s, int side)
{
	const struct flow *to;
	struct flow *from;
	int64_t acked, came;
	int fin, unsent;

	from = &s->flow[side];
	to = &s->flow[!side];
	unsent = tcp_unsent(s->fd[side]);
	acked = (int64_t)to->bytes + to->done - (unsent > 0 ? unsent : 0);
	came = (int64_t)(from->bytes + carry_pending(from)) +
	    tcp_unread(s->fd[side]);
	fin = from->fin || tcp_had_fin(from->from,
	    from->bytes + carry_pending(from) + from->missed);
	/*
	 * The other side is gone.  Bytes for it are dropped, so they do not
	 * count.
	 */
	if (s->gone == !side) {
		came = s->came[side];
		fin = from->fin;
	}
	if (acked > s->acked[side])
		s->dropped = 0;
	if (acked > s->acked[side] || came > s->came[side] || fin != from->fin)
		s->moved[side] = s->now;
	s->acked[side] = acked;
	s->came[side] = came;
	from->fin = fin;
}

/*
 * A side is gone: its connection has ended with this errno.  Returns 0 to go
 * on, or -1 if no side is left.
 *
 * If this side had sent FIN and had acknowledged everything, nothing is lost
 * and the end is good.  What the other side gets then depends on this side.  If
 * this side itself sent RST, the other side gets RST.  But if this side's
 * system no longer answers, or no longer knows the connection, this side had
 * closed its socket for good, and the other side gets FIN.
 */
static int
gone(struct session *s, int side, int error)
{
	static const enum end ends[SIDES][2] = {
		{ END_CLIENT_RESET, END_CLIENT_TIMEOUT },
		{ END_TARGET_RESET, END_TARGET_TIMEOUT }
	};
	struct flow *from, *to;
	int lost, probed, vanished;

	/*
	 * True if the connection did not end with RST.  Instead, TCP gave up,
	 * perhaps with an errno from an ICMP message.
	 */
	vanished = error != ECONNRESET && error != EPIPE &&
	    error != ECONNABORTED && error != ENOTCONN;
	from = &s->flow[side];
	to = &s->flow[!side];
	/*
	 * The noted time can be late by one interval, which is at most half the
	 * value of -k.
	 */
	probed = s->opt.keepalive != 0 &&
	    s->now - s->moved[side] >= s->opt.keepalive * 500LL;
	if (DEAD_TELLS)
		note_movement(s, side);
	/* If only our FIN is unacknowledged, nothing is lost. */
	lost = carry_pending(to) != 0 || s->acked[side] < (int64_t)to->bytes;
	/*
	 * If the other side was gone first, and this side has acknowledged
	 * everything that the other side had sent, the end is good.
	 */
	if (s->gone == !side && all_done(s) && !lost)
		return over(s, END_EOF, 0);
	if (s->gone != SIDES || !from->fin || lost)
		over(s, ends[side][vanished], error);
	if (s->gone != SIDES)
		return -1;
	s->gone = side;
	s->moved[!side] = s->now;	/* a different limit can apply now */
	/*
	 * RST would drop unsent bytes, so do not send RST if their number is
	 * unknown.
	 */
	s->reset = !from->fin || !(vanished ||
	    tcp_forgotten(s->fd[side], probed) ||
	    tcp_unsent(s->fd[!side]) == -1);
	carry_drop(to);
	done(s, to);
	watch(s);
	return 0;
}

/*
 * A call on a side's socket has failed with this errno.  The side is gone,
 * unless the connection is still alive.  The call's errno often says little
 * (EPIPE or, on the BSDs, ENOTCONN), so the socket's own error is used if there
 * is one.
 */
static int
failed(struct session *s, int side, int error)
{
	int cause, events;

	events = tcp_events(s->fd[side]);
	if ((events & POLLHUP) == 0 && tcp_calm(s->fd[side]))
		return 0;
	cause = tcp_error(s->fd[side], events);
	return gone(s, side, cause != 0 ? cause : error);
}

/*
 * The remaining side still sends, although the other side is gone.  On a direct
 * connection, the remaining side would have got RST.  Here, its bytes are
 * dropped at first, because some peers write everything before they read.  But
 * a side that keeps sending and reads nothing gets RST in the end.  Returns 0
 * to go on, or -1 if the session is over.
 */
static int
drop(struct session *s, int side)
{
	if (carry_pending(&s->flow[side]) == 0)
		return 0;	/* FIN has come, not bytes */
	s->dropped += carry_pending(&s->flow[side]);
	carry_drop(&s->flow[side]);
	s->reset = 1;
	if (s->dropped <= MOST_DROPPED)
		return 0;
	note_movement(s, side);
	return s->dropped == 0 ? 0 : over(s, END_EOF, 0);
}

/*
 * True if the clock still shows the same millisecond as when it was last read.
 */
static int
at_once(struct session *s)
{
	int64_t before;

	before = s->now;
	return now(s) == before;
}

/*
 * If nothing is pending, read from this side.  Then send what is pending to the
 * other side.  `revents' is what poll(2) has reported for this side.
 *
 * If the flow is bulk, more bytes have probably come, so repeat both without
 * poll(2).  Stop when this millisecond ends, because the other flow, the
 * signals and the limits have to wait meanwhile.  Limiting the number of turns
 * would not limit the time, because carry_drain can yield the processor in each
 * turn.  Returns 0 to go on, or -1 if the session is over.
 */
static int
pass(struct session *s, int side, int revents)
{
	struct flow *f;
	int64_t came;
	ssize_t n;
	int had_fin;

	f = &s->flow[side];
	do {
		if (carry_pending(f) == 0 && !f->eof) {
			had_fin = f->fin;
			n = carry_fill(f, revents, s->now);
			/*
			 * If this side is gone and had not sent FIN, reading
			 * beyond its last byte gives an error.  This error
			 * means only that there are no more bytes.
			 */
			if (n == -1 && (s->gone != side || f->fin))
				return errno == EAGAIN ? 0 :
				    failed(s, side, errno);
			f->eof = n <= 0;
			if (n == 0 && s->gone != side)
				f->fin = 1;
			if (s->gone == !side)
				return drop(s, side);
			/* What a look has counted does not count again. */
			came = (int64_t)(f->bytes + carry_pending(f));
			if (came > s->came[side] || f->fin != had_fin) {
				s->came[side] = came;
				s->moved[side] = s->now;
			}
		}
		if (carry_pending(f) == 0)
			return 0;
		if (carry_drain(f) == -1)
			return errno == EAGAIN ? 0 : failed(s, !side, errno);
		revents = 0;
	} while (carry_pending(f) == 0 && carry_bulk(f) && s->gone != side &&
	    at_once(s));
	return 0;
}

/*
 * One step of the flow from this side: move bytes and, after the last byte,
 * pass on FIN.  Returns 0 to go on, or -1 if the session is over.
 */
static int
step(struct session *s, int side, int revents)
{
	struct flow *f;
	uint64_t before;

	f = &s->flow[side];
	before = f->bytes;
	if (pass(s, side, revents) == -1)
		return -1;
	if (f->eof && !f->done && carry_pending(f) == 0) {
		if ((f->fin || s->gone != side) &&
		    shutdown(f->to, SHUT_WR) == -1)
			return failed(s, !side, errno);
		done(s, f);
	} else if (f->bytes == before) {
		return 0;
	}
	watch(s);
	return 0;
}

/*
 * True if there can be something to read although no event reports it: bytes
 * that this side had sent before it was gone, or an urgent byte (carry_due).
 */
static int
has_left(const struct session *s, int side)
{
	const struct flow *f;

	f = &s->flow[side];
	return !f->eof && carry_pending(f) == 0 &&
	    (s->gone == side || carry_due(f));
}

/*
 * Returns this side's entry for the poll set.  If the descriptor in it is -1,
 * poll(2) ignores this side.
 */
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
	if (!in->eof && carry_pending(in) == 0)
		p.events |= carry_events(in);
	if (carry_pending(out) != 0)
		p.events |= POLLOUT;
	/*
	 * After FIN both ways, leave this side out, because otherwise poll(2)
	 * would always return at once, with POLLHUP.
	 */
	if (s->gone == side || (p.events == 0 && out->done && in->hung))
		p.fd = -1;
	return p;
}

/* Serve both sides once.  Returns 0 to go on, or -1 if the session is over. */
static int
serve(struct session *s, struct pollfd *p)
{
	int error, side;

	for (side = 0; side < SIDES; side++)
		if ((p[side].revents & (POLLERR | POLLHUP)) != 0) {
			error = tcp_error(s->fd[side], p[side].revents);
			if (error != 0 && gone(s, side, error) == -1)
				return -1;
			if (error == 0 && (p[side].revents & POLLHUP) != 0)
				s->flow[side].hung = 1;
			/*
			 * POLLERR was handled above.  It does not announce
			 * input.
			 */
			p[side].revents &= ~POLLERR;
		}
	for (side = 0; side < SIDES; side++) {
		if (has_left(s, side))
			p[side].revents = POLLIN | POLLPRI;
		if (((p[side].revents & ~POLLOUT) != 0 ||
		    (p[!side].revents & POLLOUT) != 0) &&
		    step(s, side, p[side].revents) == -1)
			return -1;
	}
	return 0;
}

/*
 * A side owes an acknowledgement.  Returns true if its system has been silent
 * for twice the value of -k, although TCP has asked it at least twice in that
 * time, by retransmitting or probing.  TCP asks at intervals that grow to two
 * minutes, and a system that is not asked need not answer.
 *
 * s->asked is the time of the last packet from that system, or of the last look
 * at which the side owed nothing, whichever is later.  Linux reports the time
 * of a packet in ticks of at most 10 ms (GRAIN).  So the time of the same
 * packet can differ a little from one look to the next, and differences of up
 * to two ticks are ignored.
 */
static int
owes_too_long(struct session *s, int side)
{
	enum { GRAIN = 10 };
	int64_t repeats, silent;

	repeats = tcp_repeats(s->fd[side], &silent);
	if (s->asked[side] + 2 * GRAIN < s->now - silent) {
		s->asked[side] = s->now - silent;
		s->repeats[side] = repeats;
	}
	return s->opt.keepalive != 0 && repeats >= s->repeats[side] + 2 &&
	    s->now - s->asked[side] >= s->opt.keepalive * 2000LL;
}

/*
 * Note whether a side has sent or acknowledged anything, and whether its system
 * still answers.  Returns 1 if the side owes acknowledgements, 0 if it does
 * not, or -1 if no side is left.
 */
static int
look_at_side(struct session *s, int side)
{
	int64_t silent;
	int error;

	note_movement(s, side);
	if (tcp_unsent(s->fd[side]) <= 0) {
		s->asked[side] = s->now;
		s->repeats[side] = tcp_repeats(s->fd[side], &silent);
		return 0;
	}
	/*
	 * After FIN both ways, no event reports that a side is gone (see
	 * interest()).
	 */
	error = tcp_error(s->fd[side], tcp_events(s->fd[side]));
	if (error == 0 && owes_too_long(s, side))
		error = ETIMEDOUT;
	return error != 0 ? gone(s, side, error) : 1;
}

/*
 * Look at what no event reports, and set the time of the next look.  That time
 * is NEVER if everything is acknowledged and no flow holds a pipe for bulk
 * (carry_holds).
 */
static int
look(struct session *s)
{
	int more, owes, side;

	more = 0;
	for (side = 0; side < SIDES; side++) {
		carry_rest(&s->flow[side], s->now);
		more |= carry_holds(&s->flow[side]);
	}
	for (side = 0; side < SIDES; side++) {
		owes = s->gone == side ? 0 : look_at_side(s, side);
		if (owes == -1)
			return -1;
		more |= owes;
	}
	s->check = more ? s->now + interval(s) : NEVER;
	return 0;
}

/* True if there is nothing more to wait for. */
static int
finished(const struct session *s)
{
	return all_done(s) &&
	    (s->gone == SIDES || tcp_unsent(s->fd[!s->gone]) <= 0);
}

/*
 * The time of the next look, or the time at which the limit is reached,
 * whichever is earlier.  When the limit is reached, the session ends, unless
 * look() finds that a byte has moved meanwhile.
 */
static int64_t
deadline(const struct session *s)
{
	enum end end;
	int64_t last;

	last = limit(s, &end);
	if (last != NEVER)
		last += last_moved(s);
	return last < s->check ? last : s->check;
}

/* Carry bytes until the session is over.  Then s->end is the reason. */
static int
carry_on(struct session *s)
{
	struct pollfd p[SIDES];
	enum end end;
	int side;

	while (!finished(s)) {
		for (side = 0; side < SIDES; side++)
			p[side] = interest(s, side);
		if (wait_for(s, p, SIDES, has_left(s, CLIENT) ||
		    has_left(s, TARGET) ? s->now : deadline(s)) == -1 ||
		    serve(s, p) == -1)
			return -1;
		if (s->now < deadline(s))
			continue;
		if (look(s) == -1)
			return -1;
		if (s->now - last_moved(s) >= limit(s, &end))
			return over(s, end, 0);
	}
	return over(s, END_EOF, 0);
}

/*
 * Carry bytes both ways until the session is over.  The sockets stay open.
 * Later, report_exit closes them with FIN or RST, depending on s->end, s->reset
 * and s->gone.
 */
void
pump(struct session *s)
{
	int side;

	for (side = 0; side < SIDES; side++) {
		s->flow[side].from = s->fd[side];
		s->flow[side].to = s->fd[!side];
		s->flow[side].carry.buffer = s->buffer[side];
	}
	s->moved[CLIENT] = s->moved[TARGET] = s->now;
	s->check = NEVER;
	s->gone = SIDES;
	if (s->opt.proxy != 0)
		watch(s);
	if (s->gone_early != 0)
		(void)gone(s, TARGET, s->gone_early);
	(void)carry_on(s);
	if (s->gone != SIDES)
		tcp_let_go(s->fd[!s->gone]);
}
