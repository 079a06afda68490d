/* -s: the source address that the target sees. */

#include "../lib/calls.h"
#include "../lib/places.h"

#include <arpa/inet.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * Skip the test if 127.0.0.1 is the host's only address in 127.0.0.0/8, as on
 * the BSDs and macOS.
 */
static void
need_loopback_network(void)
{
	union address a;
	int fd;

	a = address("127.9.8.7", 0);
	fd = private_socket(AF_INET, SOCK_STREAM, 0);
	if (bind(fd, &a.sa, address_size(&a)) == -1)
		skip("not all of 127.0.0.0/8 is here");
	close(fd);
}

/* Expect that a relay with this -s connects from the address `want'. */
static void
expect_source(const char *client, const char *dialled, const char *source,
    const char *target, const char *want)
{
	struct session t;
	union address seen;
	int listener, theirs;

	need_loopback_network();
	listener = listen_at(target, 0, 5);
	theirs = call(&t, client, 0, dialled, 0);
	serve_to(&t, theirs, listener, "-s", source, target,
	    port_text(listener), NULL);
	seen = peer_name(t.fd[TARGET]);
	if (strcmp(host_text(&seen), want) != 0)
		fail("%s with -s %s comes from %s, not %s", client, source,
		    host_text(&seen), want);
	/*
	 * expect_whole() also checks that via= in the log line gives the
	 * address `want'.
	 */
	expect_whole(&t, 0, 0);
}
#define expect_source(...) FROM(expect_source, __VA_ARGS__)

TEST(from_address, "with -s address the target sees the client there")
{
	expect_source("::1", "::1", "127.9.8.7", "127.0.0.1", "127.9.8.7");
}

TEST(from_ipv6_address, "-6 connects from an IPv6 address with -s")
{
	struct session t;
	union address seen;
	int listener, theirs;

	apart();
	give("2001:db8::5");
	give("2001:db8::6");
	listener = listen_at("2001:db8::6", 0, 5);
	theirs = call(&t, "127.0.0.1", 0, "127.0.0.1", 0);
	serve_to(&t, theirs, listener, "-6", "-s", "2001:db8::5",
	    "2001:db8::6", port_text(listener), NULL);
	seen = peer_name(t.fd[TARGET]);
	if (strcmp(host_text(&seen), "2001:db8::5") != 0)
		fail("it comes from %s", host_text(&seen));
	expect_whole(&t, 0, 0);
}

/*
 * The manual's examples, which must never change.  A separate program has
 * computed the source address for each client and each network.
 */
static const char *const networks[] = { "127.64.0.0/10", "192.0.2.0/24" };

static const struct example {
	const char *client;
	const char *source[2];
} examples[] = {
	{ "::1", { "127.64.0.1", "192.0.2.1" } },
	{ "2001:db8::1", { "127.74.121.250", "192.0.2.24" } },
	{ "2001:db8:0:1::1", { "127.101.223.241", "192.0.2.73" } },
	{ "2001:db8:1234:5678::9", { "127.74.249.203", "192.0.2.233" } },
	{ "2001:db8:ffff:ffff::1", { "127.101.168.20", "192.0.2.250" } },
	{ "198.51.100.7", { "127.125.2.36", "192.0.2.30" } }
};

enum { EXAMPLES = sizeof examples / sizeof examples[0] };

TEST(manuals_clients, "from the manual's clients, the target sees the manual's "
    "addresses")
{
	const struct example *e;
	size_t i;
	int n;

	apart();
	give("192.0.2.99");
	for (i = 0; i < EXAMPLES; i++)
		if (strcmp(examples[i].client, "::1") != 0)
			give(examples[i].client);
	for (i = 0; i < EXAMPLES; i++) {
		e = &examples[i];
		for (n = 0; n < 2; n++)
			expect_source(e->client, strchr(e->client, ':') ==
			    NULL ? "::ffff:127.0.0.1" : "::1", networks[n],
			    n == 0 ? "127.0.0.1" : "192.0.2.99", e->source[n]);
	}
	expect_source("198.51.100.7", "127.0.0.1", networks[0], "127.0.0.1",
	    "127.125.2.36");
}

TEST(map_loopback, "from ::1 and 127.0.0.1, the target sees the address of the "
    "mapping")
{
	expect_source("::1", "::1", networks[0], "127.0.0.1", "127.64.0.1");
	expect_source("127.0.0.1", "::ffff:127.0.0.1", networks[0],
	    "127.0.0.1", "127.97.38.142");
	expect_source("127.0.0.1", "127.0.0.1", networks[0], "127.0.0.1",
	    "127.97.38.142");
}

TEST(map_whole_64, "all of a /64 maps to one address")
{
	static const char *const of_64[] = {
		"2001:db8:1234:5678::",
		"2001:db8:1234:5678:ffff:ffff:ffff:ffff"
	};
	int i;

	apart();
	for (i = 0; i < 2; i++) {
		give(of_64[i]);
		expect_source(of_64[i], "::1", networks[0], "127.0.0.1",
		    "127.74.249.203");
	}
}

TEST(map_small_networks, "the mapping uses every host of a /30, /31 and /32 "
    "and no other")
{
	static const char other[] = "2001:db8::1", target[] = "192.0.2.99";

	apart();
	give(target);
	give(other);
	expect_source("::1", "::1", "192.0.2.4/30", target, "192.0.2.5");
	expect_source(other, "::1", "192.0.2.4/30", target, "192.0.2.6");
	expect_source("::1", "::1", "192.0.2.2/31", target, "192.0.2.2");
	expect_source(other, "::1", "192.0.2.2/31", target, "192.0.2.3");
	expect_source("::1", "::1", "192.0.2.2/32", target, "192.0.2.2");
	expect_source(other, "::1", "192.0.2.2/32", target, "192.0.2.2");
	expect_source(other, "::1", "127.0.0.0/8", "127.0.0.1",
	    "127.48.99.54");
}

enum { PARTS = 8, CLIENTS = 160 };

/*
 * Returns the source address that the target sees when a client connects from
 * this address.
 */
static uint32_t
source_seen(const char *client)
{
	struct session t;
	union address seen;
	int listener, theirs;

	listener = listen_at("127.0.0.1", 0, 5);
	theirs = call(&t, client, 0, "::1", 0);
	serve_to(&t, theirs, listener, "-s", networks[0], "127.0.0.1",
	    port_text(listener), NULL);
	seen = peer_name(t.fd[TARGET]);
	reset_now(&t.fd[CLIENT]);
	expect_status(&t, 0);
	let_go(&t);
	return ntohl(seen.in.sin_addr.s_addr);
}

/*
 * Expect that the clients are spread evenly over the parts of the network.
 * Expect also that no client gets the first or the last address of the network.
 */
static void
expect_even(const uint32_t *source, int shift)
{
	int i, part[PARTS];

	memset(part, 0, sizeof part);
	for (i = 0; i < CLIENTS; i++) {
		if (source[i] <= 0x7f400000 || source[i] >= 0x7f7fffff)
			fail("0x%08x is no host in %s", source[i], networks[0]);
		part[source[i] >> shift & (PARTS - 1)]++;
	}
	for (i = 0; i < PARTS; i++)
		if (part[i] * PARTS * 5 < CLIENTS * 2 ||
		    part[i] * PARTS > CLIENTS * 2)
			fail("%d of %d clients are in one of %d parts",
			    part[i], CLIENTS, PARTS);
}
#define expect_even(...) FROM(expect_even, __VA_ARGS__)

/*
 * Divide the network into parts twice: by the highest bits of the host part,
 * and by its lowest bits.  Both times, expect that the clients are spread
 * evenly over the parts.
 */
static void
expect_spread(const char *about, uint16_t (*net)[4])
{
	static uint32_t source[CLIENTS];
	char client[48];
	int i;

	test_about(about);
	for (i = 0; i < CLIENTS; i++) {
		snprintf(client, sizeof client, "%x:%x:%x:%x::1", net[i][0],
		    net[i][1], net[i][2], net[i][3]);
		give(client);
		source[i] = source_seen(client);
	}
	expect_even(source, 19);
	expect_even(source, 0);
}
#define expect_spread(...) FROM(expect_spread, __VA_ARGS__)

/*
 * The mapping is the same on every machine, so the result does not depend on
 * chance.
 */
TEST(map_even, "clients spread evenly over 8 parts of a /10")
{
	static uint16_t random[CLIENTS][4], of_64[CLIENTS][4], of_48[CLIENTS][4];
	uint32_t n;
	int i, j;

	apart();
	n = 1;
	for (i = 0; i < CLIENTS; i++) {
		for (j = 0; j < 4; j++) {
			n = n * 1664525 + 1013904223;
			random[i][j] = (uint16_t)(n >> 16);
		}
		random[i][0] = (random[i][0] >> 3) | 0x2000;
		of_64[i][0] = 0x2001;
		of_64[i][1] = 0xdb8;
		of_64[i][3] = (uint16_t)i;
		of_48[i][0] = 0x2a00;
		of_48[i][2] = (uint16_t)i;
	}
	expect_spread("(random /64s) ", random);
	expect_spread("(/64s in a row) ", of_64);
	expect_spread("(the first /64 of /48s in a row) ", of_48);
}

/* Source addresses that the relay cannot use. */

/*
 * Expect that this -s fails, because the host does not have the source address.
 * `is' holds this address: either the one given with -s, or the one to which -s
 * maps the client.
 */
static void
expect_no_source(const char *source, const char *is, const char *target,
    int port)
{
	static char about[64];
	char end[100], port_words[8];
	struct session t;
	union address a;
	int theirs;

	snprintf(about, sizeof about, "(-s %s) ", source);
	test_about(about);
	snprintf(end, sizeof end, "unreachable "
	    "error=\"%s is not an address of this host\"", is);
	snprintf(port_words, sizeof port_words, "%d", port);
	a = address(target, port);
	theirs = call(&t, "::1", 0, "::1", 0);
	put_names(&t, address_text(&a));
	serve(&t, theirs, "-s", source, target, port_words, NULL);
	expect_failure(&t, 69, end);
}
#define expect_no_source(...) FROM(expect_no_source, __VA_ARGS__)

TEST(source_not_here, "-s says which address is not one of this host")
{
	apart();
	expect_no_source("192.0.2.1", "192.0.2.1", "127.0.0.1", 1025);
	expect_no_source("192.0.2.0/24", "192.0.2.1", "127.0.0.1", 1025);
	expect_no_source("2001:db8::1", "2001:db8::1", "::1", 1025);
}

/*
 * Linux lets a program bind a socket to these addresses, but the socket would
 * then connect from a different address.
 */
TEST(source_no_host, "-s never lets a session connect from another address")
{
	int port;

	port = port_of(listen_at("127.0.0.1", 0, 16));
	expect_no_source("127.255.255.255", "127.255.255.255", "127.0.0.1",
	    port);
	expect_no_source("224.0.0.1", "224.0.0.1", "127.0.0.1", port);
	expect_no_source("224.0.0.0/24", "224.0.0.1", "127.0.0.1", port);
}

enum { MOST_SESSIONS = 4 };

static int free_port = 50000;	/* each port is used only once */

/*
 * Connect a client to the relay.  Give the client's connection a port other
 * than the two from which the relay can connect.
 */
static int
call_apart(struct session *t)
{
	return call(t, "::1", free_port++, "::1", 1026);
}
#define call_apart(...) FROM(call_apart, __VA_ARGS__)

#define MORE_PORTS "; -s with a network has as many for each of its addresses"

/*
 * The relay has only two ports to connect from.  So two sessions to `target'
 * and two sessions to `other' work, but a third session to `target' fails.
 */
static void
expect_no_port(const char *source, const char *target, const char *other,
    const char *whole)
{
	char end[200], via[80];
	struct session last, t[MOST_SESSIONS];
	int i, theirs;

	for (i = 0; i < MOST_SESSIONS; i++) {
		theirs = call_apart(&t[i]);
		serve_to(&t[i], theirs, listen_at(i < 2 ? target : other, 1025,
		    5), "-s", source, i < 2 ? target : other, "1025", NULL);
	}
	snprintf(end, sizeof end, "unreachable "
	    "error=\"no port is left from %s to this target%s\"", source,
	    strchr(source, ':') == NULL ? MORE_PORTS : "");
	theirs = call_apart(&last);
	put_names(&last, whole);
	serve(&last, theirs, "-s", source, target, "1025", NULL);
	expect_failure(&last, 69, end);
	/*
	 * The name "two" has a second address.  There, the attempt to connect
	 * fails for a different reason.
	 */
	if (strchr(source, ':') == NULL) {
		theirs = call_apart(&last);
		put_names(&last, "127.0.0.3:1025");
		serve(&last, theirs, "-s", source, "two", "1025", NULL);
		expect_failure(&last, 69,
		    "refused error=\"Connection refused\"");
	}
	snprintf(via, sizeof via, strchr(source, ':') == NULL ?
	    " via=%s:4000" : " via=[%s]:4000", source);
	for (i = 0; i < MOST_SESSIONS; i++) {
		expect_named(&t[i], via);
		expect_whole(&t[i], 0, 0);
	}
}
#define expect_no_port(...) FROM(expect_no_port, __VA_ARGS__)

/*
 * Expect that two sessions to this target work from the same source address,
 * and that a third session fails.  The log line must have `words'.
 */
static void
expect_none_left(const char *source, const char *target, const char *whole,
    const char *words)
{
	const char *option;
	struct session last, t[2];
	char end[200];
	int i, theirs;

	/*
	 * If `source' is NULL, give -v twice instead of -s and a source.  A
	 * second -v changes nothing.
	 */
	option = source != NULL ? "-s" : "-v";
	source = source != NULL ? source : "-v";
	for (i = 0; i < 2; i++) {
		theirs = call_apart(&t[i]);
		serve_to(&t[i], theirs, listen_at(target, 1027, 5), option,
		    source, target, "1027", NULL);
	}
	theirs = call_apart(&last);
	put_names(&last, whole);
	serve(&last, theirs, option, source, target, "1027", NULL);
	snprintf(end, sizeof end, "unreachable error=\"no port is left %s\"",
	    words);
	expect_failure(&last, 69, end);
	for (i = 0; i < 2; i++)
		expect_whole(&t[i], 0, 0);
}
#define expect_none_left(...) FROM(expect_none_left, __VA_ARGS__)

TEST(no_port_left, "-s uses a port for several targets; when none is left that "
    "is said, with -s and without")
{
	own_etc("127.0.0.1 two\n127.0.0.3 two\n");
	give("2001:db8::1");
	give("2001:db8::2");
	give("2001:db8::9");
	put_file("/proc/sys/net/ipv4/ip_local_port_range", "40000 40001");
	expect_no_port("2001:db8::9", "2001:db8::1", "2001:db8::2",
	    "[2001:db8::1]:1025");
	expect_no_port("127.9.8.7", "127.0.0.1", "127.0.0.2",
	    "127.0.0.1:1025");
	expect_none_left(NULL, "127.0.0.1", "127.0.0.1:1027",
	    "to this target, or this host has no IPv4 address" MORE_PORTS);
	expect_none_left(NULL, "::1", "[::1]:1027",
	    "to this target, or this host has no IPv6 address");
	expect_none_left("127.9.8.7/32", "127.0.0.1", "127.0.0.1:1027",
	    "from 127.9.8.7 to this target; a larger network has more");
}
