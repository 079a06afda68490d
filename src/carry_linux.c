/* Bulk on Linux: splice(2) through a pipe. */

#include "relay.h"

#ifdef __linux__

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

/*
 * Bytes.  A pipe begins with the size that the system gives to new ones, which
 * is LEAST_PIPE or more unless the user has too many (pipe(7)), and is doubled
 * while it is too small.  For one stream 512 KiB is as fast as 1 MiB, 64 KiB
 * half as fast.  Many streams at once are faster with small pipes, whose pages
 * stay in the processor's caches: 100 of them through 512 KiB carry 1.4 times
 * as much as through 1 MiB.
 */
enum { LEAST_PIPE = 65536, MOST_PIPE = 524288 };

/* Bytes: the maximum that TCP passes down at once by default. */
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

/* Double the pipe.  If the system refuses, ask again after the next look. */
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
 * Beyond the limits in pipe(7) new pipes are small: then do without a pipe, and
 * try again after BULK more bytes.
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
	c->segment = 1;		/* in case the call fails */
	(void)getsockopt(f->to, IPPROTO_TCP, TCP_MAXSEG, &c->segment, &len);
}

/*
 * Take what has come, but if it fills the pipe, take only whole segments of the
 * other side.  The rest would be sent as a small packet; if left, it is sent
 * together with the bytes after it.  If segments shrink later, each full pipe
 * ends with a small packet, and nothing worse happens.
 *
 * The pipe is too small if that filled it, or if more had come than it took: on
 * a network, short packets may fill it with fewer bytes.  The number of bytes
 * that had come is asked for only when it can grow, and nobody has waited since
 * the last turn, which may have left some.
 *
 * At the urgent mark splice(2) fails with EAGAIN, or returns 0 if FIN has come,
 * too; then only recv(2) can tell the mark from FIN.  A socket reports an error
 * only once, so every error that is not about splice(2) itself is returned
 * here.
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
 * Send what is in the pipe, without SPLICE_F_MORE, which would hold back the
 * last bytes.
 *
 * After a small amount, yield the processor to the peers if they are waiting
 * for it.  If we slept in poll(2) instead, an interrupt would have to wake us,
 * often from a different processor.  With both peers on two cores, yielding
 * gives 1.1 to 1.2 times the throughput.  After a large amount there is no
 * need: the reader is awake, and more bytes have come.  For each GB a bound of
 * three packets costs 4 % less CPU than a bound of one packet; yielding always
 * costs 7 % more.
 */
ssize_t
fast_drain(struct flow *f)
{
	struct carry *c;
	ssize_t n;

	c = &f->carry;
	n = splice(c->pipe[0], NULL, f->to, NULL, c->piped,
	    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	/* splice(2) hides an error that follows some bytes. */
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

/* True if there is an empty pipe, which can be closed. */
int
carry_holds(const struct flow *f)
{
	return f->carry.pipe[0] != 0 && f->carry.piped == 0;
}

/*
 * A look: close the pipe if no byte has moved since the last one, or if it is
 * large and has not been full, and so a smaller one will do.
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
