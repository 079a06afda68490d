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

static int
set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

/*
 * Undo options that lose bytes, hold them back, or drop live peers.  A parent
 * may have set them on this socket, or on the listener, whose options every
 * accepted socket inherits.  If the kernel or the socket does not know an
 * option, nobody can have set that option.
 *
 * How packets look and how fast they go (marks, priorities, hop limits,
 * buffers, pacing, congestion control) is the operator's choice.  Each call
 * here adds 0.2 % to the cost of setting up a session.  So an option that
 * rarely matters is undone only when it does matter, by tcp_calm or tcp_let_go.
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
 * A connection has reported an error, but seems to be alive.  The reason can be
 * an option that a parent has set: IP_RECVERR and IPV6_RECVERR report ICMP
 * errors, and SO_TIMESTAMPING reports every packet that is sent.  Undo these
 * options, so that they cannot cause another error.  Returns true if any of
 * them was set.
 *
 * When a reset comes, the kernel first sets the error and then the state.
 * setsockopt(2) locks the socket, so it waits until both are set.
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
 * This connection will be closed with FIN, perhaps before the peer closes it.
 * In that case, close(2) would reset the connection if TCP_LINGER2 were
 * negative.
 */
void
tcp_let_go(int fd)
{
	(void)set(fd, IPPROTO_TCP, TCP_LINGER2, 0);
}

/* On Linux, an urgent byte stays in its place, no matter when it came. */
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
 * poll(2) has just reported.  *early keeps its value from one call to the next.
 *
 * Linux reports POLLPRI from the arrival of an urgent byte until that byte is
 * read.  If the urgent byte arrives only after poll(2) has returned, there are
 * other bytes before it, and recv(2) stops before the urgent byte.  If the
 * urgent byte overtakes a segment that was lost, poll(2) reports only POLLPRI.
 * Then *early is set, so that the next poll(2) waits only for POLLIN, that is,
 * for the segment.  When the segment has come, the mark can be next.  The
 * segment can come even before the call of sockatmark(3), so this call is made
 * even if *early has just been set.
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
 * The same as tcp_info, except that for an MPTCP connection it sets all fields
 * to 0 and returns -1, because the kernel describes only one path of such a
 * connection.
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
 * The number of bytes that the peer has not acknowledged, counting FIN as one
 * byte; -1 if the system does not say.
 */
int
tcp_unsent(int fd)
{
	int n;

	return ioctl(fd, SIOCOUTQ, &n) == 0 ? n : -1;
}

/*
 * Returns how often TCP has retransmitted, or probed a closed window, since the
 * peer last acknowledged anything.  Stores in *ms for how many milliseconds the
 * peer's system has sent neither an acknowledgement nor data.  Both matter,
 * because either can pause while the other goes on.
 *
 * Keepalive cannot replace this function, because it does not probe while bytes
 * are in flight.  Nor can TCP_USER_TIMEOUT: if a peer's window stays closed,
 * this option counts the peer as dead, although the peer's system still
 * answers.
 *
 * When a window has been closed for some minutes, Linux probes it only every
 * two minutes.  TCP_RTO_MAX_MS could make Linux probe more often.  But then,
 * after a session is over, Linux would drop the last bytes of the session if
 * their reader paused.
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
 * The number of bytes that a newly prepared socket has received, but that we
 * shall never read.  These are the bytes that the parent has read, and any
 * urgent byte that Linux dropped because another one came before SO_OOBINLINE
 * was set.  A target's socket has no such bytes, because it is prepared before
 * anything can come.
 */
uint64_t
tcp_missed(int fd)
{
	/*
	 * The kernel's headers have no names for these states.  In CLOSE_WAIT,
	 * FIN counts as a received byte.
	 */
	enum { SYN_RECV = 3, CLOSE_WAIT = 8, TRIES = 16 };
	struct tcp_info info;
	int before, i, unread;

	unread = tcp_unread(fd);
	for (i = 0; i < TRIES; i++) {
		before = unread;
		if (unread == -1 || tcp_info(fd, &info) == -1)
			break;
		/*
		 * In this state, FIONREAD does not yet count the bytes that
		 * came with Fast Open.
		 */
		if (info.tcpi_state == SYN_RECV)
			return 0;
		/*
		 * If nothing came between the two FIONREADs, their result
		 * matches that of TCP_INFO.
		 */
		unread = tcp_unread(fd);
		if (unread == before)
			return info.tcpi_bytes_received - (unsigned)unread -
			    (info.tcpi_state == CLOSE_WAIT);
	}
	/*
	 * The number is unknown.  With this value, FIN before a reset goes
	 * unnoticed.
	 */
	return UINT64_MAX / 2;
}

/*
 * True if FIN has come.  `taken' is the number of bytes that were taken from
 * the connection, including those of tcp_missed.  The kernel counts FIN as one
 * more byte received.
 *
 * The errno of a reset does not show whether FIN came before it.  RST after FIN
 * usually gives EPIPE, but gives ECONNRESET while our own FIN is
 * unacknowledged.  And if splice(2) has hidden an error, the errno is always
 * EPIPE (see carry_linux.c).
 */
int
tcp_had_fin(int fd, uint64_t taken)
{
	struct tcp_info info;
	int unread;

	/*
	 * In this order, a byte that comes between the two calls is not taken
	 * for FIN.
	 */
	if (whole_info(fd, &info) == -1 || (unread = tcp_unread(fd)) == -1)
		return 0;
	return info.tcpi_bytes_received > taken + (unsigned)unread;
}

/*
 * True if a connection was lost because the peer's system no longer knew the
 * connection, and answered our probe with RST.  When a system has closed a
 * connection for good, it forgets the connection after a minute or so
 * (FIN_WAIT2 in RFC 9293, 3.6).  It looks the same if a probe was not answered,
 * perhaps because the probe was lost, and the peer itself then sends RST.
 * `probed' says whether enough time has passed for a probe.  Linux does not
 * need it.
 */
int
tcp_forgotten(int fd, int probed)
{
	struct tcp_info info;

	(void)probed;
	return whole_info(fd, &info) == 0 && info.tcpi_probes != 0;
}

#endif
