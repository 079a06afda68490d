/*
 * On Linux, splice(2) moves bulk through a pipe, and the scheduler is told that
 * this process is not interactive.
 */

#include "relay.h"

#ifdef __linux__

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

/*
 * A new pipe has NEW_PIPE pages, unless the user has too many pipes (pipe(7)).
 * If a pipe is too small for a fast flow, its size is doubled, up to MOST_PIPE
 * bytes.  Before the first doubling, the flow must have moved FAST bytes per
 * millisecond since the last look (see look.c).  If the last look was less than
 * PERIOD milliseconds ago, this rate is computed over PERIOD milliseconds.
 * Each further doubling requires four times the rate of the doubling before it,
 * so the rates are 2, 8, 32 and 128 MB/s.
 *
 * A single stream is twice as fast through a pipe of 512 KiB as through a pipe
 * of 64 KiB.  Through a pipe of 1 MiB, it is a little faster still.  Many
 * streams at once are faster through smaller pipes, whose pages stay in the
 * processor's caches.  For example, 100 streams carry 1.4 times as much through
 * pipes of 512 KiB as through pipes of 1 MiB.  Also, the system limits the
 * total size of a user's pipes.
 */
enum { NEW_PIPE = 16, MOST_PIPE = 1048576, FAST = 2000, PERIOD = 200 };

/* By default, TCP hands at most this number of bytes to IP at once. */
enum { PACKET = 65536 };

/* A flow that yields the processor moves this number of bytes per ms. */
enum { YIELDS = 512000 };

/*
 * Change the policy of this process (sched(7)) from one to another.  Returns 0
 * if the policy is a third one, which the operator has set, or if the system
 * refuses.  musl's functions of these names always fail, so make the system
 * calls here.
 *
 * When a process with SCHED_BATCH wakes up, it does not interrupt the process
 * that is running.  So a peer that is sending can finish what it has to send,
 * and the relay moves more bytes each time it runs.  For 10 streams at once,
 * this takes 40 % less CPU time per GB.  300 streams at once are 1.7 times as
 * fast, and the slowest of them gets 0.7 of the mean instead of 0.4.
 */
static int
schedule(int from, int to)
{
	static const struct sched_param none;

	return syscall(SYS_sched_getscheduler, 0) == from &&
	    syscall(SYS_sched_setscheduler, 0, to, &none) == 0;
}

/*
 * If the flow has a pipe, close the pipe.  After that, the flow is talk, which
 * must not wait for a process that is running.  If the other flow is still
 * bulk, it continues with the usual policy.
 */
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
	if (c->batch)
		(void)schedule(SCHED_BATCH, SCHED_OTHER);
	c->batch = 0;
}

/* The size of a new pipe, in bytes. */
static int
new_size(void)
{
	return NEW_PIPE * (int)sysconf(_SC_PAGESIZE);
}

/* True if the flow has moved this number of bytes per ms since the last look. */
static int
has_rate(const struct flow *f, int64_t rate, int64_t now)
{
	int64_t ms;

	ms = now - f->carry.since;
	if (ms < PERIOD)
		ms = PERIOD;
	return (int64_t)(f->bytes - f->carry.before) >= rate * ms;
}

/* True if the flow is fast enough for a pipe of twice this size. */
static int
is_fast(const struct flow *f, int size, int64_t now)
{
	int64_t times;

	times = size / new_size();
	return has_rate(f, FAST * times * times, now);
}

/*
 * Double the size of the pipe.  If the system refuses, do not ask again before
 * the next look.
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
 * Open a pipe.  If the user's pipes exceed the limits in pipe(7), the kernel
 * makes new pipes small.  In that case, the flow does without a pipe until its
 * weight reaches BULK again.
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
	c->batch = schedule(SCHED_OTHER, SCHED_BATCH);
	len = sizeof c->segment;
	c->segment = 1;		/* in case getsockopt(2) fails */
	(void)getsockopt(f->to, IPPROTO_TCP, TCP_MAXSEG, &c->segment, &len);
}

/*
 * Move bytes from the socket to the pipe, up to the largest number of whole
 * segments that the pipe can hold.  The segment size is that of the receiving
 * side.  Bytes beyond the last whole segment would be sent as a small packet.
 * If these bytes stay in the socket instead, they are sent together with the
 * bytes that follow them.  If the segment size changes later, each full pipe
 * ends with a small packet, but there is no other harm.
 *
 * The pipe is too small if the bytes that splice(2) takes fill it, or if more
 * bytes had come than splice(2) takes.  (Short packets from a network can fill
 * a pipe with fewer bytes than its size.)  Asking how many bytes have come
 * costs a system call.  So the relay asks only if the pipe could be enlarged
 * now (`may_grow').  It also asks only right after a drain (`again'), because
 * the fill before that drain could have left bytes in the socket.
 *
 * At the urgent mark, splice(2) fails with EAGAIN.  But if FIN has also come,
 * splice(2) returns 0 at the mark.  In both cases, this function returns 0,
 * because only recv(2) can tell the mark from FIN.  A socket reports an error
 * only once, so this function returns -1 for every error of the socket.  For an
 * error of splice(2) itself, it returns 0.  EPERM can come from a filter that
 * the relay has inherited.
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
	    errno == ENOMEM || errno == ENOSYS || errno == EPERM))
		return 0;
	return n;
}

/*
 * Send what is in the pipe.  SPLICE_F_MORE is not used, because it would hold
 * back the last bytes.
 *
 * If a very fast flow has sent only a small amount, yield the processor to the
 * peers, in case they are waiting for it.  If the relay slept in poll(2)
 * instead, an interrupt would have to wake it, often from a different
 * processor.  When the relay and both peers share two cores, yielding makes the
 * throughput 1.1 times as high.  After a large amount, yielding is not needed,
 * because the reader is awake and more bytes have come.  An amount is small if
 * it is at most three packets.  This bound takes 4 % less CPU time per GB than
 * a bound of one packet.  Yielding after every amount takes 7 % more CPU time
 * per GB than a bound of one packet.
 *
 * At such a rate (YIELDS), few streams share the machine.  If many do, yielding
 * costs a lot: since Linux 6.18.2, a process that yields has to wait until all
 * others have had their turn.  With 300 streams at once, the throughput was 0.7
 * times as high when all of them yielded.
 */
ssize_t
fast_drain(struct flow *f, int64_t now)
{
	struct carry *c;
	ssize_t n;

	c = &f->carry;
	n = splice(c->pipe[0], NULL, f->to, NULL, c->piped,
	    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	/*
	 * If splice(2) fails after moving some bytes, it returns their number
	 * and does not report the error.
	 */
	if (n > 0 && (size_t)n < c->piped &&
	    (tcp_events(f->to) & POLLHUP) != 0) {
		n = -1;
		errno = EPIPE;
	}
	if (n > 0)
		c->piped -= (size_t)n;
	if (c->piped == 0 && c->weight < TALK)
		fast_end(f);
	if (c->piped == 0 && n <= 3 * PACKET && has_rate(f, YIELDS, now))
		(void)sched_yield();	/* never fails, sched_yield(2) */
	return n;
}

/*
 * True if the flow has a pipe that a later look might have to close.  If the
 * pipe has bytes and the flow's weight is below TALK, no look has to close the
 * pipe, because fast_drain will do so.
 */
int
carry_holds(const struct flow *f)
{
	return f->carry.pipe[0] != 0 &&
	    (f->carry.piped == 0 || f->carry.weight >= TALK);
}

/*
 * Called at each look.  Close the pipe if no byte has moved since the last
 * look, or if the pipe was enlarged and the flow is no longer fast enough for
 * that size.  If the pipe still has bytes, fast_drain will close the pipe after
 * sending them.
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
