/*
 * Functions for TCP sockets that are the same on every system.  Those that
 * differ between systems are in tcp_linux.c and tcp_other.c.
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
 * Choose what this socket sends when close(2) or the end of this process closes
 * it: RST if `on' is true, otherwise FIN.  RST is sent at once, and any unsent
 * bytes are dropped.
 */
void
tcp_abort(int fd, int on)
{
	struct linger linger;

	linger.l_onoff = on;
	linger.l_linger = 0;
	/*
	 * If this fails, the connection still ends, but perhaps with FIN
	 * instead of RST, or with RST instead of FIN.
	 */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

/*
 * Prepare a TCP socket for a session.  Calls on it will not block, and small
 * writes are sent at once.  An urgent byte stays in its place in the stream.
 * If its peer has been silent for `keepalive' seconds, the peer is probed (0:
 * never).  If the peer then answers no probe for the same number of seconds, it
 * counts as lost.
 *
 * If the socket is not TCP, this function fails with EOPNOTSUPP or ENOPROTOOPT.
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
	/*
	 * MPTCP has no urgent data (RFC 8684).  Of these options, it rejects
	 * only this one.
	 */
	if (set(fd, SOL_SOCKET, SO_OOBINLINE, 1) == -1 && errno != EOPNOTSUPP)
		return -1;
	if (keepalive != 0) {
		interval = (keepalive + 3) / 4;
		/* A system whose minimum is larger uses that minimum. */
		(void)set(fd, IPPROTO_TCP, TCP_KEEPIDLE, keepalive);
		(void)set(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval);
		(void)set(fd, IPPROTO_TCP, TCP_KEEPCNT,
		    (keepalive + interval - 1) / interval);
	}
	return 0;
}

/*
 * The number of bytes that were received but not read, not counting FIN; -1 if
 * the system does not say.
 */
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
 * The errno of the error that ended a connection or an attempt to connect; 0 if
 * there was no such error.  `revents' is what poll(2) reported.
 *
 * SO_ERROR is not enough.  On Linux, it also gives soft errors from ICMP, which
 * TCP survives (RFC 1122, 4.2.3.9).  There, what poll(2) reports shows the
 * difference:
 *
 *   POLLERR and POLLHUP: an error has ended the connection;
 *   only POLLHUP: FIN has gone both ways;
 *   only POLLERR: either tcp_calm has something to undo, or an error is about
 *   to end the connection, and then tcp_calm waits for that end.
 *
 * On other systems, SO_ERROR gives only errors that end a connection.
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
	 * On the BSDs, RST after FIN both ways sets no error (tcp_input.c,
	 * LAST_ACK).  If bytes are lost in this way, report an error all the
	 * same.
	 */
	len = sizeof peer;
	if (!POLLERR_TELLS && error == 0 && tcp_unsent(fd) > 0 &&
	    getpeername(fd, &peer.sa, &len) == -1)
		return ECONNRESET;
	if (POLLERR_TELLS && (revents & POLLHUP) == 0) {
		(void)tcp_calm(fd);
		if ((tcp_events(fd) & POLLHUP) == 0) {
			/* Discard an error that has come meanwhile. */
			(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error,
			    &len);
			return 0;
		}
	}
	return error;
}
