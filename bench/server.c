/* The target's end of each measurement, in a separate process. */

#include "bench.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_FDS = 65536 };

/* The streams of MANY, by descriptor. */
static struct stream {
	uint64_t *total;	/* NULL: not numbered yet */
	uint64_t sent;
	int64_t began;		/* 0: not requested yet */
} streams[MOST_FDS];

static int epoll;

static void
watch(int fd, int what, unsigned events)
{
	struct epoll_event e;

	e.events = events;
	e.data.fd = fd;
	if (epoll_ctl(epoll, what, fd, &e) == -1)
		err(1, "epoll_ctl");
}

static int
take(int listener)
{
	int fd, on;

	on = 1;
	if ((fd = accept(listener, NULL, NULL)) == -1)
		err(1, "accept");
	if (fd >= MOST_FDS)
		errx(1, "too many sessions");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

/* Echo what has come; 0 when the client has finished. */
static int
echo(int fd)
{
	char byte[512];
	ssize_t n;

	n = recv(fd, byte, sizeof byte, 0);
	return n > 0 && send(fd, byte, (size_t)n, MSG_NOSIGNAL) == n;
}

/* Echo one byte, and return it; -1 if there is none. */
static int
echo_byte(int fd)
{
	unsigned char byte;

	if (recv(fd, &byte, 1, 0) != 1 ||
	    send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
		return -1;
	return byte;
}

/* A byte came on one of many streams: first its number, then the request. */
static int
many_read(int fd)
{
	struct stream *s;
	char byte;
	int name;

	s = &streams[fd];
	if (s->total == NULL) {
		if ((name = echo_byte(fd)) == -1 || name >= STREAMS)
			return 0;
		s->total = &shared->total[name];
		return 1;
	}
	if (recv(fd, &byte, 1, 0) != 1)
		return 0;
	s->began = now();
	watch(fd, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
	return 1;
}

static int
many_write(int fd)
{
	static char chunk[CHUNK];
	struct stream *s;
	ssize_t n;
	int last;

	s = &streams[fd];
	if ((last = now() - s->began >= shared->duration))
		__atomic_store_n(s->total, s->sent + 1, __ATOMIC_SEQ_CST);
	n = send(fd, chunk, last ? 1 : CHUNK, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n == -1)
		return errno == EAGAIN;
	s->sent += (uint64_t)n;
	if (last)
		watch(fd, EPOLL_CTL_MOD, EPOLLIN);
	return 1;
}

static int
serve_event(int fd, enum mode mode, unsigned events)
{
	if (mode == ECHO)
		return echo(fd);
	if ((events & EPOLLOUT) != 0)
		return many_write(fd);
	return many_read(fd);
}

/* Any number of sessions at once, for ever. */
static void
serve_many(int listener, enum mode mode)
{
	static const struct stream none;
	struct epoll_event e[64];
	int fd, i, n;

	if ((epoll = epoll_create1(0)) == -1)
		err(1, "epoll_create1");
	watch(listener, EPOLL_CTL_ADD, EPOLLIN);
	for (;;) {
		n = epoll_wait(epoll, e, 64, -1);
		for (i = 0; i < n; i++) {
			fd = e[i].data.fd;
			if (fd == listener) {
				fd = take(listener);
				streams[fd] = none;
				watch(fd, EPOLL_CTL_ADD, EPOLLIN);
			} else if (!serve_event(fd, mode, e[i].events)) {
				close(fd);
			}
		}
	}
}

/* Do nothing until the client has finished. */
static void
wait_for_end(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, 0) > 0)
		;
}

static void
serve_down(int fd)
{
	char byte;

	if (echo_byte(fd) == -1 || recv(fd, &byte, 1, 0) != 1)
		return;
	stream_send(fd, &shared->total[0]);
	wait_for_end(fd);
}

static void
serve_up(int fd)
{
	if (echo_byte(fd) == -1)
		return;
	shared->received = stream_receive(fd, &shared->total[0]);
	(void)send(fd, "", 1, MSG_NOSIGNAL);
	wait_for_end(fd);
}

static void
serve_letter(int fd, enum mode mode)
{
	static char letter[LETTER];
	size_t got;
	int ended;

	letter_write(letter);
	if (mode == HASTY) {
		(void)send_all(fd, letter, sizeof letter);
		return;
	}
	got = letter_receive(fd, &ended);
	shared->damaged = got > LETTER;
	__atomic_store_n(&shared->received, got, __ATOMIC_SEQ_CST);
	if (mode == REPLY) {
		nap(SECOND * 6 / 5);
		(void)send_all(fd, letter, sizeof letter);
	}
}

/* One session after another, for ever, with calls that block. */
static void
serve_one(int listener, enum mode mode)
{
	int fd;

	for (;;) {
		fd = take(listener);
		if (mode == DOWN)
			serve_down(fd);
		else if (mode == UP)
			serve_up(fd);
		else if (mode == BOUNCE)
			while (echo_byte(fd) != -1)
				;
		else
			serve_letter(fd, mode);
		close(fd);
	}
}

pid_t
server_start(int listener, enum mode mode)
{
	pid_t pid, parent;

	parent = getpid();
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid > 0)
		return pid;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent)
		_exit(1);
	if (mode == ECHO || mode == MANY)
		serve_many(listener, mode);
	serve_one(listener, mode);
	_exit(0);
}

void
server_stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
