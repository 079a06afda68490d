/* Measures streams: one or many at once, down or up. */

#include "client.h"

#include <sys/socket.h>

#include <err.h>
#include <unistd.h>

/*
 * Print the figures of the streams after they have been received, or print what
 * went wrong.
 */
static void
print(uint64_t got, double cpu)
{
	uint64_t total;
	int i;

	total = 0;
	for (i = 0; i < shared->streams; i++) {
		if (shared->total[i] == 0)
			fail("a session stalls");
		total += shared->total[i];
	}
	if (got != total)
		fail(got < total ? "loses data" : "adds data");
	result("", (double)got / (double)(shared->ended - shared->began));
	if (shared->streams > 1)
		result("-fair", shared->fair);
	if (relay == 0)
		return;
	nap(SECOND / 200);
	result("-cpu", (tree_cpu(relay) - cpu) / ((double)got / 1e9));
}

/*
 * Open the sessions one after another, so that each has the same number at both
 * ends.
 */
static double
open_streams(enum mode mode, int n)
{
	if (n > MOST_STREAMS)
		errx(1, "%d streams are too many", n);
	shared->streams = n == 0 ? 1 : n;
	serve(mode);
	while (nheld < shared->streams)
		held[nheld++] = begin();
	nap(SECOND / 200);
	return tree_cpu(relay);
}

static void
close_streams(void)
{
	let_go();
	serve_no_more();
}

void
row_down(int n)
{
	double cpu;

	cpu = open_streams(DOWN, n);
	if (send(held[0], "", 1, MSG_NOSIGNAL) != 1)
		fail("drops a session");
	print(n == 0 ? stream_receive(held[0], &shared->total[0]) :
	    many_receive(held, n), cpu);
	close_streams();
}

void
row_up(int n)
{
	double cpu;
	char byte;

	cpu = open_streams(UP, n);
	if (n == 0)
		stream_send(held[0], &shared->total[0]);
	else
		many_send(held, n);
	/* It can take longer than PATIENCE until the buffers are empty. */
	limit(held[0], 12 * PATIENCE);
	if (recv(held[0], &byte, 1, 0) != 1)
		fail("loses data");
	print(shared->received, cpu);
	close_streams();
}
