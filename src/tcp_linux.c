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
 * may have set them on the socket that it passes on.  Or it may have set them
 * on the listener, because every accepted socket inherits the listener's
 * options.  If the kernel or the socket does not know an option, nobody can
 * have set it.
 *
 * How packets look and how fast they go (marks, priorities, hop limits,
 * buffers, pacing, congestion control) is the operator's choice.  Each call
 * here costs 0.2 % of a session's set-up.  So an option that rarely matters is
 * undone only when it does matter, in tcp_calm and tcp_let_go.
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
 * A connection has reported an error, but seems to be alive.  Returns true if
 * the reason was an option that a parent had set.  All such options are undone,
 * so that they cannot cause another error.  IP_RECVERR and IPV6_RECVERR report
 * ICMP errors; SO_TIMESTAMPING reports every packet that is sent.
 *
 * On a reset, the kernel first sets the error and then the state.
 * setsockopt(2) locks the socket, and so waits until both are set.
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
 * The connection will be closed with FIN, perhaps before its peer closes it.
 * In that case, if TCP_LINGER2 were below 0, close(2) would reset the
 * connection.
 */
void
tcp_let_go(int fd)
{
	(void)set(fd, IPPROTO_TCP, TCP_LINGER2, 0);
}

/* On Linux, an urgent byte stays in its place, whenever it came. */
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
 * The events that announce bytes and urgent bytes.  `early' is as tcp_at_mark
 * left it.
 */
short
tcp_awaited(int early)
{
	return early ? POLLIN : POLLIN | POLLPRI;
}

/*
 * True if the next byte to be read is the urgent one.  `revents' is what
 * poll(2) has just reported.  `early' is kept from call to call.
 *
 * Linux reports POLLPRI from the arrival of an urgent byte until it is read.
 * If the urgent byte arrives after poll(2) has returned, other bytes come
 * before it, and recv(2) stops in front of it.  If the urgent byte overtakes a
 * segment that was lost, poll(2) reports only POLLPRI.  `early' notes this, and
 * from then on poll(2) waits for the segment, with POLLIN.  Once the segment
 * has come, perhaps even before sockatmark(3) is called, the mark may be next.
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
 * The same as tcp_info, except for MPTCP.  The kernel describes only one path
 * of an MPTCP connection, so this function sets all fields to 0 and returns -1.
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
 * The number of bytes that the peer has not acknowledged, counting FIN as one;
 * -1 if the system does not say.
 */
int
tcp_unsent(int fd)
{
	int n;

	return ioctl(fd, SIOCOUTQ, &n) == 0 ? n : -1;
}

/*
 * Returns how often TCP has retransmitted, or probed a closed window, since the
 * peer last acknowledged anything.  Stores in *ms the number of milliseconds in
 * which the peer's system has sent nothing, neither an acknowledgement nor data
 * (one of them may pause while the other goes on).
 *
 * Keepalive cannot tell this, because it does not probe while bytes are in
 * flight.  TCP_USER_TIMEOUT cannot tell it either: if a peer's window stays
 * closed, this option counts the peer as dead, although the peer's system still
 * answers.
 *
 * After some minutes with a closed window, Linux probes only every two minutes.
 * TCP_RTO_MAX_MS could make it probe more often.  But then the system would
 * drop the last bytes of a session that is over, if their reader pauses.
 */
int64_t
tcp_repeats(int fd, int64_t *ms)
{
	struct tcp_info info;

	(void)whole_info(fd, &info);	/* all 0 if it fails */
	*ms = info.tcpi_last_ack_recv < info.tcpi_last_data_recv ?
	    info.tcpi_last_ack_recv : info.tcpi_last_data_recv;
	/* Any answer resets `probes'; an acknowledgement resets both. */
	return (int64_t)info.tcpi_retransmits + info.tcpi_probes;
}

/*
 * The number of bytes that count as received on a newly prepared socket, but
 * that we shall never read.  These are the bytes that the parent has read, and
 * any urgent byte that Linux dropped because another one came before
 * SO_OOBINLINE was set.  There are none on a target's socket, because it is
 * prepared before anything can come.
 */
uint64_t
tcp_missed(int fd)
{
	/*
	 * The kernel's headers do not name these states.  In CLOSE_WAIT, FIN
	 * counts as a received byte.
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
		 * In this state, FIONREAD does not yet count the bytes of Fast
		 * Open.
		 */
		if (info.tcpi_state == SYN_RECV)
			return 0;
		/*
		 * If nothing came between the two FIONREADs, the counts match.
		 */
		unread = tcp_unread(fd);
		if (unread == before)
			return info.tcpi_bytes_received - (unsigned)unread -
			    (info.tcpi_state == CLOSE_WAIT);
	}
	/* The number is unknown.  So FIN before a reset will not be noticed. */
	return UINT64_MAX / 2;
}

/*
 * True if FIN has come.  `taken' is the number of bytes that were taken from
 * the connection, including tcp_missed.  FIN counts as one byte received.
 *
 * The errno of a reset cannot tell whether FIN came first.  RST after FIN
 * usually gives EPIPE, but gives ECONNRESET while our own FIN is
 * unacknowledged.  And if splice(2) has hidden an error, the errno is always
 * EPIPE (carry_linux.c).
 */
int
tcp_had_fin(int fd, uint64_t taken)
{
	struct tcp_info info;
	int unread;

	/* A byte that comes between these two calls is not taken for FIN. */
	if (whole_info(fd, &info) == -1 || (unread = tcp_unread(fd)) == -1)
		return 0;
	return info.tcpi_bytes_received > taken + (unsigned)unread;
}

/*
 * True if a connection was lost because the peer's system no longer knew it,
 * and answered our probe with RST.  When a system has closed a connection for
 * good, it forgets the connection after a minute or so (FIN_WAIT2 in RFC 9293,
 * 3.6).  If a probe is unanswered, perhaps because the probe was lost, and the
 * peer itself then sends RST, this looks the same.  On Linux, `probed' is not
 * needed.  It says whether enough time has passed for a probe.
 */
int
tcp_forgotten(int fd, int probed)
{
	struct tcp_info info;

	(void)probed;
	return whole_info(fd, &info) == 0 && info.tcpi_probes != 0;
}

#endif
