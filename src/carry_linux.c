/* Bulk on Linux: splice(2) through a pipe. */

#include "relay.h"

#ifdef __linux__

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

/*
 * The sizes of a pipe, in bytes.  A new pipe has the size that the system
 * chooses.  That is LEAST_PIPE or more, unless the user has too many pipes
 * (pipe(7)).  While a pipe is too small, its size is doubled, up to MOST_PIPE.
 * One stream is as fast through 512 KiB as through 1 MiB, but only half as fast
 * through 64 KiB.  Many streams at once are faster through small pipes, because
 * the pages of small pipes stay in the processor's caches: 100 streams carry
 * 1.4 times as much through 512 KiB as through 1 MiB.
 */
enum { LEAST_PIPE = 65536, MOST_PIPE = 524288 };

/* In bytes: the maximum that TCP hands to IP at once by default. */
enum { PACKET = 65536 };

/* Close the pipe, if there is one. */
void
fast_end(struct flow *f)
{
	struct carry *c;

	c = &f->carry;
	if (c->pipe[0] == 0)
		return;
	close(c->pipe[0]);
	close(c->pipe[1]);
	c->pipe[0] = c->pipe[1] = 0;
	c->weight = 0;
}

/*
 * Double the size of the pipe, if it may grow.  If the system refuses, ask
 * again only after the next look.
 */
static void
grow(struct carry *c)
{
	if (c->room >= c->most)
		return;
	if (fcntl(c->pipe[1], F_SETPIPE_SZ, 2 * c->room) == -1)
		c->most = c->room;
	else
		c->room *= 2;
}

/*
 * Open a pipe.  If the user is beyond the limits in pipe(7), new pipes are
 * small.  In that case, do without a pipe, and try again after BULK more bytes.
 */
static void
get_pipe(struct flow *f)
{
	struct carry *c;
	socklen_t len;

	c = &f->carry;
	if (pipe2(c->pipe, O_NONBLOCK | O_CLOEXEC) == -1) {
		c->pipe[0] = c->pipe[1] = 0;
		c->weight = 0;
		return;
	}
	c->filled = 1;
	c->most = MOST_PIPE;
	c->room = fcntl(c->pipe[1], F_GETPIPE_SZ);
	if (c->room < LEAST_PIPE) {
		fast_end(f);
		return;
	}
	len = sizeof c->segment;
	c->segment = 1;		/* in case getsockopt(2) fails */
	(void)getsockopt(f->to, IPPROTO_TCP, TCP_MAXSEG, &c->segment, &len);
}

/*
 * Take what has come, but at most the whole segments of the receiving side that
 * fit into the pipe.  Bytes beyond the last whole segment would be sent as a
 * small packet.  If they are left in the socket, they are sent together with
 * the bytes that follow them.  If segments shrink later, each full pipe ends
 * with a small packet, and nothing worse happens.
 *
 * The pipe is too small if these bytes fill it, or if more bytes had come than
 * it took.  (Short packets from a network may fill a pipe with fewer bytes than
 * its size.)  It costs a system call to ask how many bytes have come.  So the
 * relay asks only if the pipe may grow, and only right after a drain (`again'),
 * because the turn before may have left bytes in the socket.
 *
 * At the urgent mark, splice(2) fails with EAGAIN.  If FIN has come, too,
 * splice(2) returns 0.  In both cases this function returns 0, because only
 * recv(2) can tell the mark from FIN.  A socket reports an error only once, so
 * every error that is not about splice(2) itself is returned here.
 */
ssize_t
fast_fill(struct flow *f, int again)
{
	struct carry *c;
	ssize_t n, size;
	int full, left;

	c = &f->carry;
	if (c->pipe[0] == 0 && c->weight >= BULK)
		get_pipe(f);
	if (c->pipe[0] == 0)
		return 0;
	left = again && c->room < c->most ? tcp_unread(f->from) : 0;
	size = c->room - c->room % c->segment;
	n = splice(f->from, NULL, c->pipe[1], NULL, (size_t)size,
	    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (n > 0) {
		c->piped = (size_t)n;
		full = n == size || n < left;
		if (full)
			grow(c);
		c->filled |= full || n >= c->room / 2;
	}
	if (n == -1 && (errno == EAGAIN || errno == EINTR || errno == EINVAL ||
	    errno == ENOMEM || errno == ENOSYS))
		return 0;
	return n;
}

/*
 * Send what is in the pipe.  SPLICE_F_MORE is not used, because it would hold
 * back the last bytes.
 *
 * After a small amount, yield the processor to the peers if they are waiting
 * for it.  If the relay slept in poll(2) instead, an interrupt would have to
 * wake it, often from a different processor.  With both peers on two cores,
 * yielding gives 1.1 to 1.2 times the throughput.  After a large amount,
 * yielding is not needed: the reader is awake, and more bytes have come.  An
 * amount of up to three packets is small.  For each GB, this bound costs 4 %
 * less CPU than a bound of one packet, and yielding after every amount costs 7
 * % more.
 */
ssize_t
fast_drain(struct flow *f)
{
	struct carry *c;
	ssize_t n;

	c = &f->carry;
	n = splice(c->pipe[0], NULL, f->to, NULL, c->piped,
	    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	/* If an error follows some bytes, splice(2) reports only the bytes. */
	if (n > 0 && (size_t)n < c->piped &&
	    (tcp_events(f->to) & POLLHUP) != 0) {
		n = -1;
		errno = EPIPE;
	}
	if (n > 0)
		c->piped -= (size_t)n;
	if (c->piped == 0 && c->weight < TALK)
		fast_end(f);
	if (c->piped == 0 && n <= 3 * PACKET)
		(void)sched_yield();	/* never fails, sched_yield(2) */
	return n;
}

/* True if the flow has an empty pipe, which can be closed. */
int
carry_holds(const struct flow *f)
{
	return f->carry.pipe[0] != 0 && f->carry.piped == 0;
}

/*
 * At each look: close an empty pipe if no byte was sent since the last look, or
 * if the pipe is large and was never half full since then.  A smaller one will
 * do.
 */
void
carry_rest(struct flow *f)
{
	struct carry *c;

	c = &f->carry;
	if (carry_holds(f) && (f->bytes == c->before ||
	    (c->room > LEAST_PIPE && !c->filled)))
		fast_end(f);
	c->before = f->bytes;
	c->filled = 0;
	c->most = MOST_PIPE;
}

#endif
