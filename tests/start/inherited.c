/*
 * The relay trusts nothing that it inherits.  This file tests options of the
 * client's socket.  The parent has set the options on the socket itself, or on
 * the listener, from which accept(2) copies them.  Errors that such options
 * report are tested in errors.c, the state of the process in parents.c, and
 * small values of SO_RCVBUF and SO_SNDBUF in surroundings.c.
 */

#include "../lib/places.h"
#include "../lib/rows.h"
#include "../lib/use.h"

#include <stdio.h>

#ifdef __linux__

#include <linux/filter.h>
#include <linux/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Older headers do not define these. */
#ifndef TCP_RTO_MAX_MS
#define TCP_RTO_MAX_MS 44
#endif
#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY 60
#endif

enum { SIZE = 300000 };
/* Flags for SO_TIMESTAMPING. */
enum { TX_SOFTWARE = 2, SOFTWARE = 16 };

/*
 * Socket options that must do no harm.
 *
 * With some options, an operator chooses how packets look or what they cost.
 * The relay does not change this choice, so the list leaves out such options.
 * The options left out are SO_MARK, SO_PRIORITY, SO_BINDTODEVICE,
 * SO_MAX_PACING_RATE, SO_TXREHASH, SO_INCOMING_CPU, IP_TOS, IP_TTL, IP_MINTTL,
 * IP_MTU_DISCOVER, IP_OPTIONS, the IPv6 counterparts of these options, flow
 * labels, IPsec policies, the sizes of buffers, TCP_MAXSEG, TCP_CONGESTION,
 * TCP_MD5SIG, TCP-AO, TCP_ULP and TCP_TX_DELAY.
 *
 * The list also leaves out SO_LOCK_FILTER and TCP_REPAIR, because the relay
 * cannot undo these two options.  To set TCP_REPAIR, a parent needs
 * CAP_NET_ADMIN.
 */

static const int none = 0, one = 1, tick = 20000, many = 1000000, minus = -1;
static const int most_timestamps = 0xf7f, stamps = TX_SOFTWARE | SOFTWARE;
static const struct timeval soon = { 0, 1000 };
static const struct linger linger = { 1, 30 }, no_linger = { 1, 0 };
static struct sock_filter drop[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
static const struct sock_fprog drop_all = { 1, drop };
static const struct { int clock; unsigned flags; } txtime = { 1, 2 };

static const struct row options[] = {
	SOCKET_ROW(SO_OOBINLINE, one),
	SOCKET_ROW(SO_DONTROUTE, one),
	SOCKET_ROW(SO_LINGER, linger),
	SOCKET_ROW(SO_LINGER, no_linger),
	SOCKET_ROW(SO_KEEPALIVE, one),
	SOCKET_ROW(SO_RCVTIMEO, soon),
	SOCKET_ROW(SO_SNDTIMEO, soon),
	SOCKET_ROW(SO_RCVLOWAT, many),
	SOCKET_ROW(SO_TIMESTAMP, one),
	SOCKET_ROW(SO_TIMESTAMPNS, one),
	SOCKET_ROW(SO_TIMESTAMPING, stamps),
	SOCKET_ROW(SO_TIMESTAMPING, most_timestamps),
	SOCKET_ROW(SO_PEEK_OFF, none),
	SOCKET_ROW(SO_BUSY_POLL, many),
	SOCKET_ROW(SO_ZEROCOPY, one),
	SOCKET_ROW(SO_SELECT_ERR_QUEUE, one),
	SOCKET_ROW(SO_RXQ_OVFL, one),
	{ "SO_TXTIME", SOL_SOCKET, 61, &txtime, sizeof txtime, 0, NULL },
	{ "SO_RCVMARK", SOL_SOCKET, 75, &one, sizeof one, 0, NULL },
	ROW(SOL_SOCKET, SO_ATTACH_FILTER, drop_all, 1),
	IP_ROW(IP_RECVERR, one),
	IP_ROW(IP_PKTINFO, one),
	IP_ROW(IP_RECVTTL, one),
	IPV6_ROW(IPV6_RECVERR, one),
	IPV6_ROW(IPV6_RECVPKTINFO, one),
	IPV6_ROW(IPV6_RECVTCLASS, one),
	IPV6_ROW(IPV6_RECVHOPOPTS, one),
	TCP_ROW(TCP_CORK, one),
	TCP_ROW(TCP_KEEPIDLE, one),
	TCP_ROW(TCP_KEEPINTVL, one),
	TCP_ROW(TCP_KEEPCNT, one),
	TCP_ROW(TCP_LINGER2, minus),
	TCP_ROW(TCP_DEFER_ACCEPT, one),
	TCP_ROW(TCP_SYNCNT, one),
	TCP_ROW(TCP_WINDOW_CLAMP, one),
	TCP_ROW(TCP_QUICKACK, none),
	TCP_ROW(TCP_USER_TIMEOUT, one),
	TCP_ROW(TCP_NOTSENT_LOWAT, one),
	TCP_ROW(TCP_THIN_LINEAR_TIMEOUTS, one),
	TCP_ROW(TCP_SAVE_SYN, one),
	{ "TCP_INQ", IPPROTO_TCP, 36, &one, sizeof one, 0, NULL },
	{ "TCP_RTO_MIN_US", IPPROTO_TCP, 45, &tick, sizeof tick, 0, NULL },
	{ "TCP_DELACK_MAX_US", IPPROTO_TCP, 46, &tick, sizeof tick, 0, NULL }
};

static void
with_option(const struct row *o)
{
	struct relay r;

	row_begin(&r, o, NULL, NULL);
	whole_session(&r);
}

TEST(socket_options,
    "what is set on the client's socket does no harm, and an idle "
    "session sleeps")
{
	EACH(with_option, options);
}

/*
 * The client begins to read only some time after the relay has ended.  Until
 * then, the client's window stays closed.
 */
static void
pausing_client(const struct row *o)
{
	struct relay r;

	row_begin(&r, o, NULL, NULL);
	finish(r.client);
	expect_end(r.target, FIN);
	send_stream(r.target, 1, 0, SIZE);
	finish(r.target);
	relay_ends(&r, 0);
	pause_for(READER_RETURNS);
	expect_stream(r.client, 1, 0, SIZE);
	expect_end(r.client, FIN);
}

TEST(pauses, "a limit on the client's socket does not cut the tail of one "
    "who pauses")
{
	static const int second = 1000;
	static const struct row rows[] = {
		SOCKET_ROW(SO_KEEPALIVE, one),
		TCP_ROW(TCP_USER_TIMEOUT, second),
		TCP_ROW(TCP_RTO_MAX_MS, second)
	};

	EACH(pausing_client, rows);
}

/*
 * The target closes its socket, and the target's system forgets the connection.
 * So the relay closes its sockets and ends.  The relay's end of the client's
 * connection is then in FIN_WAIT2, and the relay's system must not reset this
 * connection while the client is silent.
 */
static void
silent_client(const struct row *o)
{
	struct relay r;
	struct pollfd p;

	row_begin(&r, o, "-k", "1");
	send_stream(r.target, 1, 0, 1000);
	close(r.target);
	expect_stream(r.client, 1, 0, 1000);
	expect_end(r.client, FIN);
	relay_ends(&r, 0);
	p.fd = r.client;
	p.events = 0;
	if (poll(&p, 1, 0) != 0)
		fail("the client is reset");
}

TEST(linger2, "TCP_LINGER2 on the client's socket does not reset a silent "
    "client")
{
	static const struct row rows[] = { TCP_ROW(TCP_LINGER2, minus) };

	apart();
	put_file("/proc/sys/net/ipv4/tcp_fin_timeout", "1");
	EACH(silent_client, rows);
}

/*
 * The client's first packet brings a byte (RFC 7413).  The listener accepts the
 * connection before the client's system has acknowledged anything, and until
 * then, the system does not say how many bytes are unacknowledged.
 */
TEST(fast_open, "a client with TCP Fast Open gets all that a target had sent, "
    "then its reset")
{
	struct sockaddr_in6 in6;
	struct relay r;
	socklen_t len;
	int listener;

	apart();
	put_file("/proc/sys/net/ipv4/tcp_fastopen", "1543");	/* no cookies */
	listener = dual_stack(0, NULL);
	memset(&in6, 0, sizeof in6);
	len = sizeof in6;
	getsockname(listener, (struct sockaddr *)&in6, &len);
	in6.sin6_addr = in6addr_loopback;
	r.client = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	vanish(r.client);
	if (sendto(r.client, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&in6,
	    len) != 1)
		skip("MSG_FASTOPEN: %s", strerror(errno));
	row_start(&r, r.client, accept_from(listener), NULL, NULL);
	send_stream(r.target, 1, 0, 30000);
	pause_for(SETTLED);
	reset_now(&r.target);
	pause_for(STILL);
	lose_nothing(r.client);
	expect_stream(r.client, 1, 0, 30000);
	expect_end(r.client, RST);
	relay_ends(&r, 0);
}

/*
 * The client's descriptor has the flag O_ASYNC, so the kernel sends the relay a
 * signal at each event on the client's socket.
 */

static int signal_of_descriptor;

static void
own_signals(void)
{
	if (fcntl(0, F_SETOWN, getpid()) == -1 ||
	    fcntl(0, F_SETSIG, signal_of_descriptor) == -1 ||
	    fcntl(0, F_SETFL, O_ASYNC) == -1)
		_exit(126);
}

static void
signalled(const struct row *o)
{
	struct relay r;

	signal_of_descriptor = o->option;
	relay_setup = own_signals;
	row_begin(&r, NULL, NULL, NULL);
	if (send(r.client, "u", 1, MSG_OOB) != 1)
		fail("send: %s", strerror(errno));
	whole_session(&r);
}

TEST(descriptor_flags, "no signal that the client's descriptor sends does harm")
{
	static const struct row rows[] = {
		{ "SIGIO", 0, 0, NULL, 0, 0, NULL },
		{ "SIGUSR2", 0, SIGUSR2, NULL, 0, 0, NULL },
		{ "SIGTERM", 0, SIGTERM, NULL, 0, 0, NULL },
		{ "SIGKILL", 0, SIGKILL, NULL, 0, 0, NULL }
	};

	EACH(signalled, rows);
}

#endif
