#include "script.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SEGMENT = 400 };		/* used with small windows; see set_window */

static void
set(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof value) == -1)
		fail("setsockopt: %s", strerror(errno));
}

/*
 * If the script gives this end a small receive buffer, set the buffer's size
 * before the connection exists.  For WINDOW, also set a small segment size.
 * Linux then gives the peer a small send buffer, which sometimes fills up.
 */
static void
set_window(int fd, const struct script *s, int end)
{
	const struct op *op;

	/*
	 * On systems other than Linux, accepted sockets do not inherit the
	 * listener's segment size.  With a small window but large segments, TCP
	 * would send only a few bytes every five seconds.  So set no sizes
	 * there.
	 */
#ifndef __linux__
	return;
#endif
	for (op = s->op; op < s->op + s->n; op++) {
		if (op->end != end || (op->what != WINDOW &&
		    op->what != BUFFER))
			continue;
		set(fd, SOL_SOCKET, SO_RCVBUF, (int)op->arg);
		if (op->what == WINDOW)
			set(fd, IPPROTO_TCP, TCP_MAXSEG, SEGMENT);
	}
}

/*
 * Returns the listener, or -1.  If another process has just taken the port,
 * errno is EADDRINUSE.
 */
static int
try_listener(int domain, const struct script *s)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} to;
	int fd;

	memset(&to, 0, sizeof to);
	to.sa.sa_family = (sa_family_t)domain;
	if (domain == AF_INET)
		to.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		to.in6.sin6_addr = in6addr_loopback;
	fd = private_socket(domain, SOCK_STREAM, 0);
	if (fd == -1)
		return -1;
	/*
	 * Without SO_REUSEADDR, thousands of connections in TIME_WAIT would use
	 * up the ports.
	 */
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (s != NULL) {
		set_window(fd, s, TARGET);
		/* An urgent byte can come before as_peer() sets this option. */
		set(fd, SOL_SOCKET, SO_OOBINLINE, 1);
	}
	if (bind(fd, &to.sa, domain == AF_INET ? sizeof to.in : sizeof to.in6)
	    == 0 && listen(fd, 1) == 0)
		return fd;
	close(fd);
	return -1;
}

/* If the system has no IPv6, listen on IPv4 instead. */
int
make_listener(int domain, const struct script *s)
{
	int fd;

	while ((fd = try_listener(domain, s)) == -1)
		if (domain == AF_INET6 &&
		    (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
			domain = AF_INET;
		else if (errno != EADDRINUSE)
			fail("listen: %s", strerror(errno));
	return fd;
}

int
take_connection(int listener)
{
	int fd;

	fd = accept(listener, NULL, NULL);
	if (fd == -1)
		fail("accept: %s", strerror(errno));
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

/*
 * Make the socket nonblocking, because MSG_DONTWAIT would not be enough: on
 * NetBSD, send(2) waits for space even with that flag.
 */
int
as_peer(int fd)
{
	fcntl(fd, F_SETFL, O_NONBLOCK);
	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set(fd, SOL_SOCKET, SO_OOBINLINE, 1);
	return fd;
}

int
dial(int listener, const struct script *s)
{
	struct sockaddr_storage to;
	socklen_t len;
	int fd;

	len = sizeof to;
	if (getsockname(listener, (struct sockaddr *)&to, &len) == -1)
		fail("getsockname: %s", strerror(errno));
	fd = private_socket(to.ss_family, SOCK_STREAM, 0);
	if (fd == -1)
		fail("socket: %s", strerror(errno));
	set_window(fd, s, CLIENT);
	if (connect(fd, (struct sockaddr *)&to, len) == -1)
		fail("connect: %s", strerror(errno));
	return as_peer(fd);
}

pid_t
start_relay(int client, const struct script *s, int port)
{
	static char *env[] = { NULL };
	static const char *const letters[] = { "-k", "-T", "-t" };
	const unsigned values[] = { s->keepalive, s->idle, s->half_closed };
	posix_spawn_file_actions_t actions;
	const char *argv[11];
	char text[4][12];
	pid_t pid;
	int error, i, n;

	n = 0;
	argv[n++] = relay_path;
	argv[n++] = "-q";
	for (i = 0; s->kind != QUICK && i < 3; i++) {
		snprintf(text[i], sizeof text[i], "%u", values[i]);
		argv[n++] = letters[i];
		argv[n++] = text[i];
	}
	snprintf(text[3], sizeof text[3], "%d", port);
	argv[n++] = target_host();
	argv[n++] = text[3];
	argv[n] = NULL;
	posix_spawn_file_actions_init(&actions);
	for (i = 0; i <= STDERR_FILENO; i++)
		posix_spawn_file_actions_adddup2(&actions, client, i);
	error = posix_spawn(&pid, relay_path, &actions, NULL,
	    (char *const *)(uintptr_t)argv, env);
	if (error != 0)
		fail("%s: %s", relay_path, strerror(error));
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}
