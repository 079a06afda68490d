/*
 * poll(2) does not report that a peer has acknowledged bytes, that the system
 * of a peer that owes acknowledgements no longer answers, or that no byte has
 * moved for as long as -T or -t allows.  So the relay checks for all three from
 * time to time.  Such a check is called a look.  This file says when to look,
 * and contains the checks; look() in pump.c acts on what they find.
 */

#include "relay.h"

/* Maximum milliseconds between two looks while a flow has a pipe for bulk. */
enum { REST = 2000 };

/*
 * Returns the limit that applies now (-T or -t) in milliseconds, or NEVER if no
 * limit applies.  When no byte has moved for this number of milliseconds, the
 * session ends.  Stores the reason for such an end in *end.
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

/* True if neither flow has anything more to pass on. */
int
all_done(const struct session *s)
{
	return s->flow[CLIENT].done && s->flow[TARGET].done;
}

/* The time at which a peer last sent or acknowledged anything. */
static int64_t
last_moved(const struct session *s)
{
	return s->moved[CLIENT] > s->moved[TARGET] ? s->moved[CLIENT] :
	    s->moved[TARGET];
}

/*
 * The number of milliseconds from one look to the next.
 *
 * The interval is at most a quarter of each limit (-T and -t).  So the relay
 * notes each acknowledgement with a delay of at most a quarter of the limit.
 * The interval is also at most half the value of -k and, while a flow has a
 * pipe for bulk, at most REST.  If a side is gone and
 * both flows are done, the relay waits only for the last acknowledgements,
 * which poll(2) does not report.  The interval is then at most 1 ms plus an
 * eighth of the time that the relay has already waited for them.
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

/*
 * Called after bytes or FIN were sent, and after a side was found to be gone.
 * Make sure that the next look is at most one interval away.
 */
void
look_soon(struct session *s)
{
	int64_t next;

	if (s->check == NEVER)
		s->asked[CLIENT] = s->asked[TARGET] = s->now;
	next = s->now + interval(s);
	if (next < s->check)
		s->check = next;
}

/*
 * Called at the end of each look.  Set the time of the next look.  The time is
 * NEVER if no further look is needed.
 */
void
look_next(struct session *s, int needed)
{
	s->check = needed ? s->now + interval(s) : NEVER;
}

/*
 * Note whether this side has sent or acknowledged bytes or FIN since the last
 * look.  Bytes from this side count as soon as they arrive, even if the relay
 * cannot pass them on yet.
 */
void
look_for_movement(struct session *s, int side)
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
	 * If the other side is gone, the relay drops the bytes from this side.
	 * So neither these bytes nor FIN count as movement.
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
 * Called if this side owes an acknowledgement.  Returns true if this side's
 * system has been silent for at least twice the value of -k, although our TCP
 * has asked that system at least twice in that time.  To ask, TCP retransmits
 * bytes or sends a probe.  Silence alone proves nothing, because TCP can wait
 * for up to two minutes before it asks again, and a system that is not asked
 * does not have to answer.
 *
 * s->asked is the later of two times: when the last packet from this side's
 * system came, and when this side was last known to owe nothing.  Linux gives
 * the age of a packet in ticks of at most 10 ms (GRAIN).  So two looks can find
 * slightly different times for the same packet.  Differences of up to two ticks
 * are therefore ignored.
 */
int
look_for_silence(struct session *s, int side)
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
 * The time of the next look, or the time at which the limit is reached,
 * whichever is earlier.  When the limit is reached, look() runs once more.  The
 * session then ends, unless look() has found that a byte has moved in the
 * meantime.
 */
int64_t
look_deadline(const struct session *s)
{
	enum end end;
	int64_t last;

	last = limit(s, &end);
	if (last != NEVER)
		last += last_moved(s);
	return last < s->check ? last : s->check;
}

/*
 * True if the limit is reached, that is, if the relay has noted no movement of
 * bytes for as long as the limit allows.  Stores the reason for the session's
 * end in *end.
 */
int
limit_reached(const struct session *s, enum end *end)
{
	return s->now - last_moved(s) >= limit(s, end);
}
