/* The log, and what the relay writes to descriptor 2. */

#include "../lib/places.h"
#include "../lib/relay.h"

#include <sys/un.h>

#include <arpa/inet.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The log line of a session, for each kind of client and target. */

TEST(seconds_taken, "secs is the time since the relay's start")
{
	struct session t;
	int64_t began, logged;

	began = milliseconds();
	begin(&t, NULL, NULL);
	pause_for(UNEVEN);
	kill(t.pid, SIGUSR1);
	logged = expect_line(&t, "open", 0, 0);
	if (logged < UNEVEN || logged > milliseconds() - began + 1)
		fail("%lld ms after %lld", (long long)logged,
		    (long long)(milliseconds() - began));
}

/*
 * Run a session whose client has an address of this family.  The listener has
 * the same family or is dual-stack.
 */
static void
session_through(int family, int listener, const char *const *args, int target)
{
	struct session t;
	int client;

	client = connect_to(family, port_of(listener));
	relay_on(&t.relay, accept_from(listener), 1, args);
	t.relay.client = client;
	connected(&t, target);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 1000, 3000);
}
#define session_through(...) FROM(session_through, __VA_ARGS__)

TEST(ipv4_clients, "IPv4 clients, mapped or not, are served and logged as what "
    "they are")
{
	const char *args[] = { "-v", target_host(), NULL, NULL };
	int target;

	target = listen_on(target_family());
	args[2] = port_text(target);
	session_through(AF_INET, listen_on(AF_INET), args, target);
	session_through(AF_INET, listen_dual(), args, target);
	session_through(AF_INET6, listen_dual(), args, target);
}

/* The client dials [::1].  The target is at 127.0.0.1, on the same port. */
TEST(dialled_port, "a port left out is the one that the client dialled")
{
	static const char *const args[] = { "-v", "127.0.0.1", NULL };
	struct sockaddr_in in;
	int i, service, target;

	memset(&in, 0, sizeof in);
	in.sin_family = AF_INET;
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (i = 0; i < 100; i++) {
		service = listen_on(AF_INET6);
		in.sin_port = htons((in_port_t)port_of(service));
		target = private_socket(AF_INET, SOCK_STREAM, 0);
		if (bind(target, (struct sockaddr *)&in, sizeof in) == 0 &&
		    listen(target, 5) == 0) {
			session_through(AF_INET6, service, args, target);
			return;
		}
		close(service);
		close(target);
	}
	fail("no port is free for both protocols");
}

TEST(service_name, "the port may be a name from services(5)")
{
	const char *args[] = { "-v", target_host(), "stfl-test", NULL };
	int target;

	own_etc("");
	target = listen_on(target_family());
	put_file("/etc/services", "stfl-test %d/tcp\n", port_of(target));
	session_through(AF_INET6, listen_on(AF_INET6), args, target);
}

/*
 * Without -v, the relay writes only failures to descriptor 2.  The option -q
 * does not change this.
 */
static void
quiet(const char *option)
{
	const char *args[] = { target_host(), NULL, NULL, NULL };
	struct session t;
	char text[256];
	int listener;

	listener = listen_on(target_family());
	args[0] = option != NULL ? option : target_host();
	args[1] = option != NULL ? target_host() : port_text(listener);
	args[2] = option != NULL ? port_text(listener) : NULL;
	relay_startv(&t.relay, client_family(), 1, args);
	t.fd[CLIENT] = t.relay.client;
	t.fd[TARGET] = accept_from(listener);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_status(&t, 0);
	relay_stderr(&t.relay, text, sizeof text);
	if (text[0] != '\0')
		fail("logged %s", text);
}
#define quiet(...) FROM(quiet, __VA_ARGS__)

TEST(silence_when_well, "descriptor 2 gets nothing when all is well")
{
	quiet(NULL);
	quiet("-q");
}

/* Log lines to syslogd. */

/* Fill up syslogd's socket, from which nobody reads. */
static void
wedge(void)
{
	struct sockaddr_un sun;
	int fd;

	memset(&sun, 0, sizeof sun);
	sun.sun_family = AF_UNIX;
	strcpy(sun.sun_path, "/dev/log");
	fd = private_socket(AF_UNIX, SOCK_DGRAM, 0);
	if (connect(fd, (struct sockaddr *)&sun, sizeof sun) == -1)
		fail("/dev/log: %s", strerror(errno));
	while (send(fd, "x", 1, MSG_DONTWAIT) == 1)
		;
	close(fd);
}

/* Expect one datagram that consists of this priority and the session's line. */
static void
expect_syslog(int fd, const struct session *t, const char *priority,
    const char *end, uint64_t up, uint64_t down)
{
	char line[2048];
	size_t len;

	syslog_line(fd, line, sizeof line);
	len = strlen(priority);
	if (strncmp(line, priority, len) != 0)
		fail("syslogd gets \"%s\" and not %s", line, priority);
	check_line(line + len, t, end, up, down);
}
#define expect_syslog(...) FROM(expect_syslog, __VA_ARGS__)

static void
syslog_session(int fd, const char *option, int lines)
{
	struct session t;

	begin_as_inetd(&t, option);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_status(&t, 0);
	if (lines > 1)
		expect_syslog(fd, &t, "<30>", "open", 0, 0);
	if (lines > 0)
		expect_syslog(fd, &t, "<30>", "eof", 1000, 3000);
	if (readable(fd, 0))
		fail("a line too many");
}
#define syslog_session(...) FROM(syslog_session, __VA_ARGS__)

TEST(syslog_lines, "syslogd gets one line a session, with -v two, with -q none")
{
	int fd;

	fd = syslog_socket();
	syslog_session(fd, NULL, 1);
	syslog_session(fd, "-v", 2);
	syslog_session(fd, "-q", 0);
}

/*
 * A socket for syslogd exists while tests/run runs one test: first with
 * HOST_LOG in the environment, then without.
 */
TEST(tests_unlogged,
    "the relays under test do not write into the log of the system they run on")
{
	int fd;

	fd = syslog_socket();
	if (system("HOST_LOG=yes tests/run client_bare_reset >/dev/null") != 0)
		fail("no session with a syslogd");
	if (!readable(fd, 0))
		fail("a session with HOST_LOG does not write");
	while (readable(fd, 0))
		(void)recv(fd, NULL, 0, 0);
	if (system("tests/run client_bare_reset >/dev/null") != 0)
		fail("no session with the log hidden");
	if (readable(fd, 0))
		fail("a test has written into the log");
}

TEST(syslog_failures, "syslogd gets a failure as a warning")
{
	const char *args[] = { "-q", target_host(), NULL, NULL };
	struct session t;
	int fd, port;

	fd = syslog_socket();
	port = refuse_on(target_family());
	args[2] = port_text(port);
	begin_without(&t, 0, target_text(port), args);
	expect_end(t.fd[CLIENT], RST);
	expect_status(&t, 69);
	expect_syslog(fd, &t, "<28>",
	    "refused error=\"Connection refused\"", 0, 0);
}

TEST(syslog_usage, "syslogd gets the operator's mistake as an error")
{
	const char *args[] = { "-w", "x", target_host(), NULL };
	char line[512], want[64];
	struct session t;
	int fd;

	fd = syslog_socket();
	begin_without(&t, 0, "", args);
	expect_end(t.fd[CLIENT], RST);
	expect_status(&t, 64);
	syslog_line(fd, line, sizeof line);
	snprintf(want, sizeof want, "<27>stfl-relay[%ld]: -w x: ",
	    (long)t.pid);
	if (strncmp(line, want, strlen(want)) != 0)
		fail("syslogd gets \"%s\"", line);
}

/*
 * The peers see the end of the connection at once.  The relay's process can
 * live up to 5 s longer, because it waits for syslogd.
 */
TEST(wedged_syslogd,
    "a wedged syslogd delays no peer, and the process's end by at most five "
    "seconds")
{
	static const char *const nothing[] = { NULL };
	const char *args[] = { target_host(), NULL, NULL };
	struct session bad, failed, t;
	int64_t began;
	int port;

	(void)syslog_socket();
	wedge();
	port = refuse_on(target_family());
	args[1] = port_text(port);
	began = milliseconds();
	begin_without(&bad, 0, "", nothing);
	expect_end(bad.fd[CLIENT], RST);
	begin_without(&failed, 0, target_text(port), args);
	expect_end(failed.fd[CLIENT], RST);
	begin_as_inetd(&t, "-v");
	converse(t.fd[CLIENT], t.fd[TARGET]);
	if (milliseconds() - began > PROMPTLY)
		fail("the peers wait for syslogd");
	began = milliseconds();
	expect_status(&bad, 64);
	expect_status(&failed, 69);
	expect_status(&t, 0);
	if (milliseconds() - began > 5 * SECOND + LATER)
		fail("still there after %lld ms",
		    (long long)(milliseconds() - began));
}

TEST(syslogd_recovers, "a syslogd that recovers in time gets the line")
{
	struct session t;
	char line[2048];
	int fd;

	fd = syslog_socket();
	wedge();
	begin_as_inetd(&t, NULL);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	pause_for(LOG_STUCK);
	do
		syslog_line(fd, line, sizeof line);
	while (strcmp(line, "x") == 0);
	check_line(line + 4, &t, "eof", 1000, 3000);
	expect_status(&t, 0);
}

/*
 * Fill up the pipe on descriptor 2.  The pipe stays full, because nobody reads
 * from it.
 */
static void
fill_two(void)
{
	static char page[4096];

	fcntl(2, F_SETFL, O_NONBLOCK);
	while (write(2, page, sizeof page) > 0 || write(2, "x", 1) == 1)
		;
	fcntl(2, F_SETFL, 0);
}

TEST(full_pipe, "a full pipe on descriptor 2 delays no peer, and the process's "
    "end by at most five seconds")
{
	struct relay r;
	struct session t;
	int64_t began;

	relay_setup = fill_two;
	began = milliseconds();
	relay_session(&r, NULL);
	t.relay = r;
	t.fd[CLIENT] = r.client;
	t.fd[TARGET] = r.target;
	kill(r.pid, SIGUSR1);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	if (milliseconds() - began > PROMPTLY)
		fail("the peers wait for a reader of 2");
	began = milliseconds();
	expect_status(&t, 0);
	if (milliseconds() - began > 5 * SECOND + LATER)
		fail("still there after %lld ms",
		    (long long)(milliseconds() - began));
}
