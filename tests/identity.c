/*
 * Who is calling, and who is called: the PROXY header, the source address, the
 * target embedded in the address that was dialled, and targets that are IPv6.
 *
 * Addresses that a machine does not have by itself are given to lo in a network
 * namespace, each test in its own; without leave for that it is skipped.
 */

#include "peers.h"

#include <sys/ioctl.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/mount.h>
#endif

#include <arpa/inet.h>
#include <net/if.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/tcp.h>
#endif

/* The mapping itself, to be called a million times. */
#include "../src/source.c"

enum {
	MOST_ARGS = 20,
	LOG = 8192	/* bytes of the relay's words */
};

/* Both sockets of a client's connection, and the addresses of its ends. */
struct call {
	int ours, theirs;
	union address from, to;
};

/*
 * Addresses.
 */

static socklen_t
size_of(const union address *a)
{
	return a->sa.sa_family == AF_INET ? sizeof a->in : sizeof a->in6;
}

/* "192.0.2.1", "2001:db8::1", "fe80::1%lo" */
static union address
address(const char *text, int port)
{
	union address a;
	char host[64];
	char *scope;

	memset(&a, 0, sizeof a);
	if (inet_pton(AF_INET, text, &a.in.sin_addr) == 1) {
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons((in_port_t)port);
		return a;
	}
	snprintf(host, sizeof host, "%s", text);
	scope = strchr(host, '%');
	if (scope != NULL) {
		*scope = '\0';
		a.in6.sin6_scope_id = if_nametoindex(scope + 1);
	}
	if (inet_pton(AF_INET6, host, &a.in6.sin6_addr) != 1)
		fail("%s is no address", text);
	a.in6.sin6_family = AF_INET6;
	a.in6.sin6_port = htons((in_port_t)port);
	return a;
}

/* The address alone: no port, no scope. */
static const char *
host_of(const union address *a)
{
	static char text[64];

	if (a->sa.sa_family == AF_INET)
		inet_ntop(AF_INET, &a->in.sin_addr, text, sizeof text);
	else
		inet_ntop(AF_INET6, &a->in6.sin6_addr, text, sizeof text);
	return text;
}

static union address
own_name(int fd)
{
	union address a;
	socklen_t len;

	memset(&a, 0, sizeof a);
	len = sizeof a;
	if (getsockname(fd, &a.sa, &len) == -1)
		fail("getsockname: %s", strerror(errno));
	return a;
}

static union address
peer_name(int fd)
{
	union address a;
	socklen_t len;

	memset(&a, 0, sizeof a);
	len = sizeof a;
	if (getpeername(fd, &a.sa, &len) == -1)
		fail("getpeername: %s", strerror(errno));
	return a;
}

/* A new IPv6 address is of use a moment after it was given. */
static int
socket_at(const union address *a)
{
	int64_t end;
	int fd, is_loopback, one, zero;

	one = 1;
	zero = 0;
	is_loopback = a->sa.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
	end = milliseconds() + SOON;
	fd = socket(a->sa.sa_family, SOCK_STREAM, 0);
	if (fd == -1 && errno == EAFNOSUPPORT)
		skip("no IPv6");
	if (fd == -1)
		fail("socket: %s", strerror(errno));
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (a->sa.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
	while (bind(fd, &a->sa, size_of(a)) == -1) {
		if (errno == EADDRNOTAVAIL && is_loopback)
			skip("no IPv6 on the loopback interface");
		if (errno != EADDRNOTAVAIL || milliseconds() > end)
			fail("bind to %s: %s", host_of(a), strerror(errno));
		poll(NULL, 0, 1);
	}
	return fd;
}

static int
listen_at(const char *text, int port)
{
	union address a;
	int fd;

	a = address(text, port);
	fd = socket_at(&a);
	if (listen(fd, 16) == -1)
		fail("listen: %s", strerror(errno));
	return fd;
}

/* A client at one address and port calls another; port 0 is any. */
static void
call(struct call *c, const char *from, int from_port, const char *to,
    int to_port)
{
	union address a;
	int listener;

	listener = listen_at(to, to_port);
	c->to = a = own_name(listener);
	c->from = address(from, from_port);
	/* To an IPv4 client, a mapped address is the IPv4 address that it is. */
	if (c->from.sa.sa_family == AF_INET && a.sa.sa_family == AF_INET6) {
		a = address(strrchr(to, ':') + 1, 0);
		a.in.sin_port = c->to.in6.sin6_port;
	}
	c->ours = socket_at(&c->from);
	if (connect(c->ours, &a.sa, size_of(&a)) == -1)
		fail("connect to %s: %s", host_of(&a), strerror(errno));
	c->theirs = accept_from(listener);
	close(listener);
	c->from = own_name(c->ours);
	c->to = a;
}

/*
 * The relay.
 */

static void
serve(struct relay *r, const struct call *c, const char *const *args)
{
	relay_on(r, c->theirs, 1, args);
	r->client = c->ours;
}

/* -v, these arguments, and a port unless it is 0. */
static void
relay(struct relay *r, const struct call *c, int port, ...)
{
	const char *args[MOST_ARGS];
	char text[8];
	va_list ap;
	int n;

	args[0] = "-v";
	va_start(ap, port);
	for (n = 1; n < MOST_ARGS - 2; n++)
		if ((args[n] = va_arg(ap, const char *)) == NULL)
			break;
	va_end(ap);
	if (port != 0) {
		snprintf(text, sizeof text, "%d", port);
		args[n++] = text;
	}
	args[n] = NULL;
	serve(r, c, args);
}

/* A listener is accepted from, and closed. */
static void
accept_last(struct relay *r, int listener)
{
	r->target = accept_from(listener);
	close(listener);
}

/* Byte for byte, to the end: no byte may come that is not expected. */
static void
expect_bytes(int fd, const void *want, size_t size)
{
	unsigned char got[1024];
	const unsigned char *p;
	size_t i;

	p = want;
	recv_exactly(fd, got, size);
	for (i = 0; i < size; i++)
		if (got[i] != p[i])
			fail("byte %zu is 0x%02x where 0x%02x should be", i,
			    got[i], p[i]);
}

static void
expect_text(int fd, const char *want)
{
	char got[1024];

	recv_exactly(fd, got, strlen(want));
	got[strlen(want)] = '\0';
	if (strcmp(got, want) != 0)
		fail("\"%.*s\" where \"%.*s\" should be",
		    (int)strcspn(got, "\r"), got, (int)strcspn(want, "\r"),
		    want);
}

/* What the relay logged, as part of one line of ours. */
static const char *
in_line(char *log)
{
	char *p;

	for (p = log; (p = strchr(p, '\n')) != NULL; )
		*p = p[1] == '\0' ? '\0' : '|';
	return log;
}

/*
 * The session ends with FIN both ways, and its last log line has all of these,
 * which end with NULL.
 */
static void
finish_and_expect(struct relay *r, ...)
{
	char log[LOG], *last;
	const char *want;
	va_list ap;

	finish(r->client);
	expect_end(r->target, FIN);
	finish(r->target);
	expect_end(r->client, FIN);
	relay_stderr(r, log, sizeof log);
	if (relay_status(r, SOON) != 0)
		fail("the exit status is not 0: %s", in_line(log));
	last = strstr(log, "end=open");
	if (last == NULL)
		fail("no line at the start: %s", in_line(log));
	last = strchr(last, '\n') + 1;
	va_start(ap, r);
	while ((want = va_arg(ap, const char *)) != NULL)
		if (strstr(last, want) == NULL)
			fail("no %s in: %s", want, in_line(last));
	va_end(ap);
	close(r->client);
	close(r->target);
}

/* The client gets RST without a byte, and the operator these words. */
static void
expect_failure(struct relay *r, int status, const char *what,
    const char *words)
{
	char log[LOG];
	int got;

	if (ending(r->client, SOON) != RST)
		fail("%s: the client got no RST", what);
	relay_stderr(r, log, sizeof log);
	got = relay_status(r, SOON);
	if (got != status)
		fail("%s: exit status %d, not %d: %s", what, got, status,
		    in_line(log));
	if (strstr(log, words) == NULL)
		fail("%s: no %s in: %s", what, words, in_line(log));
	close(r->client);
}

/*
 * A network of its own.
 */

#ifdef __linux__

/* As in <linux/ipv6.h>, which <netinet/in.h> does not go with. */
struct in6_request {
	struct in6_addr address;
	uint32_t len;
	int interface;
};

static void
allowed(int result, const char *what)
{
	if (result == -1)
		skip("%s: %s", what, strerror(errno));
}

/* One more address for lo; with IPv4 all of the /24 around it. */
static void
give(const char *text)
{
	static int aliases;
	struct in6_request in6;
	struct ifreq ifr;
	union address a;
	int fd;

	a = address(text, 0);
	fd = socket(a.sa.sa_family, SOCK_DGRAM, 0);
	if (a.sa.sa_family == AF_INET6) {
		in6.address = a.in6.sin6_addr;
		in6.len = 128;
		in6.interface = (int)if_nametoindex("lo");
		allowed(ioctl(fd, SIOCSIFADDR, &in6), text);
	} else {
		memset(&ifr, 0, sizeof ifr);
		snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "lo:%d", ++aliases);
		memcpy(&ifr.ifr_addr, &a.in, sizeof a.in);
		allowed(ioctl(fd, SIOCSIFADDR, &ifr), text);
		a = address("255.255.255.0", 0);
		memcpy(&ifr.ifr_netmask, &a.in, sizeof a.in);
		allowed(ioctl(fd, SIOCSIFNETMASK, &ifr), text);
	}
	close(fd);
}

/* A namespace where lo has these addresses besides; they end with NULL. */
static void
private_network(const char *text, ...)
{
	struct ifreq ifr;
	va_list ap;
	int fd;

	if (unshare(CLONE_NEWNET) == -1 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNET) == -1)
		skip("no leave for a network namespace");
	memset(&ifr, 0, sizeof ifr);
	snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "lo");
	ifr.ifr_flags = IFF_UP;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	allowed(ioctl(fd, SIOCSIFFLAGS, &ifr), "lo");
	close(fd);
	va_start(ap, text);
	for (; text != NULL; text = va_arg(ap, const char *))
		give(text);
	va_end(ap);
}

/* From here on, these are all hosts that have a name. */
static void
private_hosts(const char *text)
{
	char path[] = "/tmp/stfl-relay.XXXXXX";
	int fd;

	fd = mkstemp(path);
	if (fd == -1 || write(fd, text, strlen(text)) == -1 ||
	    fchmod(fd, 0644) == -1)
		skip("%s: %s", path, strerror(errno));
	close(fd);
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount(path, "/etc/hosts", NULL, MS_BIND, NULL) == -1) {
		unlink(path);
		skip("no leave to put names into /etc/hosts");
	}
	unlink(path);
}

/* The system's choice of ports, from here on. */
static void
few_ports(const char *range)
{
	int fd;

	fd = open("/proc/sys/net/ipv4/ip_local_port_range", O_WRONLY);
	if (fd == -1 || write(fd, range, strlen(range)) == -1)
		skip("ip_local_port_range: %s", strerror(errno));
	close(fd);
}

#else

static void
give(const char *text)
{
	(void)text;
}

static void
private_network(const char *text, ...)
{
	(void)text;
	skip("namespaces are Linux's");
}

static void
private_hosts(const char *text)
{
	(void)text;
}

static void
few_ports(const char *range)
{
	(void)range;
}

#endif

/*
 * -p
 */

/* A call, and a relay with this version of the header, from free ports. */
static void
begin_proxy(struct relay *r, struct call *c, const char *version,
    const char *from, int from_port, const char *to, int to_port)
{
	int listener;

	listener = listen_at("127.0.0.1", 0);
	call(c, from, from_port, to, to_port);
	relay(r, c, port_of(listener), "-p", version, "127.0.0.1", NULL);
	accept_last(r, listener);
}

static void
golden(const char *version, const char *from, int from_port, const char *to,
    int to_port, const void *want, size_t size)
{
	struct relay r;
	struct call c;

	begin_proxy(&r, &c, version, from, from_port, to, to_port);
	expect_bytes(r.target, want, size);
	finish_and_expect(&r, "up=0 down=0", NULL);
}

static void
version_1_ipv6(void)
{
	static const char want[] =
	    "PROXY TCP6 2001:db8::7 2001:db8:64::c000:20a 49152 8080\r\n";

	private_network("2001:db8::7", "2001:db8:64::192.0.2.10", NULL);
	golden("1", "2001:db8::7", 49152, "2001:db8:64::192.0.2.10", 8080,
	    want, sizeof want - 1);
}

static void
version_1_longest(void)
{
	static const char want[] = "PROXY TCP6 "
	    "2001:db8:ffff:ffff:ffff:ffff:ffff:fff1 "
	    "2001:db8:ffff:ffff:ffff:ffff:ffff:fff2 65535 65534\r\n";

	private_network("2001:db8:ffff:ffff:ffff:ffff:ffff:fff1",
	    "2001:db8:ffff:ffff:ffff:ffff:ffff:fff2", NULL);
	golden("1", "2001:db8:ffff:ffff:ffff:ffff:ffff:fff1", 65535,
	    "2001:db8:ffff:ffff:ffff:ffff:ffff:fff2", 65534,
	    want, sizeof want - 1);
}

static void
version_1_ipv4(void)
{
	static const char mapped[] =
	    "PROXY TCP4 192.0.2.7 198.51.100.1 49152 8080\r\n";
	static const char plain[] =
	    "PROXY TCP4 192.0.2.7 198.51.100.1 49153 8080\r\n";

	private_network("192.0.2.7", "198.51.100.1", NULL);
	golden("1", "192.0.2.7", 49152, "::ffff:198.51.100.1", 8080,
	    mapped, sizeof mapped - 1);
	golden("1", "192.0.2.7", 49153, "198.51.100.1", 8080,
	    plain, sizeof plain - 1);
}

static void
version_2_ipv6(void)
{
	static const unsigned char want[] = {
		0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51,
		0x55, 0x49, 0x54, 0x0a, 0x21, 0x21, 0x00, 0x24,
		0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x07,
		0x20, 0x01, 0x0d, 0xb8, 0x00, 0x64, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0xc0, 0x00, 0x02, 0x0a,
		0xc0, 0x01, 0x1f, 0x90
	};

	private_network("2001:db8::7", "2001:db8:64::192.0.2.10", NULL);
	golden("2", "2001:db8::7", 49153, "2001:db8:64::192.0.2.10", 8080,
	    want, sizeof want);
}

static void
version_2_ipv4(void)
{
	unsigned char want[] = {
		0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51,
		0x55, 0x49, 0x54, 0x0a, 0x21, 0x11, 0x00, 0x0c,
		0xc0, 0x00, 0x02, 0x07, 0xc6, 0x33, 0x64, 0x01,
		0xc0, 0x00, 0x1f, 0x90
	};

	private_network("192.0.2.7", "198.51.100.1", NULL);
	golden("2", "192.0.2.7", 49152, "::ffff:198.51.100.1", 8080,
	    want, sizeof want);
	want[25] = 0x01;
	golden("2", "192.0.2.7", 49153, "198.51.100.1", 8080,
	    want, sizeof want);
}

static void
no_scope(void)
{
	static const char want[] = "PROXY TCP6 fe80::7 fe80::1 49152 8080\r\n";

	private_network("fe80::7", "fe80::1", NULL);
	golden("1", "fe80::7%lo", 49152, "fe80::1%lo", 8080,
	    want, sizeof want - 1);
}

/* What has come to this socket: segments with bytes in them, if one can tell. */
static int
segments(int fd)
{
#ifdef __linux__
	struct tcp_info info;
	socklen_t len;

	len = sizeof info;
	memset(&info, 0, sizeof info);
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
	    info.tcpi_data_segs_in != 0)
		return (int)info.tcpi_data_segs_in;
#else
	(void)fd;
#endif
	return 1;
}

static void
proxy_without_namespace(const char *from, const char *to, int family)
{
	char want[128];
	struct relay r;
	struct call c;
	char got[256];
	ssize_t n;

	begin_proxy(&r, &c, "1", from, 0, to, 0);
	n = snprintf(want, sizeof want, "PROXY TCP%d %s %s %d %d\r\n", family,
	    from, family == 4 ? "127.0.0.1" : "::1", port_of(c.ours),
	    ntohs(c.to.in.sin_port));
	/* The client is silent all the time. */
	if (!readable(r.target, SOON))
		fail("no header as long as the client is silent");
	if (recv(r.target, got, sizeof got, 0) != n ||
	    memcmp(got, want, (size_t)n) != 0)
		fail("\"%.*s\" where \"%.*s\" should be", (int)n - 2, got,
		    (int)n - 2, want);
	if (segments(r.target) != 1)
		fail("it came in %d segments", segments(r.target));
	send_all(r.target, "220", 3);
	expect_text(r.client, "220");
	send_all(r.client, "hello", 5);
	expect_text(r.target, "hello");
	finish_and_expect(&r, "up=5 down=3", NULL);
}

static void
at_once_1(void)
{
	proxy_without_namespace("::1", "::1", 6);
	proxy_without_namespace("127.0.0.1", "::ffff:127.0.0.1", 4);
	proxy_without_namespace("127.0.0.1", "127.0.0.1", 4);
}

static void
at_once_2(void)
{
	unsigned char want[52] = {
		0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51,
		0x55, 0x49, 0x54, 0x0a, 0x21, 0x21, 0x00, 0x24
	};
	unsigned char got[256];
	struct relay r;
	struct call c;

	begin_proxy(&r, &c, "2", "::1", 0, "::1", 0);
	want[31] = want[47] = 1;
	memcpy(want + 48, &c.from.in6.sin6_port, 2);
	memcpy(want + 50, &c.to.in6.sin6_port, 2);
	if (!readable(r.target, SOON))
		fail("no header as long as the client is silent");
	if (recv(r.target, got, sizeof got, 0) != sizeof want ||
	    memcmp(got, want, sizeof want) != 0)
		fail("it is another");
	if (segments(r.target) != 1)
		fail("it came in %d segments", segments(r.target));
	finish_and_expect(&r, "up=0 down=0", NULL);
}

static void
before_data(void)
{
	char want[128];
	struct relay r;
	struct call c;
	int listener;

	listener = listen_at("127.0.0.1", 0);
	call(&c, "::1", 0, "::1", 0);
	send_stream(c.ours, 1, 0, 30000);
	finish(c.ours);
	relay(&r, &c, port_of(listener), "-p", "1", "127.0.0.1", NULL);
	accept_last(&r, listener);
	snprintf(want, sizeof want, "PROXY TCP6 ::1 ::1 %d %d\r\n",
	    port_of(c.ours), ntohs(c.to.in6.sin6_port));
	expect_text(r.target, want);
	expect_stream(r.target, 1, 0, 30000);
	finish_and_expect(&r, "up=30000 down=0", NULL);
}

/*
 * -s
 */

static void
from_address(void)
{
	char via[64];
	struct relay r;
	struct call c;
	union address seen;
	int listener;

	listener = listen_at("127.0.0.1", 0);
	call(&c, "::1", 0, "::1", 0);
	relay(&r, &c, port_of(listener), "-s", "127.9.8.7", "127.0.0.1", NULL);
	accept_last(&r, listener);
	seen = peer_name(r.target);
	if (strcmp(host_of(&seen), "127.9.8.7") != 0)
		fail("it comes from %s", host_of(&seen));
	snprintf(via, sizeof via, " via=127.9.8.7:%d ",
	    ntohs(seen.in.sin_port));
	finish_and_expect(&r, via, NULL);
}

/*
 * The manual's examples: they hold for ever.  Which address a client is given
 * by each network was worked out by another program.
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

static struct in_addr
map(const char *client, const char *network)
{
	char text[32];
	union address a, n;
	char *slash;

	snprintf(text, sizeof text, "%s", network);
	slash = strchr(text, '/');
	*slash = '\0';
	a = address(client, 0);
	n = address(text, 0);
	return source_of(&a, n.in.sin_addr, atoi(slash + 1));
}

static void
expect_map(const char *client, const char *network, const char *want)
{
	struct in_addr got;

	got = map(client, network);
	if (strcmp(inet_ntoa(got), want) != 0)
		fail("%s in %s is %s, not %s", client, network, inet_ntoa(got),
		    want);
}

static void
worked_examples(void)
{
	size_t i;
	int n;

	for (i = 0; i < EXAMPLES; i++)
		for (n = 0; n < 2; n++)
			expect_map(examples[i].client, networks[n],
			    examples[i].source[n]);
}

static void
whole_64(void)
{
	expect_map("2001:db8:1234:5678::", networks[0], "127.74.249.203");
	expect_map("2001:db8:1234:5678:ffff:ffff:ffff:ffff", networks[0],
	    "127.74.249.203");
}

static void
small_networks(void)
{
	expect_map("::1", "192.0.2.4/30", "192.0.2.5");
	expect_map("2001:db8::1", "192.0.2.4/30", "192.0.2.6");
	expect_map("::1", "192.0.2.2/31", "192.0.2.2");
	expect_map("2001:db8::1", "192.0.2.2/31", "192.0.2.3");
	expect_map("::1", "192.0.2.2/32", "192.0.2.2");
	expect_map("2001:db8::1", "192.0.2.2/32", "192.0.2.2");
	expect_map("2001:db8::1", "127.0.0.0/8", "127.48.99.54");
}

/* One client of each example, through the program; the target sees this. */
static void
expect_source(const char *client, const char *dialled, const char *network,
    const char *target, const char *want)
{
	char via[64];
	struct relay r;
	struct call c;
	union address seen;
	int listener;

	listener = listen_at(target, 0);
	call(&c, client, 0, dialled, 0);
	relay(&r, &c, port_of(listener), "-s", network, target, NULL);
	accept_last(&r, listener);
	seen = peer_name(r.target);
	if (strcmp(host_of(&seen), want) != 0)
		fail("%s comes from %s, not %s", client, host_of(&seen), want);
	snprintf(via, sizeof via, " via=%s:%d ", want,
	    ntohs(seen.in.sin_port));
	finish_and_expect(&r, via, NULL);
}

static void
examples_from_program(void)
{
	const struct example *e;
	size_t i;
	int n;

	private_network("192.0.2.99", NULL);
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

static void
loopback_from_program(void)
{
	expect_source("::1", "::1", "127.64.0.0/10", "127.0.0.1", "127.64.0.1");
	expect_source("127.0.0.1", "::ffff:127.0.0.1", "127.64.0.0/10",
	    "127.0.0.1", "127.97.38.142");
	expect_source("127.0.0.1", "127.0.0.1", "127.64.0.0/10", "127.0.0.1",
	    "127.97.38.142");
}

enum { BUCKETS = 64, CLIENTS = 100000 };

/* As many clients in each part of the network, and none at its ends. */
static void
expect_even(const uint32_t *source, const char *which, int shift)
{
	int bucket[BUCKETS], i;

	memset(bucket, 0, sizeof bucket);
	for (i = 0; i < CLIENTS; i++) {
		if (source[i] <= 0x7f400000 || source[i] >= 0x7f7fffff)
			fail("%s: 0x%08x is no host in 127.64.0.0/10", which,
			    source[i]);
		bucket[source[i] >> shift & (BUCKETS - 1)]++;
	}
	for (i = 0; i < BUCKETS; i++)
		if (bucket[i] * 10LL * BUCKETS < CLIENTS * 9LL ||
		    bucket[i] * 10LL * BUCKETS > CLIENTS * 11LL)
			fail("%s: %d of %d clients in one of %d parts", which,
			    bucket[i], CLIENTS, BUCKETS);
}

/* Random /64s, /64s in a row, and the first /64 of /48s in a row. */
static void
even(void)
{
	static const char *const which[] = { "random", "/64s", "/48s" };
	static uint32_t source[CLIENTS];
	union address client, network;
	uint64_t n, random;
	int i, j, kind;

	network = address("127.64.0.0", 0);
	client = address("2001:db8::1", 0);
	random = 1;
	for (kind = 0; kind < 3; kind++) {
		for (i = 0; i < CLIENTS; i++) {
			random = random * 6364136223846793005u +
			    1442695040888963407u;
			n = 0x20010db800000000u + (uint64_t)i;
			if (kind == 0)
				n = (random >> 32 | random << 32) >> 3 |
				    0x2000000000000000u;
			if (kind == 2)
				n = 0x2a00000000000000u + ((uint64_t)i << 16);
			for (j = 7; j >= 0; j--, n >>= 8)
				client.in6.sin6_addr.s6_addr[j] =
				    (unsigned char)n;
			source[i] = ntohl(source_of(&client,
			    network.in.sin_addr, 10).s_addr);
		}
		/* The highest bits of the host, and the lowest. */
		expect_even(source, which[kind], 16);
		expect_even(source, which[kind], 0);
	}
}

static void
no_such_source(void)
{
	struct relay r;
	struct call c;

	private_network(NULL);
	call(&c, "::1", 0, "::1", 0);
	relay(&r, &c, 1025, "-s", "192.0.2.1", "127.0.0.1", NULL);
	expect_failure(&r, 69, "-s 192.0.2.1",
	    "error=\"192.0.2.1 is not an address of this host\"");
	call(&c, "::1", 0, "::1", 0);
	relay(&r, &c, 1025, "-s", "192.0.2.0/24", "127.0.0.1", NULL);
	expect_failure(&r, 69, "-s 192.0.2.0/24",
	    "error=\"192.0.2.1 is not an address of this host\"");
	call(&c, "::1", 0, "::1", 0);
	relay(&r, &c, 1025, "-s", "2001:db8::1", "::1", NULL);
	expect_failure(&r, 69, "-s 2001:db8::1",
	    "error=\"2001:db8::1 is not an address of this host\"");
}

/* Linux binds to these, but would connect from another address. */
static void
no_host_source(void)
{
	static const char *const sources[] = {
		"127.255.255.255", "224.0.0.1", "224.0.0.0/24"
	};
	char words[80];
	struct relay r;
	struct call c;
	size_t i;
	int listener;

	listener = listen_at("127.0.0.1", 0);
	for (i = 0; i < sizeof sources / sizeof sources[0]; i++) {
		call(&c, "::1", 0, "::1", 0);
		relay(&r, &c, port_of(listener), "-s", sources[i], "127.0.0.1",
		    NULL);
		snprintf(words, sizeof words, "error=\"%s is not an address of "
		    "this host\"", i == 2 ? "224.0.0.1" : sources[i]);
		expect_failure(&r, 69, sources[i], words);
	}
}

enum { MOST_SESSIONS = 4 };

/* With two ports to choose from, two sessions to each of two targets. */
static void
expect_no_port(const char *source, const char *target, const char *other,
    int *listener)
{
	char words[80], via[80];
	static int from = 50000;	/* none of them is used again */
	struct relay r[MOST_SESSIONS], last;
	struct call c;
	int i;

	for (i = 0; i < MOST_SESSIONS; i++) {
		call(&c, "::1", from++, "::1", 1026);
		relay(&r[i], &c, 1025, "-s", source, i < 2 ? target : other,
		    NULL);
		r[i].target = accept_from(listener[i / 2]);
	}
	call(&c, "::1", from++, "::1", 1026);
	relay(&last, &c, 1025, "-s", source, target, NULL);
	snprintf(words, sizeof words,
	    "error=\"no port is left from %s to this target\"", source);
	expect_failure(&last, 69, "a third session", words);
	/* That is not what the name's second address has failed for. */
	if (strchr(source, ':') == NULL) {
		private_hosts("127.0.0.1 two\n127.0.0.3 two\n");
		call(&c, "::1", from++, "::1", 1026);
		relay(&last, &c, 1025, "-s", source, "two", NULL);
		expect_failure(&last, 69, "two",
		    "end=refused error=\"Connection refused\"");
	}
	snprintf(via, sizeof via, strchr(source, ':') == NULL ?
	    " via=%s:4000" : " via=[%s]:4000", source);
	for (i = 0; i < MOST_SESSIONS; i++)
		finish_and_expect(&r[i], via, NULL);
}

static void
no_port(void)
{
	int ipv4[2], ipv6[2];

	private_network("2001:db8::1", "2001:db8::2", "2001:db8::9", NULL);
	ipv4[0] = listen_at("127.0.0.1", 1025);
	ipv4[1] = listen_at("127.0.0.2", 1025);
	ipv6[0] = listen_at("2001:db8::1", 1025);
	ipv6[1] = listen_at("2001:db8::2", 1025);
	close(listen_at("2001:db8::9", 1025));	/* once it is of use */
	few_ports("40000 40001");
	expect_no_port("2001:db8::9", "2001:db8::1", "2001:db8::2", ipv6);
	expect_no_port("127.9.8.7", "127.0.0.1", "127.0.0.2", ipv4);
}

/*
 * Network targets
 */

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
	/* The suffix is ignored, 2.2. */
	{ "32", "2001:db8:c000:221:0:dead:beef:1" },
	{ "56", "2001:db8:122:3c0:0:221:dead:beef" },
	/* RFC 3056, 2; no bit of it is reserved. */
	{ "16", "2002:c000:221::1" },
	{ "16", "2002:c000:221:1:212:34ff:fe56:789a" }
};

/* The address that was dialled leads to 192.0.2.33, on this port. */
static void
expect_embedded(const char *prefix, const char *dialled)
{
	char want[64];
	struct relay r;
	struct call c;
	union address seen;
	int listener;

	give(dialled);
	listener = listen_at("192.0.2.33", 0);
	call(&c, "::1", 0, dialled, 0);
	relay(&r, &c, port_of(listener), "-x", prefix, "192.0.2.0/24", NULL);
	accept_last(&r, listener);
	seen = own_name(r.target);
	snprintf(want, sizeof want, " target=192.0.2.33:%d ",
	    ntohs(seen.in.sin_port));
	finish_and_expect(&r, want, NULL);
}

static void
embedded(void)
{
	size_t i;

	private_network("192.0.2.33", NULL);
	for (i = 0; i < sizeof published / sizeof published[0]; i++)
		expect_embedded(published[i].prefix, published[i].dialled);
}

static void
embedded_by_default(void)
{
	struct relay r;
	struct call c;
	int listener;

	private_network("192.0.2.33", "64:ff9b::192.0.2.33", NULL);
	listener = listen_at("192.0.2.33", 1025);
	call(&c, "::1", 0, "64:ff9b::192.0.2.33", 1025);
	relay(&r, &c, 0, "192.0.2.0/24", NULL);
	accept_last(&r, listener);
	finish_and_expect(&r, " local=[64:ff9b::c000:221]:1025 "
	    "target=192.0.2.33:1025 ", NULL);
}

static void
expect_denied(const char *client, const char *dialled, const char *prefix,
    const char *network, const char *target)
{
	char want[64];
	struct relay r;
	struct call c;

	call(&c, client, 0, dialled, 0);
	relay(&r, &c, 1025, "-x", prefix, network, NULL);
	snprintf(want, sizeof want, " target=%s ", target);
	expect_failure(&r, 0, dialled, " end=denied ");
	/* Again, for the target that is logged. */
	call(&c, client, 0, dialled, 0);
	relay(&r, &c, 1025, "-x", prefix, network, NULL);
	expect_failure(&r, 0, dialled, want);
}

static void
reserved_octet(void)
{
	static const struct {
		const char *prefix, *dialled;
	} cases[] = {
		{ "32", "2001:db8:c000:221:100::" },
		{ "40", "2001:db8:1c0:2:121::" },
		{ "48", "2001:db8:122:c000:8002:2100::" },
		{ "56", "2001:db8:122:3c0:100:221::" },
		{ "64", "2001:db8:122:344:ffc0:2:2100::" },
		{ "96", "2001:db8:122:344:100:0:192.0.2.33" }
	};
	size_t i;

	private_network("192.0.2.33", NULL);
	close(listen_at("192.0.2.33", 1025));
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		give(cases[i].dialled);
		expect_denied("::1", cases[i].dialled, cases[i].prefix,
		    "192.0.2.0/24", "192.0.2.0/24");
	}
}

static void
outside(void)
{
	private_network("192.0.3.1", "64:ff9b::192.0.3.1",
	    "64:ff9b::192.0.1.255", "64:ff9b::127.0.0.1", "64:ff9b::", NULL);
	listen_at("192.0.3.1", 1025);
	listen_at("127.0.0.1", 1025);
	expect_denied("::1", "64:ff9b::192.0.3.1", "96", "192.0.2.0/24",
	    "192.0.3.1:1025");
	expect_denied("::1", "64:ff9b::192.0.1.255", "96", "192.0.2.0/24",
	    "192.0.1.255:1025");
	expect_denied("::1", "64:ff9b::127.0.0.1", "96", "192.0.2.0/24",
	    "127.0.0.1:1025");
	expect_denied("::1", "64:ff9b::192.0.3.1", "96", "192.0.3.2/32",
	    "192.0.3.1:1025");
	expect_denied("::1", "64:ff9b::", "96", "192.0.2.0/24", "0.0.0.0:1025");
}

static void
no_host(void)
{
	private_network("64:ff9b::0.0.0.0", "64:ff9b::0.1.2.3",
	    "64:ff9b::224.0.0.1", "64:ff9b::239.255.255.255",
	    "64:ff9b::240.0.0.1", "64:ff9b::255.255.255.255", NULL);
	/* To Linux 0.0.0.0 is this host. */
	listen_at("127.0.0.1", 1025);
	expect_denied("::1", "64:ff9b::0.0.0.0", "96", "0.0.0.0/1",
	    "0.0.0.0:1025");
	expect_denied("::1", "64:ff9b::0.1.2.3", "96", "0.0.0.0/8",
	    "0.1.2.3:1025");
	expect_denied("::1", "64:ff9b::224.0.0.1", "96", "128.0.0.0/1",
	    "224.0.0.1:1025");
	expect_denied("::1", "64:ff9b::239.255.255.255", "96", "224.0.0.0/4",
	    "239.255.255.255:1025");
	expect_denied("::1", "64:ff9b::240.0.0.1", "96", "128.0.0.0/1",
	    "240.0.0.1:1025");
	expect_denied("::1", "64:ff9b::255.255.255.255", "96",
	    "255.255.255.255/32", "255.255.255.255:1025");
}

static void
not_dialled_over_ipv6(void)
{
	expect_denied("127.0.0.1", "127.0.0.1", "96", "127.0.0.0/8",
	    "127.0.0.0/8");
	expect_denied("127.0.0.1", "::ffff:127.0.0.1", "96", "127.0.0.0/8",
	    "127.0.0.0/8");
}

/*
 * Bad input
 */

static const struct {
	const char *args[6];
	const char *value;	/* what the line has to name */
} bad[] = {
	{ { "-s", "126.0.0.0/7", "127.0.0.1", "80" }, "-s 126.0.0.0/7" },
	{ { "-s", "0.0.0.0/0", "127.0.0.1", "80" }, "-s 0.0.0.0/0" },
	{ { "-s", "127.64.3.9/10", "127.0.0.1", "80" }, "-s 127.64.3.9/10" },
	{ { "-s", "127.0.0.0/33", "127.0.0.1", "80" }, "-s 127.0.0.0/33" },
	{ { "-s", "127.0.0.0/", "127.0.0.1", "80" }, "-s 127.0.0.0/" },
	{ { "-s", "127.0.0.0/8x", "127.0.0.1", "80" }, "-s 127.0.0.0/8x" },
	{ { "-s", "127.0/8", "127.0.0.1", "80" }, "-s 127.0/8" },
	{ { "-s", "/8", "127.0.0.1", "80" }, "-s /8" },
	{ { "-s", "2001:db8::1", "127.0.0.1", "80" }, "-s 2001:db8::1" },
	{ { "-s", "2001:db8::/32", "127.0.0.1", "80" }, "-s 2001:db8::/32" },
	{ { "-s", "::ffff:127.0.0.1", "127.0.0.1" }, "-s ::ffff:127.0.0.1" },
	{ { "-s", "localhost", "127.0.0.1", "80" }, "-s localhost" },
	{ { "-x", "95", "192.0.2.0/24", "80" }, "-x 95" },
	{ { "-x", "0", "192.0.2.0/24", "80" }, "-x 0" },
	{ { "-x", "17", "192.0.2.0/24", "80" }, "-x 17" },
	{ { "-x", "128", "192.0.2.0/24", "80" }, "-x 128" },
	{ { "-x", "96/", "192.0.2.0/24", "80" }, "-x 96/" },
	{ { "-x", "64", "192.0.2.1", "80" }, "-x 64" },
	{ { "192.0.2.1/24", "80" }, "target 192.0.2.1/24" },
	{ { "192.0.2.128/24", "80" }, "target 192.0.2.128/24" },
	{ { "128.0.0.1/1", "80" }, "target 128.0.0.1/1" },
	{ { "0.0.0.0/0", "80" }, "target 0.0.0.0/0" },
	{ { "192.0.2.0/0", "80" }, "target 192.0.2.0/0" },
	{ { "192.0.2.0/33", "80" }, "target 192.0.2.0/33" },
	{ { "192.0.2.0/024x", "80" }, "target 192.0.2.0/024x" },
	{ { "192.0.2.0/24/24", "80" }, "target 192.0.2.0/24/24" },
	{ { "192.0.2/24", "80" }, "target 192.0.2/24" },
	{ { "2001:db8::/32", "80" }, "target 2001:db8::/32" },
	{ { "localhost/8", "80" }, "target localhost/8" },
	{ { "-p", "3", "127.0.0.1", "80" }, "-p 3" },
	{ { "-p", "0", "127.0.0.1", "80" }, "-p 0" },
	{ { "-p", "1x", "127.0.0.1", "80" }, "-p 1x" },
	{ { "-6", "192.0.2.1", "80" }, "target 192.0.2.1" },
	{ { "-6", "192.0.2.0/24", "80" }, "target 192.0.2.0/24" },
	{ { "-6", "-x", "96", "2001:db8::1", "80" }, "-x 96" },
	{ { "2001:db8::1%lo", "80" }, "target 2001:db8::1%lo" },
	{ { "fe80::1%nothing", "80" }, "target fe80::1%nothing" }
};

static void
bad_input(void)
{
	char log[LOG];
	struct relay r;
	struct call c;
	const char *line;
	size_t i;
	int status;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		call(&c, "::1", 0, "::1", 0);
		serve(&r, &c, bad[i].args);
		if (ending(c.ours, SOON) != RST)
			fail("%s: the client got no RST", bad[i].value);
		relay_stderr(&r, log, sizeof log);
		status = relay_status(&r, SOON);
		if (status != 64)
			fail("%s: exit status %d", bad[i].value, status);
		line = strchr(log, '\n');
		if (line == NULL || strncmp(line, "\nusage: ", 8) != 0)
			fail("%s: not one line and the usage: %s",
			    bad[i].value, in_line(log));
		line = strstr(log, bad[i].value);
		if (line == NULL || line[strlen(bad[i].value)] != ':' ||
		    line > strchr(log, '\n'))
			fail("%s: not named: %s", bad[i].value, in_line(log));
		close(c.ours);
	}
}

static void
bad_input_ipv6(void)
{
	struct relay r;
	struct call c;

	call(&c, "::1", 0, "::1", 0);
	relay(&r, &c, 0, "-s", "127.64.0.0/10", "::1", "80", NULL);
	expect_failure(&r, 64, "a network", "-s 127.64.0.0/10: ");
	call(&c, "::1", 0, "::1", 0);
	relay(&r, &c, 0, "-s", "127.0.0.1", "::1", "80", NULL);
	expect_failure(&r, 64, "an IPv4 address", "-s 127.0.0.1: ");
	call(&c, "::1", 0, "::1", 0);
	relay(&r, &c, 0, "-6", "-s", "127.0.0.1", "localhost", "80", NULL);
	expect_failure(&r, 64, "an IPv4 address with -6", "-s 127.0.0.1: ");
	call(&c, "::1", 0, "::1", 0);
	relay(&r, &c, 0, "-6", "-s", "2001:db8::/32", "::1", "80", NULL);
	expect_failure(&r, 64, "an IPv6 network", "-s 2001:db8::/32: ");
}

/*
 * -6
 */

/*
 * A session with an IPv6 target: bytes both ways, FIN both ways, and its line.
 * The option is NULL or a further argument.
 */
static void
expect_ipv6(const char *client, const char *dialled, const char *option,
    const char *name, const char *target)
{
	char want[128];
	struct relay r;
	struct call c;
	union address a;
	int listener;

	listener = listen_at(target, 0);
	call(&c, client, 0, dialled, 0);
	if (option != NULL)
		relay(&r, &c, port_of(listener), option, name, NULL);
	else
		relay(&r, &c, port_of(listener), name, NULL);
	accept_last(&r, listener);
	send_stream(r.client, 1, 0, 100000);
	expect_stream(r.target, 1, 0, 100000);
	send_stream(r.target, 2, 0, 50000);
	expect_stream(r.client, 2, 0, 50000);
	a = own_name(r.target);
	if (a.in6.sin6_scope_id != 0)
		snprintf(want, sizeof want, " target=[%s%%%u]:%d ",
		    host_of(&a), a.in6.sin6_scope_id,
		    ntohs(a.in6.sin6_port));
	else
		snprintf(want, sizeof want, " target=[%s]:%d ", host_of(&a),
		    ntohs(a.in6.sin6_port));
	finish_and_expect(&r, want, "up=100000 down=50000", NULL);
}

static void
to_ipv6(void)
{
	expect_ipv6("127.0.0.1", "127.0.0.1", "-6", "::1", "::1");
	expect_ipv6("127.0.0.1", "::ffff:127.0.0.1", "-6", "::1", "::1");
	expect_ipv6("::1", "::1", "-6", "::1", "::1");
}

static void
colon_implies(void)
{
	expect_ipv6("127.0.0.1", "127.0.0.1", NULL, "::1", "::1");
	expect_ipv6("::1", "::1", "-n", "::1", "::1");
}

static void
to_link_local(void)
{
	private_network("fe80::64", NULL);
	expect_ipv6("127.0.0.1", "127.0.0.1", "-6", "fe80::64%lo",
	    "fe80::64%lo");
	expect_ipv6("::1", "::1", NULL, "fe80::64%lo", "fe80::64%lo");
}

static void
to_names(void)
{
	struct relay r;
	struct call c;
	int listener;

	private_network("2001:db8::1", "2001:db8::2", NULL);
	private_hosts("127.0.0.1 localhost both four\n"
	    "::1 localhost\n"
	    "2001:db8::1 both several\n"
	    "2001:db8::2 several\n");
	expect_ipv6("127.0.0.1", "127.0.0.1", "-6", "localhost", "::1");
	expect_ipv6("127.0.0.1", "127.0.0.1", "-6", "both", "2001:db8::1");
	/* At the first of its addresses nobody listens. */
	expect_ipv6("127.0.0.1", "127.0.0.1", "-6", "several", "2001:db8::2");

	listener = listen_at("127.0.0.1", 0);
	call(&c, "::1", 0, "::1", 0);
	relay(&r, &c, port_of(listener), "both", NULL);
	accept_last(&r, listener);
	finish_and_expect(&r, " target=127.0.0.1:", NULL);

	call(&c, "127.0.0.1", 0, "127.0.0.1", 0);
	relay(&r, &c, 1025, "-6", "four", NULL);
	expect_failure(&r, 68, "four", " end=resolve ");
}

static void
ipv6_loop(void)
{
	struct relay r;
	struct call c;

	call(&c, "::1", 0, "::1", 0);
	relay(&r, &c, 0, "-6", "::1", NULL);
	expect_failure(&r, 78, "::1", " end=loop ");
	call(&c, "::1", 0, "::1", 0);
	relay(&r, &c, ntohs(c.to.in6.sin6_port), "::1", NULL);
	expect_failure(&r, 78, "::1 and its port", " end=loop ");
}

static void
ipv6_source(void)
{
	char via[64];
	struct relay r;
	struct call c;
	union address seen;
	int listener;

	private_network("2001:db8::5", "2001:db8::6", NULL);
	listener = listen_at("2001:db8::6", 0);
	call(&c, "127.0.0.1", 0, "127.0.0.1", 0);
	relay(&r, &c, port_of(listener), "-6", "-s", "2001:db8::5",
	    "2001:db8::6", NULL);
	accept_last(&r, listener);
	seen = peer_name(r.target);
	if (strcmp(host_of(&seen), "2001:db8::5") != 0)
		fail("it comes from %s", host_of(&seen));
	snprintf(via, sizeof via, " via=[2001:db8::5]:%d ",
	    ntohs(seen.in6.sin6_port));
	finish_and_expect(&r, via, NULL);
}

static void
ipv6_proxy(void)
{
	char want[128];
	struct relay r;
	struct call c;
	int listener;

	listener = listen_at("::1", 0);
	call(&c, "127.0.0.1", 0, "127.0.0.1", 0);
	relay(&r, &c, port_of(listener), "-p", "1", "::1", NULL);
	accept_last(&r, listener);
	snprintf(want, sizeof want, "PROXY TCP4 127.0.0.1 127.0.0.1 %d %d\r\n",
	    port_of(c.ours), ntohs(c.to.in.sin_port));
	expect_text(r.target, want);
	finish_and_expect(&r, "up=0 down=0", NULL);
}

static const struct test tests[] = {
	{ "-p 1 tells of an IPv6 client and the address that it dialled",
	    version_1_ipv6 },
	{ "-p 1 has room for the longest addresses and ports",
	    version_1_longest },
	{ "-p 1 calls a client with an IPv4 address, mapped or not, TCP4",
	    version_1_ipv4 },
	{ "-p 1 leaves the scope of link-local addresses out", no_scope },
	{ "-p 2 tells of an IPv6 client and the address that it dialled",
	    version_2_ipv6 },
	{ "-p 2 gives a client with an IPv4 address, mapped or not, as AF_INET",
	    version_2_ipv4 },
	{ "the header of -p 1 comes in one piece, while the client is silent",
	    at_once_1 },
	{ "the header of -p 2 comes in one piece, while the client is silent",
	    at_once_2 },
	{ "the header comes before what the client has sent already",
	    before_data },

	{ "with -s address the target sees the client there", from_address },
	{ "the mapping of -s network is that of the manual's examples",
	    worked_examples },
	{ "all of a /64 maps to one address", whole_64 },
	{ "the mapping uses every host of a /30, /31 and /32 and no other",
	    small_networks },
	{ "100,000 clients spread evenly over 64 parts of a /10", even },
	{ "from ::1 and 127.0.0.1, the target sees the address of the mapping",
	    loopback_from_program },
	{ "from the manual's clients, the target sees the manual's addresses",
	    examples_from_program },
	{ "-s says which address is not one of this host", no_such_source },
	{ "-s does not let a session go on from another address",
	    no_host_source },
	{ "-s uses a port for several targets, and says when none is left",
	    no_port },

	{ "the examples of RFC 6052 and RFC 3056 lead to 192.0.2.33",
	    embedded },
	{ "an address is embedded in the last 32 bits, if -x says nothing",
	    embedded_by_default },
	{ "a dialled address with one of the bits 64 to 71 set is denied",
	    reserved_octet },
	{ "a target outside the network is denied", outside },
	{ "a target in 0/8, multicast or broadcast is denied in any network",
	    no_host },
	{ "a network target is denied to a client that has dialled IPv4",
	    not_dialled_over_ipv6 },

	{ "a bad value ends with status 64 and one line that names it",
	    bad_input },
	{ "-s has to be an address of the target's family", bad_input_ipv6 },

	{ "-6 leads IPv4 and IPv6 clients to an IPv6 target", to_ipv6 },
	{ "an address with a colon implies -6", colon_implies },
	{ "-6 reaches a link-local target by its scope", to_link_local },
	{ "-6 tries a name's IPv6 addresses, in order, and no other",
	    to_names },
	{ "-6 does not call its own service", ipv6_loop },
	{ "-6 connects from an IPv6 address with -s", ipv6_source },
	{ "-6 goes with -p", ipv6_proxy }
};

int
main(int argc, char *argv[])
{
	return run_tests(tests, sizeof tests / sizeof tests[0], argc - 1,
	    argv + 1);
}
