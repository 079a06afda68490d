/*
 * Slow readers, limits, and lost peers.  Each test runs in a separate network,
 * in which the system's timeouts are short.
 */

#include "../lib/patient.h"
#include "../lib/places.h"
#include "../lib/use.h"

#include <dirent.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * -T and -t end a session if no byte has moved for the time that the option
 * sets.  A byte moves twice: when it comes from one peer, and when the other
 * peer acknowledges it.
 */

/*
 * The relay gets all the bytes at once.  The reader takes more than three times
 * the limit to read these bytes.
 */
static void
slow_reader(int near, const char *option, int finished)
{
	enum { PIECE = 8 * KIB, PIECES = 65 };
	const size_t size = PIECE * PIECES;
	struct patient t;
	size_t i;

	own_network(16 * KIB);
	patient_begin(&t, option, LIMIT_TEXT, NULL, NULL);
	if (finished == !near) {
		finish(t.fd[!near]);
		expect_end(t.fd[near], FIN);
	}
	send_stream(t.fd[near], 1, 0, size);
	if (finished == near)
		finish(t.fd[near]);
	for (i = 0; i < PIECES; i++) {
		pause_for(PACE);
		expect_stream(t.fd[!near], 1, i * PIECE, PIECE);
	}
	finish_both(&t, near, finished);
	patient_over(&t, near, "eof", size, 0);
}
#define slow_reader(...) FROM(slow_reader, __VA_ARGS__)

EACH_WAY(slow_in_mid_stream,
    "-T spares a target that takes 80 kB/s of what the client has "
    "sent",
    "-T spares a client that takes 80 kB/s of what the target has "
    "sent")
{
	slow_reader(near, "-T", NOBODY);
}

EACH_WAY(slow_after_others_fin,
    "-t spares a target that takes 80 kB/s from a client that has finished",
    "-t spares a client that takes 80 kB/s from a target that has finished")
{
	slow_reader(near, "-t", near);
}

EACH_WAY(slow_after_own_fin,
    "-t spares a target that has finished and takes 80 kB/s",
    "-t spares a client that has finished and takes 80 kB/s")
{
	slow_reader(near, "-t", !near);
}

/*
 * The state of the near side while the far side reads nothing.  With
 * FAR_HAS_FINISHED, the near side stays, and the far side has sent FIN.
 */
enum fate { STAYS, HAS_FINISHED, IS_GONE, FAR_HAS_FINISHED };

/* The near side sends 1 MiB, and the relay's system acknowledges all of it. */
static void
stall(struct patient *t, int near, enum fate fate)
{
	if (fate == FAR_HAS_FINISHED) {
		finish(t->fd[!near]);
		expect_end(t->fd[near], FIN);
	}
	send_stream(t->fd[near], 1, 0, MIB);
	if (fate == HAS_FINISHED)
		finish(t->fd[near]);
	wait_acked(t->fd[near]);
	if (fate == IS_GONE)
		reset_now(&t->fd[near]);
}
#define stall(...) FROM(stall, __VA_ARGS__)

/*
 * After the time `since', the far side reads more than its buffer holds.  So
 * the far side's system acknowledges more bytes.  The limit runs from the last
 * of these acknowledgements, which comes after `since'.
 */
static void
stalled(int near, const char *option, enum fate fate, const char *end)
{
	struct patient t;
	int64_t since, settled, took;

	own_network(16 * KIB);
	patient_begin(&t, option, LIMIT_TEXT, "-k", "1");
	stall(&t, near, fate);
	since = milliseconds();
	expect_stream(t.fd[!near], 1, 0, 64 * KIB);
	settled = milliseconds();
	if (fate != IS_GONE)
		expect_reset(t.fd[near]);
	expect_reset(t.fd[!near]);
	took = milliseconds() - since;
	if (took < LIMIT)
		fail("after %lld ms", (long long)took);
	took = milliseconds() - settled;
	if (took > LIMIT * 3 / 2 * SLOW_MACHINE)
		fail("only after %lld ms", (long long)took);
	patient_over(&t, near, end, MIB, 0);
}
#define stalled(...) FROM(stalled, __VA_ARGS__)

EACH_WAY(stalled_open,
    "-T ends a session whose target stands still",
    "-T ends a session whose client stands still")
{
	stalled(near, "-T", STAYS, "idle");
}

EACH_WAY(stalled_finished,
    "-T ends a session whose target stands still, after the "
    "client's FIN",
    "-T ends a session whose client stands still, after the "
    "target's FIN")
{
	stalled(near, "-T", HAS_FINISHED, "idle");
}

EACH_WAY(stalled_half_closed,
    "-t ends a session whose target stands still, after the "
    "client's FIN",
    "-t ends a session whose client stands still, after the "
    "target's FIN")
{
	stalled(near, "-t", HAS_FINISHED, "half-closed");
}

EACH_WAY(stalled_after_own_fin,
    "-t ends a session whose target has finished and stands still",
    "-t ends a session whose client has finished and stands still")
{
	stalled(near, "-t", FAR_HAS_FINISHED, "half-closed");
}

EACH_WAY(stalled_gone,
    "-T ends a session whose target stands still, after the "
    "client's reset",
    "-T ends a session whose client stands still, after the "
    "target's reset")
{
	stalled(near, "-T", IS_GONE, reset_of[near]);
}

/*
 * The relay runs with -k 1, so it probes both peers.  The far side's window
 * closes, and then the far side vanishes.
 */
static void
lost(int near, enum fate fate, const char *end)
{
	struct patient t;
	int64_t since, took;

	own_network(16 * KIB);
	patient_begin(&t, "-k", "1", NULL, NULL);
	stall(&t, near, fate);
	settle(t.fd[!near]);
	vanish(t.fd[!near]);
	since = milliseconds();
	if (fate != IS_GONE)
		expect_reset(t.fd[near]);
	patient_over(&t, near, end, MIB, 0);
	took = milliseconds() - since;
	if (took > MISSED)
		fail("only after %lld ms", (long long)took);
}
#define lost(...) FROM(lost, __VA_ARGS__)

EACH_WAY(lost_open,
    "a target that stood still and vanishes counts as lost",
    "a client that stood still and vanishes counts as lost")
{
	lost(near, STAYS, timeout_of[!near]);
}

EACH_WAY(lost_finished,
    "a target that stood still and vanishes after the client's FIN counts as "
    "lost",
    "a client that stood still and vanishes after the target's FIN counts as "
    "lost")
{
	lost(near, HAS_FINISHED, timeout_of[!near]);
}

EACH_WAY(lost_gone,
    "a target that stood still and vanishes after the client's reset counts as "
    "lost",
    "a client that stood still and vanishes after the target's reset counts as "
    "lost")
{
	lost(near, IS_GONE, reset_of[near]);
}

/*
 * A peer that sends is alive, even if it acknowledges nothing.  In this test,
 * the large segments to the peer are lost, as on a path that does not report
 * its MTU.  So the peer acknowledges nothing.
 */
EACH_WAY(sends_alone,
    "-k spares a client that sends and loses large segments",
    "-k spares a target that sends and loses large segments")
{
	enum { BYTES = 55, SEGMENT = 1200 };
	struct patient t;
	int i;

	own_network(64 * KIB);
	patient_begin(&t, "-k", "1", NULL, NULL);
	lose(t.fd[near], 1000);
	send_stream(t.fd[!near], 2, 0, SEGMENT);
	for (i = 0; i < BYTES; i++) {
		pause_for(PACE);
		send_stream(t.fd[near], 1, (uint64_t)i, 1);
	}
	lose_nothing(t.fd[near]);
	expect_stream(t.fd[near], 2, 0, SEGMENT);
	expect_stream(t.fd[!near], 1, 0, BYTES);
	finish_both(&t, near, NOBODY);
	patient_over(&t, near, "eof", BYTES, SEGMENT);
}

/*
 * The relay does nothing unnecessary, and keeps nothing open that it no longer
 * needs.
 */

/*
 * From the last byte until -T ends the session, the relay wakes up at most six
 * times to look at its connections.
 */
static void
looks(int near, int unsent)
{
	struct patient t;
	long first, last;

	own_network(16 * KIB);
	patient_begin(&t, "-T", LIMIT_TEXT, NULL, NULL);
	if (unsent) {
		stall(&t, near, STAYS);
		settle(t.fd[!near]);
	}
	first = last = sleeps_of(t.pid);
	while (!readable(t.relay.err, 20))
		last = sleeps_of(t.pid);
	if (last - first > 6)
		fail("%ld looks", last - first);
	patient_over(&t, near, "idle", unsent ? MIB : 0, 0);
}
#define looks(...) FROM(looks, __VA_ARGS__)

TEST(few_looks, "-T causes few looks at an idle session")
{
	looks(CLIENT, 0);
}

EACH_WAY(few_looks_at_unsent,
    "-T causes few looks at a target that stands still",
    "-T causes few looks at a client that stands still")
{
	looks(near, 1);
}

/*
 * Returns how many of the relay's descriptors, including 2, are ends of pipes.
 */
static int
pipes_of(pid_t pid)
{
	char path[300], to[16];
	struct dirent *e;
	DIR *d;
	ssize_t n;
	int pipes;

	snprintf(path, sizeof path, "/proc/%ld/fd", (long)pid);
	d = opendir(path);
	if (d == NULL)
		skip("%s: %s", path, strerror(errno));
	pipes = 0;
	while ((e = readdir(d)) != NULL) {
		snprintf(path, sizeof path, "/proc/%ld/fd/%s", (long)pid,
		    e->d_name);
		n = readlink(path, to, sizeof to);
		pipes += n > 5 && strncmp(to, "pipe:", 5) == 0;
	}
	closedir(d);
	return pipes;
}

/*
 * After carrying bulk through a pipe, the relay must close that pipe.  If
 * `talks' is 1, the far side sends a byte every 100 ms until the pipe is
 * closed.
 */
static void
pipe_given_back(int near, const char *keepalive, int talks)
{
	enum { SENT = 8 * MIB, TURNS = 80 };
	struct patient t;
	pid_t sender;
	size_t said;
	int pipes, turns;

	apart();
	patient_begin(&t, "-k", keepalive, NULL, NULL);
	said = 0;
	if (talks) {
		send_stream(t.fd[!near], 2, said, 1);
		expect_stream(t.fd[near], 2, said++, 1);
	}
	pipes = pipes_of(t.pid);
	sender = aside(send_stream, t.fd[near], 1, SENT);
	expect_stream(t.fd[!near], 1, 0, SENT);
	expect_done(sender);
	for (turns = 0; pipes_of(t.pid) > pipes; turns++) {
		if (turns == TURNS)
			fail("a pipe is held");
		pause_for(PACE);
		send_stream(t.fd[!near], 2, said, (size_t)talks);
		expect_stream(t.fd[near], 2, said, (size_t)talks);
		said += (size_t)talks;
	}
	finish_both(&t, near, NOBODY);
	patient_over(&t, near, "eof", SENT, said);
}
#define pipe_given_back(...) FROM(pipe_given_back, __VA_ARGS__)

EACH_WAY(pipe_of_bulk,
    "a pipe is closed after a client's bulk, with -k 0",
    "a pipe is closed after a target's bulk, with -k 0")
{
	pipe_given_back(near, "0", 0);
}

EACH_WAY(pipe_beside_talk,
    "a pipe is closed after a client's bulk while the target talks",
    "a pipe is closed after a target's bulk while the client talks")
{
	pipe_given_back(near, "1", 1);
}
