/*
 * What is asked of a TCP socket, and set on it, in the same way on every
 * system.  The rest is in tcp_linux.c or tcp_other.c.
 */

#include "relay.h"

#include <sys/ioctl.h>

#include <errno.h>
#include <fcntl.h>

static int
set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

/*
 * From now on close(2), or any death of this process, sends RST (on) or FIN.
 * RST leaves at once and drops what is unsent.
 */
void
tcp_abort(int fd, int on)
{
	struct linger linger;

	linger.l_onoff = on;
	linger.l_linger = 0;
	/* If it fails, the connection still ends, but in the other way. */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

/*
 * Make a TCP socket fit for a flow: non-blocking, small writes sent at once,
 * the urgent byte left in its place in the stream, and a silent peer probed
 * after `keepalive' seconds (0: never).  A peer that answers no probe is lost
 * after the same time again.
 *
 * Anything other than TCP fails with EOPNOTSUPP or ENOPROTOOPT.
 */
int
tcp_prepare(int fd, int keepalive)
{
	int interval;

	(void)KEEP_OPTIONS(fd);
	if (set(fd, IPPROTO_TCP, TCP_NODELAY, 1) == -1 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) == -1 ||
	    set(fd, SOL_SOCKET, SO_KEEPALIVE, keepalive != 0) == -1)
		return -1;
	/* MPTCP has no urgent data (RFC 8684), and refuses only this. */
	if (set(fd, SOL_SOCKET, SO_OOBINLINE, 1) == -1 && errno != EOPNOTSUPP)
		return -1;
	if (keepalive != 0) {
		interval = (keepalive + 3) / 4;
		/* Systems with a minimum of their own keep to that. */
		(void)set(fd, IPPROTO_TCP, TCP_KEEPIDLE, keepalive);
		(void)set(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval);
		(void)set(fd, IPPROTO_TCP, TCP_KEEPCNT,
		    (keepalive + interval - 1) / interval);
	}
	return 0;
}

/* Bytes received but not read, without FIN; or -1. */
int
tcp_unread(int fd)
{
	int n;

	return ioctl(fd, FIONREAD, &n) == 0 ? n : -1;
}

/* What poll(2) reports for a socket when asked for no event. */
int
tcp_events(int fd)
{
	struct pollfd p;

	p.fd = fd;
	p.events = 0;
	return poll(&p, 1, 0) == 1 ? p.revents : 0;
}

/*
 * The errno with which a connection, or an attempt at one, has ended; 0 if it
 * has not.  `revents' is what poll(2) reported.
 *
 * SO_ERROR alone is not enough: on Linux it also gives soft errors from ICMP,
 * which TCP survives (RFC 1122, 4.2.3.9).  There poll(2) reports POLLERR and
 * POLLHUP for an error that ends a connection, POLLHUP alone after FIN both
 * ways, and POLLERR alone where tcp_calm has something to undo, or a moment
 * before the end, for which tcp_calm waits.  Elsewhere SO_ERROR only gives
 * errors that end a connection.
 */
int
tcp_error(int fd, int revents)
{
	union address peer;
	socklen_t len;
	int error;

	if (POLLERR_TELLS && (revents & POLLERR) == 0)
		return 0;
	len = sizeof error;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		return errno;
	/*
	 * RST after FIN both ways sets no error on the BSDs (tcp_input.c,
	 * LAST_ACK), but it is one if bytes are lost.
	 */
	len = sizeof peer;
	if (!POLLERR_TELLS && error == 0 && tcp_unsent(fd) > 0 &&
	    getpeername(fd, &peer.sa, &len) == -1)
		return ECONNRESET;
	if (POLLERR_TELLS && (revents & POLLHUP) == 0) {
		(void)tcp_calm(fd);
		if ((tcp_events(fd) & POLLHUP) == 0) {
			/* An error may have come since. */
			(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error,
			    &len);
			return 0;
		}
	}
	return error;
}
