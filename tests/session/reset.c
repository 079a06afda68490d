/*
 * Resets.  The relay passes each reset on to the other side, after the bytes
 * that came before the reset.
 */

#include "../lib/patient.h"
#include "../lib/places.h"
#include "../lib/relay.h"
#include "../lib/use.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * When one side resets or vanishes, the other side gets the bytes that the
 * relay has already read, and then RST.  The other side never gets FIN instead
 * of RST.
 */

static void
reset_after(int near, size_t bytes, int finished)
{
	struct session t;
	int far;

	far = !near;
	begin(&t, NULL, NULL);
	if (bytes > 0)
		send_stream(t.fd[near], 1, 0, bytes);
	if (finished != NOBODY) {
		finish(t.fd[finished]);
		if (finished == near)
			expect_stream(t.fd[far], 1, 0, bytes);
		expect_end(t.fd[!finished], FIN);
	}
	wait_acked(t.fd[near]);
	reset_now(&t.fd[near]);
	if (finished == near) {
		expect_reset(t.fd[far]);
	} else {
		expect_stream(t.fd[far], 1, 0, bytes);
		expect_end(t.fd[far], RST);
	}
	/*
	 * The reset loses nothing if its sender has already sent FIN, and no
	 * bytes are on their way to the sender.
	 */
	expect_over(&t, near, finished == near ? "eof" : reset_of[near], bytes,
	    0);
}
#define reset_after(...) FROM(reset_after, __VA_ARGS__)

EACH_WAY(bare_reset, "a client's reset becomes a reset at the target",
    "a target's reset becomes a reset at the client")
{
	reset_after(near, 0, NOBODY);
}

EACH_WAY(reset_with_bytes, "what the client sent comes before its reset",
    "what the target sent comes before its reset")
{
	reset_after(near, 50000, NOBODY);
}

EACH_WAY(reset_after_own_fin, "a client that has finished may still reset",
    "a target that has finished may still reset")
{
	reset_after(near, 50000, near);
}

EACH_WAY(reset_after_others_fin,
    "a client's reset reaches a target that has finished",
    "a target's reset reaches a client that has finished")
{
	reset_after(near, 50000, !near);
}

/*
 * Expect RST, after any number of the bytes that were sent.  If `finished' is
 * 1, also accept FIN instead of RST, but only after all of these bytes.
 */
static void
expect_some_then_end(int fd, size_t sent, int finished)
{
	static unsigned char block[65536];
	size_t at;
	ssize_t i, n;

	for (at = 0; readable(fd, SOON); at += (size_t)n) {
		n = recv(fd, block, sizeof block, 0);
		if (n == 0 && (!finished || at != sent))
			fail("FIN after %zu of %zu bytes", at, sent);
		if (n == 0 || (n == -1 && errno == ECONNRESET))
			return;
		if (n == -1)
			fail("recv: %s", strerror(errno));
		for (i = 0; i < n; i++)
			if (block[i] != stream_byte(1, at + (size_t)i))
				fail("a wrong byte");
	}
	fail("no end");
}
#define expect_some_then_end(...) FROM(expect_some_then_end, __VA_ARGS__)

/*
 * Send bytes both ways, wait a little, and reset.  In every third round, send
 * FIN before waiting.
 */
static void
reset_round(int near, int round)
{
	static char about[32];
	struct session t;
	size_t sent;
	int finished;

	snprintf(about, sizeof about, "(round %d) ", round);
	test_about(about);
	begin(&t, NULL, NULL);
	sent = (size_t)(round * round * 20);
	finished = round % 3 == 0;
	send_stream(t.fd[!near], 2, 0, (size_t)round * 10);
	send_stream(t.fd[near], 1, 0, sent);
	if (finished)
		finish(t.fd[near]);
	usleep((useconds_t)(round * 10));
	reset_now(&t.fd[near]);
	expect_some_then_end(t.fd[!near], sent, finished);
	expect_status(&t, 0);
	let_go(&t);
}
#define reset_round(...) FROM(reset_round, __VA_ARGS__)

TEST(reset_at_any_time, "a reset at any time is a reset at the other side, or "
    "comes after FIN")
{
	int round;

	for (round = 0; round < 80; round++) {
		reset_round(TARGET, round);
		reset_round(CLIENT, round);
	}
}

/*
 * Some tests stop the relay until FIN has come and the connection has ended.
 * Skip them on systems where the relay cannot tell afterwards that FIN came:
 * see tcp_had_fin.
 */
static void
need_had_fin(void)
{
#ifndef __linux__
	skip("only Linux tells of FIN when the connection is lost already");
#endif
}

/* The far side gets all the bytes, then FIN, then RST. */
EACH_WAY(reset_right_behind_fin,
    "a client's FIN and the reset right after it both arrive",
    "a target's FIN and the reset right after it both arrive")
{
	struct session t;

	need_had_fin();
	begin(&t, NULL, NULL);
	stop_relay(t.pid);
	send_stream(t.fd[near], 1, 0, 50000);
	wait_acked(t.fd[near]);
	finish(t.fd[near]);
	reset_now(&t.fd[near]);
	kill(t.pid, SIGCONT);
	expect_stream(t.fd[!near], 1, 0, 50000);
	expect_end(t.fd[!near], FIN);
	expect_reset(t.fd[!near]);
	expect_over(&t, near, "eof", 50000, 0);
}

/*
 * As in the previous test, but the far side has sent FIN, too.  The far side's
 * FIN is queued after bytes that the near side does not read.  In this state,
 * Linux reports a different errno for the reset.  The far side does not see the
 * reset, because FIN has already gone both ways on the far side's connection.
 */
EACH_WAY(reset_right_behind_crossing_fin,
    "a client's FIN that crosses the target's and the reset after it both "
    "arrive",
    "a target's FIN that crosses the client's and the reset after it both "
    "arrive")
{
	struct session t;

	need_had_fin();
	begin(&t, NULL, NULL);
	send_stream(t.fd[!near], 2, 0, 300000);
	finish(t.fd[!near]);
	send_stream(t.fd[near], 1, 0, 50000);
	expect_idle(t.pid, STILL, 0);
	stop_relay(t.pid);
	finish(t.fd[near]);
	reset_now(&t.fd[near]);
	kill(t.pid, SIGCONT);
	expect_stream(t.fd[!near], 1, 0, 50000);
	expect_end(t.fd[!near], FIN);
	expect_over(&t, near, reset_of[near], 50000, 300000);
}

/*
 * FIN has come, but by the time that the relay sees FIN, the sender's system no
 * longer answers.  Nothing is lost, so the far side gets no RST and can keep
 * its connection.
 */
EACH_WAY(vanished_behind_fin,
    "a client's FIN arrives even if the client is lost before it is seen",
    "a target's FIN arrives even if the target is lost before it is seen")
{
	struct session t;

	need_had_fin();
	begin(&t, "-k", "1");
	stop_relay(t.pid);
	send_stream(t.fd[near], 1, 0, 50000);
	finish(t.fd[near]);
	wait_acked(t.fd[near]);
	vanish(t.fd[near]);
	pause_for(PROBES_LOST);
	kill(t.pid, SIGCONT);
	expect_stream(t.fd[!near], 1, 0, 50000);
	expect_end(t.fd[!near], FIN);
	expect_over(&t, near, "eof", 50000, 0);
	if (broken(t.fd[!near]))
		fail("RST");
}

/*
 * Send bytes until the relay takes no more of them and sleeps.  Returns how
 * many bytes the relay has taken.
 */
static uint64_t
fill_relay(const struct session *t, int near)
{
	uint64_t before, left, sent;

	sent = fill(t->fd[near], 1);
	left = unacked(t->fd[near]);
	do {
		before = left;
		pause_for(SETTLED);
		left = unacked(t->fd[near]);
	} while (left != before || state_of(t->pid) != 'S');
	return sent - left;
}

static uint64_t
fill_and_reset(struct session *t, int near)
{
	uint64_t taken;

	begin(t, NULL, NULL);
	taken = fill_relay(t, near);
	if (taken < 32 * KIB)
		fail("only %llu bytes fit", (unsigned long long)taken);
	reset_now(&t->fd[near]);
	return taken;
}
#define fill_and_reset(...) FROM(fill_and_reset, __VA_ARGS__)

EACH_WAY(reset_while_far_is_slow,
    "a slow target gets all that a client had sent, then its reset",
    "a slow client gets all that a target had sent, then its reset")
{
	struct session t;
	uint64_t taken;

	taken = fill_and_reset(&t, near);
	pause_for(READER_PAUSES);
	expect_stream(t.fd[!near], 1, 0, (size_t)taken);
	expect_end(t.fd[!near], RST);
	expect_over(&t, near, reset_of[near], taken, 0);
}

/*
 * The near side resets after the far side has sent FIN.  The relay therefore
 * has nothing more to send to the near side.
 */
EACH_WAY(reset_while_far_is_done_and_stuck,
    "a target that has finished and is slow gets all that a client "
    "had sent, then its reset",
    "a client that has finished and is slow gets all that a target "
    "had sent, then its reset")
{
	struct session t;
	uint64_t taken;

	begin(&t, NULL, NULL);
	finish(t.fd[!near]);
	expect_end(t.fd[near], FIN);
	taken = fill_relay(&t, near);
	reset_now(&t.fd[near]);
	pause_for(READER_LATE);
	expect_stream(t.fd[!near], 1, 0, (size_t)taken);
	expect_reset(t.fd[!near]);
	expect_over(&t, near, reset_of[near], taken, 0);
}

/*
 * Both sides have sent FIN before the far side resets.  The bytes that the far
 * side has not read are lost.  For such a reset, the BSDs set no error and
 * report no event.
 */
EACH_WAY(reset_both_unread,
    "a session is over when both have reset after FIN, the client first",
    "a session is over when both have reset after FIN, the target first")
{
#ifdef __linux__
	enum { UNREAD = 300000 };
#else
	enum { UNREAD = 45000 };	/* the sockets hold less here */
#endif
	struct session t;

	begin(&t, "-k", "1");
	send_stream(t.fd[near], 1, 0, UNREAD);
	finish(t.fd[near]);
	wait_acked(t.fd[near]);
	await_state(t.pid, 'S');
	reset_now(&t.fd[near]);
	await_state(t.pid, 'S');
	finish(t.fd[!near]);
	await_state(t.pid, 'S');
	reset_now(&t.fd[!near]);
	expect_over(&t, near, reset_of[!near], UNREAD, 0);
}

/* The far side reads nothing, so only -T ends the session. */
EACH_WAY(reset_while_far_is_done_for,
    "a client's reset is seen even if the target has finished and reads "
    "nothing",
    "a target's reset is seen even if the client has finished and reads "
    "nothing")
{
	char line[2048];
	struct session t;

	begin(&t, "-T", seconds(2));
	finish(t.fd[!near]);
	expect_end(t.fd[near], FIN);
	(void)fill(t.fd[near], 1);
	reset_now(&t.fd[near]);
	if (relay_status(&t.relay, SOON) != 0)
		fail("exit status is not 0");
	relay_stderr(&t.relay, line, sizeof line);
	if (strstr(line, reset_of[near]) == NULL)
		fail("logged %s", line);
	expect_reset(t.fd[!near]);
}

/*
 * The far side reads about 20 KB/s.  The relay's send buffer holds megabytes,
 * and poll(2) reports room only when a third of this buffer is free.
 */
EACH_WAY(reset_while_far_dribbles,
    "a target that takes little at a time gets all that a client "
    "had sent, then its reset",
    "a client that takes little at a time gets all that a target "
    "had sent, then its reset")
{
	struct session t;
	uint64_t at, taken;
	int64_t end;

	taken = fill_and_reset(&t, near);
	end = milliseconds() + SLOWLY;
	for (at = 0; milliseconds() < end && at + 2000 <= taken; at += 2000) {
		pause_for(PACE);
		expect_stream(t.fd[!near], 1, at, 2000);
	}
	expect_stream(t.fd[!near], 1, at, (size_t)(taken - at));
	expect_end(t.fd[!near], RST);
	expect_over(&t, near, reset_of[near], taken, 0);
}

/*
 * Start a relay for a client.  Stop the relay before it sees that its
 * connection to the target is established.
 */
static void
stop_when_connected(struct session *t, int ours, int theirs)
{
	const char *args[] = { "-v", target_host(), NULL, NULL };
	int filler, listener;

	listener = listen_at(target_host(), 0, 0);
	congest(listener, &filler);
	args[2] = port_text(listener);
	relay_on(&t->relay, theirs, 1, args);
	t->pid = t->relay.pid;
	expect_dialing(listener);
	stop_relay(t->pid);
	close(accept_from(listener));
	t->fd[CLIENT] = t->relay.client = ours;
	t->fd[TARGET] = accept_from(listener);
	put_names(t, NULL);
}
#define stop_when_connected(...) FROM(stop_when_connected, __VA_ARGS__)

/*
 * Before the relay looks at the connection, the target sends bytes, then FIN if
 * `finished' is 1, and then RST.
 */
static void
reset_when_connected(int finished)
{
	struct session t;
	int ours, theirs;

	socket_pair(client_family(), &ours, &theirs);
	stop_when_connected(&t, ours, theirs);
	send_stream(t.fd[TARGET], 1, 0, 500);
	wait_acked(t.fd[TARGET]);
	if (finished)
		finish(t.fd[TARGET]);
	reset_now(&t.fd[TARGET]);
	kill(t.pid, SIGCONT);
	expect_line(&t, "open", 0, 0);
	expect_stream(t.fd[CLIENT], 1, 0, 500);
	if (finished) {
		expect_end(t.fd[CLIENT], FIN);
		expect_reset(t.fd[CLIENT]);
	} else {
		expect_end(t.fd[CLIENT], RST);
	}
	expect_over(&t, TARGET, finished ? "eof" : "target-reset", 500, 0);
}
#define reset_when_connected(...) FROM(reset_when_connected, __VA_ARGS__)

TEST(target_reset_at_once,
    "a target that resets before it is seen to be connected has "
    "its bytes carried")
{
	reset_when_connected(0);
}

TEST(target_fin_and_reset_at_once,
    "a target that resets after FIN before it is seen to be connected has both "
    "carried")
{
	need_had_fin();
	reset_when_connected(1);
}

/*
 * The client's FIN comes before the relay starts.  The relay must not mistake
 * this FIN for a byte that the relay's parent has read.
 */
TEST(reset_behind_early_fin,
    "a client's FIN from before the relay's start arrives, and the reset after "
    "it")
{
	struct session t;
	int ours, theirs;

	need_had_fin();
	socket_pair(client_family(), &ours, &theirs);
	send_stream(ours, 1, 0, 5000);
	finish(ours);
	wait_acked(ours);
	stop_when_connected(&t, ours, theirs);
	reset_now(&t.fd[CLIENT]);
	kill(t.pid, SIGCONT);
	expect_line(&t, "open", 0, 0);
	expect_stream(t.fd[TARGET], 1, 0, 5000);
	expect_end(t.fd[TARGET], FIN);
	expect_reset(t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 5000, 0);
}

/*
 * The near side has sent a reset, and the far side does not read the remaining
 * bytes.
 */
EACH_WAY(last_words_and_signal,
    "the wait for a slow target costs no CPU, and a signal ends it",
    "the wait for a slow client costs no CPU, and a signal ends it")
{
	struct session t;

	(void)fill_and_reset(&t, near);
	expect_idle(t.pid, SECOND, 12);	/* looks become rarer: see look.c */
	kill(t.pid, SIGTERM);
	if (relay_status(&t.relay, PROMPTLY) != 0)
		fail("exit status is not 0");
	expect_reset(t.fd[!near]);
}
