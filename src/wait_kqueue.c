/*
 * poll(2) where it tells nothing of a reset unless it is asked for bytes or for
 * room: on NetBSD, DragonFly and macOS.  A session that waits for one side asks
 * the other for nothing, and has to hear of its reset all the same.
 */

#include "relay.h"

#if POLL_BLIND

#include <sys/event.h>

#include <limits.h>
#include <string.h>

/* Note the resets that the queue tells of; how many sockets have one now. */
static int
take_resets(int queue, struct pollfd *fds, nfds_t n)
{
	const struct timespec none = { 0, 0 };
	struct kevent event;
	nfds_t i;
	int found;

	found = 0;
	/* EV_EOF alone is FIN, and is not told again. */
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
 * Have the queue tell of the ends of those that are asked for nothing, and not
 * of bytes: NOTE_LOWAT, kqueue(2).
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
 * The same as poll(2), for SIDES descriptors at the most; but 0 may come before
 * the time, and of a reset it says POLLERR and POLLHUP.
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
	if (queue == -1)	/* there may be one in a second */
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
