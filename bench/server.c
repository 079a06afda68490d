/* The target's end of each measurement.  It is a separate process. */

#include "bench.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <err.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST_FDS = 65536 };

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

/* Echo what has arrived.  Returns 0 if the client has finished. */
static int
echo(int fd)
{
	char byte[512];
	ssize_t n;

	n = recv(fd, byte, sizeof byte, 0);
	return n > 0 && send(fd, byte, (size_t)n, MSG_NOSIGNAL) == n;
}

/* Echo one byte and return it, or return -1 if no byte comes. */
static int
echo_byte(int fd)
{
	unsigned char byte;

	if (recv(fd, &byte, 1, 0) != 1 ||
	    send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
		return -1;
	return byte;
}

/*
 * Echo the client's first byte.  After that, send a reply whenever ASK bytes
 * have arrived.  Returns 0 if the client has finished.
 */
static int
answer(int fd, int *asked)
{
	static const char reply[ANSWER];
	char request[ASK];
	ssize_t n;

	if (*asked == -1) {
		*asked = 0;
		return echo_byte(fd) != -1;
	}
	n = recv(fd, request, (size_t)(ASK - *asked), 0);
	if (n <= 0)
		return 0;
	*asked = (*asked + (int)n) % ASK;
	return *asked != 0 ||
	    send(fd, reply, ANSWER, MSG_NOSIGNAL) == ANSWER;
}

static void
watch(int epoll, int fd)
{
	struct epoll_event e;

	e.events = EPOLLIN;
	e.data.fd = fd;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == -1)
		err(1, "epoll_ctl");
}

/* Serve any number of sessions at once, for ever. */
static void
serve_many(int listener, enum mode mode)
{
	static int asked[MOST_FDS];	/* bytes; -1: no byte echoed yet */
	struct epoll_event e[64];
	int epoll, fd, i, n;

	if ((epoll = epoll_create1(0)) == -1)
		err(1, "epoll_create1");
	watch(epoll, listener);
	for (;;) {
		n = epoll_wait(epoll, e, 64, -1);
		for (i = 0; i < n; i++) {
			fd = e[i].data.fd;
			if (fd == listener) {
				fd = take(listener);
				asked[fd] = -1;
				watch(epoll, fd);
			} else if (mode == ECHO ? !echo(fd) :
			    !answer(fd, &asked[fd])) {
				close(fd);
			}
		}
	}
}

/* Discard what arrives until the client has finished. */
static void
wait_for_end(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, 0) > 0)
		;
}

/* Send or receive shared->streams streams, each in a separate session. */
static void
serve_streams(int listener, enum mode mode)
{
	static int fd[MOST_STREAMS];
	char byte;
	int i, n;

	n = shared->streams;
	for (i = 0; i < n; i++) {
		fd[i] = take(listener);
		if (echo_byte(fd[i]) == -1)
			return;
	}
	if (mode == UP) {
		shared->received = n > 1 ? many_receive(fd, n) :
		    stream_receive(fd[0], &shared->total[0]);
		(void)send(fd[0], "", 1, MSG_NOSIGNAL);
	} else {
		if (recv(fd[0], &byte, 1, 0) != 1)
			return;
		if (n > 1)
			many_send(fd, n);
		else
			stream_send(fd[0], &shared->total[0]);
	}
	for (i = 0; i < n; i++)
		wait_for_end(fd[i]);
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

/* Serve one session after another, for ever, with calls that block. */
static void
serve_one(int listener, enum mode mode)
{
	int fd;

	for (;;) {
		fd = take(listener);
		if (mode == BOUNCE)
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
	if (mode == ECHO || mode == REPLIES)
		serve_many(listener, mode);
	if (mode == DOWN || mode == UP)
		serve_streams(listener, mode);
	else
		serve_one(listener, mode);
	_exit(0);
}

void
server_stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
