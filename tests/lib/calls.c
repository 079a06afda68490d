#define TEST_LIBRARY
#include "calls.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

enum { MOST_ARGS = 20 };

int
call(struct session *t, const char *from, int from_port, const char *to,
    int to_port)
{
	union address a, to_a;
	int fd, listener, theirs;

	listener = listen_at(to, to_port, 16);
	to_a = own_name(listener);
	a = address(from, from_port);
	/*
	 * If the client is IPv4 and `to' is a mapped address, the client dials
	 * the IPv4 address that `to' contains.
	 */
	if (a.sa.sa_family == AF_INET && to_a.sa.sa_family == AF_INET6)
		to_a = address(strrchr(to, ':') + 1, port_of(listener));
	fd = bound_to(&a);
	if (connect(fd, &to_a.sa, address_size(&to_a)) == -1)
		fail("connect to %s: %s", host_text(&to_a), strerror(errno));
	theirs = accept_from(listener);
	close(listener);
	t->fd[CLIENT] = fd;
	t->fd[TARGET] = -1;
	return theirs;
}

static void
start(struct session *t, int theirs, const char *args[MOST_ARGS], va_list ap)
{
	int n;

	args[0] = "-v";
	n = 0;
	do
		if (++n == MOST_ARGS)
			fail("more than %d arguments", MOST_ARGS - 2);
	while ((args[n] = va_arg(ap, const char *)) != NULL);
	relay_on(&t->relay, theirs, 1, args);
	t->relay.client = t->fd[CLIENT];
	t->pid = t->relay.pid;
}

void
serve(struct session *t, int theirs, ...)
{
	const char *args[MOST_ARGS];
	va_list ap;

	va_start(ap, theirs);
	start(t, theirs, args, ap);
	va_end(ap);
}

void
serve_to(struct session *t, int theirs, int listener, ...)
{
	const char *args[MOST_ARGS];
	va_list ap;

	va_start(ap, listener);
	start(t, theirs, args, ap);
	va_end(ap);
	connected(t, listener);
	close(listener);
}

void
expect_named(const struct session *t, const char *words)
{
	if (strstr(t->addresses, words) == NULL)
		fail("no \"%s\" in \"%s\"", words, t->addresses);
}

void
expect_whole(struct session *t, uint64_t up, uint64_t down)
{
	finish(t->fd[CLIENT]);
	expect_end(t->fd[TARGET], FIN);
	finish(t->fd[TARGET]);
	expect_end(t->fd[CLIENT], FIN);
	expect_over(t, CLIENT, "eof", up, down);
	let_go(t);
}

void
expect_failure(struct session *t, int status, const char *end)
{
	expect_end(t->fd[CLIENT], RST);
	expect_exit(t, status, end, 0, 0);
	let_go(t);
}
