/*
 * If the listener offers MPTCP, the client chooses whether to use it.  If the
 * target is given as a network, the client also chooses the target.
 */

#include "../lib/places.h"
#include "../lib/rows.h"

#include <stdio.h>

#ifdef __linux__

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif


/*
 * The client uses MPTCP.  Each case runs twice: with the program under test,
 * and with a build of the relay that treats every flow as bulk.
 */

static void
mptcp_session(struct relay *r)
{
	int ours, theirs;

	ours = dialled("::1", IPPROTO_MPTCP, NULL, &theirs);
	row_start(r, ours, theirs, NULL, NULL);
}

/* Expect RST.  Any error from recv(2) counts as RST. */
static void
expect_error(int fd)
{
	char c;

	if (!readable(fd, SOON))
		fail("no RST");
	if (recv(fd, &c, 1, 0) != -1)
		fail("no RST, but FIN or a byte");
}
#define expect_error(...) FROM(expect_error, __VA_ARGS__)

static void
mptcp_whole(void)
{
	struct relay r;

	mptcp_session(&r);
	carry_stream(r.target, r.client, 1, MIB);
	carry_stream(r.client, r.target, 2, MIB);
	whole_session(&r);
}

/* MPTCP has no urgent data, so the urgent byte arrives like any other byte. */
static void
mptcp_urgent(void)
{
	struct relay r;
	char text[12];

	mptcp_session(&r);
	send_all(r.target, "before", 6);
	if (send(r.target, "u", 1, MSG_OOB) != 1)
		fail("send: %s", strerror(errno));
	send_all(r.target, "after", 5);
	recv_exactly(r.client, text, sizeof text);
	if (memcmp(text, "beforeuafter", sizeof text) != 0)
		fail("the client gets \"%.12s\"", text);
	whole_session(&r);
}

/*
 * The client closes its socket without reading all bytes, so its system sends
 * RST.
 */
static void
mptcp_client_resets(void)
{
	struct relay r;

	mptcp_session(&r);
	send_stream(r.target, 1, 0, 10);
	if (!readable(r.client, SOON))
		fail("nothing comes");
	close(r.client);
	expect_error(r.target);
	relay_ends(&r, 0);
}

static void
mptcp_target_resets(void)
{
	struct relay r;

	mptcp_session(&r);
	send_stream(r.target, 1, 0, 10);
	expect_stream(r.client, 1, 0, 10);
	reset_now(&r.target);
	expect_error(r.client);
	relay_ends(&r, 0);
}

static void
mptcp_refused(void)
{
	const char *args[] = { "127.0.0.1", NULL, NULL };
	struct relay r;
	char port[8];
	int ours, theirs;

	ours = dialled("::1", IPPROTO_MPTCP, NULL, &theirs);
	snprintf(port, sizeof port, "%d", port_of(refuse_on(AF_INET)));
	args[1] = port;
	relay_on(&r, theirs, 1, args);
	expect_error(ours);
	relay_ends(&r, 69);
}

static void
mptcp_client(const struct row *o)
{
	if (o->late)
		relay_path = "tests/stfl-relay-bulk";
	if (access(relay_path, X_OK) == 0)
		o->setup();
}

TEST(mptcp, "an MPTCP client is served as a TCP client, without the urgent "
    "mark")
{
#define BOTH(f) \
	{ #f, 0, 0, NULL, 0, 0, f }, { #f ", bulk", 0, 0, NULL, 0, 1, f }
	static const struct row rows[] = {
		BOTH(mptcp_whole),
		BOTH(mptcp_urgent),
		BOTH(mptcp_client_resets),
		BOTH(mptcp_target_resets),
		BOTH(mptcp_refused)
	};
	int fd;

	fd = socket(AF_INET6, SOCK_STREAM, IPPROTO_MPTCP);
	if (fd == -1)
		skip("no MPTCP: %s", strerror(errno));
	close(fd);
	EACH(mptcp_client, rows);
}

/*
 * The target is given as a network.  The client chooses the target's address.
 */

static const struct {
	const char *dialled, *network, *end;
} chosen[] = {
	{ "64:ff9b::127.0.0.1", "127.0.0.0/8", "refused" },
	{ "64:ff9b::192.0.2.1", "192.0.2.0/24", "unreachable" },
	{ "64:ff9b::127.255.255.255", "127.0.0.0/8", "unreachable" },
	{ "64:ff9b::198.51.100.1", "198.51.100.0/24", "timeout" },
	{ "64:ff9b::192.0.2.1", "127.0.0.0/8", "denied" },
	{ "64:ff9b::", "0.0.0.0/1", "denied" },
	{ "64:ff9b::0.0.0.1", "0.0.0.0/1", "denied" },
	{ "64:ff9b::224.0.0.1", "128.0.0.0/1", "denied" },
	{ "64:ff9b::255.255.255.255", "128.0.0.0/1", "denied" },
	{ "::ffff:127.0.0.1", "127.0.0.0/8", "denied" }
};

static void
own_routes(void)
{
	if (system("ip -6 route add local 64:ff9b::/96 dev lo && "
	    "ip route add 198.51.100.0/24 dev lo") != 0)
		skip("cannot run ip(8)");
}

static void
expect_warning(int log, const char *end)
{
	char line[2048], want[32];

	syslog_line(log, line, sizeof line);
	snprintf(want, sizeof want, " end=%s error=\"", end);
	if (strncmp(line, "<28>", 4) != 0 || strstr(line, want) == NULL)
		fail("logged %s", line);
}
#define expect_warning(...) FROM(expect_warning, __VA_ARGS__)

TEST(choices, "whatever target a client chooses in a network, the status is 0 "
    "and the log has a warning")
{
	const char *args[] = { "-w", "1", NULL, NULL, NULL };
	static char name[80];
	struct relay r;
	char port[8];
	size_t i;
	int log, ours, theirs;

	log = syslog_socket();
	own_routes();
	snprintf(port, sizeof port, "%d", port_of(refuse_on(AF_INET)));
	args[3] = port;
	for (i = 0; i < sizeof chosen / sizeof chosen[0]; i++) {
		snprintf(name, sizeof name, "(%s of %s) ", chosen[i].dialled,
		    chosen[i].network);
		test_about(name);
		args[2] = chosen[i].network;
		ours = dialled(chosen[i].dialled, 0, NULL, &theirs);
		relay_on(&r, theirs, 0, args);
		expect_end(ours, RST);
		relay_ends(&r, 0);
		expect_warning(log, chosen[i].end);
	}
}

/* The target that the client chooses is the listener itself. */
TEST(chosen_loop, "a client that chooses the service itself gets RST, and the "
    "status is 0")
{
	static const char *const args[] = { "-q", "127.0.0.0/8", NULL };
	struct relay first, second;
	int listener, log, ours;

	log = syslog_socket();
	own_routes();
	listener = dual_stack(0, NULL);
	ours = row_dial("64:ff9b::127.0.0.1", 0, listener);
	relay_on(&first, accept_from(listener), 0, args);
	relay_on(&second, accept_from(listener), 0, args);
	expect_end(ours, RST);
	relay_ends(&second, 0);
	expect_warning(log, "denied");
	relay_ends(&first, 0);
}

#endif
