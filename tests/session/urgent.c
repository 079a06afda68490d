/* Urgent data. */

#include "../lib/places.h"
#include "../lib/relay.h"
#include "../lib/use.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/*
 * The far side gets each urgent byte at its place in the stream and with the
 * urgent mark, however many urgent bytes a session has.
 */

static void
send_urgent(int fd, char c)
{
	struct pollfd p;

	p.fd = fd;
	p.events = POLLOUT;
	while (send(fd, &c, 1, MSG_OOB) != 1)
		/*
		 * On the BSDs, send(2) does not wait for room if the data is
		 * urgent.
		 */
		if (errno != ENOBUFS || poll(&p, 1, SOON) != 1)
			fail("send: %s", strerror(errno));
}
#define send_urgent(...) FROM(send_urgent, __VA_ARGS__)

static void
keep_inline(int fd)
{
	int one;

	one = 1;
	if (setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &one, sizeof one) == -1)
		fail("SO_OOBINLINE: %s", strerror(errno));
}
#define keep_inline(...) FROM(keep_inline, __VA_ARGS__)

/* Read `size' bytes of the stream.  Fail if one of them is marked as urgent. */
static void
expect_unmarked(int fd, unsigned stream, uint64_t from, size_t size)
{
	unsigned char buffer[65536];
	ssize_t i, n;

	for (; size > 0; size -= (size_t)n, from += (uint64_t)n) {
		if (!readable(fd, SOON))
			fail("%zu bytes did not come", size);
		if (sockatmark(fd) == 1)
			fail("byte %llu is marked", (unsigned long long)from);
		n = recv(fd, buffer, size < sizeof buffer ? size :
		    sizeof buffer, 0);
		if (n <= 0)
			fail("the stream ends %zu bytes too early", size);
		for (i = 0; i < n; i++)
			if (buffer[i] != stream_byte(stream, from +
			    (uint64_t)i))
				fail("byte %llu is wrong",
				    (unsigned long long)from + (unsigned)i);
	}
}
#define expect_unmarked(...) FROM(expect_unmarked, __VA_ARGS__)

static void
expect_urgent(int fd, char want)
{
	char c;

	if (!readable(fd, SOON))
		fail("the urgent byte did not come");
	if (sockatmark(fd) != 1)
		fail("the mark is not where it was set");
	if (recv(fd, &c, 1, 0) != 1)
		fail("the urgent byte is lost");
	if (c != want)
		fail("the urgent byte is %02x and not %02x",
		    (unsigned char)c, (unsigned char)want);
}
#define expect_urgent(...) FROM(expect_urgent, __VA_ARGS__)

static void
urgent_at(int near, size_t before, size_t after, int fin)
{
	struct session t;
	int far;

	far = !near;
	begin(&t, NULL, NULL);
	keep_inline(t.fd[far]);
	send_stream(t.fd[near], 1, 0, before);
	send_urgent(t.fd[near], 'U');
	send_stream(t.fd[near], 1, before, after);
	if (fin)
		finish(t.fd[near]);
	expect_unmarked(t.fd[far], 1, 0, before);
	expect_urgent(t.fd[far], 'U');
	expect_unmarked(t.fd[far], 1, before, after);
	if (fin)
		expect_end(t.fd[far], FIN);
	expect_idle(t.pid, STILL, 0);
	if (!fin) {
		expect_end(t.fd[far], NOTHING);
		finish(t.fd[near]);
		expect_end(t.fd[far], FIN);
	}
	send_stream(t.fd[far], 2, 0, 1000);
	expect_stream(t.fd[near], 2, 0, 1000);
	finish(t.fd[far]);
	expect_end(t.fd[near], FIN);
	expect_over(&t, near, "eof", before + 1 + after, 1000);
}
#define urgent_at(...) FROM(urgent_at, __VA_ARGS__)

EACH_WAY(urgent_first,
    "an urgent byte that is a client's first arrives with its mark",
    "an urgent byte that is a target's first arrives with its mark")
{
	urgent_at(near, 0, 1000, 0);
}

EACH_WAY(urgent_middle,
    "an urgent byte in the middle of a client's bytes keeps place "
    "and mark",
    "an urgent byte in the middle of a target's bytes keeps place "
    "and mark")
{
	urgent_at(near, 1000, 1000, 0);
}

EACH_WAY(urgent_last,
    "an urgent byte that is a client's last arrives with its mark",
    "an urgent byte that is a target's last arrives with its mark")
{
	urgent_at(near, 1000, 0, 0);
}

EACH_WAY(urgent_alone,
    "an urgent byte that is a client's only one arrives with its "
    "mark",
    "an urgent byte that is a target's only one arrives with its "
    "mark")
{
	urgent_at(near, 0, 0, 0);
}

EACH_WAY(urgent_before_fin,
    "a client's urgent byte and the FIN after it both arrive",
    "a target's urgent byte and the FIN after it both arrive")
{
	urgent_at(near, 1000, 0, 1);
	urgent_at(near, 0, 0, 1);
}

EACH_WAY(ten_urgent, "ten urgent bytes of a client arrive with their marks",
    "ten urgent bytes of a target arrive with their marks")
{
	struct session t;
	uint64_t at;
	size_t size;
	int far, i;

	far = !near;
	begin(&t, NULL, NULL);
	keep_inline(t.fd[far]);
	for (at = 0, i = 0; i < 10; at += size, i++) {
		size = (size_t)(i % 3 * 1000);
		send_stream(t.fd[near], 1, at, size);
		send_urgent(t.fd[near], (char)(i + 0xf0));
		expect_unmarked(t.fd[far], 1, at, size);
		expect_urgent(t.fd[far], (char)(i + 0xf0));
		if (i == 4)
			expect_idle(t.pid, STILL, 0);
	}
	expect_idle(t.pid, STILL, 0);
	finish(t.fd[near]);
	expect_end(t.fd[far], FIN);
	finish(t.fd[far]);
	expect_over(&t, near, "eof", at + 10, 0);
}

/*
 * Urgent bytes go both ways at once.  The mark of one flow must not appear in
 * the other flow.
 */
TEST(urgent_each_way,
    "urgent bytes both ways at once keep their places and marks")
{
	struct session t;
	int side;

	begin(&t, NULL, NULL);
	for (side = 0; side < 2; side++)
		keep_inline(t.fd[side]);
	for (side = 0; side < 2; side++) {
		send_stream(t.fd[side], (unsigned)side, 0, 300);
		send_urgent(t.fd[side], (char)('A' + side));
		send_stream(t.fd[side], (unsigned)side, 300, 300);
	}
	for (side = 0; side < 2; side++) {
		expect_unmarked(t.fd[!side], (unsigned)side, 0, 300);
		expect_urgent(t.fd[!side], (char)('A' + side));
		expect_unmarked(t.fd[!side], (unsigned)side, 300, 300);
	}
	expect_idle(t.pid, STILL, 0);
	finish(t.fd[CLIENT]);
	finish(t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 601, 601);
}

static void
send_all_urgent(int fd, unsigned stream, uint64_t from, size_t size)
{
	for (; from < size; from++)
		send_urgent(fd, (char)stream_byte(stream, from));
	finish(fd);
}

static void
expect_all(int fd, unsigned stream, uint64_t from, size_t size)
{
	expect_stream(fd, stream, from, size);
	expect_end(fd, FIN);
}

TEST(urgent_alone_each_way, "64 KiB of urgent bytes each way arrive")
{
	struct session t;
	pid_t job[4];
	int i;

	begin(&t, NULL, NULL);
	for (i = 0; i < 2; i++)
		keep_inline(t.fd[i]);
	for (i = 0; i < 2; i++) {
		job[i] = aside(send_all_urgent, t.fd[i], (unsigned)i, 64 * KIB);
		job[i + 2] = aside(expect_all, t.fd[!i], (unsigned)i, 64 * KIB);
	}
	for (i = 0; i < 4; i++)
		expect_done(job[i]);
	expect_over(&t, CLIENT, "eof", 64 * KIB, 64 * KIB);
}

static void
send_bulk_with_urgent(int fd, unsigned stream, uint64_t from, size_t size)
{
	send_stream(fd, stream, from, size / 2);
	send_urgent(fd, 'U');
	send_stream(fd, stream, from + size / 2, size / 2);
}

EACH_WAY(urgent_in_bulk,
    "an urgent byte in 8 MiB from a client keeps place and mark",
    "an urgent byte in 8 MiB from a target keeps place and mark")
{
	struct session t;
	pid_t sender;
	int far;

	far = !near;
	begin(&t, NULL, NULL);
	keep_inline(t.fd[far]);
	sender = aside(send_bulk_with_urgent, t.fd[near], 1, 8 * MIB);
	pause_for(STILL);		/* until all buffers are full */
	expect_unmarked(t.fd[far], 1, 0, 4 * MIB);
	expect_urgent(t.fd[far], 'U');
	expect_unmarked(t.fd[far], 1, 4 * MIB, 4 * MIB);
	expect_done(sender);
	expect_idle(t.pid, STILL, 0);
	finish(t.fd[near]);
	expect_end(t.fd[far], FIN);
	finish(t.fd[far]);
	expect_over(&t, near, "eof", 8 * MIB + 1, 0);
}

/*
 * Linux reports an urgent byte as soon as that byte arrives, even if earlier
 * bytes of the stream are still missing: see tcp_at_mark.
 */

/* Lose 1,000 bytes, but let the urgent byte that follows them arrive. */
static void
lose_before_urgent(struct session *t, int end)
{
	keep_inline(t->fd[TARGET]);
	lose(end, 1000);
	send_stream(t->fd[CLIENT], 1, 0, 1000);
	send_urgent(t->fd[CLIENT], 'U');
}

/*
 * Let TCP send the lost bytes again.  Expect these bytes, and then the urgent
 * byte.
 */
static void
expect_lost_and_urgent(struct session *t, int end)
{
	lose_nothing(end);
	close(end);
	expect_unmarked(t->fd[TARGET], 1, 0, 1000);
	expect_urgent(t->fd[TARGET], 'U');
}
#define expect_lost_and_urgent(...) FROM(expect_lost_and_urgent, __VA_ARGS__)

TEST(urgent_behind_lost,
    "a relay waits for an urgent byte after a lost segment without spinning")
{
	struct session t;
	int end, ours, theirs;

	socket_pair(client_family(), &ours, &theirs);
	end = dup(theirs);
	begin_on(&t, ours, theirs, NULL, 0);
	lose_before_urgent(&t, end);
	expect_idle(t.pid, STILL, 0);
	send_stream(t.fd[CLIENT], 1, 1000, 100);
	send_stream(t.fd[TARGET], 2, 0, 1000);
	expect_stream(t.fd[CLIENT], 2, 0, 1000);
	expect_idle(t.pid, STILL, 0);
	expect_lost_and_urgent(&t, end);
	expect_unmarked(t.fd[TARGET], 1, 1000, 100);
	finish(t.fd[CLIENT]);
	expect_end(t.fd[TARGET], FIN);
	finish(t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 1101, 1000);
}

/*
 * strace(1) stops the relay for three seconds between its poll(2) and its
 * recv(2).  During this time, the lost segment arrives.
 */
TEST(urgent_behind_late,
    "an urgent byte keeps its mark when the lost segment before it comes as "
    "the relay reads")
{
	const char *words[MOST_WORDS];
	struct session t;
	int end, ours, theirs;

	/*
	 * On 32-bit machines, some C libraries use socketcall(2) for recv(2)
	 * and for other calls, which strace(1) then cannot tell apart.
	 */
	if (sizeof(long) == 4)
		skip("recv(2) may be one of socketcall(2)'s here");
	socket_pair(client_family(), &ours, &theirs);
	end = dup(theirs);
	begin_on(&t, ours, theirs, words, delay(words, "trace=recvfrom",
	    "inject=recvfrom:delay_enter=3000000:when=1"));
	lose_before_urgent(&t, end);
	await_state(t.pid, 't');	/* strace(1) has stopped the relay */
	expect_lost_and_urgent(&t, end);
	kill(t.pid, SIGTERM);
	expect_status(&t, 0);
}

/*
 * Receive the urgent byte as some programs do: outside the stream, with
 * MSG_OOB.
 */
static void
expect_out_of_line(int fd, char want)
{
	struct pollfd p;
	int64_t end;
	char c;

	p.fd = fd;
	p.events = POLLPRI;
	if (poll(&p, 1, SOON) != 1)
		fail("no urgent byte");
	/* The BSDs can report the mark before the urgent byte has arrived. */
	end = milliseconds() + SOON;
	while (recv(fd, &c, 1, MSG_OOB) != 1)
		if (errno != EWOULDBLOCK || milliseconds() > end)
			fail("no urgent byte by MSG_OOB: %s", strerror(errno));
	if (c != want)
		fail("the urgent byte is %02x and not %02x", (unsigned char)c,
		    (unsigned char)want);
}
#define expect_out_of_line(...) FROM(expect_out_of_line, __VA_ARGS__)

EACH_WAY(urgent_out_of_line,
    "a target without SO_OOBINLINE gets the urgent byte by MSG_OOB",
    "a client without SO_OOBINLINE gets the urgent byte by MSG_OOB")
{
	struct session t;

	begin(&t, NULL, NULL);
	send_stream(t.fd[near], 1, 0, 100);
	send_urgent(t.fd[near], 'U');
	send_stream(t.fd[near], 1, 100, 100);
	expect_out_of_line(t.fd[!near], 'U');
	expect_stream(t.fd[!near], 1, 0, 200);
	finish(t.fd[near]);
	expect_end(t.fd[!near], FIN);
}

EACH_WAY(reset_behind_urgent,
    "an urgent byte before a client's reset keeps place and mark",
    "an urgent byte before a target's reset keeps place and mark")
{
	struct session t;

	begin(&t, NULL, NULL);
	keep_inline(t.fd[!near]);
	send_stream(t.fd[near], 1, 0, 100);
	send_urgent(t.fd[near], 'U');
	send_stream(t.fd[near], 1, 100, 100);
	wait_acked(t.fd[near]);
	reset_now(&t.fd[near]);
	expect_unmarked(t.fd[!near], 1, 0, 100);
	expect_urgent(t.fd[!near], 'U');
	expect_unmarked(t.fd[!near], 1, 100, 100);
	expect_end(t.fd[!near], RST);
	expect_over(&t, near, reset_of[near], 201, 0);
}

/*
 * Some bytes that come before the relay starts never reach the relay.  For
 * example, the relay's parent has read a byte, or Linux has dropped an urgent
 * byte because another urgent byte came.  The relay must not mistake such a
 * missing byte for FIN.
 */
static void
reset_after_early(int urgent)
{
	struct session t;
	char c;
	int ours, theirs;

	socket_pair(client_family(), &ours, &theirs);
	if (urgent) {
		send_urgent(ours, '1');
		send_urgent(ours, '2');
	} else {
		send_all(ours, "1", 1);
		recv_exactly(theirs, &c, 1);
	}
	wait_acked(ours);
	begin_on(&t, ours, theirs, NULL, 0);
	if (urgent)
		expect_out_of_line(t.fd[TARGET], '2');
	send_stream(ours, 1, 0, 50000);
	expect_stream(t.fd[TARGET], 1, 0, 50000);
	reset_now(&t.fd[CLIENT]);
	expect_end(t.fd[TARGET], RST);
	expect_over(&t, CLIENT, "client-reset", 50000 + (unsigned)urgent, 0);
}
#define reset_after_early(...) FROM(reset_after_early, __VA_ARGS__)

TEST(reset_after_read, "a reset does not look like FIN, even if the parent had "
    "read a byte")
{
	reset_after_early(0);
}

TEST(reset_after_urgent,
    "a reset does not look like FIN, even if two urgent bytes came before the "
    "relay")
{
	reset_after_early(1);
}
