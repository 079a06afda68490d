#include "exchange.h"


#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

enum {
	HEADER = 52,		/* length of a PROXY header of version 2 */
	MOST_BYTES = 400000	/* maximum that one side sends */
};

/* What the client and the target send. */
static unsigned char streams[2][MOST_BYTES];

/*
 * A side that sees FIN must have got everything that the other side sent before
 * FIN.  Returns what is wrong, or NULL.
 */
static const char *
judge(const struct side *side)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (side[i].wrong)
			return "a byte that nobody sent";
		if (!side[i].got_fin)
			continue;
		if (!side[!i].finished)
			return i == 0 ? "LOSS: FIN that no target sent" :
			    "LOSS: FIN that no client sent";
		if (side[i].received != side[i].expected)
			return i == 0 ? "LOSS: FIN without the target's bytes" :
			    "LOSS: FIN without the client's bytes";
	}
	return NULL;
}

/*
 * True if these bytes are what the other side has sent at this place in its
 * stream.
 */
static int
is_right(const struct side *me, const unsigned char *bytes, size_t n,
    const unsigned char *stream)
{
	size_t at, skip;

	at = me->received;
	if (n > me->expected - at)
		return 0;
	skip = me->skip > at ? me->skip - at : 0;
	return n <= skip ||
	    memcmp(bytes + skip, stream + at + skip - me->skip, n - skip) == 0;
}

static void
receive(struct side *me, const unsigned char *stream)
{
	static unsigned char buffer[262144];
	ssize_t n;

	while ((n = recv(me->fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
		if (!me->wrong && !is_right(me, buffer, (size_t)n, stream))
			me->wrong = 1;
		me->received += (size_t)n;
	}
	if (n == 0)
		me->got_fin = 1;
	else if (errno != EAGAIN && errno != EINTR)
		me->dead = 1;
}

/* Returns how many bytes this side is allowed to send now. */
static size_t
ready(const struct exchange *e, const struct side *side, int i)
{
	size_t most;

	most = side[i].to_send;
	if (e->tail != 0 && side[!i].received < most - e->tail)
		most -= e->tail;
	return most - side[i].sent;
}

static void
transmit(const struct exchange *e, struct side *side, int i)
{
	struct side *me;
	size_t n;
	ssize_t did;
	int flags;

	me = &side[i];
	n = ready(e, side, i);
	flags = MSG_DONTWAIT | MSG_NOSIGNAL;
	if (me->sent + 1 == e->urgent) {
		n = 1;
		flags |= MSG_OOB;
	} else if (me->sent < e->urgent && me->sent + n >= e->urgent) {
		n = e->urgent - 1 - me->sent;
	}
	did = send(me->fd, streams[i] + me->sent, n, flags);
	if (did > 0)
		me->sent += (size_t)did;
	else if (errno != EAGAIN && errno != EINTR)
		me->dead = 1;
}

/*
 * If this side has sent everything, and it is this side's turn, send FIN or
 * RST.
 */
static void
finish_or_reset(const struct exchange *e, struct side *side, int i)
{
	struct side *me;

	me = &side[i];
	if (me->fd == -1 || me->dead || me->finished || me->sent < me->to_send)
		return;
	if (e->resets[i]) {
		if (side[!i].fd != -1 && side[!i].received > side[!i].skip &&
		    unsent(me->fd) == 0) {
			reset_now(&me->fd);
			me->dead = 1;
		}
	} else if (!e->resets[!i] && e->signal != SIGTERM &&
	    (!e->last[i] || me->got_fin)) {
		if (shutdown(me->fd, SHUT_WR) == 0)
			me->finished = 1;
		else
			me->dead = 1;
	}
}

/*
 * True if this side is done: its connection is dead, or FIN has gone both ways.
 */
static int
is_over(const struct side *me)
{
	return me->dead || (me->got_fin && me->finished);
}

static struct pollfd
interest(const struct exchange *e, const struct side *side, int i)
{
	struct pollfd p;
	const struct side *me;

	me = &side[i];
	p.fd = is_over(me) ? -1 : me->fd;
	p.events = p.revents = 0;
	if (!me->got_fin && (i == 0 || !e->slow || side[0].dead ||
	    me->received == 0))
		p.events |= POLLIN;
	if (ready(e, side, i) > 0)
		p.events |= POLLOUT;
	return p;
}

static void
act(const struct exchange *e, struct side *side, int i, int revents)
{
	struct side *me;

	me = &side[i];
	if ((revents & (POLLIN | POLLERR | POLLHUP)) != 0 && !me->got_fin)
		receive(me, streams[!i]);
	else if ((revents & POLLERR) != 0)
		me->dead = 1;
	if ((revents & POLLOUT) != 0 && !me->dead && ready(e, side, i) > 0)
		transmit(e, side, i);
	finish_or_reset(e, side, i);
}

static void
inline_urgent(int fd)
{
	int yes;

	yes = 1;
	if (setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &yes, sizeof yes) == -1)
		fail("SO_OOBINLINE: %s", strerror(errno));
}

static void
make_streams(void)
{
	static int made;
	size_t i;

	for (i = 0; !made && i < MOST_BYTES; i++) {
		streams[CLIENT][i] = stream_byte(1, i);
		streams[TARGET][i] = stream_byte(2, i);
	}
	made = 1;
}

static void
set_up(const struct exchange *e, struct side *side, int client)
{
	int i;

	make_streams();
	memset(side, 0, 2 * sizeof *side);
	for (i = 0; i < 2; i++) {
		side[i].fd = i == 0 ? client : -1;
		side[i].to_send = e->bytes[i];
		side[i].skip = i == 1 && e->is_header ? HEADER : 0;
		side[i].expected = e->bytes[!i] + side[i].skip;
	}
	inline_urgent(client);
}

const char *
play_exchange(const struct exchange *e, struct tracing *t, int listener,
    int client, struct side *side)
{
	struct pollfd p[3];
	int64_t began;
	int i, over, signalled;

	set_up(e, side, client);
	began = milliseconds();
	signalled = 0;
	do {
		if (milliseconds() - began > EXCHANGE_LIMIT)
			return "it hangs";
		over = t->over;
		for (i = 0; i < 2; i++)
			p[i] = interest(e, side, i);
		p[2].fd = side[1].fd == -1 && !e->refuses ? listener : -1;
		p[2].events = POLLIN;
		p[2].revents = 0;
		if (poll(p, 3, over ? STILL : 5) == 0 && over)
			break;
		if ((p[2].revents & POLLIN) != 0) {
			side[1].fd = accept(listener, NULL, NULL);
			inline_urgent(side[1].fd);
		}
		for (i = 0; i < 2; i++)
			if (p[i].fd != -1)
				act(e, side, i, p[i].revents);
		if (e->signal != 0 && !signalled &&
		    side[1].received == side[1].expected) {
			kill(t->pid, e->signal);
			signalled = 1;
		}
	} while (!is_over(&side[0]) ||
	    (side[1].fd != -1 && !is_over(&side[1])));
	for (i = 0; i < 2; i++)
		if (side[i].fd != -1 && !side[i].dead && !side[i].got_fin)
			return "the relay has ended, and a peer has not";
	return judge(side);
}
