/*
 * How the bytes of one flow move.  The rules of a session are in pump.c.
 *
 * carry_fill and carry_drain return a number of bytes, or -1: with EAGAIN for
 * "not now", with any other errno if that socket has failed.
 *
 * Talk (small messages) is copied.  Bulk has a fast path on Linux: carry.h.
 */

#include "relay.h"

#include <errno.h>

/* Bytes that were read and have yet to be sent. */
size_t
carry_pending(const struct flow *f)
{
	return f->carry.end - f->carry.start + f->carry.piped;
}

/* True if the flow is bulk on the fast path: more has probably come. */
int
carry_bulk(const struct flow *f)
{
	return f->carry.pipe[0] != 0;
}

/* The events to poll f->from for when nothing is pending. */
short
carry_events(const struct flow *f)
{
	return tcp_awaited(f->carry.early);
}

/* True if an urgent byte can be taken although poll(2) does not report it. */
int
carry_due(const struct flow *f)
{
	return tcp_due(f->from, f->carry.early);
}

/* Turn every errno that means "not now" into EAGAIN. */
static ssize_t
result(ssize_t n)
{
	if (n == -1 && (errno == EINTR || errno == EWOULDBLOCK))
		errno = EAGAIN;
	return n;
}

/* A read has brought n bytes: is the flow bulk?  See carry.h. */
static void
weigh(struct carry *c, ssize_t n)
{
	if (n <= 0)
		return;
	c->weight += (int)n - TALK;
	if (c->weight < 0)
		c->weight = 0;
	if (c->weight > BULK)
		c->weight = BULK;
}

/*
 * Take the bytes that are there, up to the urgent mark; at the mark, only the
 * urgent byte.  Call this only when nothing is pending, with the events that
 * poll(2) has just reported for f->from.  Returns 0 at FIN.  Without events
 * only the fast path is tried, because it stops at the mark by itself.
 */
ssize_t
carry_fill(struct flow *f, int revents)
{
	struct carry *c;
	ssize_t n;

	c = &f->carry;
	c->start = c->end = 0;
	c->urgent = revents != 0 && tcp_at_mark(f->from, revents, &c->early);
	if (!c->urgent && (n = fast_fill(f, revents == 0)) != 0) {
		weigh(c, n);
		return n;
	}
	if (revents == 0) {
		errno = EAGAIN;
		return -1;
	}
	n = c->urgent ? tcp_take_urgent(f->from, c->buffer, &c->early) :
	    recv(f->from, c->buffer, FLOW_BUFFER, 0);
	c->end = n > 0 ? (size_t)n : 0;
	weigh(c, n);
	if (n == 0)
		fast_end(f);
	return result(n);
}

/* Send as many of the pending bytes as the socket takes. */
ssize_t
carry_drain(struct flow *f)
{
	struct carry *c;
	ssize_t n;

	c = &f->carry;
	if (c->piped != 0) {
		n = fast_drain(f);
	} else {
		n = send(f->to, c->buffer + c->start, c->end - c->start,
		    c->urgent ? MSG_NOSIGNAL | MSG_OOB : MSG_NOSIGNAL);
		/* The BSDs' errno if there is no room (tcp_usrreq.c). */
		if (n == -1 && errno == ENOBUFS && c->urgent)
			errno = EAGAIN;
		/* MPTCP before Linux 5.17 rejects MSG_OOB: send without it. */
		if (n == -1 && errno == EOPNOTSUPP && c->urgent) {
			c->urgent = 0;
			return carry_drain(f);
		}
		if (n > 0)
			c->start += (size_t)n;
	}
	if (n > 0)
		f->bytes += (uint64_t)n;
	return result(n);
}

/* The receiving side is gone: drop what is pending. */
void
carry_drop(struct flow *f)
{
	f->carry.start = f->carry.end = f->carry.piped = 0;
	fast_end(f);
}
