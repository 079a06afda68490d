/* TCP on systems other than Linux: what a socket reports. */

#include "relay.h"

#ifndef __linux__

#include <sys/ioctl.h>
#ifndef __sun
#include <sys/event.h>
#endif

#include <errno.h>
#include <limits.h>

/*
 * Undo the options that hold bytes back or send packets past the router.  A
 * parent may have set such an option on this socket, or on the listener, whose
 * options every accepted socket inherits.
 */
void
tcp_inherit(int fd)
{
	static const int one = 1, off = 0;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one);
	(void)setsockopt(fd, SOL_SOCKET, SO_DONTROUTE, &off, sizeof off);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOPUSH, &off, sizeof off);
}

/* On these systems, no option makes a live connection report errors. */
int
tcp_calm(int fd)
{
	(void)fd;
	return 0;
}

/*
 * Called if the other side is gone and the relay is about to close this
 * connection, perhaps with FIN and perhaps before the peer closes it.  In that
 * case, most of these systems forget the connection once the time for
 * unanswered keepalive probes has passed.  A peer that reads later than that
 * would get RST.  So set this time to its usual default, which is 8 times 75
 * seconds.
 *
 * If the peer has sent FIN, do not set these options, because on NetBSD,
 * setting them would stop the timer that ends TIME-WAIT.  OpenBSD has no such
 * options, and pledge(2) would kill a process that tried to set them.
 */
void
tcp_let_go(int fd)
{
	static const int number = 8, interval = 75;

	if (TCP_KEEPCNT == -1 || tcp_had_fin(fd, 0))
		return;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &number, sizeof number);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval,
	    sizeof interval);
}

/*
 * Unless SO_OOBINLINE is set, the BSDs take an urgent byte out of the stream.
 * If an urgent byte came before we set the option, we hold that byte until its
 * mark is reached.  `early' consists of that byte and these flags:
 */
enum {
	HELD = 0x100,	/* we hold the byte */
	HERE = 0x200,	/* the mark is reached (on macOS, MSG_OOB clears it) */
	GIVEN = 0x400	/* the byte was passed on, but its mark remains */
};

/*
 * Take the urgent byte if it is outside the stream.  Returns that byte together
 * with HELD, and also with HERE if the mark of the byte is reached.  Returns 0
 * if the urgent byte is in the stream.  Returns GIVEN if the urgent byte was
 * taken earlier but its mark remains.
 */
static int
take_out(int fd)
{
	static const int no = 0, yes = 1;
	unsigned char byte;
	int early, here;

	here = sockatmark(fd) == 1 ? HERE : 0;
	/*
	 * MSG_OOB works only without SO_OOBINLINE, and only once per byte
	 * (tcp_usrreq.c, PRU_RCVOOB).
	 */
	(void)setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &no, sizeof no);
	if (recv(fd, &byte, 1, MSG_OOB) == 1)
		early = HELD | here | byte;
	else
		early = errno == EINVAL ? GIVEN : 0;
	(void)setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &yes, sizeof yes);
	return early;
}

/*
 * Take the urgent byte that came on a newly prepared socket before SO_OOBINLINE
 * was set.  Returns 0 if there is none.  If several came, the system has kept
 * only the last.
 */
int
tcp_early(int fd)
{
	struct pollfd p;

	p.fd = fd;
	p.events = POLLPRI;
	return poll(&p, 1, 0) == 1 ? take_out(fd) : 0;
}

/*
 * No event announces a byte that we hold; tcp_due tells when it can be taken.
 */
short
tcp_awaited(int early)
{
	(void)early;
	return POLLIN;
}

int
tcp_due(int fd, int early)
{
	return (early & HERE) != 0 ||
	    ((early & HELD) != 0 && sockatmark(fd) == 1);
}

/*
 * An urgent byte in the stream is read like any other.  Only its mark shows
 * that it is urgent.
 */
int
tcp_at_mark(int fd, int revents, int *early)
{
	int mark;

	(void)revents;
	if (tcp_due(fd, *early))
		return 1;
	mark = sockatmark(fd) == 1;
	/*
	 * The mark of the byte that was passed on stays until the next byte is
	 * read.  That next byte can be urgent, too.
	 */
	if (*early == GIVEN)
		*early = mark ? take_out(fd) : 0;
	if (*early != GIVEN)
		return mark;
	if (tcp_unread(fd) > 0)
		*early = 0;
	return 0;
}

ssize_t
tcp_take_urgent(int fd, char *byte, int *early)
{
	if ((*early & HELD) == 0)
		return recv(fd, byte, 1, 0);
	*byte = (char)*early;
	*early = GIVEN;
	return 1;
}

#ifndef __sun
/*
 * Ask kevent(2) about a socket.  Returns 1 if kevent(2) reports anything now,
 * even 0 bytes, 0 if it does not, and -1 if it cannot be asked, because there
 * are too many open files.
 */
static int
ask(int fd, short filter, struct kevent *event)
{
	const struct timespec none = { 0, 0 };
	int queue, said;

	queue = kqueue();
	if (queue == -1)
		return -1;
	EV_SET(event, (unsigned)fd, filter, EV_ADD, NOTE_LOWAT, INT_MIN, 0);
	said = kevent(queue, event, 1, event, 1, &none) == 1 &&
	    (event->flags & EV_ERROR) == 0;
	close(queue);
	return said;
}
#endif

/*
 * The number of bytes that the peer has not acknowledged, not counting FIN; -1
 * if the system does not say.  For a dead socket, see DEAD_TELLS.  If the system
 * only cannot say now, the result is 1, so that the relay asks again.
 */
int
tcp_unsent(int fd)
{
	int n;

#if defined(FIONWRITE)
	if (ioctl(fd, FIONWRITE, &n) == 0)
		return n;
#elif defined(SO_NWRITE)
	socklen_t len = sizeof n;

	if (getsockopt(fd, SOL_SOCKET, SO_NWRITE, &n, &len) == 0)
		return n;
#elif !defined(__sun)
	/*
	 * The result is the size of the buffer minus the room in it.  The room
	 * can be negative.
	 */
	struct kevent room;
	socklen_t len = sizeof n;
	int said;

	said = ask(fd, EVFILT_WRITE, &room);
	if (said == -1)
		return 1;
	if (said == 1 && getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &n, &len) == 0)
		return n - (int)room.data;
#else
	(void)fd;
	(void)n;
#endif
	return -1;
}

/*
 * The errno of the error that ended a connection or an attempt to connect; 0 if
 * there was no such error.  On these systems, SO_ERROR gives only errors that
 * end a connection.
 *
 * On OpenBSD, NetBSD and DragonFly, RST sets no error if it comes after FIN has
 * gone both ways (tcp_input.c, LAST_ACK).  If bytes are lost because of such an
 * RST, report an error all the same.
 */
int
tcp_error(int fd, int revents)
{
	union address peer;
	socklen_t len;
	int error;

	(void)revents;
	error = tcp_take_error(fd);
	len = sizeof peer;
	if (error == 0 && tcp_unsent(fd) > 0 &&
	    getpeername(fd, &peer.sa, &len) == -1)
		return ECONNRESET;
	return error;
}

/*
 * These systems do not tell how long a peer has been silent, so no peer counts
 * as silent.  The relay does not need to know this, because the keepalive of
 * these systems also probes while bytes are in flight.
 */
int64_t
tcp_repeats(int fd, int64_t *ms)
{
	(void)fd;
	*ms = 0;
	return 0;
}

uint64_t
tcp_missed(int fd)
{
	(void)fd;
	return 0;
}

/*
 * kevent(2) reports FIN even while bytes that came before FIN are unread, but
 * only until the connection ends.
 */
int
tcp_had_fin(int fd, uint64_t taken)
{
	(void)taken;
#ifndef __sun
	struct kevent event;

	return ask(fd, EVFILT_READ, &event) == 1 && (event.flags & EV_EOF) != 0 &&
	    event.fflags == 0;
#else
	(void)fd;
	return 0;
#endif
}

/*
 * These systems do not tell whether RST was the answer to a probe, so `probed'
 * decides.
 */
int
tcp_forgotten(int fd, int probed)
{
	(void)fd;
	return probed;
}

#endif
