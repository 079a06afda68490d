/* -6: IPv6 targets. */

#include "../lib/calls.h"
#include "../lib/places.h"

#include <stdio.h>

/*
 * The relay gets `name' as its target, and must connect to the address
 * `target'.  Expect bytes and FIN both ways, and the log line.  If `option' is
 * NULL, -v is the relay's only option.
 */
static void
expect_target(const char *client, const char *dialled, const char *option,
    const char *name, const char *target)
{
	struct session t;
	int listener, theirs;

	listener = listen_at(target, 0, 5);
	theirs = call(&t, client, 0, dialled, 0);
	if (option == NULL)
		serve_to(&t, theirs, listener, name, port_text(listener), NULL);
	else
		serve_to(&t, theirs, listener, option, name,
		    port_text(listener), NULL);
	send_stream(t.fd[CLIENT], 1, 0, 100000);
	expect_stream(t.fd[TARGET], 1, 0, 100000);
	send_stream(t.fd[TARGET], 2, 0, 50000);
	expect_stream(t.fd[CLIENT], 2, 0, 50000);
	expect_whole(&t, 100000, 50000);
}
#define expect_target(...) FROM(expect_target, __VA_ARGS__)

TEST(to_ipv6, "-6 leads IPv4 and IPv6 clients to an IPv6 target")
{
	expect_target("127.0.0.1", "127.0.0.1", "-6", "::1", "::1");
	expect_target("127.0.0.1", "::ffff:127.0.0.1", "-6", "::1", "::1");
	expect_target("::1", "::1", "-6", "::1", "::1");
}

TEST(colon_implies_6, "an address with a colon implies -6")
{
	expect_target("127.0.0.1", "127.0.0.1", NULL, "::1", "::1");
	expect_target("::1", "::1", "-n", "::1", "::1");
}

TEST(to_link_local, "-6 reaches a link-local target by its scope")
{
	apart();
	give("fe80::64");
	expect_target("127.0.0.1", "127.0.0.1", "-6", "fe80::64%lo",
	    "fe80::64%lo");
	expect_target("::1", "::1", NULL, "fe80::64%lo", "fe80::64%lo");
}

TEST(names_for_6, "-6 tries a name's IPv6 addresses, in order, and no others")
{
	struct session t;
	int theirs;

	own_etc("127.0.0.1 localhost both four\n"
	    "::1 localhost\n"
	    "2001:db8::1 both several\n"
	    "2001:db8::2 several\n");
	give("2001:db8::1");
	give("2001:db8::2");
	expect_target("127.0.0.1", "127.0.0.1", "-6", "localhost", "::1");
	expect_target("127.0.0.1", "127.0.0.1", "-6", "both", "2001:db8::1");
	/*
	 * The name "several" has two addresses.  Nothing is listening at the
	 * first address.
	 */
	expect_target("127.0.0.1", "127.0.0.1", "-6", "several", "2001:db8::2");
	/* Without -6, the relay connects to the IPv4 address of "both". */
	expect_target("::1", "::1", NULL, "both", "127.0.0.1");

	theirs = call(&t, "127.0.0.1", 0, "127.0.0.1", 0);
	put_names(&t, "four");
	serve(&t, theirs, "-6", "four", "1025", NULL);
	expect_failure(&t, 68, "resolve error=\"*");
}

/*
 * The target is the address that the client dialled.  If `with_port' is true,
 * the command line also gives the port that the client dialled.  Otherwise, the
 * command line gives -6 and no port.
 */
static void
expect_loop(int with_port)
{
	char port[8], target[32];
	struct session t;
	int theirs;

	theirs = call(&t, "::1", 0, "::1", 0);
	snprintf(port, sizeof port, "%d", peer_port(t.fd[CLIENT]));
	snprintf(target, sizeof target, "[::1]:%s", port);
	put_names(&t, target);
	if (with_port)
		serve(&t, theirs, "::1", port, NULL);
	else
		serve(&t, theirs, "-6", "::1", NULL);
	expect_failure(&t, 78, "loop error=\"*");
}
#define expect_loop(...) FROM(expect_loop, __VA_ARGS__)

TEST(loop_over_6, "-6 does not call its own service")
{
	expect_loop(0);
	expect_loop(1);
}
