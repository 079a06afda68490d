/*
 * The rules of a session.  A session has two flows, and the same code serves
 * both.  In one flow, the client sends and the target receives.  In the other
 * flow, they swap roles.
 *
 * A flow is done once it has passed on its last byte and then FIN.  A side is
 * gone once an error has ended its connection.  The flow to that side is then
 * done, too.  The flow from that side still passes on the bytes that the side
 * had sent.  After the last byte it passes on FIN, if the side had sent FIN.
 * If the other side sends more bytes, the relay reads and drops them.  If the
 * relay did not read them, a peer that writes everything before it reads would
 * never begin to read.
 *
 * The session goes on until one of these is true:
 *   both flows are done, and no side is gone;
 *   both flows are done, one side is gone, and the other side has acknowledged
 *   everything;
 *   both sides are gone;
 *   a limit is reached, a signal tells the relay to stop, or poll(2) fails;
 *   one side is gone, and the other side keeps sending but reads nothing (see
 *   drop).
 */

#include "relay.h"

#include <errno.h>

/* Maximum number of bytes to drop from a peer that reads nothing. */
enum { MOST_DROPPED = 64 << 20 };

static void
done(struct session *s, struct flow *f)
{
	f->done = 1;
	s->settling = s->now;
}

/*
 * Mark this side as gone, because its connection has ended with this errno.
 * Returns 0 to go on, or -1 if no side is left.
 *
 * If this side had sent FIN and had acknowledged all the bytes sent to it,
 * nothing is lost, and the end is good.  How this side's connection ended then
 * decides what the other side gets.  If this side itself sent RST, the other
 * side gets RST.  If this side's system no longer answers, or no longer knows
 * the connection, the relay assumes that this side had closed its socket for
 * good.  In that case, the other side gets FIN.
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
	 * `vanished' is true if no RST came, and the connection ended because
	 * our TCP gave up.  In that case, the errno can come from an ICMP
	 * message.
	 */
	vanished = error != ECONNRESET && error != EPIPE &&
	    error != ECONNABORTED && error != ENOTCONN;
	from = &s->flow[side];
	to = &s->flow[!side];
	/*
	 * TCP probes a side that has been silent for the value of -k.  s->moved
	 * can be late by one interval between looks, which is at most half the
	 * value of -k.  So `probed' is true after half that value.
	 */
	probed = s->opt.keepalive != 0 &&
	    s->now - s->moved[side] >= s->opt.keepalive * 500LL;
	if (DEAD_TELLS)
		look_for_movement(s, side);
	/*
	 * If this side has acknowledged all bytes, nothing is lost, even if
	 * this side has not acknowledged our FIN.
	 */
	lost = carry_pending(to) != 0 || s->acked[side] < (int64_t)to->bytes;
	/*
	 * If the other side was already gone, but this side has acknowledged
	 * everything that the other side had sent, the end is good.
	 */
	if (s->gone == !side && all_done(s) && !lost)
		return over(s, END_EOF, 0);
	if (s->gone != SIDES || !from->fin || lost)
		over(s, ends[side][vanished], error);
	if (s->gone != SIDES)
		return -1;
	s->gone = side;
	s->gone_end = ends[side][vanished];
	s->moved[!side] = s->now;	/* -t can apply from now on */
	/*
	 * RST would drop the bytes that the other side has not acknowledged.
	 * So if the end is good but the number of these bytes is unknown, the
	 * other side gets FIN.
	 */
	s->reset = !from->fin || !(vanished ||
	    tcp_forgotten(s->fd[side], probed) ||
	    tcp_unsent(s->fd[!side]) == -1);
	carry_drop(to);
	done(s, to);
	look_soon(s);
	return 0;
}

/*
 * Called if a system call on this side's socket has failed with this errno.
 * Unless the connection is still alive, this side is gone.  The errno of the
 * call often says little (EPIPE or, on the BSDs, ENOTCONN).  So if the socket
 * has an error of its own, that error is used instead.  Returns 0 to go on, or
 * -1 if no side is left.
 */
static int
failed(struct session *s, int side, int error)
{
	int alive, cause, events;

	events = tcp_events(s->fd[side]);
	alive = (events & POLLHUP) == 0 && tcp_calm(s->fd[side]);
	cause = tcp_error(s->fd[side], events);
	if (alive && cause == 0)
		return 0;
	return gone(s, side, cause != 0 ? cause : error);
}

/*
 * Called if this side still sends although the other side is gone.  On a direct
 * connection, this side would have got RST at once.  The relay drops the bytes
 * instead, because some peers write everything before they read.  This side
 * gets RST when the session ends, and the log tells how the other side ended,
 * even if its end was good so far.  If this side keeps sending but reads
 * nothing, the session ends once more than MOST_DROPPED bytes were dropped.
 * Returns 0 to go on, or -1 if the session is over.
 */
static int
drop(struct session *s, int side)
{
	if (carry_pending(&s->flow[side]) == 0)
		return 0;	/* FIN has come, but no bytes */
	s->dropped += carry_pending(&s->flow[side]);
	carry_drop(&s->flow[side]);
	s->reset = 1;
	over(s, s->gone_end, 0);
	if (s->dropped <= MOST_DROPPED)
		return 0;
	look_for_movement(s, side);
	return s->dropped == 0 ? 0 : -1;
}

/* True if the millisecond in which the clock was last read has not ended. */
static int
at_once(struct session *s)
{
	int64_t before;

	before = s->now;
	return now(s) == before;
}

/*
 * If no bytes are pending, read bytes from this side.  Then send the pending
 * bytes to the other side.  `revents' is what poll(2) has reported for this
 * side.  Returns 0 to go on, or -1 if the session is over.
 *
 * If the flow is bulk, more bytes have probably come in the meantime.  So read
 * and send again, without calling poll(2) in between.  Stop when this
 * millisecond ends, because the other flow, the signals and the limits have to
 * wait until the loop stops.  A maximum number of turns would not limit the
 * time of the loop, because carry_drain can yield the processor in each turn.
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
			 * If this side is gone and had not sent FIN, a read
			 * after its last byte fails.  That failure means only
			 * that there are no more bytes.
			 */
			if (n == -1 && (s->gone != side || f->fin))
				return errno == EAGAIN ? 0 :
				    failed(s, side, errno);
			f->eof = n <= 0;
			if (n == 0 && s->gone != side)
				f->fin = 1;
			if (s->gone == !side)
				return drop(s, side);
			/*
			 * If a look has already counted these bytes or FIN,
			 * they do not count as movement again.
			 */
			came = (int64_t)(f->bytes + carry_pending(f));
			if (came > s->came[side] || f->fin != had_fin) {
				s->came[side] = came;
				s->moved[side] = s->now;
			}
		}
		if (carry_pending(f) == 0)
			return 0;
		if (carry_drain(f, s->now) == -1)
			return errno == EAGAIN ? 0 : failed(s, !side, errno);
		revents = 0;
	} while (carry_pending(f) == 0 && carry_bulk(f) && s->gone != side &&
	    at_once(s));
	return 0;
}

/*
 * Carry bytes from this side to the other side.  After the last byte, pass on
 * FIN if this side has sent FIN.  Returns 0 to go on, or -1 if the session is
 * over.
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
	look_soon(s);
	return 0;
}

/*
 * True if there can be something to read from this side although poll(2)
 * reports nothing: either bytes that this side had sent before it was gone, or
 * an urgent byte (see carry_due).
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
 * Returns this side's entry for the poll set.  An entry with the descriptor -1
 * makes poll(2) ignore this side.
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
	 * Once FIN has gone both ways, poll(2) always reports POLLHUP for this
	 * side.  So leave this side out.  Otherwise, poll(2) would always
	 * return at once.
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
			 * POLLERR was handled above.  It does not mean that
			 * there are bytes to read.
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
 * Note whether this side has sent or acknowledged anything.  Check whether its
 * connection has ended and, if this side owes acknowledgements, whether its
 * system still answers.  Returns 1 if this side is alive and owes
 * acknowledgements, -1 if no side is left, and otherwise 0.
 */
static int
look_at_side(struct session *s, int side)
{
	int64_t silent;
	int error;

	look_for_movement(s, side);
	/*
	 * Once FIN has gone both ways, poll(2) ignores this side (see
	 * interest()).  So check here whether an error has ended the
	 * connection.  Check that first, because FreeBSD drops the
	 * unacknowledged bytes of a connection that has ended.
	 */
	error = tcp_error(s->fd[side], tcp_events(s->fd[side]));
	if (error == 0 && tcp_unsent(s->fd[side]) <= 0) {
		s->asked[side] = s->now;
		s->repeats[side] = tcp_repeats(s->fd[side], &silent);
		return 0;
	}
	if (error == 0 && look_for_silence(s, side))
		error = ETIMEDOUT;
	return error != 0 ? gone(s, side, error) : 1;
}

/*
 * Check what poll(2) does not report, and set the time of the next look.  The
 * time is NEVER if no side owes acknowledgements and no flow has a pipe that a
 * look might have to close (see carry_holds).
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
	look_next(s, more);
	return 0;
}

/* True if the session has nothing more to wait for. */
static int
finished(const struct session *s)
{
	return all_done(s) &&
	    (s->gone == SIDES || tcp_unsent(s->fd[!s->gone]) <= 0);
}

/* Carry bytes until the session is over.  s->end is then the reason. */
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
		    has_left(s, TARGET) ? s->now : look_deadline(s)) == -1 ||
		    serve(s, p) == -1)
			return -1;
		if (s->now < look_deadline(s))
			continue;
		if (look(s) == -1)
			return -1;
		if (limit_reached(s, &end))
			return over(s, end, 0);
	}
	return over(s, END_EOF, 0);
}

/*
 * Carry bytes both ways until the session is over.  This function does not
 * close the sockets.  Later, report_exit closes them with FIN or RST, depending
 * on s->end, s->reset and s->gone.
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
		look_soon(s);
	if (s->gone_early != 0)
		(void)gone(s, TARGET, s->gone_early);
	(void)carry_on(s);
	if (s->gone != SIDES)
		tcp_let_go(s->fd[!s->gone]);
}
