/* The command line, and descriptors 0, 1 and 2. */

#include "../lib/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bit n is set if descriptor n is to be closed before the relay starts. */
static int closed;

static void
close_some(void)
{
	int fd;

	for (fd = 0; fd < 3; fd++)
		if ((closed & 1 << fd) != 0)
			close(fd);
}

TEST(closed_one_and_two, "closed descriptors 1 and 2 do no harm")
{
	static const int masks[] = { 1 << 1, 1 << 2, 1 << 1 | 1 << 2 };
	const char *args[] = { target_host(), NULL, NULL };
	struct session t;
	size_t i;
	int port;

	port = refuse_on(target_family());
	relay_setup = close_some;
	for (i = 0; i < sizeof masks / sizeof masks[0]; i++) {
		closed = masks[i];
		begin_as_inetd(&t, "-v");
		converse(t.fd[CLIENT], t.fd[TARGET]);
		expect_status(&t, 0);
		begin_as_inetd(&t, "-v");
		send_stream(t.fd[TARGET], 1, 0, 100);
		wait_acked(t.fd[TARGET]);
		reset_now(&t.fd[TARGET]);
		expect_stream(t.fd[CLIENT], 1, 0, 100);
		expect_end(t.fd[CLIENT], RST);
		expect_status(&t, 0);
		args[1] = port_text(port);
		begin_without(&t, 0, "", args);
		expect_end(t.fd[CLIENT], RST);
		expect_status(&t, 69);
	}
}

TEST(client_gone, "a client that is gone already is a quiet exit")
{
	const char *args[] = { "-v", target_host(), NULL, NULL };
	struct pollfd p;
	struct relay r;
	char text[256];
	int listener, ours, theirs;

	listener = listen_on(target_family());
	args[2] = port_text(listener);
	socket_pair(AF_INET6, &ours, &theirs);
	reset_now(&ours);
	p.fd = theirs;
	p.events = POLLIN;	/* without POLLIN, some systems report no RST */
	if (poll(&p, 1, SOON) != 1)
		fail("no RST");
	relay_on(&r, theirs, 1, args);
	if (relay_status(&r, SOON) != 0)
		fail("exit status is not 0");
	relay_stderr(&r, text, sizeof text);
	if (text[0] != '\0')
		fail("logged %s", text);
	if (readable(listener, 0))
		fail("the target is connected to");
}

/* What the relay does on bad input. */

struct bad {
	const char *args[6];
	const char *words;	/* the line must have these */
};

static const struct bad bad_lines[] = {
	{ { NULL }, "no target" },
	{ { "-v", NULL }, "no target" },
	{ { "192.0.2.1", "192.0.2.2", NULL }, "192.0.2.2" },
	{ { "192.0.2.1", "80", "192.0.2.2", NULL }, "192.0.2.2" },
	{ { "-Z", "192.0.2.1", "80", NULL }, "-Z: unknown option" },
	{ { "-nZ", "192.0.2.1", "80", NULL }, "-Z: unknown option" },
	{ { "--wait=1", "192.0.2.1", "80", NULL }, "--wait=1: unknown option" },
	{ { "-w", NULL }, "-w: needs a value" },
	{ { "-w", "x", "192.0.2.1", "80", NULL }, "-w x:" },
	{ { "-w", "", "192.0.2.1", "80", NULL }, "-w :" },
	{ { "-w", "-1", "192.0.2.1", "80", NULL }, "-w -1:" },
	{ { "-w", "+1", "192.0.2.1", "80", NULL }, "-w +1:" },
	{ { "-w", " 1", "192.0.2.1", "80", NULL }, "-w  1:" },
	{ { "-w", "0", "192.0.2.1", "80", NULL }, "-w 0:" },
	{ { "-w", "1s", "192.0.2.1", "80", NULL }, "-w 1s:" },
	{ { "-w", "99999999999", "192.0.2.1", "80", NULL },
	    "-w 99999999999:" },
	{ { "-w", "99999999999999999999", "192.0.2.1", "80", NULL },
	    "-w 99999999999999999999:" },
	{ { "-k", "-1", "192.0.2.1", "80", NULL }, "-k -1:" },
	{ { "-k", "32768", "192.0.2.1", "80", NULL }, "-k 32768:" },
	{ { "-T", "-1", "192.0.2.1", "80", NULL }, "-T -1:" },
	{ { "-t", "4294967296", "192.0.2.1", "80", NULL }, "-t 4294967296:" },
	{ { "192.0.2.1", "0", NULL }, "port 0:" },
	{ { "192.0.2.1", "65536", NULL }, "port 65536:" },
	{ { "192.0.2.1", "4294967376", NULL }, "port 4294967376:" },
	{ { "192.0.2.1", "80x", NULL }, "port 80x:" },
	{ { "192.0.2.1", "-80", NULL }, "-80:" },
	{ { "192.0.2.1", "", NULL }, "port \"\":" },
	{ { "192.0.2.1", "no-such-service", NULL }, "port no-such-service:" },
	{ { "-n", "192.0.2.1", "http", NULL }, "port http:" },
	{ { "", "80", NULL }, "target \"\":" },
	{ { "[2001:db8::1]", "80", NULL }, "target [2001:db8::1]:" },
	{ { "2001:db8::1::", "80", NULL }, "target 2001:db8::1:::" },
	{ { "192.0.2.1:80", NULL }, "target 192.0.2.1:80:" },
	{ { "192.0.2.256", "80", NULL }, "target 192.0.2.256:" },
	{ { "192.0.2", "80", NULL }, "target 192.0.2:" },
	{ { "3221225985", "80", NULL }, "target 3221225985:" },
	{ { "192.0.2.1 ", "80", NULL }, "target 192.0.2.1 :" },
	{ { "a name", "80", NULL }, "target a name:" },
	{ { "-n", "localhost", "80", NULL }, "target localhost:" }
};

/* Expect one line that has these words, then the usage, and exit status 64. */
static void
expect_usage(struct relay *r, const char *words)
{
	char text[2048], want[64], *end;

	snprintf(want, sizeof want, "stfl-relay[%ld]: ", (long)r->pid);
	if (relay_status(r, SOON) != 64)
		fail("%s exit status is not 64", words);
	relay_stderr(r, text, sizeof text);
	end = strchr(text, '\n');
	if (strncmp(text, want, strlen(want)) != 0 || end == NULL ||
	    strncmp(end + 1, "usage: stfl-relay ", 18) != 0)
		fail("%s gets no line and usage, but \"%s\"", words, text);
	*end = '\0';
	if (strstr(text, words) == NULL)
		fail("\"%s\" does not say \"%s\"", text, words);
}
#define expect_usage(...) FROM(expect_usage, __VA_ARGS__)

/*
 * For each command line, expect a line that has the row's words, then the
 * usage, and a reset at the client.
 */
static void
expect_bad(const struct bad *bad, size_t n)
{
	struct relay r;
	size_t i;

	for (i = 0; i < n; i++) {
		relay_startv(&r, AF_INET6, 1, bad[i].args);
		expect_usage(&r, bad[i].words);
		if (ending(r.client, SOON) != RST)
			fail("%s no RST", bad[i].words);
		close(r.client);
		close(r.err);
	}
}
#define expect_bad(...) FROM(expect_bad, __VA_ARGS__)

TEST(bad_command_lines, "a bad command line gets one line that names the bad "
    "value, usage, and status 64")
{
	expect_bad(bad_lines, sizeof bad_lines / sizeof bad_lines[0]);
}

TEST(bad_lines_as_inetd, "a bad command line gets a client RST and not a byte")
{
	struct relay r;
	size_t i;

	for (i = 0; i < sizeof bad_lines / sizeof bad_lines[0]; i++) {
		relay_startv(&r, AF_INET6, 0, bad_lines[i].args);
		if (ending(r.client, SOON) != RST)
			fail("%s no RST", bad_lines[i].words);
		if (relay_status(&r, SOON) != 64)
			fail("%s exit status", bad_lines[i].words);
		close(r.client);
	}
}

/* Bad addresses, bad networks, and bad versions of the PROXY header. */
static const struct bad bad_values[] = {
	{ { "-s", "126.0.0.0/7", "127.0.0.1", "80", NULL }, "-s 126.0.0.0/7:" },
	{ { "-s", "0.0.0.0/0", "127.0.0.1", "80", NULL }, "-s 0.0.0.0/0:" },
	{ { "-s", "127.64.3.9/10", "127.0.0.1", "80", NULL },
	    "-s 127.64.3.9/10:" },
	{ { "-s", "127.0.0.0/33", "127.0.0.1", "80", NULL },
	    "-s 127.0.0.0/33:" },
	{ { "-s", "127.0.0.0/", "127.0.0.1", "80", NULL }, "-s 127.0.0.0/:" },
	{ { "-s", "127.0.0.0/8x", "127.0.0.1", "80", NULL },
	    "-s 127.0.0.0/8x:" },
	{ { "-s", "127.0/8", "127.0.0.1", "80", NULL }, "-s 127.0/8:" },
	{ { "-s", "/8", "127.0.0.1", "80", NULL }, "-s /8:" },
	{ { "-s", "2001:db8::1", "127.0.0.1", "80", NULL }, "-s 2001:db8::1:" },
	{ { "-s", "2001:db8::/32", "127.0.0.1", "80", NULL },
	    "-s 2001:db8::/32:" },
	{ { "-s", "::ffff:127.0.0.1", "127.0.0.1", NULL },
	    "-s ::ffff:127.0.0.1:" },
	{ { "-s", "localhost", "127.0.0.1", "80", NULL }, "-s localhost:" },
	{ { "-x", "95", "192.0.2.0/24", "80", NULL }, "-x 95:" },
	{ { "-x", "0", "192.0.2.0/24", "80", NULL }, "-x 0:" },
	{ { "-x", "17", "192.0.2.0/24", "80", NULL }, "-x 17:" },
	{ { "-x", "128", "192.0.2.0/24", "80", NULL }, "-x 128:" },
	{ { "-x", "96/", "192.0.2.0/24", "80", NULL }, "-x 96/:" },
	{ { "-x", "64", "192.0.2.1", "80", NULL }, "-x 64:" },
	{ { "192.0.2.1/24", "80", NULL }, "target 192.0.2.1/24:" },
	{ { "192.0.2.128/24", "80", NULL }, "target 192.0.2.128/24:" },
	{ { "128.0.0.1/1", "80", NULL }, "target 128.0.0.1/1:" },
	{ { "0.0.0.0/0", "80", NULL }, "target 0.0.0.0/0:" },
	{ { "192.0.2.0/0", "80", NULL }, "target 192.0.2.0/0:" },
	{ { "192.0.2.0/33", "80", NULL }, "target 192.0.2.0/33:" },
	{ { "192.0.2.0/024x", "80", NULL }, "target 192.0.2.0/024x:" },
	{ { "192.0.2.0/24/24", "80", NULL }, "target 192.0.2.0/24/24:" },
	{ { "192.0.2/24", "80", NULL }, "target 192.0.2/24:" },
	{ { "2001:db8::/32", "80", NULL }, "target 2001:db8::/32:" },
	{ { "localhost/8", "80", NULL }, "target localhost/8:" },
	{ { "-p", "3", "127.0.0.1", "80", NULL }, "-p 3:" },
	{ { "-p", "0", "127.0.0.1", "80", NULL }, "-p 0:" },
	{ { "-p", "1x", "127.0.0.1", "80", NULL }, "-p 1x:" },
	{ { "-6", "192.0.2.1", "80", NULL }, "target 192.0.2.1:" },
	{ { "-6", "192.0.2.0/24", "80", NULL }, "target 192.0.2.0/24:" },
	{ { "-6", "-x", "96", "2001:db8::1", "80", NULL }, "-x 96:" },
	{ { "2001:db8::1%lo", "80", NULL }, "target 2001:db8::1%lo:" },
	{ { "fe80::1%nothing", "80", NULL }, "target fe80::1%nothing:" }
};

TEST(bad_input, "a bad value ends with status 64 and one line that names it")
{
	expect_bad(bad_values, sizeof bad_values / sizeof bad_values[0]);
}

TEST(source_family, "-s has to be an address of the target's family")
{
	static const struct bad bad[] = {
		{ { "-s", "127.64.0.0/10", "::1", "80", NULL },
		    "-s 127.64.0.0/10:" },
		{ { "-s", "127.0.0.1", "::1", "80", NULL }, "-s 127.0.0.1:" },
		{ { "-6", "-s", "127.0.0.1", "localhost", "80", NULL },
		    "-s 127.0.0.1:" },
		{ { "-6", "-s", "2001:db8::/32", "::1", "80", NULL },
		    "-s 2001:db8::/32:" }
	};

	expect_bad(bad, sizeof bad / sizeof bad[0]);
}

static int
pipe_end(void)
{
	int end[2];

	return pipe(end) == -1 ? -1 : end[0];
}

static int
unix_socket(int type)
{
	int fd[2];

	return socketpair(AF_UNIX, type, 0, fd) == -1 ? -1 : fd[0];
}

static void
refused_on_zero(int fd, const char *words)
{
	static const char *const args[] = { "192.0.2.1", "80", NULL };
	struct relay r;

	if (fd == -1)
		fail("%s %s", words, strerror(errno));
	relay_on(&r, fd, 1, args);
	expect_usage(&r, words);
	close(r.err);
}
#define refused_on_zero(...) FROM(refused_on_zero, __VA_ARGS__)

TEST(bad_standard_input,
    "a standard input that is no TCP connection is refused in words")
{
	refused_on_zero(terminal(), "standard input is a terminal;");
	refused_on_zero(open(relay_path, O_RDONLY), "is a file;");
	refused_on_zero(open("/", O_RDONLY), "is a directory;");
	refused_on_zero(open("/dev/null", O_RDWR), "is a device (");
	refused_on_zero(pipe_end(), "is a pipe;");
	refused_on_zero(listen_on(AF_INET6), "is a listening socket");
	refused_on_zero(socket(AF_INET6, SOCK_DGRAM, 0),
	    "is a datagram socket;");
	refused_on_zero(unix_socket(SOCK_STREAM),
	    "is a socket that is not TCP;");
	refused_on_zero(unix_socket(SOCK_DGRAM), "is a datagram socket;");
	relay_setup = close_some;
	closed = 1 << 0;
	refused_on_zero(pipe_end(), "is closed;");
	closed = 1 << 0 | 1 << 1;
	refused_on_zero(pipe_end(), "is closed;");
}
