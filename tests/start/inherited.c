/*
 * The relay trusts nothing that it inherits.  This file tests options of the
 * client's socket, and what is queued on the socket.  The parent has set the
 * options on the socket itself, or on the listener, from which accept(2) copies
 * them.  The state of the process is tested in parents.c, and small values of
 * SO_RCVBUF and SO_SNDBUF are tested in surroundings.c.
 */

#include "../lib/places.h"
#include "../lib/rows.h"
#include "../lib/use.h"

#include <stdio.h>

#ifdef __linux__

#include <arpa/inet.h>
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
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY 0x4000000
#endif

enum { SIZE = 300000 };
/* Flags for SO_TIMESTAMPING. */
enum { TX_SOFTWARE = 2, SOFTWARE = 16, TX_ACK = 512 };

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

#define ROW(level, name, value, late) \
	{ #name, level, name, &value, sizeof value, late, NULL }
#define SOCKET_ROW(name, value) \
	{ #name, SOL_SOCKET, name, &value, sizeof value, 0, NULL }
#define IP_ROW(name, value) \
	{ #name, IPPROTO_IP, name, &value, sizeof value, 0, NULL }
#define IPV6_ROW(name, value) \
	{ #name, IPPROTO_IPV6, name, &value, sizeof value, 0, NULL }
#define TCP_ROW(name, value) \
	{ #name, IPPROTO_TCP, name, &value, sizeof value, 0, NULL }

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

/* What ICMP reports. */

static uint16_t
checksum(const unsigned char *p, size_t size)
{
	unsigned sum;
	size_t i;

	for (sum = 0, i = 0; i < size; i += 2)
		sum += (unsigned)p[i] << 8 | p[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~(sum + (sum >> 16));
}

/*
 * Returns the sequence number of the next byte that this socket will receive.
 */
static uint32_t
next_byte(int fd)
{
	static const int on = 1, queue = 1, off = -1;
	uint32_t seq;
	socklen_t len;

	len = sizeof seq;
	if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof on) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue,
	    sizeof queue) == -1 ||
	    getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &seq, &len) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof off) == -1)
		skip("TCP_REPAIR: %s", strerror(errno));
	return seq;
}

/*
 * Send the relay's host an ICMP message which says that the client is
 * unreachable.
 */
static void
unreachable(int fd, int six)
{
	struct sockaddr_in6 own, peer;
	unsigned char packet[8 + 40 + 20];
	size_t ip;
	uint32_t seq;
	uint16_t sum;
	socklen_t len;
	int raw;

	len = sizeof own;
	getsockname(fd, (struct sockaddr *)&own, &len);
	getpeername(fd, (struct sockaddr *)&peer, &len);
	ip = six ? 40 : 20;
	memset(packet, 0, sizeof packet);
	packet[0] = six ? 1 : 3;	/* destination unreachable */
	packet[1] = six ? 0 : 1;	/* ICMPv6: no route; ICMP: host */
	packet[8] = six ? 0x60 : 0x45;
	packet[8 + (six ? 6 : 9)] = IPPROTO_TCP;
	memcpy(packet + 8 + ip - (six ? 32 : 8), six ? peer.sin6_addr.s6_addr :
	    peer.sin6_addr.s6_addr + 12, six ? 16 : 4);
	memcpy(packet + 8 + ip - (six ? 16 : 4), six ? own.sin6_addr.s6_addr :
	    own.sin6_addr.s6_addr + 12, six ? 16 : 4);
	memcpy(packet + 8 + ip, &peer.sin6_port, 2);
	memcpy(packet + 8 + ip + 2, &own.sin6_port, 2);
	seq = htonl(next_byte(fd));
	memcpy(packet + 8 + ip + 4, &seq, 4);
	sum = htons(checksum(packet, 8 + ip + 20));
	if (!six)		/* the kernel sets ICMPv6's checksum */
		memcpy(packet + 2, &sum, 2);
	raw = socket(six ? AF_INET6 : AF_INET, SOCK_RAW,
	    six ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	if (raw == -1)
		skip("no raw socket: %s", strerror(errno));
	own.sin6_port = 0;
	if (!six) {
		((struct sockaddr_in *)&own)->sin_family = AF_INET;
		((struct sockaddr_in *)&own)->sin_addr.s_addr =
		    htonl(INADDR_LOOPBACK);
	}
	if (sendto(raw, packet, 8 + ip + 20, 0, (struct sockaddr *)&own,
	    six ? sizeof own : sizeof(struct sockaddr_in)) == -1)
		fail("ICMP: %s", strerror(errno));
	close(raw);
}
#define unreachable(...) FROM(unreachable, __VA_ARGS__)

static void
one_unreachable(const struct row *o)
{
	struct relay r;
	int ours, six, theirs;

	six = o->level == IPPROTO_IPV6;
	ours = dialled(six ? "::1" : "::ffff:127.0.0.1", 0, o, &theirs);
	if (o->late)
		unreachable(ours, six);
	row_start(&r, ours, theirs, NULL, NULL);
	send_stream(r.target, 5, 0, 1);
	expect_stream(r.client, 5, 0, 1);
	expect_idle(r.pid, STILL, 0);
	unreachable(ours, six);
	whole_session(&r);
}

TEST(icmp, "with IP_RECVERR or IPV6_RECVERR, one ICMP \"unreachable\" "
    "ends no session, now or before the relay")
{
	static const struct row rows[] = {
		ROW(IPPROTO_IPV6, IPV6_RECVERR, one, 0),
		ROW(IPPROTO_IP, IP_RECVERR, one, 0),
		ROW(IPPROTO_IPV6, IPV6_RECVERR, one, 1),
		ROW(IPPROTO_IP, IP_RECVERR, one, 1)
	};

	apart();
	EACH(one_unreachable, rows);
}

/*
 * FIN has gone both ways, but the client has not acknowledged the last bytes,
 * and the relay still has bytes for the target.  In this state, poll(2) reports
 * POLLHUP, although the connection still exists.  With -k 3, the relay looks at
 * it within two seconds.
 */
static void
unreachable_after_fin(const struct row *o)
{
	enum { LOOK = 2000 };
	static const int room = 32 * MIB;
	struct relay r;
	int ours, six, theirs;

	six = o->level == IPPROTO_IPV6;
	ours = dialled(six ? "::1" : "::ffff:127.0.0.1", 0, o, &theirs);
	if (setsockopt(theirs, SOL_SOCKET, SO_RCVBUFFORCE, &room,
	    sizeof room) == -1)
		skip("SO_RCVBUFFORCE: %s", strerror(errno));
	row_start(&r, ours, theirs, "-k", "3");
	send_stream(r.client, 2, 0, 16 * MIB);
	finish(r.client);
	wait_acked(r.client);
	vanish(ours);
	send_stream(r.target, 3, 0, 1000);
	finish(r.target);
	pause_for(STILL);
	unreachable(ours, six);
	pause_for(LOOK);
	if (state_of(r.pid) != 'S')
		fail("the relay has ended");
	expect_stream(r.target, 2, 0, 16 * MIB);
	expect_end(r.target, FIN);
	relay_ends(&r, 0);
	lose_nothing(ours);
	expect_stream(r.client, 3, 0, 1000);
	expect_end(r.client, FIN);
}

TEST(icmp_after_fin, "with IP_RECVERR or IPV6_RECVERR, ICMP \"unreachable\" "
    "after FIN both ways costs no byte")
{
	static const struct row rows[] = {
		ROW(IPPROTO_IPV6, IPV6_RECVERR, one, 0),
		ROW(IPPROTO_IP, IP_RECVERR, one, 0)
	};

	apart();
	EACH(unreachable_after_fin, rows);
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
 * The parent has sent the client a byte.  The kernel puts an entry about this
 * byte into the error queue of the relay's socket, usually before the relay
 * starts.  If the row is late, the entry comes only while the relay runs, when
 * the byte reaches the client.
 */
static void
queued(const struct row *o)
{
	struct relay r;
	int ours, theirs;
	char c;

	ours = dialled("::1", 0, o, &theirs);
	if (o->late)
		vanish(ours);
	if (send(theirs, "x", 1, o->option == SO_ZEROCOPY ? MSG_ZEROCOPY :
	    0) != 1)
		fail("send: %s", strerror(errno));
	if (!o->late)
		recv_exactly(ours, &c, 1);
	row_start(&r, ours, theirs, NULL, NULL);
	if (o->late) {
		expect_idle(r.pid, STILL, 0);
		lose_nothing(ours);
		recv_exactly(ours, &c, 1);
	}
	whole_session(&r);
}

TEST(error_queue,
    "what the parent's own bytes put into the error queue does no "
    "harm")
{
	static const int acked = TX_ACK | SOFTWARE;
	static const struct row rows[] = {
		ROW(SOL_SOCKET, SO_TIMESTAMPING, stamps, 0),
		ROW(SOL_SOCKET, SO_ZEROCOPY, one, 0),
		{ "SO_TIMESTAMPING, late", SOL_SOCKET, SO_TIMESTAMPING, &acked,
		    sizeof acked, 1, NULL },
		{ "SO_ZEROCOPY, late", SOL_SOCKET, SO_ZEROCOPY, &one,
		    sizeof one, 1, NULL }
	};

	EACH(queued, rows);
}

/*
 * While the relay is connecting to its target, neither an ICMP message nor an
 * entry in the error queue means that the client has left.  So the relay keeps
 * trying until -w runs out, and ends with status 69.  If the client had left,
 * the status would be 0.
 */
static void
dialing(const struct row *o)
{
	const char *args[] = { "-w", "1", "198.51.100.1", "9", NULL };
	struct relay r;
	char c;
	int ours, theirs;

	ours = dialled("::1", 0, o, &theirs);
	if (o->option == IPV6_RECVERR) {
		unreachable(ours, 1);
	} else {
		if (send(theirs, "x", 1, 0) != 1)
			fail("send: %s", strerror(errno));
		recv_exactly(ours, &c, 1);
	}
	relay_on(&r, theirs, 1, args);
	expect_end(ours, RST);
	relay_ends(&r, 69);
}

TEST(while_dialing,
    "neither is taken for the end of a client while its target is "
    "being connected")
{
	static const struct row rows[] = {
		IPV6_ROW(IPV6_RECVERR, one),
		SOCKET_ROW(SO_TIMESTAMPING, stamps)
	};

	apart();
	if (system("ip route add 198.51.100.0/24 dev lo") != 0)
		skip("cannot run ip(8)");
	EACH(dialing, rows);
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
