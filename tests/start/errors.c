/*
 * What ICMP and the error queue report on the client's socket is no end of the
 * connection.  They report it because of options that a parent has set.
 */

#include "../lib/places.h"
#include "../lib/rows.h"
#include "../lib/use.h"

#include <stdio.h>

#ifdef __linux__

#include <arpa/inet.h>
#include <linux/tcp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Older headers do not define these. */
#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY 60
#endif
#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY 0x4000000
#endif

/* Flags for SO_TIMESTAMPING. */
enum { TX_SOFTWARE = 2, SOFTWARE = 16, TX_ACK = 512 };

static const int one = 1, stamps = TX_SOFTWARE | SOFTWARE;

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
 * POLLHUP, although the connection still exists.  With -k 6, the relay looks at
 * it within three seconds.
 */
static void
unreachable_after_fin(const struct row *o)
{
	enum { LOOK = 3500 };
	static const int room = 32 * MIB;
	struct relay r;
	int ours, six, theirs;

	six = o->level == IPPROTO_IPV6;
	ours = dialled(six ? "::1" : "::ffff:127.0.0.1", 0, o, &theirs);
	if (setsockopt(theirs, SOL_SOCKET, SO_RCVBUFFORCE, &room,
	    sizeof room) == -1)
		skip("SO_RCVBUFFORCE: %s", strerror(errno));
	row_start(&r, ours, theirs, "-k", "6");
	send_stream(r.client, 2, 0, 16 * MIB);
	finish(r.client);
	wait_acked(r.client);
	vanish(ours);
	send_stream(r.target, 3, 0, 1000);
	finish(r.target);
	pause_for(STILL);
	unreachable(ours, six);
	pause_for(LOOK);
	if (state_of(r.pid) == 'Z')
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

#endif
