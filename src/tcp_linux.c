/* TCP on Linux: what a socket reports, and what a parent may have set on it. */

#include "relay.h"

#ifdef __linux__

#include <sys/ioctl.h>

#include <linux/sockios.h>

#include <string.h>

/* Older headers lack it. */
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
 * may have set them on a TCP socket that it passes on, or on the listener,
 * whose options every accepted socket inherits.  An option that the kernel or
 * the socket does not know cannot have been set.
 *
 * How packets look and how fast they go (marks, priorities, hop limits,
 * buffers, pacing, congestion control) is the operator's choice.  Each call
 * costs 0.2 % of a session's set-up, so an option that rarely matters is undone
 * only when it does, in tcp_calm and tcp_let_go.
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
 * A live connection has reported an error.  True if options set by a parent
 * were the reason: they are undone, and it will not happen again.  IP_RECVERR
 * and IPV6_RECVERR report ICMP errors, SO_TIMESTAMPING every packet that is
 * sent.
 *
 * On a reset the kernel first sets the error and then the state.  setsockopt(2)
 * locks the socket, and so waits until both are set.
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
 * The connection will be closed with FIN, but its peer may not close yet.  If
 * TCP_LINGER2 is below 0, close(2) would then reset the connection.
 */
void
tcp_let_go(int fd)
{
	(void)set(fd, IPPROTO_TCP, TCP_LINGER2, 0);
}

/* An urgent byte stays in its place, whenever it came. */
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

/* The events that announce bytes and urgent bytes; `early' is tcp_at_mark's. */
short
tcp_awaited(int early)
{
	return early ? POLLIN : POLLIN | POLLPRI;
}

/*
 * True if the next byte to be read is the urgent one.  `revents' is what
 * poll(2) has just reported; `early' is kept from call to call.
 *
 * Linux reports POLLPRI from the arrival of an urgent byte until it is read.
 * If the byte arrives after poll(2), there are other bytes before it, and
 * recv(2) stops in front of it.  If it has overtaken a lost segment, poll(2)
 * reports only POLLPRI (early): wait for the segment, with POLLIN.  When the
 * segment has come, perhaps even by now, the mark may be next.
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

/* Fields that an older kernel does not know are 0. */
static int
tcp_info(int fd, struct tcp_info *info)
{
	socklen_t len;

	len = sizeof *info;
	memset(info, 0, sizeof *info);
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len);
}

/*
 * The same; but all fields are 0 for MPTCP, of which the kernel describes only
 * one path.
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
 * Bytes that the peer has not acknowledged, including FIN; -1 if the system
 * does not say.
 */
int
tcp_unsent(int fd)
{
	int n;

	return ioctl(fd, SIOCOUTQ, &n) == 0 ? n : -1;
}

/*
 * How often TCP has retransmitted, or probed a closed window, since the peer
 * last acknowledged anything; and in *ms, for how many milliseconds the peer's
 * system has sent neither an acknowledgement nor data (either may pause while
 * the other goes on).  Keepalive cannot tell, because it does not probe while
 * bytes are in flight.  Nor can TCP_USER_TIMEOUT: if a peer's window stays
 * closed, it counts the peer as dead, although its system still answers.
 *
 * After some minutes with a closed window Linux probes only every two minutes.
 * If TCP_RTO_MAX_MS made it probe more often, the system would drop the tail of
 * a session that is over while its reader pauses.
 */
int64_t
tcp_repeats(int fd, int64_t *ms)
{
	struct tcp_info info;

	(void)whole_info(fd, &info);	/* all 0 if it fails */
	*ms = info.tcpi_last_ack_recv < info.tcpi_last_data_recv ?
	    info.tcpi_last_ack_recv : info.tcpi_last_data_recv;
	/* An answer resets the probes to 0; an acknowledgement resets both. */
	return (int64_t)info.tcpi_retransmits + info.tcpi_probes;
}

/*
 * How many bytes count as received on a newly prepared socket, but will never
 * be read by us: those that the parent has read, and any urgent byte, not yet
 * in line, that Linux has dropped in favour of the next.  On a target's socket
 * there are none, because it is prepared before anything can come.
 */
uint64_t
tcp_missed(int fd)
{
	/* Only libc's headers name these states.  In CLOSE_WAIT FIN counts. */
	enum { SYN_RECV = 3, CLOSE_WAIT = 8, TRIES = 16 };
	struct tcp_info info;
	int before, i, unread;

	unread = tcp_unread(fd);
	for (i = 0; i < TRIES; i++) {
		before = unread;
		if (unread == -1 || tcp_info(fd, &info) == -1)
			break;
		/* FIONREAD does not count the bytes of Fast Open yet. */
		if (info.tcpi_state == SYN_RECV)
			return 0;
		/* Nothing came in between: the two counts match. */
		unread = tcp_unread(fd);
		if (unread == before)
			return info.tcpi_bytes_received - (unsigned)unread -
			    (info.tcpi_state == CLOSE_WAIT);
	}
	/* Unknown: FIN before a reset will not be noticed. */
	return UINT64_MAX / 2;
}

/*
 * True if FIN has come on a connection from which this number of bytes was
 * taken, including tcp_missed: FIN counts as one byte received.  The errno
 * cannot tell: RST after FIN gives EPIPE, but ECONNRESET while our own FIN is
 * unacknowledged; and any error that splice(2) has hidden gives EPIPE
 * (carry_linux.c).
 */
int
tcp_had_fin(int fd, uint64_t taken)
{
	struct tcp_info info;
	int unread;

	/* In this order, bytes that come in between do not look like FIN. */
	if (whole_info(fd, &info) == -1 || (unread = tcp_unread(fd)) == -1)
		return 0;
	return info.tcpi_bytes_received > taken + (unsigned)unread;
}

/*
 * True if a connection was lost because the peer's system no longer knew it,
 * and answered a probe of ours with RST.  When a connection is closed for good,
 * its system forgets it after a minute or so (FIN_WAIT2 in RFC 9293, 3.6).
 * While a probe is unanswered, say because it was lost, a reset by the peer
 * itself looks the same.  `probed': enough time has passed for a probe.
 */
int
tcp_forgotten(int fd, int probed)
{
	struct tcp_info info;

	(void)probed;
	return whole_info(fd, &info) == 0 && info.tcpi_probes != 0;
}

#endif
