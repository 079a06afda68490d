/*
 * This file replaces poll(2) on NetBSD, FreeBSD, DragonFly and macOS.  Their own
 * poll(2) is woken by a reset only if the caller requests POLLIN or POLLOUT.
 * But while a session waits for only one side, it requests no event for the
 * other side's socket, and must still learn of a reset there.
 */

#include "relay.h"

#if POLL_BLIND

#include <sys/event.h>

#include <limits.h>
#include <string.h>

/*
 * Note in `fds' the resets that the queue reports.  Returns the number of
 * sockets that are ready only because of a reset.
 */
static int
take_resets(int queue, struct pollfd *fds, nfds_t n)
{
	const struct timespec none = { 0, 0 };
	struct kevent event;
	nfds_t i;
	int found;

	found = 0;
	/*
	 * EV_EOF without an errno means FIN.  The queue reports FIN only once.
	 */
	while (kevent(queue, NULL, 0, &event, 1, &none) == 1)
		for (i = 0; i < n; i++)
			if (fds[i].fd == (int)event.ident &&
			    (event.flags & EV_EOF) != 0 && event.fflags != 0) {
				found += fds[i].revents == 0;
				fds[i].revents |= POLLERR | POLLHUP;
			}
	return found;
}

/*
 * For each socket for which no event is requested, tell the queue to report the
 * end of the connection, but not the arrival of bytes (NOTE_LOWAT in
 * kqueue(2)).
 */
static void
watch_resets(int queue, const struct pollfd *fds, nfds_t n)
{
	struct kevent event;
	nfds_t i;

	for (i = 0; i < n; i++) {
		if (fds[i].fd == -1 || fds[i].events != 0)
			continue;
		EV_SET(&event, (unsigned)fds[i].fd, EVFILT_READ,
		    EV_ADD | EV_CLEAR, NOTE_LOWAT, INT_MAX, 0);
		(void)kevent(queue, &event, 1, NULL, 0, NULL);
	}
}

static int
is_blind(const struct pollfd *fds, nfds_t n)
{
	nfds_t i;

	for (i = 0; i < n; i++)
		if (fds[i].fd != -1 && fds[i].events == 0)
			return 1;
	return 0;
}

/*
 * Works like poll(2), for at most SIDES descriptors.  But this function
 * sometimes returns 0 before the time has passed, and it reports a reset as
 * POLLERR and POLLHUP.
 */
int
kqueue_poll(struct pollfd *fds, nfds_t n, int ms)
{
	struct pollfd all[SIDES + 1];
	nfds_t i;
	int queue, ready;

	if (!is_blind(fds, n))
		return poll(fds, n, ms);
	queue = kqueue();
	if (queue == -1)	/* the caller tries again within a second */
		return poll(fds, n, ms < 1000 ? ms : 1000);
	watch_resets(queue, fds, n);
	for (i = 0; i < n; i++)
		fds[i].revents = 0;
	ready = take_resets(queue, fds, n);
	if (ready == 0) {
		memcpy(all, fds, n * sizeof *fds);
		all[n].fd = queue;
		all[n].events = POLLIN;
		ready = poll(all, n + 1, ms);
		memcpy(fds, all, n * sizeof *fds);
		if (ready > 0 && all[n].revents != 0)
			ready += take_resets(queue, fds, n) - 1;
	}
	close(queue);
	return ready;
}

#endif
