#define TEST_LIBRARY
#include "links.h"
#include "places.h"

#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <sched.h>
#endif

struct session far_sessions[2];

static int place[PLACES];	/* descriptors of the places' namespaces */

#ifdef __linux__
void
go_to(enum place where)
{
	if (setns(place[where], CLONE_NEWNET) == -1)
		skip("setns: %s", strerror(errno));
}

static void
make_places(void)
{
	int i;

	apart();
	for (i = 0; i < PLACES; i++) {
		if (i != RELAY && unshare(CLONE_NEWNET) == -1)
			skip("no network namespace: %s", strerror(errno));
		place[i] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		if (place[i] == -1)
			skip("/proc/self/ns/net: %s", strerror(errno));
		put_file("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
	}
}
#else
void
go_to(enum place where)
{
	(void)where;
}

static void
make_places(void)
{
	skip("needs Linux namespaces");
}
#endif

/* Run this command in this place. */
static void
run(enum place where, const char *command)
{
	go_to(where);
	if (system(command) != 0)
		skip("cannot run %.80s", command);
	go_to(RELAY);
}

static void
join(enum place where, const char *name, enum place other,
    const char *other_name)
{
	char text[128];

	snprintf(text, sizeof text, "ip link add %s type veth peer name %s "
	    "netns /proc/%ld/fd/%d", name, other_name, (long)getpid(),
	    place[other]);
	run(where, text);
}

static void
expect_address(enum place where, const char *text)
{
	go_to(where);
	wait_for_address(text);
	go_to(RELAY);
}

/*
 * The networks fd00::/64 and 10.0.0.0/24 connect the relay with the router.
 * The networks fd01::/64 and 10.0.1.0/24 connect the router with the far peers.
 */
void
make_links(void)
{
	make_places();
	join(RELAY, "relay", ROUTER, "router");
	join(ROUTER, "behind", FAR, "far");
	run(ROUTER, "ip -batch - <<-end\n"
	    "link set router up\n"
	    "link set behind up\n"
	    "address add 10.0.0.2/24 dev router\n"
	    "address add 10.0.1.1/24 dev behind\n"
	    "address add fd00::2/64 dev router nodad\n"
	    "address add fd01::1/64 dev behind nodad\n"
	    "end\n"
	    "echo 1 >/proc/sys/net/ipv4/ip_forward\n"
	    "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding");
	run(RELAY, "ip -batch - <<-end\n"
	    "link set relay up\n"
	    "address add 10.0.0.1/24 dev relay\n"
	    "address add fd00::1/64 dev relay nodad\n"
	    "route add default via 10.0.0.2\n"
	    "route add default via fd00::2\n"
	    "end");
	run(FAR, "ip -batch - <<-end\n"
	    "link set far up\n"
	    "address add 10.0.1.2/24 dev far\n"
	    "address add fd01::2/64 dev far nodad\n"
	    "route add default via 10.0.1.1\n"
	    "route add default via fd01::1\n"
	    "end");
	expect_address(ROUTER, "fd00::2");
	expect_address(ROUTER, "fd01::1");
	expect_address(RELAY, "fd00::1");
	expect_address(FAR, "fd01::2");
}

int64_t
link_down(void)
{
	run(ROUTER, "ip link set behind down");
	return milliseconds();
}

void
link_up(void)
{
	/* An interface loses its IPv6 addresses when its link goes down. */
	run(ROUTER, "ip link set behind up &&"
	    " ip address add fd01::1/64 dev behind nodad");
	expect_address(ROUTER, "fd01::1");
}

void
route_away(void)
{
	run(ROUTER, "ip route add unreachable 10.0.1.2 &&"
	    " ip route add unreachable fd01::2");
}

void
route_back(void)
{
	run(ROUTER, "ip route del unreachable 10.0.1.2 &&"
	    " ip route del unreachable fd01::2");
}

static int
listen_in(enum place where, const char *address)
{
	int fd;

	go_to(where);
	fd = listen_at(address, 0, 8);
	go_to(RELAY);
	return fd;
}

/* Connect a socket in this place to a listener in another place. */
static int
connect_from(enum place where, int listener)
{
	union address to;
	int fd, yes;

	to = own_name(listener);
	go_to(where);
	fd = private_socket(to.sa.sa_family, SOCK_STREAM, 0);
	go_to(RELAY);
	if (fd == -1 || connect(fd, &to.sa, address_size(&to)) == -1)
		fail("connect: %s", strerror(errno));
	yes = 1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	return fd;
}

static void
begin_session(int far, const char *keepalive, const char *half_closed)
{
	const char *host = far == TARGET ? TARGET_FAR : TARGET_NEAR;
	const char *args[] = { "-v", "-k", keepalive, "-t", half_closed, host,
	    NULL, NULL };
	struct session *t;
	int fd, listener, service;

	t = &far_sessions[far];
	service = listen_in(RELAY, "fd00::1");
	listener = listen_in(far == TARGET ? FAR : ROUTER, host);
	args[6] = port_text(listener);
	fd = connect_from(far == CLIENT ? FAR : ROUTER, service);
	relay_on(&t->relay, accept_from(service), 1, args);
	t->relay.client = fd;
	connected(t, listener);
	close(service);
	close(listener);
	send_stream(far_fd(far), 1, 0, 1000);
	expect_stream(near_fd(far), 1, 0, 1000);
	wait_acked(far_fd(far));
}

void
begin_far(const char *keepalive, const char *half_closed)
{
	begin_session(CLIENT, keepalive, half_closed);
	begin_session(TARGET, keepalive, half_closed);
}

void
begin_links(void)
{
	make_links();
	begin_far("1", "0");
}

void
send_near(size_t size)
{
	send_stream(near_fd(CLIENT), 3, 0, size);
	send_stream(near_fd(TARGET), 3, 0, size);
}
