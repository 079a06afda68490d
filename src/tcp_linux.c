/*
 * What Linux tells of a TCP socket, and what a parent may have set on it.
 */

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
 * Undo what a parent may have set on a TCP socket that it hands on, and what a
 * listener hands on to every socket that it accepts: what loses bytes, holds
 * them back, or gives up live peers.  What the kernel or the socket does not
 * know, nobody has set.
 *
 * How packets look and how fast they go (marks, priorities, hop limits,
 * buffers, pacing, congestion control) is the operator's wish.  Each call is
 * 0.2 % of a session's set-up: what strikes rarely waits until it does, in
 * tcp_calm and tcp_let_go.
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
 * An error is told of a connection that lives.  True if a parent's options were
 * the reason: they are undone, and it will not happen again.  With RECVERR an
 * ICMP error is told, with SO_TIMESTAMPING every packet that is sent.
 *
 * setsockopt(2) locks the socket, and so waits until the kernel, which sets the
 * error of a reset first and the state later, is done with it.
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
 * TCP_LINGER2 below 0 it would be reset then.
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
 * What to ask poll(2) for, to be told of bytes and of urgent ones; `early' is
 * tcp_at_mark's.
 */
short
tcp_awaited(int early)
{
	return early ? POLLIN : POLLIN | POLLPRI;
}

/*
 * True if the next byte to be read is the urgent one, with what poll(2) has
 * just said; `early' is kept from call to call.
 *
 * Linux says POLLPRI as soon as an urgent byte is there, and until it is read.
 * One that comes after poll(2) lies behind bytes that were there before, and
 * recv(2) stops in front of it.  One that has overtaken a lost segment says
 * POLLPRI alone (early): the segment is to be waited for, by POLLIN; and by
 * then, or even by now, the mark may be here.
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

/* What an older kernel does not tell is 0. */
static int
tcp_info(int fd, struct tcp_info *info)
{
	socklen_t len;

	len = sizeof *info;
	memset(info, 0, sizeof *info);
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len);
}

/* The same, but of MPTCP the kernel tells of one path alone: then all is 0. */
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
 * Bytes that the peer has not acknowledged, FIN among them; -1 if the system
 * does not tell.
 */
int
tcp_unsent(int fd)
{
	int n;

	return ioctl(fd, SIOCOUTQ, &n) == 0 ? n : -1;
}

/*
 * How often we have repeated what we sent, or asked a closed window, since the
 * peer last acknowledged anything; and for how many milliseconds its system has
 * said nothing, neither by an acknowledgement nor by data: either may stand
 * still while the other moves.  Keepalive says nothing while bytes are under
 * way.  A peer whose window is closed answers, however long it stays closed,
 * and is alive (so TCP_USER_TIMEOUT, which counts it as dead, will not do).
 *
 * After some minutes of that Linux asks it every other minute only.  To shorten
 * these pauses with TCP_RTO_MAX_MS would have the system give up the tail of a
 * session that is over while its reader pauses.
 */
int64_t
tcp_repeats(int fd, int64_t *ms)
{
	struct tcp_info info;

	(void)whole_info(fd, &info);	/* all 0 where it fails */
	*ms = info.tcpi_last_ack_recv < info.tcpi_last_data_recv ?
	    info.tcpi_last_ack_recv : info.tcpi_last_data_recv;
	/* An answer makes the probes 0 again, an acknowledgement both. */
	return (int64_t)info.tcpi_retransmits + info.tcpi_probes;
}

/*
 * How many bytes count as received on a socket, just prepared, that no read of
 * ours will give: the parent has read them; or Linux has dropped one, urgent
 * and not in line yet, for the next.  A target's socket is prepared before
 * anything can come, and has none.
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
		/* Of Fast Open's bytes FIONREAD does not tell yet. */
		if (info.tcpi_state == SYN_RECV)
			return 0;
		/* Nothing came between the two: the counts belong together. */
		unread = tcp_unread(fd);
		if (unread == before)
			return info.tcpi_bytes_received - (unsigned)unread -
			    (info.tcpi_state == CLOSE_WAIT);
	}
	/* Not to be known: then no FIN before a reset is told. */
	return UINT64_MAX / 2;
}

/*
 * True if FIN has come in to a connection, of which this number of bytes is
 * taken, tcp_missed among them: FIN counts as one received.  The error would
 * not do: after FIN, RST is EPIPE, but ECONNRESET while FIN of ours is
 * unanswered; and whatever splice(2) has kept to itself (carry.c) is EPIPE.
 */
int
tcp_had_fin(int fd, uint64_t taken)
{
	struct tcp_info info;
	int unread;

	/* In this order what still comes is no FIN, if it is not lost yet. */
	if (whole_info(fd, &info) == -1 || (unread = tcp_unread(fd)) == -1)
		return 0;
	return info.tcpi_bytes_received > taken + (unsigned)unread;
}

/*
 * True if a connection that is lost by RST was so because its peer's system did
 * not know it any more: the RST answers a probe of ours.  So it is once a
 * system has forgotten a connection that was closed for good, as it does after
 * a minute or so (FIN_WAIT2 in RFC 9293, 3.6).  `probed': by the time that has
 * passed, a probe may have been sent.
 */
int
tcp_forgotten(int fd, int probed)
{
	struct tcp_info info;

	(void)probed;
	return whole_info(fd, &info) == 0 && info.tcpi_probes != 0;
}

#endif
