/*
 * This file moves the bytes of one flow.  The rules of a session are in pump.c.
 *
 * carry_fill and carry_drain return a number of bytes, or -1 with an errno.
 * EAGAIN means "not now".  Any other errno from carry_fill means that the
 * socket that it reads from has failed.  Any other errno from carry_drain means
 * that the socket that it writes to has failed.
 *
 * carry.h explains talk and bulk.
 */

#include "relay.h"

#include <errno.h>

/* The number of bytes that have been read but not yet sent. */
size_t
carry_pending(const struct flow *f)
{
	return f->carry.end - f->carry.start + f->carry.piped;
}

/*
 * True if the flow takes the fast path.  In that case, more bytes have probably
 * come by now.
 */
int
carry_bulk(const struct flow *f)
{
	return f->carry.pipe[0] != 0;
}

/* The events to request from poll(2) for f->from while nothing is pending. */
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

/* Change the flow's weight after a read of n bytes (see carry.h). */
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
 * Read the bytes that have come, but not beyond the urgent mark.  At the mark,
 * read only the urgent byte.  Call this function only when nothing is pending.
 * `revents' is what poll(2) has just reported for f->from.  If `revents' is 0,
 * only the fast path is tried, because that path stops at the mark by itself.
 * Returns 0 at FIN.
 */
ssize_t
carry_fill(struct flow *f, int revents, int64_t now)
{
	struct carry *c;
	ssize_t n;

	c = &f->carry;
	c->start = c->end = 0;
	c->urgent = revents != 0 && tcp_at_mark(f->from, revents, &c->early);
	if (!c->urgent && (n = fast_fill(f, revents == 0, now)) != 0) {
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
carry_drain(struct flow *f, int64_t now)
{
	struct carry *c;
	ssize_t n;

	c = &f->carry;
	if (c->piped != 0) {
		n = fast_drain(f, now);
	} else {
		n = send(f->to, c->buffer + c->start, c->end - c->start,
		    c->urgent ? MSG_NOSIGNAL | MSG_OOB : MSG_NOSIGNAL);
		/* On the BSDs, ENOBUFS means "no room now" (tcp_usrreq.c). */
		if (n == -1 && errno == ENOBUFS && c->urgent)
			errno = EAGAIN;
		/*
		 * MPTCP before Linux 5.17 rejects MSG_OOB, so send the byte
		 * without MSG_OOB.
		 */
		if (n == -1 && errno == EOPNOTSUPP && c->urgent) {
			c->urgent = 0;
			return carry_drain(f, now);
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
