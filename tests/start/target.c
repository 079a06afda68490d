/*
 * Targets that refuse, do not answer or cannot be reached, and targets that are
 * given by name.
 */

#include "../lib/places.h"
#include "../lib/relay.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * A session fails if the target refuses or cannot be reached, if -w runs out,
 * or if the name is unknown.  The client then gets no byte, only RST.  Nothing
 * that the relay writes for the operator reaches the client.
 */

TEST(refused, "a target that refuses is RST at the client, without a byte: 69")
{
	const char *args[] = { target_host(), NULL, NULL };
	int fd;

	fd = refuse_on(target_family());
	args[1] = port_text(fd);
	fails(69, target_text(fd), "refused error=\"Connection refused\"",
	    args);
}

TEST(times_out, "a target that does not answer within -w is RST at the client: "
    "69")
{
	const char *args[] = { "-w", "1", target_host(), NULL, NULL };
	int64_t took;
	int fd;

	fd = blackhole();
	args[3] = port_text(fd);
	took = milliseconds();
	fails(69, target_text(fd), "timeout error=\"*", args);
	took = milliseconds() - took;
	if (took < SECOND || took > SECOND + 2 * LATER)
		fail("after %lld ms", (long long)took);
}

/*
 * The time limit of -w runs from the relay's start, even if the relay begins to
 * connect late.
 */
TEST(times_out_in_all,
    "the time before the relay gets to its target counts towards -w")
{
	const char *args[MOST_WORDS + 5];
	struct session t;
	int64_t took;
	int fd, n;

	n = delay(args, "trace=getpeername",
	    "inject=getpeername:delay_enter=3000000");
	fd = blackhole();
	args[n] = "-w";
	args[n + 1] = "4";
	args[n + 2] = target_host();
	args[n + 3] = port_text(fd);
	args[n + 4] = NULL;
	took = milliseconds();
	begin_without(&t, 1, target_text(fd), args);
	expect_end(t.fd[CLIENT], RST);
	took = milliseconds() - took;
	if (took < 4 * SECOND || took > 4 * SECOND + LATER)
		fail("after %lld ms", (long long)took);
	expect_exit(&t, 69, "timeout error=\"*", 0, 0);
}

/*
 * Begin a session whose target answers nobody.  Returns the target's listener.
 */
static int
begin_dialing(struct session *t)
{
	const char *args[] = { "-v", "-w", "30", target_host(), NULL, NULL };
	int fd;

	fd = blackhole();
	args[4] = port_text(fd);
	begin_without(t, 1, target_text(fd), args);
	return fd;
}
#define begin_dialing(...) FROM(begin_dialing, __VA_ARGS__)

/* When the client resets, the relay must immediately stop trying to connect. */
static void
leaves_while_dialing(int bytes)
{
	struct session t;
	int fd;

	fd = begin_dialing(&t);
	if (bytes) {
		send_stream(t.fd[CLIENT], 1, 0, 1000);
		finish(t.fd[CLIENT]);
	}
	expect_dialing(fd);
	reset_now(&t.fd[CLIENT]);
	if (relay_status(&t.relay, PROMPTLY) != 0)
		fail("exit status is not 0");
	expect_line(&t, "client-reset", 0, 0);
}
#define leaves_while_dialing(...) FROM(leaves_while_dialing, __VA_ARGS__)

TEST(client_leaves,
    "a client that resets while the target is being connected ends "
    "the attempt at once")
{
	leaves_while_dialing(0);
	leaves_while_dialing(1);
}

TEST(signal_while_dialing, "signals work while the target is being connected")
{
	struct session t;
	int fd;

	fd = begin_dialing(&t);
	expect_dialing(fd);
	kill(t.pid, SIGUSR1);
	expect_line(&t, "open", 0, 0);
	kill(t.pid, SIGTERM);
	expect_end(t.fd[CLIENT], RST);
	expect_exit(&t, 0, "signal", 0, 0);
}

/*
 * The ICMP message comes while connect(2) is still running.  Linux then does
 * not end the attempt before it has sent the SYN again.
 */
TEST(rejected, "a target that a firewall rejects is RST at the client: 69")
{
	static const char rules[] =
	    "table inet firewall {\n"
	    "chain output {\n"
	    "type filter hook output priority 0\n"
	    "tcp dport 9 reject with icmpx type port-unreachable\n"
	    "}\n"
	    "}\n";
	const char *args[] = { target_host(), "9", NULL };
	char text[64];
	FILE *nft;

	apart();
	nft = popen("nft -f - 2>&1", "w");
	if (nft == NULL || fputs(rules, nft) == EOF || pclose(nft) != 0)
		skip("nft cannot reject here");
	snprintf(text, sizeof text, target_family() == AF_INET6 ? "[%s]:9" :
	    "%s:9", target_host());
	fails(69, text, "refused error=\"Connection refused\"", args);
}

TEST(unreachable, "a target without a route is RST at the client: 69")
{
	static const char *const args[] = { "192.0.2.1", "80", NULL };

	apart();
	fails(69, "192.0.2.1:80", "unreachable error=\"*", args);
}

/*
 * The nameserver answers that there is no such name (NXDOMAIN; RFC 1035,
 * 4.1.1).
 */
static void
know_nothing(int fd, unsigned stream, uint64_t from, size_t size)
{
	struct sockaddr_in in;
	unsigned char message[512];
	socklen_t len;
	ssize_t n;

	(void)stream;
	(void)from;
	(void)size;
	for (;;) {
		len = sizeof in;
		n = recvfrom(fd, message, sizeof message, 0,
		    (struct sockaddr *)&in, &len);
		if (n < 12)
			continue;
		message[2] |= 0x80;
		message[3] = 0x83;
		sendto(fd, message, (size_t)n, 0, (struct sockaddr *)&in, len);
	}
}

TEST(unknown_name, "an unknown name is RST at the client: 68")
{
	static const char *const args[] = { "nowhere.invalid", "80", NULL };

	own_etc("");
	(void)aside(know_nothing, name_socket(), 0, 0);
	fails(68, "nowhere.invalid", "resolve error=\"*", args);
}

/*
 * The nameserver answers every question for an address with 127.0.0.1, `ms'
 * milliseconds late (RFC 1035, 4.1).
 */
static void
answer_late(int fd, unsigned ms, uint64_t from, size_t size)
{
	static const unsigned char answer[] = {
		0xc0, 0x0c,		/* the name that was asked for */
		0, 1, 0, 1,		/* A, IN */
		0, 0, 0, 0,		/* must not be cached */
		0, 4, 127, 0, 0, 1
	};
	struct sockaddr_in in;
	unsigned char message[512];
	socklen_t len;
	ssize_t n;

	(void)from;
	(void)size;
	for (;;) {
		len = sizeof in;
		n = recvfrom(fd, message, sizeof message - sizeof answer, 0,
		    (struct sockaddr *)&in, &len);
		if (n < 12)
			continue;
		pause_for((int)ms);
		message[2] |= 0x80;
		message[7] = 1;
		memcpy(message + n, answer, sizeof answer);
		sendto(fd, message, (size_t)n + sizeof answer, 0,
		    (struct sockaddr *)&in, len);
	}
}

TEST(late_nameserver, "the time of a look-up counts towards -w and secs")
{
	const char *args[] = {
		"-v", "-w", "8", "late.invalid", NULL, NULL
	};
	char silent[32];
	struct session t;
	int64_t took;
	int fd, filler;

	own_etc("");
	(void)aside(answer_late, name_socket(), NAME_LATE, 0);
	fd = listen_at("127.0.0.1", 0, 0);
	congest(fd, &filler);
	args[4] = port_text(fd);
	snprintf(silent, sizeof silent, "127.0.0.1:%s", args[4]);
	took = milliseconds();
	begin_without(&t, 1, silent, args);
	expect_end(t.fd[CLIENT], RST);
	took = milliseconds() - took;
	if (took < 8 * SECOND || took > 8 * SECOND + LATER)
		fail("after %lld ms", (long long)took);
	expect_exit(&t, 69, "timeout error=\"*", 0, 0);

	args[2] = "20";
	fd = listen_on(AF_INET);
	args[4] = port_text(fd);
	relay_startv(&t.relay, client_family(), 1, args);
	took = connected(&t, fd);
	if (took < NAME_LATE)
		fail("secs counts only %lld ms", (long long)took);
}

TEST(silent_nameserver, "a look-up ends after -w: RST at the client, 69")
{
	static const char *const args[] = {
		"-w", "1", "nowhere.invalid", "80", NULL
	};
	int64_t took;

	own_etc("");
	(void)name_socket();
	took = milliseconds();
	fails(69, "nowhere.invalid", "timeout error=\"*", args);
	took = milliseconds() - took;
	if (took < SECOND || took > SECOND + 2 * LATER)
		fail("after %lld ms", (long long)took);
}

TEST(leaves_while_resolving,
    "a client that resets during the look-up ends it at once")
{
	static const char *const args[] = {
		"-v", "-w", "30", "nowhere.invalid", "80", NULL
	};
	struct session t;
	int names;

	own_etc("");
	names = name_socket();
	begin_without(&t, 1, "nowhere.invalid", args);
	if (!readable(names, SOON))
		fail("nothing is looked up");
	reset_now(&t.fd[CLIENT]);
	if (relay_status(&t.relay, PROMPTLY) != 0)
		fail("exit status is not 0");
	expect_line(&t, "client-reset", 0, 0);
}

/*
 * The relay tries the IPv4 addresses of a name in order, until one answers.
 * The attempts share the time that is left until -w runs out.
 */

TEST(name_of_target, "the target may be a name")
{
	const char *args[] = { "-v", "localhost", NULL, NULL };
	struct session t;
	int listener;

	listener = listen_on(AF_INET);
	args[2] = port_text(listener);
	relay_startv(&t.relay, client_family(), 1, args);
	connected(&t, listener);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 1000, 3000);
}

/*
 * The name has three addresses.  In each of three sessions, only one address
 * answers: first 127.0.0.2, then 127.0.0.3, then 127.0.0.4.
 */
TEST(next_address, "each address of a name is tried until one answers")
{
	const char *args[] = { "-v", "three", NULL, NULL };
	char address[16];
	struct session t;
	int i, listener;

	own_etc("127.0.0.2 three\n127.0.0.3 three\n127.0.0.4 three\n");
	for (i = 2; i < 5; i++) {
		snprintf(address, sizeof address, "127.0.0.%d", i);
		listener = listen_at(address, 0, 5);
		args[2] = port_text(listener);
		relay_startv(&t.relay, client_family(), 1, args);
		connected(&t, listener);
		converse(t.fd[CLIENT], t.fd[TARGET]);
		expect_over(&t, CLIENT, "eof", 1000, 3000);
		close(listener);
	}
}

/* The log line names the address that the relay tried last. */
TEST(addresses_in_order, "the addresses of a name are tried in order")
{
	static const char *const up[] = { "up", "9", NULL };
	static const char *const down[] = { "down", "9", NULL };

	own_etc("127.0.0.2 up\n127.0.0.3 up\n"
	    "127.0.0.3 down\n127.0.0.2 down\n");
	fails(69, "127.0.0.3:9", "refused error=\"Connection refused\"", up);
	fails(69, "127.0.0.2:9", "refused error=\"Connection refused\"", down);
}

TEST(silent_address,
    "an address that is silent leaves time for the next within -w")
{
	const char *args[] = { "-v", "-w", "4", "two", NULL, NULL };
	char address[16];
	struct session t;
	int filler, i, listener, silent;

	own_etc("127.0.0.2 two\n127.0.0.3 two\n");
	for (i = 2; i < 4; i++) {
		snprintf(address, sizeof address, "127.0.0.%d", i);
		listener = listen_at(address, 0, 5);
		snprintf(address, sizeof address, "127.0.0.%d", 5 - i);
		silent = listen_at(address, port_of(listener), 0);
		congest(silent, &filler);
		args[4] = port_text(listener);
		relay_startv(&t.relay, client_family(), 1, args);
		if (connected(&t, listener) > 4 * SECOND - PACE)
			fail("the silent one got all of -w");
		converse(t.fd[CLIENT], t.fd[TARGET]);
		expect_over(&t, CLIENT, "eof", 1000, 3000);
		close(listener);
		close(silent);
	}
}

/*
 * Nothing is listening at the target.  The system has only one port for the
 * relay's socket, and that is the target's port.
 */
TEST(connects_to_itself, "a relay whose target would be its own socket is "
    "refused")
{
	const char *args[] = { target_host(), "40000", NULL };
	struct session t;
	int theirs;

	apart();
	socket_pair(client_family(), &t.fd[CLIENT], &theirs);
	put_names(&t, target_family() == AF_INET ? "127.0.0.1:40000" :
	    "[::1]:40000");
	put_file("/proc/sys/net/ipv4/ip_local_port_range", "40000 40000");
	relay_on(&t.relay, theirs, 1, args);
	t.pid = t.relay.pid;
	expect_end(t.fd[CLIENT], RST);
	expect_exit(&t, 69, "refused error=\"Connection refused\"", 0, 0);
}
