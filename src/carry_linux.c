/* Bulk on Linux: splice(2) through a pipe. */

#include "relay.h"

#ifdef __linux__

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

/*
 * A new pipe has NEW_PIPE pages, unless the user has too many pipes (pipe(7)).
 * If that is too small for a fast flow, the pipe is doubled, up to MOST_PIPE
 * bytes.  For the first step, a flow must have moved FAST bytes for each
 * millisecond since the last look, and at least those of a PERIOD of
 * milliseconds.  For each further step it takes four times as many: 2, 8, 32
 * and 128 MB/s.
 *
 * One stream is twice as fast through 512 KiB as through 64 KiB, and a little
 * faster through 1 MiB.  Many streams at once are faster through smaller pipes,
 * whose pages stay in the processor's caches: 100 streams carry 1.4 times as
 * much through 512 KiB as through 1 MiB.  Also, all pipes of a user share a
 * limit.
 */
enum { NEW_PIPE = 16, MOST_PIPE = 1048576, FAST = 2000, PERIOD = 200 };

/* In bytes: the maximum that TCP hands to IP at once by default. */
enum { PACKET = 65536 };

/* Close the pipe, if there is one.  From then on, the flow is talk. */
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

/* The size of a new pipe in bytes. */
static int
new_size(void)
{
	return NEW_PIPE * (int)sysconf(_SC_PAGESIZE);
}

/*
 * True if the flow has moved enough bytes since the last look for a pipe of
 * twice this size.
 */
static int
is_fast(const struct flow *f, int size, int64_t now)
{
	int64_t ms, times;

	ms = now - f->carry.since;
	if (ms < PERIOD)
		ms = PERIOD;
	times = size / new_size();
	return (int64_t)(f->bytes - f->carry.before) >=
	    FAST * times * times * ms;
}

/*
 * Double the size of the pipe.  If the system refuses, ask again only after the
 * next look.
 */
static void
grow(struct carry *c)
{
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
get_pipe(struct flow *f, int64_t now)
{
	struct carry *c;
	socklen_t len;

	c = &f->carry;
	if (pipe2(c->pipe, O_NONBLOCK | O_CLOEXEC) == -1) {
		c->pipe[0] = c->pipe[1] = 0;
		c->weight = 0;
		return;
	}
	c->before = f->bytes;
	c->since = now;
	c->most = MOST_PIPE;
	c->room = fcntl(c->pipe[1], F_GETPIPE_SZ);
	if (c->room < new_size()) {
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
 * the bytes that follow them.  If the size of segments changes later, each full
 * pipe ends with a small packet, and nothing worse happens.
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
fast_fill(struct flow *f, int again, int64_t now)
{
	struct carry *c;
	ssize_t n, size;
	int left, may_grow;

	c = &f->carry;
	if (c->pipe[0] == 0 && c->weight >= BULK)
		get_pipe(f, now);
	if (c->pipe[0] == 0)
		return 0;
	may_grow = c->room < c->most && is_fast(f, c->room, now);
	left = again && may_grow ? tcp_unread(f->from) : -1;
	if (left == 0)
		return 0;
	size = c->room - c->room % c->segment;
	n = splice(f->from, NULL, c->pipe[1], NULL, (size_t)size,
	    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (n > 0) {
		c->piped = (size_t)n;
		if (may_grow && (n == size || n < left))
			grow(c);
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

/*
 * True if the flow has a pipe that a look may still have to close: an empty
 * pipe, or one that is not marked to be closed (by its weight).
 */
int
carry_holds(const struct flow *f)
{
	return f->carry.pipe[0] != 0 &&
	    (f->carry.piped == 0 || f->carry.weight >= TALK);
}

/*
 * A look: close the pipe if no byte has moved since the last look, or if the
 * pipe has grown and the flow is no longer fast enough for its size.  If the
 * pipe still has bytes, fast_drain will close it once it is empty.
 */
void
carry_rest(struct flow *f, int64_t now)
{
	struct carry *c;

	c = &f->carry;
	if (c->pipe[0] != 0 && (f->bytes == c->before ||
	    (c->room > new_size() && !is_fast(f, c->room / 2, now)))) {
		c->weight = -1;
		if (c->piped == 0)
			fast_end(f);
	}
	c->before = f->bytes;
	c->since = now;
	c->most = MOST_PIPE;
}

#endif
