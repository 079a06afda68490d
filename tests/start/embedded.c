/*
 * The target is a network, and the client dials an address in which the
 * target's address is embedded.  If the relay denies the target, it logs a
 * warning and ends with status 0, because the client has chosen the target.
 */

#include "../lib/calls.h"
#include "../lib/places.h"

#include <stdio.h>

static const struct {
	const char *prefix, *dialled;
} published[] = {
	/* RFC 6052, 2.4 */
	{ "32", "2001:db8:c000:221::" },
	{ "40", "2001:db8:1c0:2:21::" },
	{ "48", "2001:db8:122:c000:2:2100::" },
	{ "56", "2001:db8:122:3c0:0:221::" },
	{ "64", "2001:db8:122:344:c0:2:2100::" },
	{ "96", "2001:db8:122:344::192.0.2.33" },
	{ "96", "64:ff9b::192.0.2.33" },
	/* The relay ignores the suffix (RFC 6052, 2.2). */
	{ "32", "2001:db8:c000:221:0:dead:beef:1" },
	{ "56", "2001:db8:122:3c0:0:221:dead:beef" },
	/* In 6to4 (RFC 3056, 2), no bits are reserved. */
	{ "16", "2002:c000:221::1" },
	{ "16", "2002:c000:221:1:212:34ff:fe56:789a" }
};

TEST(embedded_published, "the examples of RFC 6052 and RFC 3056 lead to "
    "192.0.2.33")
{
	struct session t;
	size_t i;
	int listener, theirs;

	apart();
	give("192.0.2.33");
	for (i = 0; i < sizeof published / sizeof published[0]; i++) {
		give(published[i].dialled);
		listener = listen_at("192.0.2.33", 0, 5);
		theirs = call(&t, "::1", 0, published[i].dialled, 0);
		serve_to(&t, theirs, listener, "-x", published[i].prefix,
		    "192.0.2.0/24", port_text(listener), NULL);
		expect_named(&t, " target=192.0.2.33:");
		expect_whole(&t, 0, 0);
	}
}

TEST(embedded_by_default, "without -x, an address is embedded in the last 32 "
    "bits")
{
	struct session t;
	int listener, theirs;

	apart();
	give("192.0.2.33");
	give("64:ff9b::192.0.2.33");
	listener = listen_at("192.0.2.33", 1025, 5);
	theirs = call(&t, "::1", 0, "64:ff9b::192.0.2.33", 1025);
	serve_to(&t, theirs, listener, "192.0.2.0/24", NULL);
	expect_named(&t, " local=[64:ff9b::c000:221]:1025 "
	    "target=192.0.2.33:1025 ");
	expect_whole(&t, 0, 0);
}

/*
 * The client dials the address `dialled', in which a target is embedded.
 * Expect that the relay denies that target, and that target= in the log line
 * gives `target'.
 */
static void
expect_denied(const char *client, const char *dialled, const char *prefix,
    const char *network, const char *target)
{
	static char about[80];
	struct session t;
	int theirs;

	snprintf(about, sizeof about, "(%s of %s) ", dialled, network);
	test_about(about);
	theirs = call(&t, client, 0, dialled, 0);
	put_names(&t, target);
	serve(&t, theirs, "-x", prefix, network, "1025", NULL);
	expect_failure(&t, 0, "denied error=\"*");
}
#define expect_denied(...) FROM(expect_denied, __VA_ARGS__)

TEST(embedded_reserved, "a dialled address with one of the bits 64 to 71 set "
    "is denied")
{
	static const struct {
		const char *prefix, *dialled;
	} cases[] = {
		{ "32", "2001:db8:c000:221:100::" },
		{ "40", "2001:db8:1c0:2:121::" },
		{ "48", "2001:db8:122:c000:8002:2100::" },
		{ "56", "2001:db8:122:3c0:100:221::" },
		{ "64", "2001:db8:122:344:ffc0:2:2100::" }
	};
	char dialled[64];
	size_t i;
	unsigned bit;

	apart();
	give("192.0.2.33");
	(void)listen_at("192.0.2.33", 1025, 5);
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		give(cases[i].dialled);
		expect_denied("::1", cases[i].dialled, cases[i].prefix,
		    "192.0.2.0/24", "192.0.2.0/24");
	}
	for (bit = 1; bit < 0x100; bit <<= 1) {
		snprintf(dialled, sizeof dialled,
		    "2001:db8:122:344:%x:0:192.0.2.33", bit << 8);
		give(dialled);
		expect_denied("::1", dialled, "96", "192.0.2.0/24",
		    "192.0.2.0/24");
	}
}

TEST(embedded_outside, "a target outside the network is denied")
{
	apart();
	give("192.0.3.1");
	give("64:ff9b::192.0.3.1");
	give("64:ff9b::192.0.1.255");
	give("64:ff9b::192.0.2.128");
	give("64:ff9b::127.0.0.1");
	give("64:ff9b::");
	(void)listen_at("192.0.3.1", 1025, 5);
	(void)listen_at("127.0.0.1", 1025, 5);
	expect_denied("::1", "64:ff9b::192.0.3.1", "96", "192.0.2.0/24",
	    "192.0.3.1:1025");
	expect_denied("::1", "64:ff9b::192.0.1.255", "96", "192.0.2.0/24",
	    "192.0.1.255:1025");
	expect_denied("::1", "64:ff9b::192.0.2.128", "96", "192.0.2.0/25",
	    "192.0.2.128:1025");
	expect_denied("::1", "64:ff9b::127.0.0.1", "96", "192.0.2.0/24",
	    "127.0.0.1:1025");
	expect_denied("::1", "64:ff9b::192.0.3.1", "96", "192.0.3.2/32",
	    "192.0.3.1:1025");
	expect_denied("::1", "64:ff9b::", "96", "192.0.2.0/24", "0.0.0.0:1025");
}

TEST(embedded_no_host, "a target in 0/8, multicast or broadcast is denied in "
    "any network")
{
	static const struct {
		const char *host, *network;
	} cases[] = {
		{ "0.0.0.0", "0.0.0.0/1" },
		{ "0.1.2.3", "0.0.0.0/8" },
		{ "224.0.0.1", "128.0.0.0/1" },
		{ "239.255.255.255", "224.0.0.0/4" },
		{ "240.0.0.1", "128.0.0.0/1" },
		{ "255.255.255.255", "255.255.255.255/32" }
	};
	char dialled[64], target[32];
	size_t i;

	apart();
	/*
	 * On Linux, 0.0.0.0 means this host.  So if the relay accepted 0.0.0.0
	 * as a target, it would reach this listener.
	 */
	(void)listen_at("127.0.0.1", 1025, 5);
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		snprintf(dialled, sizeof dialled, "64:ff9b::%s", cases[i].host);
		snprintf(target, sizeof target, "%s:1025", cases[i].host);
		give(dialled);
		expect_denied("::1", dialled, "96", cases[i].network, target);
	}
}

TEST(embedded_ipv4_client, "a network target is denied to a client that has "
    "dialled IPv4")
{
	expect_denied("127.0.0.1", "127.0.0.1", "96", "127.0.0.0/8",
	    "127.0.0.0/8");
	expect_denied("127.0.0.1", "::ffff:127.0.0.1", "96", "127.0.0.0/8",
	    "127.0.0.0/8");
}
