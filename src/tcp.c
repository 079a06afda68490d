/*
 * These functions for TCP sockets are the same on every system.  The functions
 * that differ between systems are in tcp_linux.c and tcp_other.c.
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
 * Choose what TCP sends when this socket is closed, by close(2) or by the end
 * of this process: RST if `on' is true, otherwise FIN.  TCP sends RST at once,
 * and drops any unsent bytes.
 */
void
tcp_abort(int fd, int on)
{
	struct linger linger;

	linger.l_onoff = on;
	linger.l_linger = 0;
	/*
	 * If this call fails, closing the socket still ends the connection, but
	 * perhaps with FIN instead of RST, or with RST instead of FIN.
	 */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

/*
 * Prepare a TCP socket for a session.  Calls on it will not block, and small
 * writes are sent at once.  An urgent byte stays in its place in the stream.
 * If the peer has been silent for `keepalive' seconds, TCP probes the peer.  If
 * the peer then answers no probe for another `keepalive' seconds, the
 * connection counts as lost.  If `keepalive' is 0, TCP never probes the peer.
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
	 * MPTCP has no urgent data (RFC 8684), so it rejects this option.
	 * Before Linux 6.10, MPTCP also rejects the three options below.  Then
	 * the system's own values apply.
	 */
	if (set(fd, SOL_SOCKET, SO_OOBINLINE, 1) == -1 && errno != EOPNOTSUPP)
		return -1;
	if (keepalive != 0) {
		interval = (keepalive + 3) / 4;
		/*
		 * If a value is below a system's minimum, the system uses its
		 * minimum, but illumos rejects the value.
		 */
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

/* What SO_ERROR gives, or the errno of asking for it.  Asking clears SO_ERROR. */
int
tcp_take_error(int fd)
{
	socklen_t len;
	int error;

	len = sizeof error;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1 ?
	    errno : error;
}
