/* What Linux reports of a TCP socket, and what a parent may have set on it. */

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
 * Undo what a parent may have set on a TCP socket that it hands on, or on the
 * listener, whose options every accepted socket inherits: what loses bytes,
 * holds them back, or drops live peers.  Options that the kernel or the socket
 * does not know, nobody has set.
 *
 * How packets look and how fast they go (marks, priorities, hop limits,
 * buffers, pacing, congestion control) is the operator's choice.  Each call is
 * 0.2 % of a session's set-up: what rarely matters is undone only when it does,
 * in tcp_calm and tcp_let_go.
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
 * A live connection has an error to report.  True if a parent's options were
 * the reason: they are undone, and it will not happen again.  IP_RECVERR and
 * IPV6_RECVERR report ICMP errors, SO_TIMESTAMPING every packet that is sent.
 *
 * On a reset the kernel sets the error first and the state later.
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
 * The connection will be closed with FIN, and its peer may stay.  With a
 * TCP_LINGER2 below 0 it would be reset at that moment.
 */
void
tcp_let_go(int fd)
{
	(void)set(fd, IPPROTO_TCP, TCP_LINGER2, 0);
}

/* An urgent byte keeps its place, whenever it came. */
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
 * What to ask poll(2) for, to learn of bytes and of urgent ones; `early' is
 * tcp_at_mark's.
 */
short
tcp_awaited(int early)
{
	return early ? POLLIN : POLLIN | POLLPRI;
}

/*
 * True if the next byte to be read is the urgent one.  `revents' is what
 * poll(2) has just reported; `early' is kept from call to call.
 *
 * Linux reports POLLPRI from the moment an urgent byte arrives until it is
 * read.  One that arrives after poll(2) follows bytes that were there before,
 * and recv(2) stops in front of it.  One that has overtaken a lost segment
 * gives POLLPRI alone (early): wait for the segment, by POLLIN.  By then, or
 * even by now, the mark may be next.
 */
int
tcp_at_mark(int fd, int revents, int *early)
{
	if (*early)
		revents |= POLLPRI;
	*early = (revents & (POLLIN | POLLPRI)) == POLLPRI;
	return (revents & POLLPRI) != 0 && sockatmark(fd) == 1;
}

/* Read the urgent byte, where tcp_at_mark has said that it is next. */
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

/* The same; but of MPTCP the kernel describes only one path: then all is 0. */
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
 * How often we have retransmitted, or probed a closed window, since the peer
 * last acknowledged anything; and in *ms, for how many milliseconds its system
 * has sent nothing, neither an acknowledgement nor data (either may pause while
 * the other goes on).  Keepalive does not probe while bytes are in flight.  A
 * peer whose window is closed still answers, however long it stays closed, and
 * is alive (TCP_USER_TIMEOUT counts it as dead, and so will not do).
 *
 * After some minutes of that Linux probes it only every two minutes.  If
 * TCP_RTO_MAX_MS made that more often, the system would drop the tail of a
 * session that is over while its reader pauses.
 */
int64_t
tcp_repeats(int fd, int64_t *ms)
{
	struct tcp_info info;

	(void)whole_info(fd, &info);	/* all 0 if it fails */
	*ms = info.tcpi_last_ack_recv < info.tcpi_last_data_recv ?
	    info.tcpi_last_ack_recv : info.tcpi_last_data_recv;
	/* An answer resets the probes to 0, an acknowledgement both. */
	return (int64_t)info.tcpi_retransmits + info.tcpi_probes;
}

/*
 * How many bytes count as received on a socket, just prepared, that no read of
 * ours will return: those that the parent has read, and any urgent byte, not
 * yet in line, that Linux has dropped in favour of the next.  A target's socket
 * is prepared before anything can come, and has none.
 */
uint64_t
tcp_missed(int fd)
{
	/* States that only libc's headers name.  In CLOSE_WAIT FIN counts. */
	enum { SYN_RECV = 3, CLOSE_WAIT = 8, TRIES = 16 };
	struct tcp_info info;
	int before, i, unread;

	unread = tcp_unread(fd);
	for (i = 0; i < TRIES; i++) {
		before = unread;
		if (unread == -1 || tcp_info(fd, &info) == -1)
			break;
		/* FIONREAD does not count Fast Open's bytes yet. */
		if (info.tcpi_state == SYN_RECV)
			return 0;
		/* Nothing came between the two: the counts belong together. */
		unread = tcp_unread(fd);
		if (unread == before)
			return info.tcpi_bytes_received - (unsigned)unread -
			    (info.tcpi_state == CLOSE_WAIT);
	}
	/* Unknown: then no FIN before a reset is noticed. */
	return UINT64_MAX / 2;
}

/*
 * True if FIN has come in on a connection from which this number of bytes was
 * taken, including tcp_missed: FIN counts as one byte received.  The errno
 * would not do: RST after FIN is EPIPE, but ECONNRESET while our own FIN is
 * unacknowledged; and any error that splice(2) has hidden is EPIPE
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
 * True if a connection was lost by RST because its peer's system no longer knew
 * it: the RST answers a probe of ours.  A system forgets a connection that was
 * closed for good after a minute or so (FIN_WAIT2 in RFC 9293, 3.6).  A reset
 * of the peer's own cannot be told from that while a probe is unanswered, say
 * because it was lost.  `probed': enough time has passed for one to have been
 * sent.
 */
int
tcp_forgotten(int fd, int probed)
{
	struct tcp_info info;

	(void)probed;
	return whole_info(fd, &info) == 0 && info.tcpi_probes != 0;
}

#endif
