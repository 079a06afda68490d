/*
 * For a short time, a router reports "unreachable" by ICMP.  Nevertheless, TCP
 * must go on trying (RFC 1122, 4.2.3.9).
 */

#include "../lib/links.h"
#include "../lib/places.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PASSING = 250 };	/* milliseconds without a route */

TEST(icmp_before_reset,
    "ICMP unreachable in passing costs no byte before a reset")
{
	int far;

	make_links();
	begin_far("60", "0");
	route_away();
	send_near(50000);
	for (far = CLIENT; far <= TARGET; far++) {
		wait_acked(near_fd(far));
		reset_now(&near_fd(far));
	}
	pause_for(PASSING);
	route_back();
	for (far = CLIENT; far <= TARGET; far++) {
		expect_stream(far_fd(far), 3, 0, 50000);
		expect_end(far_fd(far), RST);
		expect_status(&far_sessions[far], 0);
	}
}

/*
 * The far peers have already sent FIN.  When the near peers send FIN, too,
 * poll(2) reports POLLHUP for the far connections, although these connections
 * still exist.  The relay is then still running, because it still has bytes for
 * the near peers.
 */
TEST(icmp_before_fin,
    "ICMP unreachable in passing costs no byte before FIN that crosses "
    "another")
{
	const size_t size = 500000;
	char text[2048];
	int far;

	make_links();
	put_file("/proc/sys/net/ipv4/tcp_wmem", "4096 65536 65536");
	put_file("/proc/sys/net/ipv4/tcp_rmem", "4096 4194304 4194304");
	begin_far("60", "0");
	for (far = CLIENT; far <= TARGET; far++) {
		send_stream(far_fd(far), 2, 0, size);
		finish(far_fd(far));
		wait_acked(far_fd(far));
	}
	route_away();
	send_near(1000);
	pause_for(2 * PASSING);
	for (far = CLIENT; far <= TARGET; far++)
		finish(near_fd(far));
	pause_for(10 * PASSING);
	route_back();
	for (far = CLIENT; far <= TARGET; far++) {
		expect_stream(far_fd(far), 3, 0, 1000);
		expect_end(far_fd(far), FIN);
		expect_stream(near_fd(far), 2, 0, size);
		expect_end(near_fd(far), FIN);
		expect_status(&far_sessions[far], 0);
		relay_stderr(&far_sessions[far].relay, text, sizeof text);
		if (strstr(text, " end=eof") == NULL)
			fail("the log says %s", text);
	}
}

/* Returns how many "unreachable" messages from the router have arrived here. */
static long
unreachables(void)
{
	char line[512];
	FILE *f;
	long n;

	f = fopen("/proc/self/net/snmp", "r");
	if (f == NULL)
		skip("no /proc/net/snmp");
	n = -1;
	while (n == -1 && fgets(line, sizeof line, f) != NULL)
		(void)sscanf(line, "Icmp: %*d %*d %*d %ld", &n);
	fclose(f);
	return n;
}

/*
 * At first, the listener's queue is full, so the relay's SYN gets no answer.
 * Later, while the relay is stopped, the SYN is answered and the target sends a
 * byte.  The router answers the acknowledgement of that byte with
 * "unreachable".
 */
TEST(icmp_at_handshake,
    "ICMP unreachable in passing does not end a session that begins")
{
	const char *args[] = { TARGET_FAR, NULL, NULL };
	struct session t;
	char c;
	int filler, listener, theirs;

	make_links();
	go_to(FAR);
	listener = listen_at(TARGET_FAR, 0, 0);
	go_to(ROUTER);
	congest(listener, &filler);
	go_to(RELAY);
	args[1] = port_text(listener);
	socket_pair(AF_INET6, &t.fd[CLIENT], &theirs);
	relay_on(&t.relay, theirs, 1, args);
	expect_dialing(listener);
	stop_relay(t.relay.pid);
	close(accept_from(listener));
	t.fd[TARGET] = accept_from(listener);
	route_away();
	send_all(t.fd[TARGET], "x", 1);
	while (unreachables() == 0)
		pause_for(1);
	kill(t.relay.pid, SIGCONT);
	pause_for(PASSING);
	route_back();
	recv_exactly(t.fd[CLIENT], &c, 1);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_status(&t, 0);
}
