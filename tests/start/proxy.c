/* -p: the header of the PROXY protocol, in versions 1 and 2. */

#include "../lib/calls.h"
#include "../lib/places.h"

#include <stdio.h>
#include <string.h>

#ifdef __linux__
#include <linux/tcp.h>
#endif

/*
 * Begin a session with a header of this version.  The client connects from
 * `from' and `from_port' to `to' and `to_port'.  A port of 0 means any free
 * port.
 */
static void
begin_proxy(struct session *t, const char *version, const char *from,
    int from_port, const char *to, int to_port)
{
	int listener, theirs;

	listener = listen_at("127.0.0.1", 0, 5);
	theirs = call(t, from, from_port, to, to_port);
	serve_to(t, theirs, listener, "-p", version, "127.0.0.1",
	    port_text(listener), NULL);
}
#define begin_proxy(...) FROM(begin_proxy, __VA_ARGS__)

/* Fail if the bytes at `got' differ from those at `want'. */
static void
compare(const void *got, const void *want, size_t size)
{
	const unsigned char *g, *w;
	size_t i;

	g = got;
	w = want;
	for (i = 0; i < size; i++)
		if (g[i] != w[i])
			fail("byte %zu is 0x%02x where 0x%02x should be", i,
			    g[i], w[i]);
}
#define compare(...) FROM(compare, __VA_ARGS__)

static void
expect_bytes(int fd, const void *want, size_t size)
{
	unsigned char got[1024];

	recv_exactly(fd, got, size);
	compare(got, want, size);
}
#define expect_bytes(...) FROM(expect_bytes, __VA_ARGS__)

/* The test chooses the ports, so it knows every byte of the header. */
static void
golden(const char *version, const char *from, int from_port, const char *to,
    int to_port, const void *want, size_t size)
{
	struct session t;

	begin_proxy(&t, version, from, from_port, to, to_port);
	expect_bytes(t.fd[TARGET], want, size);
	expect_whole(&t, 0, 0);
}
#define golden(...) FROM(golden, __VA_ARGS__)

TEST(proxy_1_ipv6, "-p 1 reports an IPv6 client and the address that it "
    "dialled")
{
	static const char want[] =
	    "PROXY TCP6 2001:db8::7 2001:db8:64::c000:20a 49152 8080\r\n";

	apart();
	give("2001:db8::7");
	give("2001:db8:64::192.0.2.10");
	golden("1", "2001:db8::7", 49152, "2001:db8:64::192.0.2.10", 8080,
	    want, sizeof want - 1);
}

TEST(proxy_1_longest, "-p 1 has room for the longest addresses and ports")
{
	static const char want[] = "PROXY TCP6 "
	    "2001:db8:ffff:ffff:ffff:ffff:ffff:fff1 "
	    "2001:db8:ffff:ffff:ffff:ffff:ffff:fff2 65535 65534\r\n";

	apart();
	give("2001:db8:ffff:ffff:ffff:ffff:ffff:fff1");
	give("2001:db8:ffff:ffff:ffff:ffff:ffff:fff2");
	golden("1", "2001:db8:ffff:ffff:ffff:ffff:ffff:fff1", 65535,
	    "2001:db8:ffff:ffff:ffff:ffff:ffff:fff2", 65534,
	    want, sizeof want - 1);
}

TEST(proxy_1_ipv4, "-p 1 reports a client with an IPv4 address, mapped or not, "
    "as TCP4")
{
	static const char mapped[] =
	    "PROXY TCP4 192.0.2.7 198.51.100.1 49152 8080\r\n";
	static const char plain[] =
	    "PROXY TCP4 192.0.2.7 198.51.100.1 49153 8080\r\n";

	apart();
	give("192.0.2.7");
	give("198.51.100.1");
	golden("1", "192.0.2.7", 49152, "::ffff:198.51.100.1", 8080,
	    mapped, sizeof mapped - 1);
	golden("1", "192.0.2.7", 49153, "198.51.100.1", 8080,
	    plain, sizeof plain - 1);
}

TEST(proxy_1_no_scope, "-p 1 leaves out the scope of link-local addresses")
{
	static const char want[] = "PROXY TCP6 fe80::7 fe80::1 49152 8080\r\n";

	apart();
	give("fe80::7");
	give("fe80::1");
	golden("1", "fe80::7%lo", 49152, "fe80::1%lo", 8080,
	    want, sizeof want - 1);
}

TEST(proxy_2_ipv6, "-p 2 reports an IPv6 client and the address that it "
    "dialled")
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

	apart();
	give("2001:db8::7");
	give("2001:db8:64::192.0.2.10");
	golden("2", "2001:db8::7", 49153, "2001:db8:64::192.0.2.10", 8080,
	    want, sizeof want);
}

TEST(proxy_2_ipv4, "-p 2 reports a client with an IPv4 address, mapped or not, "
    "as AF_INET")
{
	unsigned char want[] = {
		0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51,
		0x55, 0x49, 0x54, 0x0a, 0x21, 0x11, 0x00, 0x0c,
		0xc0, 0x00, 0x02, 0x07, 0xc6, 0x33, 0x64, 0x01,
		0xc0, 0x00, 0x1f, 0x90
	};

	apart();
	give("192.0.2.7");
	give("198.51.100.1");
	golden("2", "192.0.2.7", 49152, "::ffff:198.51.100.1", 8080,
	    want, sizeof want);
	want[25] = 0x01;
	golden("2", "192.0.2.7", 49153, "198.51.100.1", 8080,
	    want, sizeof want);
}

/*
 * Returns how many segments with data this socket has received.  If the system
 * does not report this number, returns 1.
 */
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

/*
 * While the client is silent, expect one segment that consists of these bytes.
 */
static void
expect_at_once(int fd, const void *want, size_t size)
{
	char got[256];
	ssize_t n;

	if (!readable(fd, SOON))
		fail("no header as long as the client is silent");
	n = recv(fd, got, sizeof got, 0);
	if (n != (ssize_t)size)
		fail("%zd bytes come at once, and not %zu", n, size);
	compare(got, want, size);
	if (segments(fd) != 1)
		fail("it came in %d segments", segments(fd));
}
#define expect_at_once(...) FROM(expect_at_once, __VA_ARGS__)

/*
 * Write into `text' the header that -p 1 must send in this session.  The client
 * connects over loopback.
 */
static int
header_1(char *text, size_t size, const struct session *t, int protocol)
{
	return snprintf(text, size, "PROXY TCP%d %s %s %d %d\r\n", protocol,
	    protocol == 4 ? "127.0.0.1" : "::1",
	    protocol == 4 ? "127.0.0.1" : "::1", port_of(t->fd[CLIENT]),
	    peer_port(t->fd[CLIENT]));
}

static void
header_1_at_once(const char *from, const char *to, int protocol)
{
	char want[128];
	struct session t;

	begin_proxy(&t, "1", from, 0, to, 0);
	expect_at_once(t.fd[TARGET], want, (size_t)header_1(want, sizeof want,
	    &t, protocol));
	send_all(t.fd[TARGET], "220", 3);
	expect_bytes(t.fd[CLIENT], "220", 3);
	send_all(t.fd[CLIENT], "hello", 5);
	expect_bytes(t.fd[TARGET], "hello", 5);
	expect_whole(&t, 5, 3);
}
#define header_1_at_once(...) FROM(header_1_at_once, __VA_ARGS__)

TEST(proxy_1_at_once, "the header of -p 1 comes in one piece, while the client "
    "is silent")
{
	header_1_at_once("::1", "::1", 6);
	header_1_at_once("127.0.0.1", "::ffff:127.0.0.1", 4);
	header_1_at_once("127.0.0.1", "127.0.0.1", 4);
}

TEST(proxy_2_at_once, "the header of -p 2 comes in one piece, while the client "
    "is silent")
{
	unsigned char want[52] = {
		0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51,
		0x55, 0x49, 0x54, 0x0a, 0x21, 0x21, 0x00, 0x24
	};
	union address client, dialled;
	struct session t;

	begin_proxy(&t, "2", "::1", 0, "::1", 0);
	client = own_name(t.fd[CLIENT]);
	dialled = peer_name(t.fd[CLIENT]);
	want[31] = want[47] = 1;
	memcpy(want + 48, &client.in6.sin6_port, 2);
	memcpy(want + 50, &dialled.in6.sin6_port, 2);
	expect_at_once(t.fd[TARGET], want, sizeof want);
	expect_whole(&t, 0, 0);
}

TEST(proxy_before_data, "the header comes before bytes that the client has "
    "sent already")
{
	char want[128];
	struct session t;
	int listener, theirs;

	listener = listen_at("127.0.0.1", 0, 5);
	theirs = call(&t, "::1", 0, "::1", 0);
	send_stream(t.fd[CLIENT], 1, 0, 30000);
	finish(t.fd[CLIENT]);
	serve_to(&t, theirs, listener, "-p", "1", "127.0.0.1",
	    port_text(listener), NULL);
	expect_bytes(t.fd[TARGET], want, (size_t)header_1(want, sizeof want,
	    &t, 6));
	expect_stream(t.fd[TARGET], 1, 0, 30000);
	expect_whole(&t, 30000, 0);
}

/*
 * The client uses IPv4, and the target uses IPv6.  The header must give the
 * client's protocol.
 */
TEST(proxy_to_ipv6, "-6 works with -p")
{
	unsigned char header_2[28] = {
		0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51,
		0x55, 0x49, 0x54, 0x0a, 0x21, 0x11, 0x00, 0x0c,
		127, 0, 0, 1, 127, 0, 0, 1
	};
	union address client, dialled;
	char want[128];
	struct session t;
	int listener, theirs;

	listener = listen_at("::1", 0, 5);
	theirs = call(&t, "127.0.0.1", 0, "127.0.0.1", 0);
	serve_to(&t, theirs, listener, "-p", "1", "::1", port_text(listener),
	    NULL);
	expect_bytes(t.fd[TARGET], want, (size_t)header_1(want, sizeof want,
	    &t, 4));
	expect_whole(&t, 0, 0);

	listener = listen_at("::1", 0, 5);
	theirs = call(&t, "127.0.0.1", 0, "127.0.0.1", 0);
	client = own_name(t.fd[CLIENT]);
	dialled = peer_name(t.fd[CLIENT]);
	memcpy(header_2 + 24, &client.in.sin_port, 2);
	memcpy(header_2 + 26, &dialled.in.sin_port, 2);
	serve_to(&t, theirs, listener, "-p", "2", "::1", port_text(listener),
	    NULL);
	expect_bytes(t.fd[TARGET], header_2, sizeof header_2);
	expect_whole(&t, 0, 0);
}
