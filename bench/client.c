/*
 * The client's end of a measurement.  It opens sessions through the relay or
 * directly to the target, and starts the target's process.
 */

#include "client.h"

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *row;
int front, target, listener;
pid_t relay;
int held[MOST_HELD], nheld;

static pid_t server;

/* Print why the row has no value, and exit. */
void
fail(const char *reason)
{
	printf("%s - %s\n", row, reason);
	if (server > 0)
		server_stop(server);
	exit(1);
}

/*
 * Print a figure of this row.  The figure's name is the row's name followed by
 * this suffix.
 */
void
result(const char *suffix, double value)
{
	printf("%s%s %.4g\n", row, suffix, value);
	fflush(stdout);
}

static void
set(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof value) == -1)
		err(1, "setsockopt");
}

static struct sockaddr_in
ipv4(int port)
{
	struct sockaddr_in in;

	memset(&in, 0, sizeof in);
	in.sin_family = AF_INET;
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons((in_port_t)port);
	return in;
}

/* Returns a listening socket on 127.0.0.1, or -1 if the port is taken. */
int
listen_on(int port)
{
	struct sockaddr_in in;
	int fd;

	in = ipv4(port);
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
		err(1, "socket");
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, (struct sockaddr *)&in, sizeof in) == -1 ||
	    listen(fd, 4096) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

/* No call on the socket will wait longer than this number of seconds. */
void
limit(int fd, int seconds)
{
	struct timeval t;

	t.tv_sec = seconds;
	t.tv_usec = 0;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t) == -1)
		err(1, "setsockopt");
}

/* Returns a new client connection, or -1 if it was refused. */
int
dial(void)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;
	int error, fd;

	if ((fd = socket(front == 0 ? AF_INET : AF_INET6, SOCK_STREAM, 0)) ==
	    -1)
		err(1, "socket");
	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	limit(fd, PATIENCE);
	if (front == 0) {
		in = ipv4(target);
		error = connect(fd, (struct sockaddr *)&in, sizeof in);
	} else {
		memset(&in6, 0, sizeof in6);
		in6.sin6_family = AF_INET6;
		in6.sin6_addr = in6addr_loopback;
		in6.sin6_port = htons((in_port_t)front);
		error = connect(fd, (struct sockaddr *)&in6, sizeof in6);
	}
	if (error == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Send one byte and receive it back.  Returns true if that succeeds. */
int
trip(int fd)
{
	char byte;

	return send(fd, "", 1, MSG_NOSIGNAL) == 1 &&
	    recv(fd, &byte, 1, 0) == 1;
}

/* Returns an open session, in which one byte has already been echoed. */
int
begin(void)
{
	int fd;

	if ((fd = dial()) == -1)
		fail("refuses a session");
	if (!trip(fd))
		fail("drops a session");
	return fd;
}

/* Send FIN.  Returns true if the connection then ends within three seconds. */
int
ends(int fd)
{
	struct pollfd p;
	char byte;

	(void)shutdown(fd, SHUT_WR);
	p.fd = fd;
	p.events = POLLIN;
	return poll(&p, 1, 3000) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

/* Wait until a session has carried a byte to the target and back. */
void
ready(void)
{
	int64_t deadline;
	int fd, up;

	deadline = now() + PATIENCE * SECOND;
	server = server_start(listener, ECHO);
	for (;;) {
		up = 0;
		if ((fd = dial()) != -1) {
			up = trip(fd);
			(void)ends(fd);
			close(fd);
		}
		if (up)
			break;
		if (now() > deadline)
			fail("no session gets through");
		nap(SECOND / 500);
	}
	server_stop(server);
	server = 0;
}

void
serve(enum mode mode)
{
	memset(shared->total, 0, sizeof shared->total);
	shared->fair = -1;	/* not known yet */
	shared->received = UINT64_MAX;
	shared->damaged = 0;
	server = server_start(listener, mode);
}

void
serve_no_more(void)
{
	server_stop(server);
	server = 0;
}

/*
 * Wait until the processes of earlier sessions have ended, so that they do not
 * disturb the next measurement.
 */
void
calm(int size)
{
	int64_t deadline;

	deadline = now() + 3 * PATIENCE * SECOND;
	while (relay != 0 && tree_size(relay) > size && now() < deadline)
		nap(SECOND / 50);
}

/*
 * Report that a session failed.  If the session was meant to stay open, the
 * relay has reached its limit.  Then report instead how many sessions it can
 * hold.
 */
static void
fail_session(const char *how, int keep)
{
	char reason[64];

	snprintf(reason, sizeof reason, "holds %d at most here", nheld);
	fail(keep ? reason : how);
}

/*
 * Receive what has arrived in a session: first the echo, later FIN (or RST,
 * from some relays).  Returns true if nothing more is expected.
 */
static int
proceed(int fd, int *finishing, int keep)
{
	ssize_t n;
	char byte;

	n = recv(fd, &byte, 1, 0);
	if (*finishing) {
		close(fd);
		return 1;
	}
	if (n != 1)
		fail_session("drops a session", keep);
	if (keep) {
		held[nheld++] = fd;
		return 1;
	}
	(void)shutdown(fd, SHUT_WR);
	*finishing = 1;
	return 0;
}

/*
 * Run sessions, `width' at a time, until n sessions have been run or the
 * deadline has passed.  If `keep' is true, leave the sessions open.  Returns
 * the number of sessions.
 */
int
sessions(int n, int width, int64_t deadline, int keep)
{
	struct pollfd p[MOST_WIDTH];
	int finishing[MOST_WIDTH];
	int begun, done, i, more;

	begun = done = 0;
	for (i = 0; i < width; i++)
		p[i].fd = -1;
	for (;;) {
		more = begun == 0 || now() < deadline;
		if (done == begun && (!more || begun == n))
			return done;
		for (i = 0; i < width; i++) {
			if (p[i].fd != -1 || !more || begun == n)
				continue;
			if ((p[i].fd = dial()) == -1)
				fail_session("refuses a session", keep);
			p[i].events = POLLIN;
			finishing[i] = 0;
			(void)send(p[i].fd, "", 1, MSG_NOSIGNAL);
			begun++;
		}
		if (poll(p, (nfds_t)width, PATIENCE * 1000) <= 0)
			fail_session("a session stalls", keep);
		for (i = 0; i < width; i++)
			if (p[i].fd != -1 && p[i].revents != 0 &&
			    proceed(p[i].fd, &finishing[i], keep)) {
				p[i].fd = -1;
				done++;
			}
	}
}

void
hold(int n)
{
	if (n > MOST_HELD)
		errx(1, "%d sessions are too many", n);
	if (n > nheld)
		(void)sessions(n - nheld, 4, INT64_MAX, 1);
}

void
let_go(void)
{
	while (nheld > 0)
		close(held[--nheld]);
}
