/* TCP on Linux: what a socket reports, and what a parent may have set on it. */

#include "relay.h"

#ifdef __linux__

#include <sys/ioctl.h>

#include <linux/sockios.h>

#include <string.h>

/* Older headers lack this option. */
#ifndef TCP_RTO_MAX_MS
#define TCP_RTO_MAX_MS 44
#endif

/* States of a connection, which the kernel's headers do not name. */
enum { SYN_RECV = 3, CLOSE = 7, CLOSE_WAIT = 8 };

static int
set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

/*
 * Undo the options that make TCP lose bytes, hold bytes back, or drop live
 * peers.  A parent may have set such an option on this socket, or on the
 * listener, whose options every accepted socket inherits.  If a call here fails
 * because the kernel or the socket does not know the option, nobody can have
 * set that option.
 *
 * Other options decide how packets look or how fast they go: marks, priorities,
 * hop limits, buffers, pacing and congestion control.  These are the operator's
 * choice and stay as they are.  Each call here adds 0.2 % to the cost of
 * setting up a session.  So if an option rarely matters, it is not undone here.
 * Instead, tcp_calm or tcp_let_go undoes it when it does matter.
 */
void
tcp_inherit(int fd)
{
	(void)set(fd, SOL_SOCKET, SO_RCVLOWAT, 1);
	(void)set(fd, SOL_SOCKET, SO_DETACH_FILTER, 0);
	(void)set(fd, SOL_SOCKET, SO_DONTROUTE, 0);
	(void)set(fd, IPPROTO_TCP, TCP_CORK, 0);
	(void)set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 0);
	(void)set(fd, IPPROTO_TCP, TCP_RTO_MAX_MS, 120000);
}

/*
 * Called if a connection has reported an error, but seems to be alive.  The
 * reason can be an option that a parent has set: IP_RECVERR and IPV6_RECVERR
 * report ICMP errors, and SO_TIMESTAMPING reports every packet that is sent.
 * Undo these options, so that they cannot cause another error.  Returns true if
 * any of them was set.
 *
 * When a reset comes, the kernel first sets the error and then the state.
 * setsockopt(2) has to lock the socket, so that call returns only after both
 * are set, and has_ended can then tell.
 */
int
tcp_calm(int fd)
{
	socklen_t len;
	int four, six, stamps;

	four = six = stamps = 0;
	len = sizeof stamps;
	(void)getsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &stamps, &len);
	len = sizeof six;
	(void)getsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &six, &len);
	len = sizeof four;
	(void)getsockopt(fd, IPPROTO_IP, IP_RECVERR, &four, &len);
	(void)set(fd, SOL_SOCKET, SO_TIMESTAMPING, 0);
	(void)set(fd, IPPROTO_IPV6, IPV6_RECVERR, 0);
	(void)set(fd, IPPROTO_IP, IP_RECVERR, 0);
	while (recv(fd, &len, sizeof len, MSG_ERRQUEUE) != -1)
		;
	return stamps || six || four;
}

/*
 * Called if the other side is gone and the relay is about to close this
 * connection, perhaps with FIN and perhaps before the peer closes it.  If a
 * parent has made TCP_LINGER2 negative, the kernel would then send RST once the
 * peer has acknowledged FIN.
 */
void
tcp_let_go(int fd)
{
	(void)set(fd, IPPROTO_TCP, TCP_LINGER2, 0);
}

/* On Linux, an urgent byte stays in the stream, no matter when it came. */
int
tcp_early(int fd)
{
	(void)fd;
	return 0;
}

int
tcp_due(int fd, int early)
{
	(void)fd;
	(void)early;
	return 0;
}

/*
 * The events that announce bytes, urgent or not.  `early' is the value
 * that tcp_at_mark last stored.
 */
short
tcp_awaited(int early)
{
	return early ? POLLIN : POLLIN | POLLPRI;
}

/*
 * True if the next byte to be read is the urgent one.  `revents' is what
 * poll(2) has just reported.  The caller keeps *early from one call to the
 * next.
 *
 * Linux reports POLLPRI from the arrival of an urgent byte until that byte is
 * read.  If the urgent byte arrives only after poll(2) has returned because of
 * other bytes, recv(2) reads those bytes and stops before the urgent byte.  If
 * a segment is lost and the urgent byte overtakes it, poll(2) reports only
 * POLLPRI.  In that case, *early is set, and the next poll(2) waits only for
 * POLLIN, that is, until the lost segment has been sent again.  Once the
 * segment has come, the urgent byte can be the next byte to be read.  The
 * segment can even come just before sockatmark(3) is called.  So sockatmark(3)
 * is called even if *early has just been set.
 */
int
tcp_at_mark(int fd, int revents, int *early)
{
	if (*early)
		revents |= POLLPRI;
	*early = (revents & (POLLIN | POLLPRI)) == POLLPRI;
	return (revents & POLLPRI) != 0 && sockatmark(fd) == 1;
}

/* Read the urgent byte, after tcp_at_mark has said that it is next. */
ssize_t
tcp_take_urgent(int fd, char *byte, int *early)
{
	(void)early;
	return recv(fd, byte, 1, 0);
}

/* Get TCP_INFO.  Fields that an older kernel does not know are 0. */
static int
tcp_info(int fd, struct tcp_info *info)
{
	socklen_t len;

	len = sizeof *info;
	memset(info, 0, sizeof *info);
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len);
}

/*
 * Get TCP_INFO, but not for an MPTCP connection, of which the kernel describes
 * only one path.  For an MPTCP connection, this function sets all fields to 0
 * and returns -1.
 */
static int
whole_info(int fd, struct tcp_info *info)
{
	socklen_t len;
	int protocol;

	len = sizeof protocol;
	if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 &&
	    protocol == IPPROTO_TCP)
		return tcp_info(fd, info);
	memset(info, 0, sizeof *info);
	return -1;
}

/*
 * True if the connection, or an attempt to connect, has ended.  For MPTCP,
 * POLLHUP can also mean that FIN has gone both ways.
 */
static int
has_ended(int fd)
{
	struct tcp_info info;

	return whole_info(fd, &info) == 0 ? info.tcpi_state == CLOSE :
	    (tcp_events(fd) & POLLHUP) != 0;
}

/*
 * The errno of the error that ended a connection or an attempt to connect; 0 if
 * there was no such error.  `revents' is what poll(2) reported.
 *
 * SO_ERROR also gives soft errors from ICMP, which TCP survives (RFC 1122,
 * 4.2.3.9), and poll(2) reports POLLERR for these, too.  So an error counts
 * only if the connection has ended.  The error that ended it can have come
 * after SO_ERROR was read, so read SO_ERROR again.
 *
 * If the connection has not ended, another soft error can have come before
 * tcp_calm.  A call on the socket would fail with that error.  So, if there is
 * one, begin again, which also clears it.  No third soft error can come.
 */
int
tcp_error(int fd, int revents)
{
	int error, i, last;

	for (i = 0; i < 2 && (revents & POLLERR) != 0; i++) {
		error = tcp_take_error(fd);
		(void)tcp_calm(fd);
		if (has_ended(fd)) {
			last = tcp_take_error(fd);
			return last != 0 ? last : error;
		}
		revents = tcp_events(fd);
	}
	return 0;
}

/*
 * The number of bytes that the peer has not acknowledged, counting FIN as one
 * byte; -1 if the system does not say.
 *
 * With TCP Fast Open, bytes can be sent in SYN_RECV, before the client has
 * acknowledged anything.  In this state, SIOCOUTQ always gives 0.
 */
int
tcp_unsent(int fd)
{
	struct tcp_info info;
	int n;

	if (ioctl(fd, SIOCOUTQ, &n) == -1)
		return -1;
	return n == 0 && tcp_info(fd, &info) == 0 &&
	    info.tcpi_state == SYN_RECV ? 1 : n;
}

/*
 * Returns the number of retransmissions since the peer last acknowledged
 * anything, plus the number of probes of a closed window since the peer last
 * answered.  Stores in *ms the number of milliseconds since the peer's system
 * last sent an acknowledgement or data.  Acknowledgements and data both count,
 * because either of them can pause while the other goes on.
 *
 * Keepalive cannot replace this function, because keepalive does not probe
 * while bytes are in flight.  TCP_USER_TIMEOUT cannot replace it either: with
 * that option, a peer whose window stays closed counts as dead, even though the
 * peer's system still answers.
 *
 * When a window has been closed for some minutes, Linux probes it only every
 * two minutes.  TCP_RTO_MAX_MS could make Linux probe more often.  But Linux
 * would then drop the last bytes of a finished session if their reader paused.
 */
int64_t
tcp_repeats(int fd, int64_t *ms)
{
	struct tcp_info info;

	(void)whole_info(fd, &info);	/* all 0 if it fails */
	*ms = info.tcpi_last_ack_recv < info.tcpi_last_data_recv ?
	    info.tcpi_last_ack_recv : info.tcpi_last_data_recv;
	/*
	 * Any answer resets tcpi_probes; an acknowledgement resets both
	 * numbers.
	 */
	return (int64_t)info.tcpi_retransmits + info.tcpi_probes;
}

/*
 * The number of bytes that have come on a newly prepared socket, but that the
 * relay will never read.  A parent has read these bytes, or Linux has dropped
 * them: Linux drops an urgent byte if another one comes before SO_OOBINLINE is
 * set.  A target's socket has no such bytes, because it is prepared before
 * anything can come.
 */
uint64_t
tcp_missed(int fd)
{
	enum { TRIES = 16 };
	struct tcp_info info;
	int before, i, unread;

	unread = tcp_unread(fd);
	for (i = 0; i < TRIES; i++) {
		before = unread;
		if (unread == -1 || tcp_info(fd, &info) == -1)
			break;
		/*
		 * In this state, FIONREAD does not yet count the bytes that
		 * came with TCP Fast Open.
		 */
		if (info.tcpi_state == SYN_RECV)
			return 0;
		/*
		 * If both calls of tcp_unread give the same number, nothing
		 * came between them, so TCP_INFO matches this number.  In
		 * CLOSE_WAIT, the kernel has counted FIN as a received byte.
		 */
		unread = tcp_unread(fd);
		if (unread == before)
			return info.tcpi_bytes_received - (unsigned)unread -
			    (info.tcpi_state == CLOSE_WAIT);
	}
	/*
	 * The number is unknown.  With this value, tcp_had_fin never reports
	 * FIN, so FIN before a reset goes unnoticed.
	 */
	return UINT64_MAX / 2;
}

/*
 * True if FIN has come.  `taken' is the number of bytes that were read from the
 * connection, plus the number from tcp_missed.  The kernel counts FIN as one
 * more received byte.
 *
 * The errno of a reset does not show whether FIN came before the reset.  A
 * reset after FIN usually gives EPIPE, but it gives ECONNRESET while our FIN is
 * unacknowledged.  If splice(2) has hidden an error (see fast_drain), the errno
 * is always EPIPE.
 */
int
tcp_had_fin(int fd, uint64_t taken)
{
	struct tcp_info info;
	int unread;

	/*
	 * The two calls are made in this order, so that a byte that comes
	 * between them is not taken for FIN.
	 */
	if (whole_info(fd, &info) == -1 || (unread = tcp_unread(fd)) == -1)
		return 0;
	return info.tcpi_bytes_received > taken + (unsigned)unread;
}

/*
 * True if a connection was lost because the peer's system no longer knew the
 * connection, and answered our probe with RST.  After a system has closed a
 * connection for good, it forgets the connection in about a minute (FIN_WAIT2
 * in RFC 9293, 3.6).  The result is also true if a probe was not answered,
 * perhaps because it was lost, and the peer itself then sent RST.  `probed'
 * says whether enough time has passed for a probe.  On Linux, this function
 * does not need `probed'.
 */
int
tcp_forgotten(int fd, int probed)
{
	struct tcp_info info;

	(void)probed;
	return whole_info(fd, &info) == 0 && info.tcpi_probes != 0;
}

#endif
