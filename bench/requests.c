/* Measures requests and replies like those of a database with many clients. */

#include "client.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <err.h>
#include <stdlib.h>

enum { MOST_SAMPLES = 1000000 };

static double latency[MOST_SAMPLES];	/* us */
static size_t nreplies, nsamples;

static struct client {
	int64_t asked;		/* when the client last asked */
	int got;		/* bytes of the reply */
} clients[MOST_STREAMS];

static void
ask(int i)
{
	static const char request[ASK];

	clients[i].got = 0;
	clients[i].asked = now();
	if (send(held[i], request, ASK, MSG_NOSIGNAL) != ASK)
		fail("drops a session");
}

/*
 * Receive bytes of the reply to a client.  Returns true if the reply is then
 * complete.
 */
static int
hear(int i)
{
	char reply[ANSWER];
	ssize_t n;

	n = recv(held[i], reply, (size_t)(ANSWER - clients[i].got), 0);
	if (n <= 0)
		fail("drops a session");
	clients[i].got += (int)n;
	if (clients[i].got < ANSWER)
		return 0;
	nreplies++;
	if (nsamples < MOST_SAMPLES)
		latency[nsamples++] = (double)(now() - clients[i].asked) / 1e3;
	return 1;
}

static double
share(double part)
{
	return latency[(size_t)((double)(nsamples - 1) * part)];
}

void
row_ask(int n)
{
	struct epoll_event e[64];
	int64_t began, end;
	int epoll, i, more, waiting;

	if (n < 1 || n > MOST_STREAMS)
		errx(1, "from 1 to %d clients", MOST_STREAMS);
	serve(REPLIES);
	if ((epoll = epoll_create1(0)) == -1)
		err(1, "epoll_create1");
	for (i = 0; i < n; i++) {
		held[nheld++] = begin();
		e[0].events = EPOLLIN;
		e[0].data.fd = i;
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, held[i], &e[0]) == -1)
			err(1, "epoll_ctl");
	}
	began = now();
	for (i = 0; i < n; i++)
		ask(i);
	for (waiting = n; waiting > 0;) {
		if ((more = epoll_wait(epoll, e, 64, PATIENCE * 1000)) <= 0)
			fail("a session stalls");
		for (i = 0; i < more; i++) {
			if (!hear(e[i].data.fd))
				continue;
			if (now() - began < shared->duration)
				ask(e[i].data.fd);
			else
				waiting--;
		}
	}
	end = now();
	qsort(latency, nsamples, sizeof latency[0], compare);
	result("", (double)nreplies * 1e9 / (double)(end - began));
	result("-50", share(0.5));
	result("-99", share(0.99));
	result("-99.9", share(0.999));
	let_go();
	serve_no_more();
}
