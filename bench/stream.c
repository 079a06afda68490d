/*
 * A stream costs the two ends as little CPU time as possible.  One call sends
 * the same buffer many times.  The kernel discards what arrives instead of
 * copying it (recv(2) with MSG_TRUNC).  Of a stream, only the number of bytes
 * is checked.  A letter is short, so each of its bytes is checked.
 *
 * The last packet that a call sends is small (212 bytes if the call sends 256
 * KiB), but costs as much as a full packet.  With one call per chunk, the
 * sender was the bottleneck, although it had a core to itself: a direct
 * connection carried 7 to 8.5 GB/s instead of 9 to 10 GB/s.
 */

#include "bench.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <err.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { AT_ONCE = 16 };		/* chunks in one sendmsg(2): 4 MiB */

static char chunk[CHUNK];

int64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

void
nap(int64_t ns)
{
	struct timespec t;

	t.tv_sec = (time_t)(ns / SECOND);
	t.tv_nsec = (long)(ns % SECOND);
	nanosleep(&t, NULL);
}

/* Send everything.  Returns -1 if the connection does not take everything. */
int
send_all(int fd, const char *from, size_t size)
{
	ssize_t n;

	for (; size > 0; from += n, size -= (size_t)n)
		if ((n = send(fd, from, size, MSG_NOSIGNAL)) == -1)
			return -1;
	return 0;
}

/*
 * Send the chunk AT_ONCE times.  Returns -1 if the connection does not take
 * everything within the socket's timeout.
 */
static int
send_chunks(int fd)
{
	struct iovec part[AT_ONCE];
	struct msghdr message;
	size_t i;

	for (i = 0; i < AT_ONCE; i++) {
		part[i].iov_base = chunk;
		part[i].iov_len = CHUNK;
	}
	memset(&message, 0, sizeof message);
	message.msg_iov = part;
	message.msg_iovlen = AT_ONCE;
	return sendmsg(fd, &message, MSG_NOSIGNAL) == AT_ONCE * CHUNK ? 0 : -1;
}

/*
 * Send a stream for the time shared->duration.  Before sending the last byte,
 * set *total to the number of bytes in the stream.  No FIN follows, so the
 * receiver stops when it has that number of bytes.
 */
void
stream_send(int fd, uint64_t *total)
{
	uint64_t sent;

	shared->began = now();
	for (sent = 0; now() - shared->began < shared->duration;
	    sent += AT_ONCE * CHUNK)
		if (send_chunks(fd) == -1)
			return;
	__atomic_store_n(total, sent + 1, __ATOMIC_SEQ_CST);
	(void)send_all(fd, chunk, 1);
}

/*
 * Receive a stream until *total bytes have arrived, or until no more arrive.
 * Returns how many bytes have arrived.
 */
uint64_t
stream_receive(int fd, const uint64_t *total)
{
	uint64_t got, all;
	ssize_t n;

	got = 0;
	do {
		if ((n = recv(fd, NULL, CHUNK * 4, MSG_TRUNC)) <= 0)
			break;
		got += (uint64_t)n;
		all = __atomic_load_n(total, __ATOMIC_SEQ_CST);
	} while (all == 0 || got < all);
	shared->ended = now();
	return got;
}

/*
 * Returns an epoll(7) descriptor that reports these events of the streams.
 * With each event, it reports the number of the stream.
 */
static int
watched(const int *fd, int n, unsigned events)
{
	struct epoll_event e;
	int epoll, i;

	if ((epoll = epoll_create1(0)) == -1)
		err(1, "epoll_create1");
	for (i = 0; i < n; i++) {
		e.events = events;
		e.data.fd = i;
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd[i], &e) == -1)
			err(1, "epoll_ctl");
	}
	return epoll;
}

/*
 * Send n streams at once, each for the time shared->duration.  If a stream
 * stalls before its end, its total stays 0.
 */
void
many_send(const int *fd, int n)
{
	static uint64_t sent[MOST_STREAMS];
	struct epoll_event e[64];
	ssize_t bytes;
	int epoll, i, last, left, name, ready;

	epoll = watched(fd, n, EPOLLOUT);
	shared->began = now();
	for (left = n; left > 0;) {
		ready = epoll_wait(epoll, e, 64, PATIENCE * 1000);
		if (ready <= 0)
			return;
		for (i = 0; i < ready; i++) {
			name = e[i].data.fd;
			last = now() - shared->began >= shared->duration;
			if (last)
				__atomic_store_n(&shared->total[name],
				    sent[name] + 1, __ATOMIC_SEQ_CST);
			bytes = send(fd[name], chunk, last ? 1 : CHUNK,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
			if (bytes == -1 && errno == EAGAIN)
				continue;
			if (bytes == -1)
				return;
			sent[name] += (uint64_t)bytes;
			if (last) {
				(void)epoll_ctl(epoll, EPOLL_CTL_DEL, fd[name],
				    NULL);
				left--;
			}
		}
	}
	close(epoll);
}

/*
 * Returns the bytes of the slowest stream, divided by the mean of all streams.
 */
static double
fairness(const uint64_t *got, int n, uint64_t sum)
{
	uint64_t fewest;
	int i;

	fewest = got[0];
	for (i = 1; i < n; i++)
		if (got[i] < fewest)
			fewest = got[i];
	return (double)fewest * n / (double)sum;
}

/*
 * Receive n streams until each has reached its total.  Returns the number of
 * bytes in all streams together.  When the first stream ends, set shared->fair.
 */
uint64_t
many_receive(const int *fd, int n)
{
	static uint64_t got[MOST_STREAMS];
	struct epoll_event e[64];
	uint64_t all, sum;
	ssize_t bytes;
	int epoll, i, left, name, ready;

	sum = 0;
	epoll = watched(fd, n, EPOLLIN);
	for (left = n; left > 0;) {
		ready = epoll_wait(epoll, e, 64, PATIENCE * 1000);
		if (ready <= 0)
			break;
		for (i = 0; i < ready; i++) {
			name = e[i].data.fd;
			bytes = recv(fd[name], NULL, CHUNK * 4,
			    MSG_TRUNC | MSG_DONTWAIT);
			if (bytes == -1 && errno == EAGAIN)
				continue;
			if (bytes > 0) {
				got[name] += (uint64_t)bytes;
				sum += (uint64_t)bytes;
			}
			all = __atomic_load_n(&shared->total[name],
			    __ATOMIC_SEQ_CST);
			if (all != 0 && shared->fair < 0)
				shared->fair = fairness(got, n, sum);
			if (bytes <= 0 || (all != 0 && got[name] >= all)) {
				(void)epoll_ctl(epoll, EPOLL_CTL_DEL, fd[name],
				    NULL);
				left--;
			}
		}
	}
	shared->ended = now();
	close(epoll);
	return sum;
}

static char
letter_byte(size_t i)
{
	return (char)(i * 31 + (i >> 8) * 7 + 1);
}

void
letter_write(char *to)
{
	size_t i;

	for (i = 0; i < LETTER; i++)
		to[i] = letter_byte(i);
}

/* True if these are the first bytes of a letter. */
int
letter_check(const char *from, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (from[i] != letter_byte(i))
			return 0;
	return 1;
}

/*
 * Receive a letter until the connection ends.  Returns the number of bytes that
 * have arrived, or LETTER + 1 if these bytes are not the beginning of a letter.
 * Sets *ended to true if FIN came within the socket's timeout.
 */
size_t
letter_receive(int fd, int *ended)
{
	static char letter[LETTER + 1];
	ssize_t n;
	size_t got;

	n = -1;
	for (got = 0; got < sizeof letter; got += (size_t)n)
		if ((n = recv(fd, letter + got, sizeof letter - got, 0)) <= 0)
			break;
	*ended = n == 0;
	return got <= LETTER && letter_check(letter, got) ? got : LETTER + 1;
}
