/*
 * How the bytes of one flow move, and what the system can tell of a socket.
 * The rules of a session are in pump.c.
 *
 * carry_fill and carry_drain share one contract: more than 0 is bytes, -1 with
 * EAGAIN is "not now", -1 with another errno is the end of that socket.
 */

#include "relay.h"

#include <sys/ioctl.h>

#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#ifdef __linux__
#include <linux/sockios.h>
#endif

static int
set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

/*
 * Make a TCP socket fit for a flow: non-blocking, small writes sent at once,
 * the urgent byte left in its place in the stream, an ordinary close(2), and a
 * silent peer probed after so many seconds (0: never).  A peer that answers no
 * probe either is given up after as long again.
 *
 * Anything but TCP fails with EOPNOTSUPP or ENOPROTOOPT.
 */
int
carry_prepare(int fd, int keepalive)
{
	static const struct linger none;

	if (set(fd, IPPROTO_TCP, TCP_NODELAY, 1) == -1 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) == -1 ||
	    set(fd, SOL_SOCKET, SO_OOBINLINE, 1) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none) == -1 ||
	    set(fd, SOL_SOCKET, SO_KEEPALIVE, keepalive != 0) == -1)
		return -1;
#ifdef TCP_KEEPIDLE	/* elsewhere the system's own times hold */
	if (keepalive != 0 &&
	    (set(fd, IPPROTO_TCP, TCP_KEEPIDLE, keepalive) == -1 ||
	    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, (keepalive + 3) / 4) == -1 ||
	    set(fd, IPPROTO_TCP, TCP_KEEPCNT, 4) == -1))
		return -1;
#endif
	return 0;
}

/* Bytes that were read and are still to be sent. */
int
carry_pending(const struct flow *f)
{
	return f->start != f->end;
}

/* True if the next byte to be read is the urgent one. */
static int
at_mark(const struct flow *f, int revents)
{
	/*
	 * Linux says POLLPRI as long as an urgent byte is in the queue.  One
	 * that comes after poll(2) lies behind bytes that were there before,
	 * and recv(2) stops in front of it.
	 */
#ifdef __linux__
	if ((revents & POLLPRI) == 0)
		return 0;
#else
	(void)revents;
#endif
	return sockatmark(f->from) == 1;
}

/*
 * Read what there is, up to the urgent mark, or the urgent byte alone; only
 * when nothing is pending, and with what poll(2) just said of f->from.  0 is
 * FIN.
 */
ssize_t
carry_fill(struct flow *f, int revents)
{
	ssize_t n;

	f->urgent = at_mark(f, revents);
	n = recv(f->from, f->buffer, f->urgent ? 1 : sizeof f->buffer, 0);
	if (n == -1 && (errno == EINTR || errno == EWOULDBLOCK))
		errno = EAGAIN;
	f->start = 0;
	f->end = n > 0 ? (size_t)n : 0;
	return n;
}

/* Send what is pending, or as much of it as the socket takes. */
ssize_t
carry_drain(struct flow *f)
{
	ssize_t n;

	n = send(f->to, f->buffer + f->start, f->end - f->start,
	    f->urgent ? MSG_NOSIGNAL | MSG_OOB : MSG_NOSIGNAL);
	if (n == -1) {
		if (errno == EINTR || errno == EWOULDBLOCK)
			errno = EAGAIN;
		return -1;
	}
	f->start += (size_t)n;
	f->bytes += (uint64_t)n;
	return n;
}

/* Bytes (and FIN) that the peer has not acknowledged; -1 if unknown. */
int
carry_unsent(int fd)
{
	int n;

#if defined(SIOCOUTQ)
	if (ioctl(fd, SIOCOUTQ, &n) == 0)
		return n;
#elif defined(FIONWRITE)
	if (ioctl(fd, FIONWRITE, &n) == 0)
		return n;
#elif defined(SO_NWRITE)
	socklen_t len = sizeof n;

	if (getsockopt(fd, SOL_SOCKET, SO_NWRITE, &n, &len) == 0)
		return n;
#else
	(void)fd;
	(void)n;
#endif
	return -1;
}

/*
 * True if the peer has left what we sent unanswered for so many seconds, and
 * repeated as well: keepalive says nothing while bytes are under way.  A peer
 * whose window is closed does answer, however long it stays closed, and is
 * alive (so TCP_USER_TIMEOUT, which counts it as gone, will not do).
 */
int
carry_lost(int fd, int seconds)
{
#ifdef __linux__
	struct tcp_info info;
	socklen_t len;

	len = sizeof info;
	memset(&info, 0, sizeof info);
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == -1)
		return 0;
	return (info.tcpi_retransmits > 1 || info.tcpi_probes > 1) &&
	    info.tcpi_last_ack_recv / 1000 >= (unsigned)seconds;
#else
	(void)fd;
	(void)seconds;
	return 0;
#endif
}

/*
 * True if FIN had come in before this error did.  Linux alone tells: RST after
 * FIN is EPIPE, not ECONNRESET.
 */
int
carry_had_fin(int error)
{
#ifdef __linux__
	return error == EPIPE;
#else
	(void)error;
	return 0;
#endif
}
