/* Peers that vanish.  By keepalive, the relay notices that a peer is gone. */

#include "../lib/places.h"
#include "../lib/relay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void
vanished(int near, size_t pending)
{
	struct session t;

	begin(&t, "-k", "1");
	send_stream(t.fd[near], 1, 0, 1000);
	wait_acked(t.fd[near]);
	vanish(t.fd[near]);
	if (pending > 0)
		send_stream(t.fd[!near], 2, 0, pending);
	expect_stream(t.fd[!near], 1, 0, 1000);
	expect_end(t.fd[!near], RST);
	expect_over(&t, near, timeout_of[near], 1000, pending);
}
#define vanished(...) FROM(vanished, __VA_ARGS__)

EACH_WAY(vanished_idle, "a client that vanishes becomes a reset at the target",
    "a target that vanishes becomes a reset at the client")
{
	vanished(near, 0);
}

EACH_WAY(vanished_busy,
    "a client that vanishes before it has read everything becomes a reset at "
    "the target",
    "a target that vanishes before it has read everything becomes a reset at "
    "the client")
{
	vanished(near, 500);
}

/*
 * The near side sends FIN and then vanishes.  After that, the far side sends
 * bytes.
 */
EACH_WAY(vanished_finished, "a client that has finished and then vanishes "
    "becomes a reset at the target",
    "a target that has finished and then vanishes becomes a reset at the "
    "client")
{
	char line[2048];
	struct session t;
	int64_t end;

	begin(&t, "-k", "1");
	send_stream(t.fd[near], 1, 0, 1000);
	finish(t.fd[near]);
	expect_stream(t.fd[!near], 1, 0, 1000);
	expect_end(t.fd[!near], FIN);
	wait_acked(t.fd[near]);
	vanish(t.fd[near]);
	send_stream(t.fd[!near], 2, 0, 1000);
	/*
	 * The far side has already received FIN, so it learns of the reset only
	 * from send(2).
	 */
	end = milliseconds() + VANISHED;
	while (send(t.fd[!near], "x", 1, MSG_NOSIGNAL) == 1) {
		if (milliseconds() > end)
			fail("nobody misses it");
		pause_for(10);
	}
	if (errno != EPIPE && errno != ECONNRESET)
		fail("send: %s", strerror(errno));
	expect_status(&t, 0);
	relay_stderr(&t.relay, line, sizeof line);
	if (strstr(line, timeout_of[near]) == NULL)
		fail("logged %s", line);
}

/*
 * A peer whose window is closed still answers probes.  So the relay does not
 * treat this peer as lost, however long the window stays closed.
 */
EACH_WAY(closed_window_lives,
    "a target whose window stays closed does not count as lost",
    "a client whose window stays closed does not count as lost")
{
	struct session t;
	uint64_t sent;

	begin(&t, "-k", "1");
	sent = fill(t.fd[near], 1);
	pause_for(WINDOW_CLOSED);
	expect_stream(t.fd[!near], 1, 0, (size_t)sent);
	finish(t.fd[near]);
	expect_end(t.fd[!near], FIN);
	finish(t.fd[!near]);
	expect_end(t.fd[near], FIN);
	expect_over(&t, near, "eof", sent, 0);
}

/*
 * Returns the number of seconds until the kernel sends the next keepalive probe
 * on this connection.  Returns 0 if no probe is scheduled, and -1 if there is
 * no such connection.
 */
static int
probe_due(const char *table, int local, int remote)
{
	char line[256];
	FILE *f;
	unsigned when, kind, here, there;
	int due;

	f = fopen(table, "r");
	if (f == NULL)
		skip("no %s", table);
	due = -1;
	while (fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "%*d: %*[0-9A-F]:%x %*[0-9A-F]:%x %*x "
		    "%*x:%*x %x:%x", &here, &there, &kind, &when) == 4 &&
		    here == (unsigned)local && there == (unsigned)remote)
			due = kind == 2 ? (int)(when + 99) / 100 : 0;
	fclose(f);
	return due;
}

static void
probed_after(const char *option, const char *value, int least, int latest)
{
	struct session t;
	int due;

	begin(&t, option, value);
	due = probe_due(sockets_of(client_family()), peer_port(t.fd[CLIENT]),
	    port_of(t.fd[CLIENT]));
	if (due < least || due > latest)
		fail("the client is probed in %d s", due);
	due = probe_due(sockets_of(target_family()), peer_port(t.fd[TARGET]),
	    port_of(t.fd[TARGET]));
	if (due < least || due > latest)
		fail("the target is probed in %d s", due);
}
#define probed_after(...) FROM(probed_after, __VA_ARGS__)

TEST(keepalive_times,
    "both peers are probed after 60 seconds, after -k, or never "
    "with -k 0")
{
	/* The test accepts a timer that started up to five seconds ago. */
	probed_after(NULL, NULL, 55, 60);
	probed_after("-k", "1000", 995, 1000);
	probed_after("-k", "0", 0, 0);
}
