/* The limits -T and -t, and signals. */

#include "../lib/places.h"
#include "../lib/relay.h"

#include <sys/resource.h>

#include <signal.h>

/* When the limit that -T or -t sets is reached, both sides get RST. */

TEST(idle_limit, "-T resets both sides when no byte has moved for that time")
{
	struct session t;
	int64_t last;
	int i;

	begin(&t, "-T", "2");
	for (last = i = 0; i < 4; i++) {
		pause_for(WITHIN_LIMIT);
		last = milliseconds();
		send_stream(t.fd[i % 2], (unsigned)i, 0, 1);
		expect_stream(t.fd[!(i % 2)], (unsigned)i, 0, 1);
	}
	expect_end(t.fd[CLIENT], RST);
	expect_end(t.fd[TARGET], RST);
	if (milliseconds() - last < 2 * SECOND)
		fail("too early");
	expect_over(&t, CLIENT, "idle", 2, 2);
}

static long
cpu_ms(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (long)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
	    (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

/*
 * The target's listener does not accept the connection, and the client waits
 * for an answer.  Returns how many milliseconds of CPU time the waiting takes.
 */
static long
wait_unaccepted(void)
{
	struct relay r;
	int listener;
	long before, usual;

	/*
	 * Every session takes some CPU time, for example 0.1 s with a
	 * sanitizer.
	 */
	before = cpu_ms();
	session_after(NULL);
	usual = cpu_ms() - before;
	listener = listen_on(target_family());
	before = cpu_ms();
	relay_start(&r, client_family(), 1, "-T", "2", target_host(),
	    port_text(listener), NULL);
	send_stream(r.client, 1, 0, 1000);
	/*
	 * The target has not accepted the connection, so only the target's
	 * kernel has answered the relay.
	 */
	expect_end(r.client, RST);
	if (relay_status(&r, SOON) != 0)
		fail("exit status is not 0");
	if (ACCEPTS_RESET) {
		r.target = accept_from(listener);
		expect_stream(r.target, 1, 0, 1000);
		expect_end(r.target, RST);
	}
	return cpu_ms() - before - usual;
}
#define wait_unaccepted(...) FROM(wait_unaccepted, __VA_ARGS__)

TEST(idle_unaccepted, "-T ends a session whose target never accepts")
{
	enum { ALLOWED = 80, TRIES = 3 };
	long most;
	int i;

	most = ALLOWED + 1;
	for (i = 0; i < TRIES && most > ALLOWED; i++)
		most = wait_unaccepted();
	if (most > ALLOWED)
		fail("the waiting takes %ld ms of CPU", most);
}

/*
 * The test sends SIGALRM again and again, like a timer that the relay's parent
 * has set, and SIGUSR1, like an operator who asks for the state of the session.
 * There is no log.
 */
TEST(idle_limit_and_signals, "-T is not put off by signals")
{
	struct session t;
	int i;

	apart();
	mount_over("/dev");
	begin_as_inetd(&t, "-T1");
	for (i = 0; i < 50 && ending(t.fd[CLIENT], PACE) == NOTHING; i++)
		kill(t.pid, i % 2 == 0 ? SIGALRM : SIGUSR1);
	if (i == 50)
		fail("it goes on for %d times %d ms", i, PACE);
	expect_reset(t.fd[TARGET]);
	expect_status(&t, 0);
}

EACH_WAY(half_closed_limit,
    "-t resets both sides when a client has finished and no byte "
    "has moved since",
    "-t resets both sides when a target has finished and no byte "
    "has moved since")
{
	struct session t;
	int64_t last;

	begin(&t, "-t", "2");
	if (readable(t.fd[near], BEYOND_LIMIT) || readable(t.fd[!near], 0))
		fail("it ends before a side has finished");
	finish(t.fd[near]);
	expect_end(t.fd[!near], FIN);
	pause_for(PART_OF_LIMIT);
	last = milliseconds();
	send_stream(t.fd[!near], 1, 0, 100);
	expect_stream(t.fd[near], 1, 0, 100);
	expect_end(t.fd[near], RST);
	expect_reset(t.fd[!near]);
	if (milliseconds() - last < 2 * SECOND)
		fail("too early");
	expect_over(&t, near, "half-closed", 0, 100);
}

/* Signals. */

static void
ended_by(int sig)
{
	struct session t;

	begin(&t, NULL, NULL);
	send_stream(t.fd[CLIENT], 1, 0, 10);
	expect_stream(t.fd[TARGET], 1, 0, 10);
	kill(t.pid, sig);
	expect_end(t.fd[CLIENT], RST);
	expect_end(t.fd[TARGET], RST);
	expect_over(&t, CLIENT, "signal", 10, 0);
}
#define ended_by(...) FROM(ended_by, __VA_ARGS__)

TEST(signals_end_it, "SIGTERM, SIGINT and SIGHUP reset both sides")
{
	ended_by(SIGINT);
	ended_by(SIGTERM);
	ended_by(SIGHUP);
}

TEST(line_so_far, "SIGUSR1 logs the line so far, and the session goes on")
{
	struct session t;

	begin(&t, NULL, NULL);
	send_stream(t.fd[CLIENT], 1, 0, 10);
	expect_stream(t.fd[TARGET], 1, 0, 10);
	send_stream(t.fd[TARGET], 2, 0, 20);
	expect_stream(t.fd[CLIENT], 2, 0, 20);
	kill(t.pid, SIGUSR1);
	expect_line(&t, "open", 10, 20);
#ifdef SIGINFO
	kill(t.pid, SIGINFO);
	expect_line(&t, "open", 10, 20);
#endif
	kill(t.pid, SIGALRM);
	kill(t.pid, SIGPIPE);
	kill(t.pid, SIGCHLD);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 1010, 3020);
}
