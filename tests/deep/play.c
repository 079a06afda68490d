/*
 * How this program plays a script.  One process plays both ends, so an end can
 * wait until the other end has seen something.  An end waits before three kinds
 * of act, because TCP would otherwise leave their results to chance:
 *
 *   Urgent byte: TCP has only one urgent pointer.  If a second urgent
 *   byte is sent before the first is read, the first loses its mark.
 *   So an end sends the second only after the other end has seen the
 *   first.  The pointer reaches only 64 KiB ahead.  So an end sends an
 *   urgent byte only when the other end has fewer than NEAR earlier
 *   bytes left to read.
 *
 *   Reset: a reset drops the bytes that are in flight.  If the end
 *   waits until all its bytes are acknowledged (ACKED), the other end
 *   gets all of them, even bytes that it has not read when RST comes,
 *   and then RST.  If the end waits until both ends have seen
 *   everything (QUIET), it is certain what each end sees.  If the end
 *   does not wait (ABRUPT), only two things are certain: the bytes that
 *   arrive are right, and RST follows them.
 *
 *   Close: if a socket has unread bytes when an end closes it, the
 *   system sends RST.  So an end closes its socket only when it has
 *   seen everything.
 */

#include "script.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	NEAR = 60000,
	CHUNK = 50		/* ms between the reads of an end with a rate */
};

static unsigned char bytes[ENDS][MOST_BYTES];	/* what each end sends */
int64_t present;
int64_t soon;

void
play_prepare(void)
{
	unsigned end;
	size_t i;

	for (end = 0; end < ENDS; end++)
		for (i = 0; i < MOST_BYTES; i++)
			bytes[end][i] = stream_byte(end, i);
}

void
play_begin(struct play *p, const struct script *s, int way)
{
	memset(p, 0, sizeof *p);
	p->way = way;
	p->moved = present;
	p->front = -1;
	p->peer[TARGET].fd = -1;
	if (way == DIRECT) {
		p->listener = make_listener(AF_INET6, s);
		p->peer[CLIENT].fd = dial(p->listener, s);
		return;
	}
	p->listener = make_listener(target_family(), s);
	p->front = make_listener(client_family(), NULL);
	p->peer[CLIENT].fd = dial(p->front, s);
}

/*
 * Accept a connection that has arrived.  If packets are lost, a connection can
 * arrive late.
 */
static void
arrive(struct play *p, const struct script *s)
{
	int theirs;

	if (p->front == -1) {
		p->peer[TARGET].fd = as_peer(take_connection(p->listener));
		close(p->listener);
		p->listener = -1;
		return;
	}
	theirs = take_connection(p->front);
	close(p->front);
	p->front = -1;
	p->relay = start_relay(theirs, s, port_of(p->listener));
	close(theirs);
}

/*
 * Note an error.  RST causes the error ECONNRESET.  On Linux, RST after FIN
 * causes EPIPE.
 */
static void
see_error(struct seen *seen, int error)
{
	seen->error = error == EPIPE ? ECONNRESET : error;
}

static void
push(struct play *p, int end)
{
	struct peer *me;
	ssize_t n;

	me = &p->peer[end];
	while (me->fd != -1 && me->sent < me->queued && me->error == 0) {
		n = send(me->fd, bytes[end] + me->sent, me->queued - me->sent,
		    MSG_NOSIGNAL);
		if (n == -1 && errno == EAGAIN)
			return;
		if (n == -1)
			me->error = errno;
		else
			me->sent += (size_t)n;
	}
	if (me->seen.fin && me->error != 0)
		see_error(&me->seen, me->error);
}

/*
 * Read once after poll(2).  If an urgent byte arrives after the call of
 * sockatmark(3), its mark is not missed.  In that case, poll(2) has reported
 * earlier bytes, and recv(2) reads only these, because it stops before an
 * urgent byte.
 */
static void
take(struct play *p, int end)
{
	static unsigned char buffer[1 << 18];
	struct seen *seen;
	struct peer *me;
	const struct peer *other;
	size_t most;
	ssize_t n;
	int mark;

	me = &p->peer[end];
	other = &p->peer[!end];
	seen = &p->peer[end].seen;
	mark = sockatmark(me->fd) == 1;
	most = sizeof buffer;
	if (me->rate != 0 && me->allowed / 1000 < (int64_t)most)
		most = (size_t)(me->allowed / 1000);
	n = recv(me->fd, buffer, mark ? 1 : most, 0);
	if (n == -1 && errno == EAGAIN)
		return;
	p->moved = present;
	if (n == -1) {
		see_error(seen, errno);
		return;
	}
	if (n == 0) {
		/*
		 * If send(2) has reported an error other than EPIPE, a 0 from
		 * recv(2) does not mean FIN.
		 */
		seen->fin = me->error == 0 || me->error == EPIPE;
		if (me->error != 0)
			see_error(seen, me->error);
		return;
	}
	if (mark) {
		seen->wrong |= seen->bytes + 1 != other->urgent;
		seen->mark[seen->marks % MOST_OPS] = seen->bytes;
		seen->marks++;
	}
	if (seen->bytes + (size_t)n > other->sent ||
	    memcmp(buffer, bytes[!end] + seen->bytes, (size_t)n) != 0)
		seen->wrong = 1;
	seen->bytes += (size_t)n;
	me->allowed -= n * 1000;
}

/*
 * Check whether RST has come to an end that has already seen FIN.  On some
 * systems, poll(2) does not report this RST.
 */
static void
look_for_error(struct play *p, int end)
{
	socklen_t len;
	int error;

	len = sizeof error;
	if (getsockopt(p->peer[end].fd, SOL_SOCKET, SO_ERROR, &error,
	    &len) == 0 && error != 0) {
		see_error(&p->peer[end].seen, error);
		p->moved = present;
	}
}

/*
 * Update the number of bytes that an end with a rate is allowed to read now.
 * While the end does not read, the number grows, up to what the rate allows in
 * 0.5 s.
 */
static void
count_allowed(struct peer *me)
{
	me->allowed += me->rate * (present - me->counted);
	if (me->allowed > me->rate * 500)
		me->allowed = me->rate * 500;
	me->counted = present;
}

static int
is_reading(const struct peer *me)
{
	return me->fd != -1 && present >= me->stalled && me->seen.error == 0 &&
	    (me->rate == 0 || me->allowed >= me->rate * CHUNK);
}

/* Returns the events for which to poll this end. */
static struct pollfd
interest(const struct peer *me)
{
	struct pollfd fd;

	fd.events = fd.revents = 0;
	if (is_reading(me) && !me->seen.fin)
		fd.events |= POLLIN;
	if (me->sent < me->queued && me->error == 0)
		fd.events |= POLLOUT;
	fd.fd = fd.events != 0 ? me->fd : -1;
	return fd;
}

void
play_interest(const struct play *p, struct pollfd *fds)
{
	fds[CLIENT] = interest(&p->peer[CLIENT]);
	fds[TARGET] = interest(&p->peer[TARGET]);
	fds[ENDS].fd = p->front != -1 ? p->front : p->listener;
	fds[ENDS].events = POLLIN;
	fds[ENDS].revents = 0;
}

static void
serve(struct play *p, int end, int revents)
{
	struct peer *me;

	me = &p->peer[end];
	if ((revents & (POLLOUT | POLLERR | POLLHUP)) != 0)
		push(p, end);
	if (!is_reading(me))
		return;
	if (!me->seen.fin && (revents & ~POLLOUT) != 0)
		take(p, end);
	else if (me->seen.fin && !me->half_closed)
		look_for_error(p, end);
}

/*
 * True if this end has seen everything that the other end has been told to send
 * so far.
 */
static int
is_abreast(const struct play *p, int end)
{
	const struct peer *me, *other;

	me = &p->peer[end];
	other = &p->peer[!end];
	if (me->fd == -1 || other->reset)
		return me->reset || me->closed || me->seen.error != 0 ||
		    (me->seen.fin && !other->half_closed);
	return me->seen.error != 0 || me->seen.fin ||
	    (me->seen.bytes == other->queued && !other->half_closed);
}

/*
 * True if this end's socket has taken everything that this end has been told to
 * send so far.
 */
static int
is_written(const struct peer *me)
{
	return me->fd != -1 && (me->sent == me->queued || me->error != 0);
}

static int
is_acked(const struct peer *me)
{
	return me->error != 0 || unsent(me->fd) == 0;
}

/*
 * True if this end is allowed to send an urgent byte now.  The byte must not
 * take away another urgent byte's mark.  Nor must the byte be too far ahead of
 * what the other end has seen.
 */
static int
may_be_urgent(const struct play *p, int end)
{
	const struct peer *me;
	size_t seen;

	me = &p->peer[end];
	seen = p->peer[!end].seen.bytes;
	return is_written(me) && (is_abreast(p, !end) ||
	    (seen >= me->urgent && seen + NEAR > me->sent));
}

/*
 * True if this end is allowed to reset now.  The target's connection must be
 * accepted first, because nobody would see an earlier reset.
 */
static int
may_reset(const struct play *p, int end, unsigned kind)
{
	if (p->peer[CLIENT].fd == -1 || p->peer[TARGET].fd == -1)
		return 0;
	if (kind == ACKED)
		return is_written(&p->peer[end]) && is_acked(&p->peer[end]);
	return kind == ABRUPT || (is_abreast(p, end) && is_abreast(p, !end));
}

static int
send_urgent(struct play *p, int end)
{
	struct peer *me;

	me = &p->peer[end];
	if (me->error == 0 && send(me->fd, bytes[end] + me->sent, 1,
	    MSG_OOB | MSG_NOSIGNAL) == -1) {
		if (errno == EAGAIN)
			return 0;
		me->error = errno;
	}
	me->urgent = me->sent = ++me->queued;
	return 1;
}

/*
 * Send a byte every DRIP ms until all bytes of this op are sent.  When this end
 * has seen everything after HEAL, send the remaining bytes immediately.
 * Returns 0 if bytes remain.
 */
static int
trickle(struct play *p, const struct op *op)
{
	struct peer *me;

	me = &p->peer[op->end];
	if (p->drips == 0)
		p->drip = present;
	while (p->drips < op->arg / DRIP && (present >= p->drip ||
	    (me->healed && is_abreast(p, op->end)))) {
		me->queued++;
		push(p, op->end);
		p->drips++;
		p->drip += DRIP;
	}
	if (p->drips < op->arg / DRIP)
		return 0;
	p->drips = 0;
	me->healed = 0;
	return 1;
}

/*
 * Returns 1 if the relay has ended.  A relay that does not end in time is
 * killed.  If the relay was killed, or if its exit status is not 0, `trouble'
 * says so.
 */
static int
relay_ended(struct play *p)
{
	int status;

	if (p->relay == 0)
		return 1;
	if (present - p->moved > soon) {
		snprintf(p->trouble, sizeof p->trouble,
		    "the relay does not end");
		play_stop(p);
	} else if (waitpid(p->relay, &status, WNOHANG) == 0)
		return 0;
	else if (WIFSIGNALED(status))
		snprintf(p->trouble, sizeof p->trouble,
		    "the relay was killed by signal %d", WTERMSIG(status));
	else if (status != 0)
		snprintf(p->trouble, sizeof p->trouble,
		    "the relay's exit status is %d", WEXITSTATUS(status));
	p->relay = 0;
	return 1;
}

/* Do this op.  Returns 0 if the op has to wait. */
static int
perform(struct play *p, const struct op *op)
{
	struct peer *me;

	me = &p->peer[op->end];
	switch (op->what) {
	case WINDOW:
	case BUFFER:
		break;
	case SEND:
		me->queued += op->arg;
		push(p, op->end);
		break;
	case URGENT:
		return may_be_urgent(p, op->end) && send_urgent(p, op->end);
	case STALL:
		me->stalled = present + op->arg;
		break;
	case PAUSE:
		p->paused = present + op->arg;
		break;
	case HALF_CLOSE:
		if (!is_written(me))
			return 0;
		(void)shutdown(me->fd, SHUT_WR);	/* it can fail */
		me->half_closed = 1;
		break;
	case RESET:
		if (!may_reset(p, op->end, op->arg))
			return 0;
		reset_now(&me->fd);
		me->reset = 1;
		break;
	case RATE:
		me->rate = op->arg;
		me->allowed = 0;
		me->counted = present;
		break;
	case CLOSE:
		if (!is_written(me) || !is_abreast(p, op->end))
			return 0;
		close(me->fd);
		me->fd = -1;
		me->half_closed = me->closed = 1;
		break;
	case LOSE:
		if (me->fd == -1)
			return 0;
		lose(me->fd, op->arg);
		break;
	case HEAL:
		lose_nothing(me->fd);
		me->healed = 1;
		break;
	case TRICKLE:
		return trickle(p, op);
	case SETTLE:
		return is_abreast(p, CLIENT) && is_abreast(p, TARGET);
	case AWAIT:
		return relay_ended(p);
	}
	return 1;
}

/*
 * Close the sockets.  Reset connections that are still open, because too many
 * connections in TIME_WAIT would use up the machine's ports.
 */
static void
finish_play(struct play *p)
{
	int end;

	for (end = 0; end < ENDS; end++)
		if (p->peer[end].fd != -1)
			reset_now(&p->peer[end].fd);
	if (p->front != -1)
		close(p->front);
	if (p->listener != -1)
		close(p->listener);
	p->front = p->listener = -1;
	p->over = 1;
	p->moved = present;
}

void
play_step(struct play *p, const struct script *s, const struct pollfd *fds)
{
	int end;

	if (p->over) {
		(void)relay_ended(p);
		return;
	}
	if (fds[ENDS].revents != 0)
		arrive(p, s);
	for (end = 0; end < ENDS; end++) {
		count_allowed(&p->peer[end]);
		serve(p, end, fds[end].revents);
	}
	while (p->next < s->n && present >= p->paused &&
	    perform(p, &s->op[p->next])) {
		p->next++;
		p->moved = present;
	}
	if (p->next == s->n && present >= p->paused && is_abreast(p, CLIENT) &&
	    is_abreast(p, TARGET))
		finish_play(p);
	else if (present - p->moved > soon) {
		snprintf(p->trouble, sizeof p->trouble,
		    "%s it stood still for %d s", way_name[p->way],
		    (int)(soon / 1000));
		finish_play(p);
	}
}

int
play_ended(const struct play *p)
{
	return p->over && p->relay == 0;
}

void
play_stop(struct play *p)
{
	int status;

	if (p->relay == 0)
		return;
	kill(p->relay, SIGKILL);
	waitpid(p->relay, &status, 0);
	p->relay = 0;
}
