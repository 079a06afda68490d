/*
 * Sessions whose target is the relay's own service.  The client must get RST.
 */

#include "../lib/places.h"
#include "../lib/relay.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

/*
 * Start a relay for each connection to this listener, until the client's
 * connection ends.  The listener is the target of each relay.  Returns how many
 * relays were started.
 */
static int
serve_itself(int listener, int client, const char *const *args)
{
	enum { MOST = 10 };
	struct session t[MOST];
	struct pollfd p[2];
	char rest[1024];
	int i, n;

	p[0].fd = listener;
	p[1].fd = client;
	p[0].events = p[1].events = POLLIN;
	for (n = 0; n < MOST; n++) {
		if (poll(p, 2, SOON) < 1)
			fail("nothing happens after %d processes", n);
		if ((p[0].revents & POLLIN) == 0)
			break;
		relay_on(&t[n].relay, accept_from(listener), 1, args);
		t[n].pid = t[n].relay.pid;
	}
	for (i = 0; i < n && n < MOST; i++) {
		expect_status(&t[i], i == n - 1 ? 78 : 0);
		relay_stderr(&t[i].relay, rest, sizeof rest);
		if (i == n - 1 && strstr(rest, " end=loop error=\"") == NULL)
			fail("logged %s", rest);
	}
	return n;
}

static void
loops(int family, const char *target, int with_port, int most_processes)
{
	const char *args[] = { target, NULL, NULL };
	int client, listener, n;

	listener = listen_dual();
	if (with_port)
		args[1] = port_text(listener);
	client = connect_to(family, port_of(listener));
	n = serve_itself(listener, client, args);
	if (n > most_processes)
		fail("%s breeds %d processes", target, n);
	expect_end(client, RST);
	if (readable(listener, 0))
		fail("%s breeds one process more", target);
	close(listener);
	close(client);
}
#define loops(...) FROM(loops, __VA_ARGS__)

TEST(loop, "a dual-stack listener that relays to itself stops after at "
    "most two processes, with status 78")
{
	loops(AF_INET6, "127.0.0.1", 1, 2);
	loops(AF_INET6, "127.0.0.1", 0, 2);
	loops(AF_INET, "127.0.0.1", 1, 1);
	loops(AF_INET6, "localhost", 1, 2);
	loops(AF_INET6, "127.0.0.2", 1, 2);
}

/* As targets, both 0.0.0.0 (RFC 1122, 3.2.1.3) and :: mean this host. */
TEST(loop_by_another_name,
    "a dual-stack listener that relays to 0.0.0.0, :: or a mapped "
    "address of its own stops after at most two processes, with "
    "status 78")
{
	loops(AF_INET6, "0.0.0.0", 1, 2);
	loops(AF_INET6, "0.0.0.0", 0, 2);
	loops(AF_INET, "::", 1, 2);
	loops(AF_INET6, "::ffff:127.0.0.1", 1, 2);
}

TEST(loop_by_host_name,
    "a dual-stack listener that relays to a name for such an address stops in "
    "the same way")
{
	own_etc("0.0.0.0 any\n127.0.0.1 self\n");
	loops(AF_INET6, "self", 1, 2);
	loops(AF_INET6, "any", 1, 2);
}
