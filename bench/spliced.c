/*
 * This relay only splices: it connects to the target, moves bytes both ways
 * through a pipe for each direction, passes FIN on, and exits.  A turn is one
 * poll(2) and two splice(2).  It shows what a process per stream can carry.
 *
 * usage: spliced a.b.c.d port, with the client's socket on descriptor 0.
 */

#define _GNU_SOURCE

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIPE = 524288 };

struct flow {
	int from, to, pipe[2], eof;
	size_t piped;		/* bytes in the pipe */
};

static ssize_t
move(int from, int to, size_t n)
{
	ssize_t moved;

	moved = splice(from, NULL, to, NULL, n, SPLICE_F_NONBLOCK);
	if (moved == -1 && errno != EAGAIN)
		exit(0);	/* reset */
	return moved;
}

static void
serve(struct flow *f)
{
	ssize_t n;

	if (f->piped == 0 && !f->eof) {
		n = move(f->from, f->pipe[1], PIPE);
		if (n > 0)
			f->piped = (size_t)n;
		if (n == 0) {
			f->eof = 1;
			(void)shutdown(f->to, SHUT_WR);
		}
	}
	if (f->piped != 0 && (n = move(f->pipe[0], f->to, f->piped)) > 0)
		f->piped -= (size_t)n;
}

int
main(int argc, char *argv[])
{
	static const struct sched_param none;
	struct sockaddr_in in;
	struct flow flow[2];
	struct pollfd p[2];
	int fd, i;

	memset(&in, 0, sizeof in);
	in.sin_family = AF_INET;
	if (argc != 3 || inet_pton(AF_INET, argv[1], &in.sin_addr) != 1)
		errx(2, "usage: spliced a.b.c.d port");
	in.sin_port = htons((in_port_t)atoi(argv[2]));
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1 ||
	    connect(fd, (struct sockaddr *)&in, sizeof in) == -1)
		err(1, "%s:%s", argv[1], argv[2]);
	memset(flow, 0, sizeof flow);
	for (i = 0; i < 2; i++) {
		flow[i].from = p[i].fd = i == 0 ? 0 : fd;
		flow[i].to = i == 0 ? fd : 0;
		if (fcntl(p[i].fd, F_SETFL, O_NONBLOCK) == -1 ||
		    pipe2(flow[i].pipe, O_NONBLOCK) == -1)
			err(1, "pipe2");
		(void)fcntl(flow[i].pipe[1], F_SETPIPE_SZ, PIPE);
	}
	(void)sched_setscheduler(0, SCHED_BATCH, &none);
	while (!flow[0].eof || !flow[1].eof) {
		for (i = 0; i < 2; i++)
			p[i].events = (short)
			    ((flow[i].piped == 0 && !flow[i].eof ? POLLIN : 0) |
			    (flow[!i].piped != 0 ? POLLOUT : 0));
		if (poll(p, 2, -1) == -1)
			err(1, "poll");
		for (i = 0; i < 2; i++)
			if (p[i].revents != 0 || flow[i].piped != 0)
				serve(&flow[i]);
	}
	return 0;
}
