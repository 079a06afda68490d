#define TEST_LIBRARY
#include "rows.h"
#include "use.h"

#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__

/* Run all rows at the same time, each in a separate process. */
void
each_row(void (*run)(const struct row *), const struct row *rows, size_t n)
{
	static char name[80];
	pid_t pid[64];
	size_t i;
	int failed, skipped, status;

	for (i = 0; i < n; i++) {
		pid[i] = fork();
		if (pid[i] == -1)
			fail("fork: %s", strerror(errno));
		if (pid[i] == 0) {
			snprintf(name, sizeof name, "(%s) ", rows[i].name);
			test_about(name);
			run(&rows[i]);
			_exit(0);
		}
	}
	failed = skipped = 0;
	for (i = 0; i < n; i++) {
		if (waitpid(pid[i], &status, 0) == -1)
			fail("waitpid: %s", strerror(errno));
		if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
			skipped = 1;
		else
			failed |= status != 0;
	}
	/* Each row's process has already said why it failed or was skipped. */
	if (failed || skipped)
		_exit(failed ? 1 : SKIPPED);
}

/*
 * Set the row's option.  If the kernel does not know the option, or does not
 * allow this user to set it, there is nothing to test.
 */
static void
set(int fd, const struct row *o)
{
	if (setsockopt(fd, o->level, o->option, o->value, o->size) == 0)
		return;
	if (errno == ENOPROTOOPT || errno == EOPNOTSUPP || errno == EPERM)
		_exit(0);
	fail("setsockopt: %s", strerror(errno));
}

int
dual_stack(int protocol, const struct row *o)
{
	struct sockaddr_in6 in6;
	int listener, zero;

	memset(&in6, 0, sizeof in6);
	in6.sin6_family = AF_INET6;
	zero = 0;
	listener = private_socket(AF_INET6, SOCK_STREAM, protocol);
	if (listener == -1 || setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY,
	    &zero, sizeof zero) == -1 ||
	    bind(listener, (struct sockaddr *)&in6, sizeof in6) == -1 ||
	    listen(listener, 5) == -1)
		skip("no such listener: %s", strerror(errno));
	if (o != NULL && !o->late)
		set(listener, o);
	return listener;
}

int
row_dial(const char *address, int protocol, int listener)
{
	struct sockaddr_in6 in6;
	int fd, one;

	if (strcmp(address, "::1") == 0)
		need_ipv6();
	memset(&in6, 0, sizeof in6);
	in6.sin6_family = AF_INET6;
	in6.sin6_port = htons((in_port_t)port_of(listener));
	inet_pton(AF_INET6, address, &in6.sin6_addr);
	fd = private_socket(AF_INET6, SOCK_STREAM, protocol);
	if (fd == -1 || connect(fd, (struct sockaddr *)&in6, sizeof in6) == -1)
		fail("connect to %s: %s", address, strerror(errno));
	one = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

int
dialled(const char *address, int protocol, const struct row *o, int *theirs)
{
	int listener, ours;

	listener = dual_stack(protocol, o);
	ours = row_dial(address, protocol, listener);
	*theirs = accept_from(listener);
	if (o != NULL)
		set(*theirs, o);
	close(listener);
	return ours;
}

void
row_start(struct relay *r, int ours, int theirs, const char *option,
    const char *value)
{
	const char *args[] = { "127.0.0.1", NULL, option, value, NULL };
	char port[8];
	int listener;

	listener = listen_on(AF_INET);
	snprintf(port, sizeof port, "%d", port_of(listener));
	args[1] = port;
	if (option != NULL) {
		args[0] = option;
		args[1] = value;
		args[2] = "127.0.0.1";
		args[3] = port;
	}
	relay_on(r, theirs, 1, args);
	r->client = ours;
	r->target = accept_from(listener);
	close(listener);
}

void
row_begin(struct relay *r, const struct row *o, const char *option,
    const char *value)
{
	int ours, theirs;

	ours = dialled("::1", 0, o, &theirs);
	row_start(r, ours, theirs, option, value);
}

void
relay_ends(struct relay *r, int want)
{
	int status;

	status = relay_status(r, SOON);
	if (status != want)
		fail("exit status %d, not %d", status, want);
}

void
carry_stream(int from, int to, unsigned stream, size_t size)
{
	pid_t pid;

	pid = aside(send_stream, from, stream, size);
	expect_stream(to, stream, 0, size);
	expect_done(pid);
}

void
whole_session(struct relay *r)
{
	enum { SIZE = 300000 };
	uint64_t i;

	for (i = 0; i < 10; i++) {
		send_stream(r->client, 1, i, 1);
		expect_stream(r->target, 1, i, 1);
		send_stream(r->target, 2, i, 1);
		expect_stream(r->client, 2, i, 1);
	}
	expect_idle(r->pid, STILL, 0);
	carry_stream(r->client, r->target, 3, SIZE);
	carry_stream(r->target, r->client, 4, SIZE);
	converse(r->client, r->target);
	relay_ends(r, 0);
}

#endif
