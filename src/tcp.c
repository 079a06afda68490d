/*
 * Queries and options of TCP sockets that are the same on every system.  The
 * others are in tcp_linux.c or tcp_other.c.
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
 * From now on close(2), or the death of this process, sends RST (on) or FIN
 * (off).  RST is sent at once, and unsent bytes are dropped.
 */
void
tcp_abort(int fd, int on)
{
	struct linger linger;

	linger.l_onoff = on;
	linger.l_linger = 0;
	/* If this fails, the connection still ends, but the other way. */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

/*
 * Prepare a TCP socket for a flow: non-blocking, small writes sent at once, the
 * urgent byte left in its place in the stream, and a silent peer probed after
 * `keepalive' seconds (0: never).  A peer that answers no probe counts as lost
 * after the same time again.
 *
 * If the socket is not TCP, this fails with EOPNOTSUPP or ENOPROTOOPT.
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
	/* MPTCP has no urgent data (RFC 8684), and rejects only this. */
	if (set(fd, SOL_SOCKET, SO_OOBINLINE, 1) == -1 && errno != EOPNOTSUPP)
		return -1;
	if (keepalive != 0) {
		interval = (keepalive + 3) / 4;
		/* Systems that have a minimum use that instead. */
		(void)set(fd, IPPROTO_TCP, TCP_KEEPIDLE, keepalive);
		(void)set(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval);
		(void)set(fd, IPPROTO_TCP, TCP_KEEPCNT,
		    (keepalive + interval - 1) / interval);
	}
	return 0;
}

/* Bytes received but not read, not counting FIN; or -1. */
int
tcp_unread(int fd)
{
	int n;

	return ioctl(fd, FIONREAD, &n) == 0 ? n : -1;
}

/* What poll(2) reports for a socket if no event is requested. */
int
tcp_events(int fd)
{
	struct pollfd p;

	p.fd = fd;
	p.events = 0;
	return poll(&p, 1, 0) == 1 ? p.revents : 0;
}

/*
 * The errno that ended a connection, or an attempt at one; 0 if none has.
 * `revents' is what poll(2) reported.
 *
 * SO_ERROR is not enough: on Linux it also gives soft errors from ICMP, which
 * TCP survives (RFC 1122, 4.2.3.9).  There poll(2) reports both POLLERR and
 * POLLHUP for an error that ends a connection; only POLLHUP after FIN both
 * ways; and only POLLERR if tcp_calm has something to undo, or for a moment
 * before the end, for which tcp_calm waits.  On other systems SO_ERROR gives
 * only errors that end a connection.
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
	 * LAST_ACK), but it is an error if bytes are lost.
	 */
	len = sizeof peer;
	if (!POLLERR_TELLS && error == 0 && tcp_unsent(fd) > 0 &&
	    getpeername(fd, &peer.sa, &len) == -1)
		return ECONNRESET;
	if (POLLERR_TELLS && (revents & POLLHUP) == 0) {
		(void)tcp_calm(fd);
		if ((tcp_events(fd) & POLLHUP) == 0) {
			/* Discard an error that has come since. */
			(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error,
			    &len);
			return 0;
		}
	}
	return error;
}
