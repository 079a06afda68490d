/*
 * Links that go down.  With -k, a peer that no longer answers counts as lost
 * after about twice the time that -k sets.  A peer that answers does not count
 * as lost, however few bytes it takes.
 *
 * The environment variable LINKS_PAUSE sets how many milliseconds a window
 * stays closed before its link goes down.
 */

#include "../lib/links.h"
#include "../lib/patient.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * All of these are in milliseconds.  K is the value of -k.  A peer must count
 * as lost between EARLIEST and LATEST after its link has gone down.  After
 * PAUSE, no bytes are in flight any more.
 */
enum { K = 1000, EARLIEST = K, LATEST = 4 * K, PAUSE = 4 * K };

/*
 * Both of these are in bytes.  UNREAD is more than fits into a receive buffer
 * that does not grow.  PART is what a peer with such a buffer reads at a time.
 */
enum { UNREAD = 200000, PART = 64 * KIB };

/*
 * Expect that the relay ends with status 0, and that its line says which peer
 * is lost.
 */
static void
expect_timeout(int far)
{
	struct session *t;
	char text[2048], want[32];

	t = &far_sessions[far];
	expect_status(t, 0);
	relay_stderr(&t->relay, text, sizeof text);
	snprintf(want, sizeof want, "end=%s", timeout_of[far]);
	if (strstr(text, want) == NULL)
		fail("the log says %s", text);
}
#define expect_timeout(...) FROM(expect_timeout, __VA_ARGS__)

/*
 * Expect that the near peers see RST between EARLIEST and `latest' ms after the
 * link went down.
 */
static void
expect_missed(int64_t since, int latest)
{
	static const char *const words[] = { "client", "target" };
	struct pollfd p[2];
	int64_t took;
	int far, left;

	latest *= test_slow();
	for (far = CLIENT; far <= TARGET; far++) {
		p[far].fd = near_fd(far);
		p[far].events = 0;
	}
	for (left = 2; left > 0;) {
		if (poll(p, 2, latest) == 0)
			fail("the %s is not missed within %d ms",
			    words[p[CLIENT].fd == -1], latest);
		took = milliseconds() - since;
		for (far = CLIENT; far <= TARGET; far++) {
			if (p[far].fd == -1 || p[far].revents == 0)
				continue;
			if (took < EARLIEST || took > latest)
				fail("the %s is missed after %lld ms",
				    words[far], (long long)took);
			p[far].fd = -1;
			left--;
		}
	}
	expect_timeout(CLIENT);
	expect_timeout(TARGET);
}
#define expect_missed(...) FROM(expect_missed, __VA_ARGS__)

/* Expect that both sessions still carry bytes, and end as they should. */
static void
expect_alive(void)
{
	int far;

	for (far = CLIENT; far <= TARGET; far++) {
		converse(near_fd(far), far_fd(far));
		expect_status(&far_sessions[far], 0);
	}
}

TEST(link_idle,
    "a silent peer whose link goes down counts as lost after about twice -k")
{
	begin_links();
	expect_missed(link_down(), LATEST);
}

TEST(link_under_way,
    "a peer whose link goes down with bytes in flight to it counts as lost")
{
	int64_t since;

	begin_links();
	since = link_down();
	send_near(100000);
	expect_missed(since, LATEST);
}

/* Only FIN is in flight.  For a while before FIN, nothing was in flight. */
TEST(link_fin_under_way,
    "a peer whose link goes down with FIN in flight to it counts as lost")
{
	int64_t since;

	begin_links();
	pause_for(PAUSE);
	since = link_down();
	finish(near_fd(CLIENT));
	finish(near_fd(TARGET));
	expect_missed(since, LATEST);
}

/*
 * The kernel probes a closed window.  After each probe, the kernel waits twice
 * as long as before.  A peer counts as lost only after it has left two probes
 * unanswered.
 */
TEST(link_window_closed,
    "a peer whose link goes down with its window closed counts as lost")
{
	int pause;

	pause = getenv("LINKS_PAUSE") != NULL ? atoi(getenv("LINKS_PAUSE")) :
	    2 * K;
	begin_links();
	alarm((unsigned)((pause / 250 + 60) * test_slow()));
	fill(near_fd(CLIENT), 3);
	fill(near_fd(TARGET), 3);
	pause_for(pause);
	expect_missed(link_down(), LATEST + 4 * pause);
}

TEST(link_silent, "a silent peer is left alone")
{
	begin_links();
	pause_for(2 * LATEST);
	expect_alive();
}

TEST(link_closed_window, "a peer whose window stays closed is left alone")
{
	size_t filled[2];
	int far;

	begin_links();
	for (far = CLIENT; far <= TARGET; far++)
		filled[far] = (size_t)fill(near_fd(far), 3);
	pause_for(2 * LATEST);
	for (far = CLIENT; far <= TARGET; far++)
		expect_stream(far_fd(far), 3, 0, filled[far]);
	expect_alive();
}

/*
 * From now on, the far peers' receive buffers do not grow.  So their windows
 * close before UNREAD bytes have arrived.
 */
static void
fix_buffers(void)
{
	int far, same;

	same = 65536;	/* the current size; if set, it does not grow */
	for (far = CLIENT; far <= TARGET; far++)
		(void)setsockopt(far_fd(far), SOL_SOCKET, SO_RCVBUF, &same,
		    sizeof same);
}

/* The near peer is UNREAD bytes ahead.  Expect that not all have arrived. */
static void
expect_closed(int far)
{
	if (arrived(far_fd(far)) == UNREAD)
		fail("the window does not close");
}
#define expect_closed(...) FROM(expect_closed, __VA_ARGS__)

/*
 * Take the link down for a while.  During that time, each near peer sends this
 * number of bytes.
 */
static void
interrupt(int ms, size_t size)
{
	int64_t down;

	down = milliseconds();
	(void)link_down();
	send_near(size);
	pause_for(ms);
	link_up();
	should_take(down, ms);	/* ip(8) was started twice in this time */
}
#define interrupt(...) FROM(interrupt, __VA_ARGS__)

/*
 * After a silence, the test takes the link down for a while.  Bytes that are
 * sent during that time must arrive when the link is up again.
 */
static void
outage(const char *k, const char *t, int silence, int ms, size_t size)
{
	make_links();
	begin_far(k, t);
	pause_for(silence);
	interrupt(ms, size);
	expect_stream(far_fd(CLIENT), 3, 0, size);
	expect_stream(far_fd(TARGET), 3, 0, size);
	expect_alive();
}
#define outage(...) FROM(outage, __VA_ARGS__)

/*
 * The kernel retransmits no later than 6.4 seconds after the link went down.
 * With -k 4, 1.6 seconds are then left for the answer.  With -k 1, only 0.4
 * seconds would be left.  That is too little on a very busy machine.
 */
TEST(link_short_outage,
    "a link that is down for less than -k costs no session")
{
	outage("4", "0", 0, 3200, 100000);
}

/*
 * When the link goes down, the peer's last answer can already be almost as old
 * as -k allows.  That is not the peer's fault.  The kernel retransmits about
 * 3.0 and 6.2 seconds after the link went down.  Between these two
 * retransmissions, the relay often looks at the connection, because it has -t.
 * The relay then sees that the peer's last answer is up to 10 seconds old.
 *
 * On a busy machine, the first retransmission can come after 0.4 seconds
 * instead of 0.2, and the times of the others change with it.  But the one that
 * arrives comes no later than 7.6 seconds after the link went down.
 */
TEST(link_outage_after_silence,
    "silence before a link goes down does not count against the peer")
{
	outage("4", "1", 3800, 3600, 1);
}

/*
 * For longer than twice -k, the far peers send nothing except acknowledgements.
 * The near peers are always UNREAD bytes ahead, so the far peers owe
 * acknowledgements at each look.  While the link is down, TCP asks at least
 * twice.  The relay looks every 0.25 seconds, because it has -t.
 * When the link is up again, the far peers send bytes at once, because TCP can
 * wait for too long before it asks again.
 */
TEST(link_outage_in_stream,
    "a peer that only acknowledges survives a link that is down as long as -k")
{
	int64_t begun;
	size_t taken;
	int far;

	make_links();
	begin_far("2", "1");
	fix_buffers();
	begun = milliseconds();
	send_near(UNREAD);
	for (taken = 0; milliseconds() <= begun + 4 * K; taken += PART) {
		for (far = CLIENT; far <= TARGET; far++) {
			expect_stream(far_fd(far), 3, taken, PART);
			send_stream(near_fd(far), 3, UNREAD + taken, PART);
		}
		pause_for(PACE);
		for (far = CLIENT; far <= TARGET; far++)
			expect_closed(far);
	}
	interrupt(2 * K, 0);
	for (far = CLIENT; far <= TARGET; far++)
		send_stream(far_fd(far), 2, 0, 1000);
	for (far = CLIENT; far <= TARGET; far++) {
		expect_stream(near_fd(far), 2, 0, 1000);
		expect_stream(far_fd(far), 3, taken, UNREAD);
	}
	expect_alive();
}

/*
 * The relay has already ended, but the kernel must go on probing the closed
 * window, whatever options the relay has set.
 */
TEST(link_closed_behind_fin,
    "what a closed window holds back outlives the relay")
{
	int far;

	begin_links();
	fix_buffers();
	for (far = CLIENT; far <= TARGET; far++) {
		finish(far_fd(far));
		expect_end(near_fd(far), FIN);
		send_stream(near_fd(far), 3, 0, UNREAD);
		finish(near_fd(far));
		expect_status(&far_sessions[far], 0);
	}
	pause_for(2 * LATEST);
	for (far = CLIENT; far <= TARGET; far++) {
		expect_closed(far);
		expect_stream(far_fd(far), 3, 0, UNREAD);
		expect_end(far_fd(far), FIN);
	}
}
