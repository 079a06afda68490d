/* Bulk on Linux: splice(2) through a pipe. */

#include "relay.h"

#ifdef __linux__

#include <sys/ioctl.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

/*
 * Bytes.  Only a large pipe is worth while: 1 MiB carries 7.6 GB/s, 512 and 256
 * KiB a little less, 128 KiB 6.6, the default 64 KiB 3.6, and copying 2.8.
 */
enum { PIPE_SIZE = 1048576, LEAST_PIPE = 262144 };

/*
 * Bytes: the maximum that TCP passes down at once by default, and the maximum
 * of any segment.
 */
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
	c->backlog = 0;
	c->small = 0;
	if (pipe2(c->pipe, O_NONBLOCK | O_CLOEXEC) == -1) {
		c->pipe[0] = c->pipe[1] = 0;
		return;
	}
	(void)fcntl(c->pipe[1], F_SETPIPE_SZ, PIPE_SIZE);
	if (fcntl(c->pipe[1], F_GETPIPE_SZ) < LEAST_PIPE) {
		fast_end(f);
		return;
	}
	len = sizeof c->segment;
	c->segment = 1;		/* in case the call fails */
	(void)getsockopt(f->to, IPPROTO_TCP, TCP_MAXSEG, &c->segment, &len);
}

/*
 * How many bytes to take: all that have come, but if they are more than a
 * packet, only whole segments of the other side.  The rest would be sent as a
 * small packet; if left, it is sent together with the bytes that come before
 * the next turn.  On loopback this makes 46 packets instead of 51, 1.1 times
 * the throughput with reno and cubic, and 1.5 to 2 times with bbr, which
 * mistakes small packets for a slow path.  If segments shrink later, each turn
 * ends with a small packet, and nothing worse happens.
 */
static size_t
worth_taking(const struct flow *f)
{
	const struct carry *c;
	int n;

	c = &f->carry;
	if (ioctl(f->from, FIONREAD, &n) == -1 || n > PIPE_SIZE)
		n = PIPE_SIZE;
	if (n > PACKET)
		n -= n % c->segment;
	return (size_t)n;
}

/*
 * At the urgent mark splice(2) fails with EAGAIN, or returns 0 if FIN has come,
 * too; then only recv(2) can tell the mark from FIN.  A socket reports an error
 * only once, so every error that is not about splice(2) itself is returned
 * here.
 */
ssize_t
fast_fill(struct flow *f)
{
	struct carry *c;
	size_t size;
	ssize_t n;

	c = &f->carry;
	if (c->pipe[0] == 0 && c->backlog + 1 > BULK)
		get_pipe(f);
	if (c->pipe[0] == 0 || (size = worth_taking(f)) == 0)
		return 0;
	n = splice(f->from, NULL, c->pipe[1], NULL, size,
	    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (n > 0) {
		c->piped = (size_t)n;
		c->small = n > TALK ? 0 : c->small + 1;
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
	if (c->piped == 0 && c->small == TALK_READS)
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

#endif
