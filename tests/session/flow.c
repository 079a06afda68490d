/* The flow of bytes: bulk, backpressure, small pieces, and idle sessions. */

#include "../lib/relay.h"
#include "../lib/use.h"

#include <netinet/tcp.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/*
 * If the relay cannot send, it reads no more bytes than it has room for.  A
 * session in which nothing moves uses no CPU time.
 */

TEST(bulk, "128 MiB each way at once arrive unchanged")
{
	struct session t;
	pid_t jobs[3];
	size_t i, size;

	size = 128 * MIB;
	begin(&t, NULL, NULL);
	jobs[0] = aside(send_stream, t.fd[CLIENT], 1, size);
	jobs[1] = aside(send_stream, t.fd[TARGET], 2, size);
	jobs[2] = aside(expect_stream, t.fd[TARGET], 1, size);
	expect_stream(t.fd[CLIENT], 2, 0, size);
	for (i = 0; i < 3; i++)
		expect_done(jobs[i]);
	finish(t.fd[CLIENT]);
	expect_end(t.fd[TARGET], FIN);
	finish(t.fd[TARGET]);
	expect_end(t.fd[CLIENT], FIN);
	expect_over(&t, CLIENT, "eof", size, size);
}

/*
 * Send ten bytes 100 times from the far side to the near side.  Even if the
 * opposite direction is stalled, expect no delay.  A busy machine can delay one
 * try, but a relay that delays bytes delays every try.
 */
static void
expect_lively(struct session *t, int near, uint64_t *back)
{
	int64_t began;
	pid_t job;
	int i, tries;

	for (tries = 0; tries < 3; tries++) {
		began = milliseconds();
		for (i = 0; i < 100; i++, *back += 10) {
			send_stream(t->fd[!near], 2, *back, 10);
			expect_stream(t->fd[near], 2, *back, 10);
		}
		if (milliseconds() - began < PROMPTLY)
			break;
	}
	if (tries == 3)
		fail("the other way crawls");
	job = aside(send_stream, t->fd[!near], 3, 8 * MIB);
	expect_stream(t->fd[near], 3, 0, 8 * MIB);
	expect_done(job);
	*back += 8 * MIB;
}
#define expect_lively(...) FROM(expect_lively, __VA_ARGS__)

EACH_WAY(stalled_reader,
    "a target that reads nothing stalls only its own direction, in constant "
    "memory and without CPU",
    "a client that reads nothing stalls only its own direction, in constant "
    "memory and without CPU")
{
	struct session t;
	uint64_t back, first, sent;
	pid_t job;
	long rss;

	begin(&t, NULL, NULL);
	back = 0;
	expect_lively(&t, near, &back);
	first = back;
	job = aside(send_stream, t.fd[near], 1, 256 * KIB);
	expect_stream(t.fd[!near], 1, 0, 256 * KIB);
	expect_done(job);
	rss = status_of(t.pid, "VmRSS:");
	sent = fill(t.fd[near], 4);
	expect_idle(t.pid, 3 * STILL, 0);
	back = 0;
	expect_lively(&t, near, &back);
	rss = status_of(t.pid, "VmRSS:") - rss;
	if (rss > 64)
		fail("%ld KiB more memory", rss);
	expect_idle(t.pid, STILL, 0);
	expect_stream(t.fd[!near], 4, 0, (size_t)sent);
	finish(t.fd[near]);
	expect_end(t.fd[!near], FIN);
	finish(t.fd[!near]);
	expect_end(t.fd[near], FIN);
	expect_over(&t, near, "eof", 256 * KIB + sent, first + back);
}

/* Send as fast as possible.  The contents do not matter. */
static void
flood(int fd, unsigned stream, uint64_t from, size_t size)
{
	static char buffer[256 * KIB];

	(void)stream;
	for (; from < size; from += sizeof buffer)
		send_all(fd, buffer, sizeof buffer);
}

static void
discard(int fd, unsigned stream, uint64_t from, size_t size)
{
	static char buffer[256 * KIB];
	ssize_t n;

	(void)stream;
	for (; from < size; from += (uint64_t)n)
		if ((n = recv(fd, buffer, sizeof buffer, 0)) <= 0)
			_exit(1);
}

/*
 * strace(1) delays each ioctl(2) of the relay by 2 ms.  During each delay, more
 * bulk arrives, and the receiver takes everything that the relay has sent.
 * Even so, the relay must also carry the bytes that go in the opposite
 * direction.
 */
EACH_WAY(turn_beside_bulk, "a client's bulk still lets the target have its "
    "turn",
    "a target's bulk still lets the client have its turn")
{
	const char *words[MOST_WORDS];
	struct session t;
	pid_t reader, sender;
	char c;
	int i, ours, size, theirs;

	size = 64 * KIB;
	socket_pair(client_family(), &ours, &theirs);
	begin_on(&t, ours, theirs, words, delay(words, "trace=ioctl",
	    "inject=ioctl:delay_enter=2000"));
	if (setsockopt(t.fd[near], SOL_SOCKET, SO_SNDBUF, &size, sizeof size)
	    == -1)
		fail("SO_SNDBUF: %s", strerror(errno));
	reader = aside(discard, t.fd[!near], 1, SIZE_MAX);
	flood(t.fd[near], 1, 0, 2 * MIB);
	sender = aside(flood, t.fd[near], 1, SIZE_MAX);
	for (i = 0; i < 30; i++) {
		send_all(t.fd[!near], "x", 1);
		recv_exactly(t.fd[near], &c, 1);
	}
	kill(reader, SIGKILL);
	kill(sender, SIGKILL);
	kill(t.pid, SIGTERM);
	expect_status(&t, 0);
}

/*
 * The receiver delays its acknowledgements.  If the relay waited for these
 * acknowledgements (RFC 896), it would delay every other byte by 40 ms.  Even
 * on a busy machine, several bytes in a row must each take less than 20 ms.
 */
EACH_WAY(small_pieces, "small pieces from a client are not held back",
    "small pieces from a target are not held back")
{
#ifdef TCP_QUICKACK
	const int no = 0;
#endif
	enum { SOME = 6 };
	struct session t;
	int64_t before, end;
	int fast, i;

	begin(&t, NULL, NULL);
	fast = 0;
	end = milliseconds() + SOON;
	for (i = 0; fast < SOME; i++) {
		before = milliseconds();
		if (before > end)
			fail("of %d bytes no %d in a row came at once", i,
			    SOME);
#ifdef TCP_QUICKACK
		setsockopt(t.fd[!near], IPPROTO_TCP, TCP_QUICKACK, &no,
		    sizeof no);
#endif
		send_stream(t.fd[near], 1, (uint64_t)i, 1);
		expect_stream(t.fd[!near], 1, (uint64_t)i, 1);
		fast = milliseconds() - before < DELAYED_ACK / 2 ? fast + 1 : 0;
	}
}

TEST(never_wakes_up, "an idle session does not wake up in ten seconds")
{
	static const char key[] = "voluntary_ctxt_switches:";
	struct session t;
	int64_t used;
	long woken;

	begin(&t, NULL, NULL);
	send_stream(t.fd[CLIENT], 1, 0, 100);
	expect_stream(t.fd[TARGET], 1, 0, 100);
	send_stream(t.fd[TARGET], 2, 0, 100);
	expect_stream(t.fd[CLIENT], 2, 0, 100);
	do {			/* wait until the relay no longer wakes up */
		woken = status_of(t.pid, key);
		pause_for(PIPE_UNUSED);
	} while (status_of(t.pid, key) != woken);
	used = cpu_microseconds(t.pid);
	pause_for(IDLE_LONG);
	woken = status_of(t.pid, key) - woken;
	used = cpu_microseconds(t.pid) - used;
	if (woken != 0 || used != 0)
		fail("woken %ld times, %lld us", woken, (long long)used);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 1100, 3100);
}
