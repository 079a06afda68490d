/*
 * These tests exercise every path of a session under the filter.  Their relay
 * (tests/stfl-relay-strict) is killed if it makes a call that the filter
 * denies.  bulk.sh runs the random scripts, and the tests in session/ and
 * start/, with another relay that is also killed in that case.
 */

#include "../lib/lack.h"
#include "../lib/places.h"
#include "../lib/relay.h"
#include "../lib/traced.h"
#include "../lib/use.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

/*
 * Begin a session with the strict relay.  The strict relay is built from the
 * same sources as the relay under test, so both make the same calls.
 */
static void
begin_strict(struct session *t, const char *option, const char *value)
{
	relay_path = "tests/stfl-relay-strict";
	begin(t, option, value);
	carry_on(t);
#ifdef __linux__
	if (status_of(t->pid, "Seccomp:") != 2)
		skip("this build or this kernel has no seccomp filter");
#endif
}
#define begin_strict(...) FROM(begin_strict, __VA_ARGS__)

TEST(filter_talk, "the filter allows all that talk needs")
{
	struct session t;

	begin_strict(&t, NULL, NULL);
	conclude(&t);
}

/*
 * Carry bulk in both directions at once, so that each flow has a pipe.  After
 * that, carry talk.
 */
static void
carry_bulk(struct session *s)
{
	pid_t client, target;

	client = aside(send_stream, s->fd[CLIENT], 3, 8 * MIB);
	target = aside(send_stream, s->fd[TARGET], 3, 8 * MIB);
	expect_stream(s->fd[TARGET], 3, 0, 8 * MIB);
	expect_stream(s->fd[CLIENT], 3, 0, 8 * MIB);
	expect_done(client);
	expect_done(target);
	converse(s->fd[CLIENT], s->fd[TARGET]);
	expect_over(s, CLIENT, "eof", 8 * MIB + 2000, 8 * MIB + 3000);
}
#define carry_bulk(...) FROM(carry_bulk, __VA_ARGS__)

/*
 * If other processes have many pipes open, the session might get no pipe: see
 * pipe(7).  In that case, this test does not cover splice(2).  bulk.sh covers
 * splice(2), too, because its relay splices everything.
 */
TEST(filter_bulk, "the filter allows all that bulk needs")
{
	struct session t;

	begin_strict(&t, NULL, NULL);
	carry_bulk(&t);
}

static int splice_error;

static void
lack_splice(void)
{
	const struct lack lack = { SYS_splice, ANY_ARGUMENT, 0, splice_error };

	lack_calls(&lack, 1);
}

/*
 * Simulate a kernel that lacks splice(2), then a kernel that cannot use
 * splice(2) on sockets, and then a parent whose filter denies splice(2).  The
 * relay treats everything as bulk.
 */
TEST(no_splice, "a kernel without splice(2) carries bulk")
{
	static const int errors[] = { ENOSYS, EINVAL, EPERM };
	struct session t;
	size_t i;

	relay_path = "tests/stfl-relay-bulk";
	relay_setup = lack_splice;
	for (i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		splice_error = errors[i];
		begin(&t, NULL, NULL);
		carry_on(&t);
		carry_bulk(&t);
	}
}

TEST(filter_urgent, "the filter allows all that urgent bytes need")
{
	struct session s;
	char c[2];

	begin_strict(&s, NULL, NULL);
	if (send(s.fd[CLIENT], "u", 1, MSG_OOB) != 1 ||
	    send(s.fd[TARGET], "U", 1, MSG_OOB) != 1)
		fail("send: %s", strerror(errno));
	send_all(s.fd[CLIENT], "v", 1);
	send_all(s.fd[TARGET], "V", 1);
	c[0] = 1;
	recv_exactly(s.fd[TARGET], c, 1);
	if (c[0] != 'v')
		fail("\"%c\" arrives as no urgent byte", c[0]);
	recv_exactly(s.fd[CLIENT], c, 1);
	if (c[0] != 'V')
		fail("\"%c\" arrives as no urgent byte", c[0]);
	converse(s.fd[CLIENT], s.fd[TARGET]);
	expect_over(&s, CLIENT, "eof", 2002, 3002);
}

static void
expect_syslog(int fd, const char *word)
{
	char line[2048];

	syslog_line(fd, line, sizeof line);
	if (strstr(line, word) == NULL)
		fail("syslogd gets %s", line);
}
#define expect_syslog(...) FROM(expect_syslog, __VA_ARGS__)

/* The relay writes each line of its log to syslogd and to descriptor 2. */
TEST(filter_signals, "the filter allows all that signals and syslog lines need")
{
	struct session s;
	int fd;

	fd = syslog_socket();
	begin_strict(&s, NULL, NULL);
	expect_syslog(fd, "end=open");
	kill(s.pid, SIGUSR1);
	expect_syslog(fd, "end=open");
	kill(s.pid, SIGTERM);
	expect_end(s.fd[CLIENT], RST);
	expect_end(s.fd[TARGET], RST);
	expect_syslog(fd, "end=signal");
	expect_line(&s, "open", 1000, 0);
	expect_over(&s, CLIENT, "signal", 1000, 0);
}

/* The target reads slowly, so the relay has to use all its ways of waiting. */
TEST(filter_reset, "the filter allows all that a reset before a slow target "
    "needs")
{
	static char block[65536];
	struct session s;
	ssize_t n;

	begin_strict(&s, NULL, NULL);
	fill(s.fd[CLIENT], 3);
	reset_now(&s.fd[CLIENT]);
	pause_for(READER_LATE);
	while ((n = recv(s.fd[TARGET], block, sizeof block, 0)) > 0)
		;
	if (n == 0)
		fail("FIN where RST should be");
	expect_status(&s, 0);
}

static void
ends_idle(struct session *s)
{
	expect_end(s->fd[TARGET], RST);
	expect_end(s->fd[CLIENT], RST);
	expect_over(s, CLIENT, "idle", 1000, 0);
}
#define ends_idle(...) FROM(ends_idle, __VA_ARGS__)

TEST(filter_idle, "the filter allows all that -T needs")
{
	struct session s;

	begin_strict(&s, "-T", "1");
	ends_idle(&s);
}

/*
 * After SIGCONT, the kernel uses restart_syscall(2) to resume a poll(2) that
 * has a timeout.
 */
TEST(filter_stopped, "the filter allows all that stopping and continuing need")
{
	struct session s;

	begin_strict(&s, "-T", "2");
	stop_relay(s.pid);
	kill(s.pid, SIGCONT);
	ends_idle(&s);
}

TEST(filter_half_closed, "the filter allows all that -t needs")
{
	struct session s;

	begin_strict(&s, "-t", "1");
	finish(s.fd[CLIENT]);
	expect_end(s.fd[TARGET], FIN);
	expect_end(s.fd[CLIENT], RST);
	expect_status(&s, 0);
}

/*
 * The relay asks the kernel in several ways what is in flight.  One way is
 * TCP_INFO.
 */
TEST(filter_unacknowledged,
    "the filter allows all that -k needs with bytes in flight")
{
	struct session s;

	begin_strict(&s, "-k", "1");
	fill(s.fd[CLIENT], 3);
	pause_for(BEYOND_LIMIT);	/* the relay asks every 0.5 s */
	kill(s.pid, SIGTERM);
	expect_status(&s, 0);
}
