/*
 * What systems other than Linux tell of a TCP socket.
 */

#include "relay.h"

#ifndef __linux__

#include <sys/ioctl.h>
#ifdef __OpenBSD__
#include <sys/event.h>
#endif

/*
 * Undo what a parent may have set on a TCP socket that it hands on: what holds
 * bytes back.
 */
void
tcp_inherit(int fd)
{
	static const int one = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one);
}

/* No option has errors told of a connection that lives. */
int
tcp_calm(int fd)
{
	(void)fd;
	return 0;
}

void
tcp_let_go(int fd)
{
	(void)fd;
}

/* The urgent byte is one like the others, and only its mark tells. */
short
tcp_awaited(int early)
{
	(void)early;
	return POLLIN;
}

int
tcp_at_mark(int fd, int revents, int *early)
{
	(void)revents;
	(void)early;
	return sockatmark(fd) == 1;
}

/*
 * Bytes that the peer has not acknowledged; -1 if the system does not tell.
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
#elif defined(__OpenBSD__)
	/* No call tells, but kevent(2) gives the room: the rest is unsent. */
	struct timespec none = { 0, 0 };
	struct kevent room;
	socklen_t len = sizeof n;
	int got, kq;

	kq = kqueue();
	EV_SET(&room, (uintptr_t)fd, EVFILT_WRITE, EV_ADD, NOTE_LOWAT, 0, NULL);
	got = kevent(kq, &room, 1, &room, 1, &none);
	close(kq);
	if (got == 1 && (room.flags & EV_ERROR) == 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &n, &len) == 0)
		return n - (int)room.data;
#else
	(void)fd;
	(void)n;
#endif
	return -1;
}

/* Nothing tells how long a peer has been silent: no peer is. */
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

/* Nothing tells of a FIN that was not read yet. */
int
tcp_had_fin(int fd, uint64_t taken)
{
	(void)fd;
	(void)taken;
	return 0;
}

int
tcp_forgotten(int fd)
{
	(void)fd;
	return 0;
}

#endif
