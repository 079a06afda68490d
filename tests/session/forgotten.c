/*
 * One side has closed its socket, and its system has forgotten the connection.
 * Meanwhile, the reader on the other side pauses or is slow.
 */

#include "../lib/patient.h"
#include "../lib/places.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/*
 * One side sends FIN and closes its socket, and its system forgets the
 * connection.  The other side gets every byte, then FIN, and no RST, however
 * slowly it reads.
 */

/*
 * Send `size' bytes from the near side.  Then close its socket or, if `late' is
 * 1, send FIN.  Let the far side read until the relay's system has received all
 * the bytes.  If `late' is 1, close the near side's socket after that.  Returns
 * how many bytes the far side has read.
 */
static size_t
send_and_close(struct patient *t, int near, size_t size, int late)
{
	size_t got;
	int state;

	send_stream(t->fd[near], 1, 0, size);
	if (late)
		finish(t->fd[near]);
	else
		close(t->fd[near]);
	for (got = 0;; got += 16 * KIB) {
		pause_for(PACE);
		state = peer_state(t, near);
		if (state != ESTABLISHED && state != FIN_WAIT1)
			break;
		expect_stream(t->fd[!near], 1, got, 16 * KIB);
	}
	if (late)
		close(t->fd[near]);
	expect_forgotten(t, near, peer_state);
	return got;
}
#define send_and_close(...) FROM(send_and_close, __VA_ARGS__)

static void
paused(int near, int late, int ms)
{
	const size_t size = 3 * MIB;
	struct patient t;
	size_t got;

	own_network(64 * KIB);
	patient_begin(&t, "-k", "1", NULL, NULL);
	got = send_and_close(&t, near, size, late);
	expect_forgotten(&t, near, relay_state);
	pause_for(ms);
	expect_stream(t.fd[!near], 1, got, size - got);
	expect_end(t.fd[!near], FIN);
	patient_over(&t, near, "eof", size, 0);
	if (broken(t.fd[!near]))
		fail("RST after FIN");
}
#define paused(...) FROM(paused, __VA_ARGS__)

EACH_WAY(forgotten_for_long,
    "a target that pauses for 20 s gets everything from a client that closed "
    "and is forgotten",
    "a client that pauses for 20 s gets everything from a target that closed "
    "and is forgotten")
{
	paused(near, 0, SLOWLY);
}

EACH_WAY(forgotten_late,
    "a target gets everything and no reset from a client that finished, closed "
    "and is forgotten",
    "a client gets everything and no reset from a target that finished, closed "
    "and is forgotten")
{
	paused(near, 1, 0);
}

/*
 * The far side sends a byte.  When the relay passes this byte on, the near
 * side's system answers with RST.  With -k 0, only this RST shows that the near
 * side is gone.
 */
EACH_WAY(forgotten_and_told,
    "a target that writes to a client that closed still gets everything, after "
    "20 s, with -k 0",
    "a client that writes to a target that closed still gets everything, after "
    "20 s, with -k 0")
{
	const size_t size = 3 * MIB;
	struct patient t;
	size_t got;

	own_network(64 * KIB);
	patient_begin(&t, "-k", "0", NULL, NULL);
	got = send_and_close(&t, near, size, 0);
	send_stream(t.fd[!near], 2, 0, 1);
	expect_forgotten(&t, near, relay_state);
	pause_for(SLOWLY);
	expect_stream(t.fd[!near], 1, got, size - got);
	expect_end(t.fd[!near], FIN);
	patient_over(&t, near, reset_of[near], size, 1);
}

/*
 * The far side writes only after the relay has noticed that the near side is
 * gone.  So the near side's end was good, but these bytes are lost.
 */
static void
told_too_late(int near, int vanishes, const char *end)
{
	const size_t size = 3 * MIB;
	struct patient t;
	size_t got;

	own_network(64 * KIB);
	patient_begin(&t, "-k", "1", NULL, NULL);
	if (!vanishes) {
		got = send_and_close(&t, near, size, 0);
	} else {
		send_stream(t.fd[near], 1, 0, size);
		finish(t.fd[near]);
		for (got = 0; unacked(t.fd[near]) != 0; got += 16 * KIB) {
			pause_for(PACE);
			expect_stream(t.fd[!near], 1, got, 16 * KIB);
		}
		vanish(t.fd[near]);
	}
	expect_forgotten(&t, near, relay_state);
	send_stream(t.fd[!near], 2, 0, 1);
	pause_for(SETTLED);
	expect_stream(t.fd[!near], 1, got, size - got);
	expect_end(t.fd[!near], FIN);
	patient_over(&t, near, end, size, 0);
}
#define told_too_late(...) FROM(told_too_late, __VA_ARGS__)

EACH_WAY(forgotten_then_told,
    "when a target writes to a client that is forgotten, the log says that its "
    "bytes were lost",
    "when a client writes to a target that is forgotten, the log says that its "
    "bytes were lost")
{
	told_too_late(near, 0, reset_of[near]);
}

EACH_WAY(vanished_then_told,
    "when a target writes to a client that has vanished, the log says that its "
    "bytes were lost",
    "when a client writes to a target that has vanished, the log says that its "
    "bytes were lost")
{
	told_too_late(near, 1, timeout_of[near]);
}

/* The far side sends nothing more, but keeps its connection open. */
EACH_WAY(forgotten_by_stayer,
    "when a client is forgotten, the relay ends, though the silent target has "
    "not closed",
    "when a target is forgotten, the relay ends, though the silent client has "
    "not closed")
{
	struct patient t;
	int state;

	own_network(64 * KIB);
	patient_begin(&t, "-k", "1", NULL, NULL);
	send_stream(t.fd[!near], 2, 0, 500);
	expect_stream(t.fd[near], 2, 0, 500);
	send_stream(t.fd[near], 1, 0, 1000);
	close(t.fd[near]);
	expect_stream(t.fd[!near], 1, 0, 1000);
	expect_end(t.fd[!near], FIN);
	patient_over(&t, near, "eof", 1000, 500);
	state = peer_state(&t, !near);
	if (broken(t.fd[!near]) || state != CLOSE_WAIT)
		fail("the side that stays is in state %d", state);
	send_all(t.fd[!near], "x", 1);
	expect_reset(t.fd[!near]);
	if (send(t.fd[!near], "x", 1, MSG_NOSIGNAL) != -1)
		fail("it sends on, and nobody gets it");
}

/*
 * One side resets without having sent FIN.  The other side gets all bytes that
 * were sent before the reset, and then RST.  The relay waits for a slow reader
 * as long as the reader's system answers.
 */
EACH_WAY(aborted_for_long,
    "a target that pauses for 20 s gets all that a client had "
    "sent, then its reset",
    "a client that pauses for 20 s gets all that a target had "
    "sent, then its reset")
{
	const size_t size = 2 * MIB;
	struct patient t;

	own_network(64 * KIB);
	patient_begin(&t, "-k", "1", NULL, NULL);
	send_stream(t.fd[near], 1, 0, size);
	wait_acked(t.fd[near]);
	reset_now(&t.fd[near]);
	pause_for(SLOWLY);
	expect_stream(t.fd[!near], 1, 0, size);
	expect_end(t.fd[!near], RST);
	patient_over(&t, near, reset_of[near], size, 0);
}

#ifndef __linux__
/*
 * On some systems, the relay cannot know which of its segments an RST answers.
 * There, if an RST follows at least -k seconds of silence, the relay assumes
 * that the peer's system has forgotten the connection.
 */
static void
forgotten_as_told(int near, size_t size, int paused)
{
	const int64_t silence = 3 * SECOND;
	struct session t;
	int64_t end;
	size_t at;

	begin(&t, "-k", "1");
	send_stream(t.fd[near], 1, 0, size);
	finish(t.fd[near]);
	end = milliseconds() + silence;
	for (at = 0; milliseconds() < end; pause_for(PACE))
		if (!paused && at + 1000 < size) {
			expect_stream(t.fd[!near], 1, at, 1000);
			at += 1000;
		}
	reset_now(&t.fd[near]);
	pause_for(READER_LATE);
	expect_stream(t.fd[!near], 1, at, size - at);
	expect_end(t.fd[!near], FIN);
	expect_over(&t, near, "eof", size, 0);
	if (broken(t.fd[!near]))
		fail("RST after FIN");
}
#define forgotten_as_told(...) FROM(forgotten_as_told, __VA_ARGS__)

EACH_WAY(forgotten_slow, "a slow target gets everything from a client that is "
    "forgotten",
    "a slow client gets everything from a target that is forgotten")
{
	forgotten_as_told(near, 45000, 0);
}

EACH_WAY(forgotten_fin_unread, "FIN that waits for a paused target is not lost",
    "FIN that waits for a paused client is not lost")
{
	forgotten_as_told(near, 70000, 1);
}

/* The far side reads only after the relay has ended. */
EACH_WAY(forgotten_then_read,
    "a target that reads 3 s after the relay's end gets no reset",
    "a client that reads 3 s after the relay's end gets no reset")
{
	struct session t;
	socklen_t len;
	size_t size;
	int buffer;

	begin(&t, "-k", "1");
	len = sizeof buffer;
	if (getsockopt(t.fd[!near], SOL_SOCKET, SO_RCVBUF, &buffer, &len) == -1)
		fail("SO_RCVBUF: %s", strerror(errno));
	/*
	 * Almost fill the far side's buffer.  When the far side then reads, its
	 * window opens again.
	 */
	size = (size_t)buffer / 16 * 15;
	send_stream(t.fd[near], 1, 0, size);
	finish(t.fd[near]);
	wait_acked(t.fd[near]);
	pause_for(2 * SECOND);
	reset_now(&t.fd[near]);
	expect_over(&t, near, "eof", size, 0);
	pause_for(3 * SECOND);
	expect_stream(t.fd[!near], 1, 0, size);
	expect_end(t.fd[!near], FIN);
	pause_for(SETTLED);
	if (broken(t.fd[!near]))
		fail("RST after FIN");
}

/*
 * If the relay reads bytes late, these bytes do not show that their sender is
 * still alive.
 */
EACH_WAY(forgotten_long_read,
    "a slow target gets everything from a client that is forgotten while the "
    "relay still reads",
    "a slow client gets everything from a target that is forgotten while the "
    "relay still reads")
{
	struct session t;
	uint64_t at, half, size;

	begin(&t, "-k", "1");
	size = fill(t.fd[near], 1);
	for (at = 0; unacked(t.fd[near]) != 0; at += 1000) {
		expect_stream(t.fd[!near], 1, at, 1000);
		pause_for(1);
	}
	finish(t.fd[near]);
	wait_acked(t.fd[near]);
	pause_for(2 * SECOND);
	half = (size - at) / 2;
	expect_stream(t.fd[!near], 1, at, (size_t)half);
	at += half;
	pause_for(SETTLED);
	reset_now(&t.fd[near]);
	pause_for(READER_LATE);
	expect_stream(t.fd[!near], 1, at, (size_t)(size - at));
	expect_end(t.fd[!near], FIN);
	expect_over(&t, near, "eof", size, 0);
	if (broken(t.fd[!near]))
		fail("RST after FIN");
}
#endif
