/* Functions whose code differs from system to system. */

#define TEST_LIBRARY
#include "test.h"

#include <sys/ioctl.h>

#ifdef __linux__
#include <sched.h>
#endif
#if defined(__OpenBSD__) || defined(__DragonFly__)
#include <sys/event.h>
#endif

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* SOCK_CLOEXEC is not used, because macOS lacks it. */
int
private_socket(int domain, int type, int protocol)
{
	int fd;

	fd = socket(domain, type, protocol);
	if (fd != -1)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

int
terminal(void)
{
	int master;

	master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master == -1 || grantpt(master) == -1 || unlockpt(master) == -1)
		skip("no terminal: %s", strerror(errno));
	return open(ptsname(master), O_RDWR | O_NOCTTY);
}

int
private_pipe(int end[2])
{
	if (pipe(end) == -1)
		return -1;
	fcntl(end[0], F_SETFD, FD_CLOEXEC);
	fcntl(end[1], F_SETFD, FD_CLOEXEC);
	return 0;
}

/*
 * The number of bytes that the peer's system has not acknowledged; -1 if
 * unknown.
 */
int
unsent(int fd)
{
	int n;
#if defined(__OpenBSD__) || defined(__DragonFly__)
	/*
	 * kevent(2) reports the free space in the buffer, which can be
	 * negative.
	 */
	const struct timespec none = { 0, 0 };
	struct kevent event;
	socklen_t len;
	int queue;

	queue = kqueue();
	EV_SET(&event, (unsigned)fd, EVFILT_WRITE, EV_ADD, NOTE_LOWAT,
	    INT_MIN, 0);
	len = sizeof n;
	n = kevent(queue, &event, 1, &event, 1, &none) != 1 ||
	    getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &n, &len) == -1 ? -1 :
	    n - (int)event.data;
	close(queue);
#elif defined(FIONWRITE)
	if (ioctl(fd, FIONWRITE, &n) == -1)
		n = -1;
#elif defined(SO_NWRITE)
	socklen_t len;

	len = sizeof n;
	if (getsockopt(fd, SOL_SOCKET, SO_NWRITE, &n, &len) == -1)
		n = -1;
#elif defined(TIOCOUTQ)
	if (ioctl(fd, TIOCOUTQ, &n) == -1)
		n = -1;
#else
	(void)fd;
	n = -1;
#endif
	return n;
}

#ifdef __linux__

int
processors(int list[], int most)
{
	cpu_set_t set;
	size_t i;
	int n;

	n = 0;
	if (sched_getaffinity(0, sizeof set, &set) == 0)
		for (i = 0; i < CPU_SETSIZE && n < most; i++)
			if (CPU_ISSET(i, &set))
				list[n++] = (int)i;
	return n;
}

void
stay_on(int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)processor, &set);
	(void)sched_setaffinity(0, sizeof set, &set);
}

#else

int
processors(int list[], int most)
{
	(void)most;
	list[0] = 0;
	return 1;
}

void
stay_on(int processor)
{
	(void)processor;
}

#endif
