/* Half-closing with FIN, and the last bytes before FIN. */

#include "../lib/relay.h"

#include <unistd.h>

/*
 * When one side sends FIN, the other side gets every byte and then FIN.  The
 * other side can go on sending until it sends FIN, too.
 */

EACH_WAY(half_close,
    "a client's FIN follows its last byte, and a reply of 1 MiB "
    "comes 1.5 s later",
    "a target's FIN follows its last byte, and the client sends 1 "
    "MiB 1.5 s later")
{
	struct session t;
	pid_t reply;
	int far;

	far = !near;
	begin(&t, NULL, NULL);
	send_stream(t.fd[near], 1, 0, 1000);
	finish(t.fd[near]);
	expect_stream(t.fd[far], 1, 0, 1000);
	expect_end(t.fd[far], FIN);
	if (readable(t.fd[near], 5 * STILL))
		fail("something comes before the reply");
	reply = aside(send_stream, t.fd[far], 2, MIB);
	expect_stream(t.fd[near], 2, 0, MIB);
	expect_done(reply);
	expect_end(t.fd[near], NOTHING);
	finish(t.fd[far]);
	expect_end(t.fd[near], FIN);
	expect_over(&t, near, "eof", 1000, MIB);
}

EACH_WAY(tails, "the tails of 150 requests arrive though their client closes "
    "at once",
    "the tails of 150 replies arrive though their target closes at once")
{
	struct session t;
	size_t size;
	pid_t job;
	int i;

	for (i = 0; i < 150; i++) {
		size = (size_t)(1 + i * 7919 % 200000);
		begin(&t, NULL, NULL);
		send_stream(t.fd[!near], 1, 0, 100);
		expect_stream(t.fd[near], 1, 0, 100);
		job = aside(send_stream, t.fd[near], 2, size);
		close(t.fd[near]);	/* the job still has it open */
		expect_stream(t.fd[!near], 2, 0, size);
		expect_end(t.fd[!near], FIN);
		expect_done(job);
		close(t.fd[!near]);
		expect_over(&t, near, "eof", size, 100);
		close(t.relay.err);
	}
}

/* Even after the relay has ended, the far side gets all the remaining bytes. */
EACH_WAY(slow_tail, "what a slow target has yet to read outlives the process",
    "what a slow client has yet to read outlives the process")
{
	struct session t;
	uint64_t sent;
	size_t first, last;
	int far, same;

	far = !near;
	begin(&t, NULL, NULL);
	same = 64 * KIB;	/* setting the current size stops growth */
	setsockopt(t.fd[far], SOL_SOCKET, SO_RCVBUF, &same, sizeof same);
	finish(t.fd[far]);
	expect_end(t.fd[near], FIN);
	sent = fill(t.fd[near], 1);
	finish(t.fd[near]);
	/*
	 * When the far side has read `first' bytes, the remaining `last' bytes
	 * fit into the buffers of two sockets.  If the system is short of
	 * memory for TCP, it makes the buffers smaller (see tcp_mem in tcp(7)),
	 * but the `last' bytes still fit.
	 */
	last = sent > MIB ? 256 * KIB : (size_t)sent / 4;
	first = (size_t)sent - last;
	expect_stream(t.fd[far], 1, 0, first);
	expect_over(&t, near, "eof", sent, 0);
	expect_stream(t.fd[far], 1, first, last);
	expect_end(t.fd[far], FIN);
}

TEST(both_finish, "FIN from both ends the session with end=eof and status 0")
{
	struct session t;

	begin(&t, NULL, NULL);
	finish(t.fd[CLIENT]);
	finish(t.fd[TARGET]);
	expect_end(t.fd[CLIENT], FIN);
	expect_end(t.fd[TARGET], FIN);
	expect_over(&t, CLIENT, "eof", 0, 0);
}

TEST(fin_before_target,
    "bytes and FIN sent before the target is connected are carried")
{
	const char *args[] = { "-v", target_host(), NULL, NULL };
	struct session t;
	int filler, listener;

	listener = listen_at(target_host(), 0, 0);
	congest(listener, &filler);
	args[2] = port_text(listener);
	relay_startv(&t.relay, client_family(), 1, args);
	send_stream(t.relay.client, 1, 0, 5000);
	finish(t.relay.client);
	expect_dialing(listener);
	close(accept_from(listener));
	connected(&t, listener);
	expect_stream(t.fd[TARGET], 1, 0, 5000);
	expect_end(t.fd[TARGET], FIN);
	send_stream(t.fd[TARGET], 2, 0, 5000);
	expect_stream(t.fd[CLIENT], 2, 0, 5000);
	finish(t.fd[TARGET]);
	expect_end(t.fd[CLIENT], FIN);
	expect_over(&t, CLIENT, "eof", 5000, 5000);
}
