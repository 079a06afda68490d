/*
 * Links that go down: a relay between peers on both sides of a router, all in
 * network namespaces.  With -k, a peer that does not answer any more is missed
 * after about twice as many seconds; one that answers is left alone, however
 * little it takes.
 *
 * LINKS_PAUSE is for how many milliseconds a window is closed before its link
 * goes down.
 */

#include "peers.h"

#include <stdio.h>

#ifndef __linux__

int
main(void)
{
	puts("ok - a peer whose link goes down is missed # SKIP needs Linux "
	    "namespaces");
	return 0;
}

#else

#include <sys/ioctl.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Milliseconds: -k; when a peer is missed; and a time in which all settles. */
#define KEEPALIVE "1"
enum { K = 1000, EARLIEST = K, LATEST = 4 * K, PAUSE = 4 * K };
static const char *keepalive = KEEPALIVE;

/*
 * Namespaces: the relay's; the router's, where the near peers are; and the one
 * behind it where the far peers are, whose link goes down.
 */
enum { RELAY, ROUTER, FAR, PLACES };
static int place[PLACES];

/* Two sessions: in one the client is far, in the other the target. */
enum { CLIENT, TARGET };
static struct session {
	struct relay relay;
	int near, far;		/* the peers' sockets */
	size_t filled;		/* bytes that the near peer could send */
} session[2];

static void
go_to(int where)
{
	if (setns(place[where], CLONE_NEWNET) == -1)
		skip("setns: %s", strerror(errno));
}

/* Run this there; ip(8) may be where a user has no path to. */
static void
run(int where, const char *command)
{
	char text[1024];

	snprintf(text, sizeof text, "PATH=$PATH:/sbin:/usr/sbin; %s", command);
	go_to(where);
	if (system(text) != 0)
		skip("cannot run %.80s", command);
	go_to(RELAY);
}

static void
join(int where, const char *name, int other, const char *other_name)
{
	char text[128];

	snprintf(text, sizeof text, "ip link add %s type veth peer name %s "
	    "netns /proc/%ld/fd/%d", name, other_name, (long)getpid(),
	    place[other]);
	run(where, text);
}

/* fd00::/64 and 10.0.0.0/24 here, fd01::/64 and 10.0.1.0/24 behind. */
static void
make_links(void)
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
}

static int64_t
link_down(void)
{
	run(ROUTER, "ip link set behind down");
	return milliseconds();
}

static void
link_up(void)
{
	/* Addresses of IPv6 leave with the link. */
	run(ROUTER, "ip link set behind up &&"
	    " ip address add fd01::1/64 dev behind nodad");
}

static int
socket_at(int where, int family)
{
	int fd, yes;

	go_to(where);
	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	go_to(RELAY);
	if (fd == -1)
		fail("socket: %s", strerror(errno));
	yes = 1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	return fd;
}

static int
listen_at(int where, int family)
{
	int fd;

	fd = socket_at(where, family);
	if (listen(fd, 8) == -1)
		fail("listen: %s", strerror(errno));
	return fd;
}

/* A session whose client is here and whose target is there. */
static void
begin(struct session *t, int client, int target)
{
	const char *args[] = { "-v", "-k", keepalive, NULL, NULL, NULL };
	struct sockaddr_in6 in6;
	char port[8];
	int fd, listener, service;

	service = listen_at(RELAY, AF_INET6);
	listener = listen_at(target, AF_INET);
	snprintf(port, sizeof port, "%d", port_of(listener));
	args[3] = target == FAR ? "10.0.1.2" : "10.0.0.2";
	args[4] = port;

	memset(&in6, 0, sizeof in6);
	in6.sin6_family = AF_INET6;
	in6.sin6_port = htons((in_port_t)port_of(service));
	inet_pton(AF_INET6, "fd00::1", &in6.sin6_addr);
	fd = socket_at(client, AF_INET6);
	if (connect(fd, (struct sockaddr *)&in6, sizeof in6) == -1)
		fail("connect: %s", strerror(errno));
	relay_on(&t->relay, accept_from(service), 1, args);
	t->relay.client = fd;
	t->relay.target = accept_from(listener);
	t->near = client == FAR ? t->relay.target : t->relay.client;
	t->far = client == FAR ? t->relay.client : t->relay.target;
	close(service);
	close(listener);
	send_stream(t->far, 1, 0, 1000);
	expect_stream(t->near, 1, 0, 1000);
	wait_acked(t->far);
}

static void
begin_all(void)
{
	begin(&session[CLIENT], FAR, ROUTER);
	begin(&session[TARGET], ROUTER, FAR);
}

static void
begin_both(void)
{
	make_links();
	begin_all();
}

/* The near peers see RST, no more than so long after the link went down. */
static void
expect_missed(int64_t since, int latest)
{
	static const char *const words[] = { "client", "target" };
	struct pollfd p[2];
	char text[2048], want[32];
	int64_t took;
	int i, left;

	for (i = 0; i < 2; i++) {
		p[i].fd = session[i].near;
		p[i].events = 0;
	}
	for (left = 2; left > 0;) {
		if (poll(p, 2, latest) == 0)
			fail("the %s is not missed within %d ms",
			    words[p[0].fd == -1], latest);
		took = milliseconds() - since;
		for (i = 0; i < 2; i++) {
			if (p[i].fd == -1 || p[i].revents == 0)
				continue;
			if (took < EARLIEST || took > latest)
				fail("the %s is missed after %lld ms",
				    words[i], (long long)took);
			p[i].fd = -1;
			left--;
		}
	}
	for (i = 0; i < 2; i++) {
		if (relay_status(&session[i].relay, SOON) != 0)
			fail("exit status is not 0");
		relay_stderr(&session[i].relay, text, sizeof text);
		snprintf(want, sizeof want, "end=%s-timeout", words[i]);
		if (strstr(text, want) == NULL)
			fail("the log says %s", text);
	}
}

/* They are as they were: what is sent arrives. */
static void
expect_alive(void)
{
	struct session *t;

	for (t = session; t < session + 2; t++) {
		converse(t->near, t->far);
		if (relay_status(&t->relay, SOON) != 0)
			fail("exit status is not 0");
	}
}

static void
pause_for(int ms)
{
	poll(NULL, 0, ms);
}

/* The near peers send until nothing moves any more. */
static void
fill(void)
{
	static char block[65536];
	struct session *t;
	struct pollfd p;
	ssize_t n;

	for (t = session; t < session + 2; t++) {
		p.fd = t->near;
		p.events = POLLOUT;
		while (poll(&p, 1, 300) == 1) {
			n = send(p.fd, block, sizeof block,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
			if (n == -1 && errno != EAGAIN)
				fail("send: %s", strerror(errno));
			t->filled += n > 0 ? (size_t)n : 0;
		}
	}
}

static void
drain(void)
{
	static char block[65536];
	struct session *t;
	size_t n;

	for (t = session; t < session + 2; t++)
		for (; t->filled > 0; t->filled -= n) {
			n = t->filled < sizeof block ? t->filled : sizeof block;
			recv_exactly(t->far, block, n);
		}
}

static void
send_both(size_t size)
{
	send_stream(session[CLIENT].near, 3, 0, size);
	send_stream(session[TARGET].near, 3, 0, size);
}

static void
idle(void)
{
	begin_both();
	expect_missed(link_down(), LATEST);
}

static void
under_way(void)
{
	int64_t since;

	begin_both();
	since = link_down();
	send_both(100000);
	expect_missed(since, LATEST);
}

/* Nothing else is, and nothing was for a while. */
static void
fin_under_way(void)
{
	int64_t since;

	begin_both();
	pause_for(PAUSE);
	since = link_down();
	finish(session[CLIENT].near);
	finish(session[TARGET].near);
	expect_missed(since, LATEST);
}

/*
 * The kernel asks a closed window after pauses that double, and only then: two
 * of them are missed before the peer is.
 */
static void
closed_then_gone(void)
{
	int pause;

	pause = getenv("LINKS_PAUSE") != NULL ? atoi(getenv("LINKS_PAUSE")) :
	    2 * K;
	alarm((unsigned)pause / 250 + 60);
	begin_both();
	fill();
	pause_for(pause);
	expect_missed(link_down(), LATEST + 4 * pause);
}

static void
silent(void)
{
	begin_both();
	pause_for(2 * LATEST);
	expect_alive();
}

static void
closed(void)
{
	begin_both();
	fill();
	pause_for(2 * LATEST);
	drain();
	expect_alive();
}

/* Nothing, then a link that is down: what was sent meanwhile is to arrive. */
static void
outage(int silence, int ms, size_t size)
{
	begin_both();
	pause_for(silence);
	(void)link_down();
	send_both(size);
	pause_for(ms);
	link_up();
	expect_stream(session[CLIENT].far, 3, 0, size);
	expect_stream(session[TARGET].far, 3, 0, size);
	expect_alive();
}

static void
short_outage(void)
{
	outage(0, K * 4 / 5, 100000);
}

/*
 * The last answer before may be as old as -k, and that is not the peer's fault.
 * The kernel repeats what was sent after 200, 600 and 1,400 milliseconds.
 */
static void
outage_after_silence(void)
{
	outage(K * 19 / 20, K * 23 / 20, 1);
}

/*
 * The relay has ended by then: the kernel asks the closed window alone, and no
 * option of ours may make it give up.
 */
static void
closed_behind_fin(void)
{
	const size_t size = 200000;
	struct session *t;
	int arrived, same;

	begin_both();
	same = 65536;	/* the size it has; now it does not grow */
	for (t = session; t < session + 2; t++) {
		(void)setsockopt(t->far, SOL_SOCKET, SO_RCVBUF, &same,
		    sizeof same);
		finish(t->far);
		expect_end(t->near, FIN);
		send_stream(t->near, 3, 0, size);
		finish(t->near);
		if (relay_status(&t->relay, SOON) != 0)
			fail("exit status is not 0");
	}
	pause_for(2 * LATEST);
	for (t = session; t < session + 2; t++) {
		if (ioctl(t->far, FIONREAD, &arrived) == -1 ||
		    (size_t)arrived == size)
			fail("the window does not close");
		expect_stream(t->far, 3, 0, size);
		expect_end(t->far, FIN);
	}
}

/* A router that says so in passing; TCP goes on trying, RFC 1122 4.2.3.9. */

static void
route_away(void)
{
	run(ROUTER, "ip route add unreachable 10.0.1.2 &&"
	    " ip route add unreachable fd01::2");
}

static void
route_back(void)
{
	run(ROUTER, "ip route del unreachable 10.0.1.2 &&"
	    " ip route del unreachable fd01::2");
}

static void
unreachable(void)
{
	struct session *t;

	begin_both();
	route_away();
	send_both(50000);
	for (t = session; t < session + 2; t++) {
		wait_acked(t->near);
		reset_now(&t->near);
	}
	pause_for(K / 4);
	route_back();
	for (t = session; t < session + 2; t++) {
		expect_stream(t->far, 3, 0, 50000);
		expect_end(t->far, RST);
		if (relay_status(&t->relay, SOON) != 0)
			fail("exit status is not 0");
	}
}

/*
 * The far peers have finished: with FIN from the near ones, too, poll(2) says
 * POLLHUP of a connection that goes on.  The relay has what the near peers are
 * still to read, and so is there to see it.
 */
static void
unreachable_behind_fin(void)
{
	const size_t size = 500000;
	struct session *t;
	char text[2048];

	keepalive = "60";
	make_links();
	put_file("/proc/sys/net/ipv4/tcp_wmem", "4096 65536 65536");
	put_file("/proc/sys/net/ipv4/tcp_rmem", "4096 4194304 4194304");
	begin_all();
	for (t = session; t < session + 2; t++) {
		send_stream(t->far, 2, 0, size);
		finish(t->far);
		wait_acked(t->far);
	}
	route_away();
	send_both(1000);
	pause_for(K / 2);
	for (t = session; t < session + 2; t++)
		finish(t->near);
	pause_for(5 * K / 2);
	route_back();
	for (t = session; t < session + 2; t++) {
		expect_stream(t->far, 3, 0, 1000);
		expect_end(t->far, FIN);
		expect_stream(t->near, 2, 0, size);
		expect_end(t->near, FIN);
		if (relay_status(&t->relay, SOON) != 0)
			fail("exit status is not 0");
		relay_stderr(&t->relay, text, sizeof text);
		if (strstr(text, " end=eof") == NULL)
			fail("the log says %s", text);
	}
}

/* How often ICMP has said so here. */
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

/* Wait for a connection that is being made from here. */
static void
expect_dialing(void)
{
	char line[256];
	FILE *f;
	int64_t end;
	unsigned state;

	end = milliseconds() + SOON;
	for (state = 0; state != TCP_SYN_SENT; fclose(f)) {
		if (milliseconds() > end)
			fail("nobody connects");
		f = fopen("/proc/self/net/tcp", "r");
		if (f == NULL)
			skip("no list of sockets in /proc");
		while (state != TCP_SYN_SENT &&
		    fgets(line, sizeof line, f) != NULL)
			(void)sscanf(line, "%*d: %*s %*s %x", &state);
	}
}

/*
 * The answer to the target's first byte, which meets ICMP, comes before the
 * relay sees that it is connected; until then its SYN is not answered, for a
 * listener's queue is full.
 */
static void
unreachable_at_handshake(void)
{
	const char *args[] = { "10.0.1.2", NULL, NULL };
	struct sockaddr_in in;
	struct relay relay;
	char c, port[8];
	int filler, listener, ours, target, theirs;

	make_links();
	listener = socket_at(FAR, AF_INET);
	if (listen(listener, 0) == -1)
		fail("listen: %s", strerror(errno));
	memset(&in, 0, sizeof in);
	in.sin_family = AF_INET;
	in.sin_port = htons((in_port_t)port_of(listener));
	inet_pton(AF_INET, "10.0.1.2", &in.sin_addr);
	filler = socket_at(ROUTER, AF_INET);
	if (connect(filler, (struct sockaddr *)&in, sizeof in) == -1)
		fail("connect: %s", strerror(errno));

	snprintf(port, sizeof port, "%d", port_of(listener));
	args[1] = port;
	socket_pair(AF_INET6, &ours, &theirs);
	relay_on(&relay, theirs, 1, args);
	expect_dialing();
	kill(relay.pid, SIGSTOP);
	close(accept_from(listener));
	target = accept_from(listener);
	route_away();
	send_all(target, "x", 1);
	while (unreachables() == 0)
		pause_for(1);
	kill(relay.pid, SIGCONT);
	pause_for(K / 4);
	route_back();
	recv_exactly(ours, &c, 1);
	converse(ours, target);
	if (relay_status(&relay, SOON) != 0)
		fail("exit status is not 0");
}

static const struct test tests[] = {
	{ "a silent peer whose link goes down is missed after about twice -k",
	    idle },
	{ "a peer whose link goes down is missed with bytes under way to it",
	    under_way },
	{ "a peer whose link goes down is missed with FIN under way to it",
	    fin_under_way },
	{ "a peer whose link goes down is missed with its window closed",
	    closed_then_gone },
	{ "a silent peer is left alone", silent },
	{ "a peer whose window stays closed is left alone", closed },
	{ "a link that is down for less than -k costs no session",
	    short_outage },
	{ "silence before a link goes down does not count against the peer",
	    outage_after_silence },
	{ "what a closed window holds back outlives the relay",
	    closed_behind_fin },
	{ "ICMP unreachable in passing costs no byte before a reset",
	    unreachable },
	{ "ICMP unreachable in passing costs no byte before FIN that crosses "
	    "another", unreachable_behind_fin },
	{ "ICMP unreachable in passing does not end a session that begins",
	    unreachable_at_handshake }
};

int
main(int argc, char *argv[])
{
	return run_tests(tests, sizeof tests / sizeof tests[0], argc - 1,
	    argv + 1);
}

#endif
