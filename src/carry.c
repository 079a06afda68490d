/*
 * How the bytes of one flow move.  The rules of a session are in pump.c.
 *
 * carry_fill and carry_drain share one contract: more than 0 is bytes, -1 with
 * EAGAIN is "not now", -1 with another errno is the end of that socket.
 *
 * Talk is copied.  Bulk has a fast way on some systems, of four functions:
 * fast_fill gives the bytes it has taken, 0 when they are to be copied, or -1
 * with EAGAIN while the system moves them by itself; fast_drain sends what
 * fast_fill has taken; carry_moved tells what the system has moved; fast_end
 * lets go of what the fast way holds.
 */

#include "relay.h"

#include <sys/ioctl.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>
#if defined(__linux__)
#include <netinet/tcp.h>
#endif

/*
 * A read of more than TALK bytes is of bulk.  So many bytes of nothing else
 * make the flow bulk, and so many reads of less make it talk again.  The tests
 * build with -DALL_BULK too.
 */
#ifndef ALL_BULK
enum { BULK = 262144, TALK = 4096, TALK_READS = 16 };
#else
enum { BULK = 0, TALK = 0, TALK_READS = 16 };
#endif

#if defined(__linux__)

/*
 * splice(2) through a pipe, which has to be large to pay: 1 MiB moves 7.6 GB/s,
 * 512 and 256 KiB a little less, 128 KiB 6.6, the usual 64 KiB 3.6, and the
 * buffer's copy 2.8.
 */
enum { PIPE_SIZE = 1048576, LEAST_PIPE = 262144 };

/* Bytes: the most that TCP hands on at once by default, and any segment has. */
enum { PACKET = 65536 };

/* Give the pipe back, if there is one. */
static void
fast_end(struct flow *f)
{
	if (f->pipe[0] == 0)
		return;
	close(f->pipe[0]);
	close(f->pipe[1]);
	f->pipe[0] = f->pipe[1] = 0;
}

/*
 * Past the limits of pipe(7) pipes are small: then do without, and ask again
 * after as many bytes more.
 */
static void
get_pipe(struct flow *f)
{
	socklen_t len;

	f->backlog = 0;
	f->small = 0;
	if (pipe2(f->pipe, O_NONBLOCK | O_CLOEXEC) == -1) {
		f->pipe[0] = f->pipe[1] = 0;
		return;
	}
	(void)fcntl(f->pipe[1], F_SETPIPE_SZ, PIPE_SIZE);
	if (fcntl(f->pipe[1], F_GETPIPE_SZ) < LEAST_PIPE) {
		fast_end(f);
		return;
	}
	len = sizeof f->segment;
	f->segment = 1;		/* if that fails */
	(void)getsockopt(f->to, IPPROTO_TCP, TCP_MAXSEG, &f->segment, &len);
}

/*
 * How much to take, or 0: all there is, but of more than a packet only what
 * fills segments of the other side.  The rest would leave as a small packet of
 * its own; it goes with what has come by the next turn.  On loopback that makes
 * 46 packets of 51, 1.1 times the throughput with reno and cubic, and 1.5 to 2
 * times with bbr, which takes small packets for a slow path.  Segments may
 * shrink later: then a turn has its small packet, and no worse.
 */
static size_t
worth_taking(const struct flow *f)
{
	int n;

	if (ioctl(f->from, FIONREAD, &n) == -1 || n > PIPE_SIZE)
		n = PIPE_SIZE;
	if (n > PACKET)
		n -= n % f->segment;
	return (size_t)n;
}

/*
 * At the urgent mark splice(2) says EAGAIN, or 0 when FIN has come too, and
 * recv(2) has to tell what it is.  An error of the socket is told only once, so
 * what is not splice's own ends the socket here.
 */
static ssize_t
fast_fill(struct flow *f)
{
	size_t size;
	ssize_t n;

	if (f->pipe[0] == 0 && f->backlog + 1 > BULK)
		get_pipe(f);
	if (f->pipe[0] == 0 || (size = worth_taking(f)) == 0)
		return 0;
	n = splice(f->from, NULL, f->pipe[1], NULL, size,
	    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (n > 0) {
		f->piped = (size_t)n;
		f->small = n > TALK ? 0 : f->small + 1;
	}
	if (n == -1 && (errno == EAGAIN || errno == EINTR || errno == EINVAL ||
	    errno == ENOMEM || errno == ENOSYS))
		return 0;
	return n;
}

/*
 * Send what is in the pipe.  No SPLICE_F_MORE: it would hold the last bytes
 * back.
 *
 * Behind little, the peers get the processor, if they wait for it: who sleeps
 * in poll(2) instead has to be woken by an interrupt, often of another
 * processor.  With both peers on two cores that is 1.1 to 1.2 times the
 * throughput.  Behind much, the reader is awake and more has come.  Up to three
 * packets a GB costs 4 % less CPU than up to one, and always 7 % more.
 */
static ssize_t
fast_drain(struct flow *f)
{
	ssize_t n;

	n = splice(f->pipe[0], NULL, f->to, NULL, f->piped,
	    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	/* It keeps an error to itself if bytes went before; only once is it told. */
	if (n > 0 && (size_t)n < f->piped && (tcp_events(f->to) & POLLHUP) != 0) {
		n = -1;
		errno = EPIPE;
	}
	if (n > 0)
		f->piped -= (size_t)n;
	if (f->piped == 0 && f->small == TALK_READS)
		fast_end(f);
	if (f->piped == 0 && n <= 3 * PACKET)
		(void)sched_yield();	/* never fails, sched_yield(2) */
	return n;
}

int
carry_moved(struct flow *f)
{
	(void)f;
	return 0;
}

#elif defined(__OpenBSD__)

/*
 * SO_SPLICE, setsockopt(2): the kernel moves the bytes, urgent mark included
 * (sosplice(9), with SO_OOBINLINE), and poll(2) is silent until that is over:
 * for FIN, which is not forwarded, or for an error.  FreeBSD's moves the urgent
 * byte without its mark, so there bytes are copied.
 */
static int
splice_to(struct flow *f, int to)
{
	struct splice splice;

	memset(&splice, 0, sizeof splice);
	splice.sp_fd = to;
	return setsockopt(f->from, SOL_SOCKET, SO_SPLICE, &splice,
	    sizeof splice);
}

/* Bytes moved since this was asked last go to f->bytes; true if any. */
int
carry_moved(struct flow *f)
{
	socklen_t len;
	off_t n;
	uint64_t before;

	len = sizeof n;
	if (!f->splicing ||
	    getsockopt(f->from, SOL_SOCKET, SO_SPLICE, &n, &len) == -1)
		return 0;
	before = f->spliced;
	f->spliced = (uint64_t)n;
	f->bytes += f->spliced - before;
	return f->spliced != before;
}

static void
fast_end(struct flow *f)
{
	if (!f->splicing)
		return;
	/* EPROTO if it had ended by itself, as it mostly has. */
	(void)splice_to(f, -1);
	(void)carry_moved(f);
	f->splicing = 0;
}

static ssize_t
fast_fill(struct flow *f)
{
	socklen_t len;
	int error;

	if (f->splicing) {
		fast_end(f);
		len = sizeof error;
		if (getsockopt(f->from, SOL_SOCKET, SO_ERROR, &error, &len)
		    == -1 || error == 0)
			return 0;
		/* EPIPE is of the other side, which poll(2) will tell of. */
		errno = error == EPIPE ? EAGAIN : error;
		return -1;
	}
	if (f->backlog + 1 <= BULK)
		return 0;
	f->backlog = 0;
	f->spliced = 0;
	if (splice_to(f, f->to) == -1)
		return 0;
	f->splicing = 1;
	errno = EAGAIN;
	return -1;
}

#else

static ssize_t
fast_fill(struct flow *f)
{
	(void)f;
	return 0;
}

static void
fast_end(struct flow *f)
{
	(void)f;
}

int
carry_moved(struct flow *f)
{
	(void)f;
	return 0;
}

#endif

#ifndef __linux__

/* Nothing is taken that is not in the buffer. */
static ssize_t
fast_drain(struct flow *f)
{
	(void)f;
	return 0;
}

#endif

/* Bytes that were read and are still to be sent. */
size_t
carry_pending(const struct flow *f)
{
	return f->end - f->start + f->piped;
}

/* True if the flow is of bulk that is moved here: more will have come. */
int
carry_bulk(const struct flow *f)
{
	return f->pipe[0] != 0;
}

/* -1 with EAGAIN for whatever means "not now". */
static ssize_t
result(ssize_t n)
{
	if (n == -1 && (errno == EINTR || errno == EWOULDBLOCK))
		errno = EAGAIN;
	return n;
}

/* What to ask poll(2) of f->from for, when nothing is pending. */
short
carry_events(const struct flow *f)
{
#ifdef __linux__
	return f->early ? POLLIN : POLLIN | POLLPRI;
#else
	(void)f;
	return POLLIN;
#endif
}

/* True if the next byte to be read is the urgent one. */
static int
at_mark(struct flow *f, int revents)
{
#ifdef __linux__
	/*
	 * Linux says POLLPRI as soon as an urgent byte is there, and until it is
	 * read.  One that comes after poll(2) lies behind bytes that were there
	 * before, and recv(2) stops in front of it.  One that has overtaken a
	 * lost segment says POLLPRI alone: the segment is to be waited for, by
	 * POLLIN; and by then, or even by now, the mark may be here.
	 */
	if (f->early)
		revents |= POLLPRI;
	f->early = (revents & (POLLIN | POLLPRI)) == POLLPRI;
	if ((revents & POLLPRI) == 0)
		return 0;
#else
	(void)revents;
#endif
	return sockatmark(f->from) == 1;
}

/*
 * Take what there is, up to the urgent mark, or the urgent byte alone; only
 * when nothing is pending, and with what poll(2) just said of f->from.  0 is
 * FIN.  With revents 0, poll(2) was not asked: EAGAIN where it has to be.
 */
ssize_t
carry_fill(struct flow *f, int revents)
{
	ssize_t n;

	f->start = f->end = 0;
	f->urgent = revents != 0 && at_mark(f, revents);
	if (!f->urgent && (n = fast_fill(f)) != 0)
		return n;
	if (revents == 0) {
		errno = EAGAIN;
		return -1;
	}
	n = recv(f->from, f->buffer, f->urgent ? 1 : FLOW_BUFFER, 0);
	f->end = n > 0 ? (size_t)n : 0;
	f->backlog = f->end > TALK ? f->backlog + f->end : 0;
	if (n == 0)
		fast_end(f);
	return result(n);
}

/* True if something is held that only bulk needs, and that can be let go. */
int
carry_holds(const struct flow *f)
{
	return f->splicing || (f->pipe[0] != 0 && f->piped == 0);
}

/* Nothing has moved for a while: let go of it. */
void
carry_rest(struct flow *f)
{
	if (carry_holds(f))
		fast_end(f);
}

/* The side that the flow leads to is gone: so is what is pending. */
void
carry_drop(struct flow *f)
{
	f->start = f->end = f->piped = 0;
	fast_end(f);
}

/* Send what is pending, or as much of it as the socket takes. */
ssize_t
carry_drain(struct flow *f)
{
	ssize_t n;

	if (f->piped != 0) {
		n = fast_drain(f);
	} else {
		n = send(f->to, f->buffer + f->start, f->end - f->start,
		    f->urgent ? MSG_NOSIGNAL | MSG_OOB : MSG_NOSIGNAL);
		/* MPTCP, before Linux 5.17: then without the mark. */
		if (n == -1 && errno == EOPNOTSUPP && f->urgent) {
			f->urgent = 0;
			return carry_drain(f);
		}
		if (n > 0)
			f->start += (size_t)n;
	}
	if (n > 0)
		f->bytes += (uint64_t)n;
	return result(n);
}
