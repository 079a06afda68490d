#include "script.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	LONG = 24,		/* maximum ops in a quick script */
	PATIENT_LONG = 14,
	READING = 7,		/* maximum seconds that a slow reader needs */
	SPENDING = 8000		/* if `spent' is above this, waits are short */
};

const char *const end_name[] = { "client", "target" };
const char *const way_name[] = { "directly", "through the relay" };

/* A script under construction. */
struct maker {
	struct script *s;
	uint64_t state;		/* the state of draw() */
	size_t total[ENDS];	/* bytes that each end sends */
	int closed[ENDS];	/* this end sends nothing more */
	int narrow[ENDS];	/* this end has a small receive buffer */
	int small[ENDS];	/* this end gets small segments */
	unsigned rate[ENDS];	/* bytes/s that an end reads; 0: no limit */
	unsigned spent;		/* milliseconds of waiting so far */
	int limited;		/* the relay has -T or -t */
	int lost;		/* the script has already lost segments */
};

/* The generator is splitmix64. */
static unsigned
draw(uint64_t *state, unsigned below)
{
	uint64_t z;

	z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (unsigned)((z ^ z >> 31) % below);
}

static unsigned
draw_size(uint64_t *state, int narrow)
{
	static const unsigned most[] = { 1, 1, 16, 16, 16, 2000, 2000, 2000,
	    20000, 20000, 70000, 70000, 70000, 300000, 300000, 1000000 };

	return 1 + draw(state, most[draw(state, narrow ? 14 : 16)]);
}

static void
add(struct maker *m, int end, enum what what, unsigned arg)
{
	struct op *op;

	op = &m->s->op[m->s->n++];
	op->end = end;
	op->what = what;
	op->arg = arg;
}

/*
 * Choose the relay's options.  If the relay has -T or -t, one of the ends must
 * send or acknowledge a byte at least every two seconds.  So pauses are short,
 * and buffers are small.  On Linux, a closed window opens only when at least a
 * sixteenth of the buffer is free, and room for at least one segment.  In a
 * small buffer, even a slow reader frees that much every two seconds.
 */
static void
draw_options(struct maker *m)
{
	static const unsigned keepalive[] = { 1, 1, 1, 1, 2, 2, 3, 0 };
	unsigned limit, which;

	m->s->keepalive = keepalive[draw(&m->state, 8)];
	/*
	 * Four probes or answers in a row are practically never lost by chance.
	 */
	if (m->s->kind == LOSSY && m->s->keepalive != 0)
		m->s->keepalive = 4;
	m->limited = draw(&m->state, 3) == 0;
	which = draw(&m->state, 3);
	limit = 4 + draw(&m->state, 2) + (m->s->kind == LOSSY ? 4 : 0);
	if (m->limited && which != 0)
		m->s->idle = limit;
	if (m->limited && which != 1)
		m->s->half_closed = limit;
}

static void
draw_window(struct maker *m, int end)
{
	static const unsigned windows[] = { 1, 4096, 16384 };

	if (m->limited || (m->s->kind != QUICK && draw(&m->state, 3) == 0)) {
		m->narrow[end] = 1;
		add(m, end, BUFFER, windows[1 + draw(&m->state, 2)]);
		return;
	}
	m->narrow[end] = m->small[end] =
	    draw(&m->state, m->s->kind == QUICK ? 4 : 2) == 0;
	if (m->narrow[end])
		add(m, end, WINDOW, windows[draw(&m->state, 3)]);
}

static void
add_send(struct maker *m, int end)
{
	unsigned arg, left, most;

	/* In a patient script, leave a megabyte for acts other than SEND. */
	most = m->s->kind == QUICK ? MOST_BYTES - LONG : MOST_BYTES - 1000000;
	if (m->rate[!end] != 0)
		most = m->rate[!end] * READING;
	left = m->total[end] < most ? most - (unsigned)m->total[end] : 0;
	arg = draw_size(&m->state, m->narrow[!end]);
	if (m->rate[!end] != 0 && left > 2 && draw(&m->state, 2) == 0)
		arg = left / 2 + draw(&m->state, left / 2);
	if (arg > left)
		arg = 1;
	m->total[end] += arg;
	add(m, end, SEND, arg);
}

/*
 * Choose the rate at which this end reads.  At that rate, the end must not need
 * more than READING seconds to read all that the other end has sent so far.
 */
static void
add_rate(struct maker *m, int end)
{
	static const unsigned rates[] = { 8000, 30000, 60000, 120000, 300000 };
	unsigned least;

	least = (unsigned)m->total[!end] / READING + 100;
	m->rate[end] = rates[m->limited + (int)draw(&m->state, 4)];
	if (m->rate[end] < least)
		m->rate[end] = least;
	add(m, end, RATE, m->rate[end]);
}

static void
add_stall(struct maker *m, int end)
{
	unsigned most;

	most = m->s->kind == QUICK ? 20 : m->limited ? 600 :
	    draw(&m->state, 2) ? 6000 : 300;
	add(m, end, STALL, 1 + draw(&m->state, most));
}

/*
 * If the relay has -T, every pause is shorter than that limit.  If the relay
 * has -t, every pause after a FIN is shorter than that limit.  With either
 * option, every pause is longer than any stall.
 */
static void
add_pause(struct maker *m, int end)
{
	unsigned arg, least, most;
	int soon_over;

	soon_over = m->limited && (m->s->idle != 0 || m->closed[CLIENT] ||
	    m->closed[TARGET]);
	least = m->limited ? 700 : 1;
	most = m->s->kind == QUICK ? 20 : soon_over ? 500 : m->limited ? 6000 :
	    draw(&m->state, 2) ? 3000 : 300;
	arg = least + draw(&m->state, most);
	m->spent += arg;
	add(m, end, PAUSE, m->spent > SPENDING ? 1 : arg);
}

/*
 * Let an end receive nothing for a short time, which is less than the interval
 * between two probes.  If the connection is idle, the end misses one probe.
 * Otherwise, the end misses bytes that the other end sends.
 */
static void
add_outage(struct maker *m, int end)
{
	unsigned idle, ms;

	ms = 100 + draw(&m->state, 600);
	idle = !m->limited && m->s->keepalive > 1 ? draw(&m->state, 2) : 0;
	if (idle) {
		ms = 700;
		add(m, end, SETTLE, 0);
		add(m, end, PAUSE, m->s->keepalive * 1000 - ms / 2);
	}
	add(m, end, LOSE, 0);
	if (!idle) {
		m->total[!end] += 12000;
		add(m, !end, SEND, 12000);
	}
	add(m, end, PAUSE, ms);
	add(m, end, HEAL, 0);
	if (idle)
		add(m, end, PAUSE, 1500);
	add(m, end, SETTLE, 0);
	m->spent += idle * m->s->keepalive * 1000 + ms;
}

/*
 * Lose large segments to an end for longer than a relay with -k 1 waits for a
 * sign of life.  Meanwhile, the end keeps sending.  After the loss, the end
 * goes on sending until TCP has had time to retransmit the lost segments.  That
 * can take as long as the loss itself.  Settle first: if the end's bytes had to
 * wait for a window to open, they would not reach the relay.
 */
static void
add_loss(struct maker *m, int end)
{
	m->total[end] += 9000 / DRIP;
	m->total[!end] += 12000;
	m->spent += 9000;
	add(m, end, SETTLE, 0);
	add(m, end, LOSE, 1000);
	add(m, !end, SEND, 12000);
	add(m, end, TRICKLE, 4000);
	add(m, end, HEAL, 0);
	add(m, end, TRICKLE, 5000);
	add(m, end, SETTLE, 0);
}

static void
add_trickle(struct maker *m, int end)
{
	unsigned ms;

	ms = 500 + draw(&m->state, 5000);
	m->spent += ms;
	if (m->spent > SPENDING)
		ms = DRIP;
	m->total[end] += ms / DRIP;
	add(m, end, TRICKLE, ms);
}

static int
may_lose(const struct maker *m, int end)
{
	return m->s->kind == PATIENT && !m->lost &&
	    !m->closed[CLIENT] && !m->closed[TARGET] && !m->small[end] &&
	    (m->rate[end] == 0 ||
	    m->rate[end] * READING > m->total[!end] + 12000) &&
	    (m->rate[!end] == 0 ||
	    m->rate[!end] * READING > m->total[end] + 9000 / DRIP);
}

/*
 * An end calls close(2) when it has seen all that the other end sends.  After
 * that, the other end sends no more bytes.  It reads, and sometimes closes,
 * too.  If the other end sent bytes, it would get RST.  The time of that RST
 * would depend on when the system forgets the closed end.
 */
static void
add_close(struct maker *m, int end)
{
	int stalled;

	stalled = !m->limited && draw(&m->state, 3) != 0;
	if (stalled)
		add(m, !end, STALL, draw(&m->state, 200) == 0 ? 25000 :
		    1000 + draw(&m->state, 6000));
	if (!m->closed[end] && draw(&m->state, 3) != 0) {
		/*
		 * Send more than fits into all buffers on the way: see
		 * set_window.
		 */
		if (stalled && m->small[!end] && m->rate[!end] == 0)
			add(m, end, SEND, 40000 + draw(&m->state, 160000));
		else
			add_send(m, end);
	}
	add(m, end, CLOSE, 0);
	if (!m->limited && draw(&m->state, 3) == 0)
		add_pause(m, !end);
	if (draw(&m->state, 3) == 0) {
		add(m, !end, CLOSE, 0);
	} else if (!m->limited && m->s->keepalive != 0) {
		add(m, !end, SETTLE, 0);
		add(m, !end, AWAIT, 0);
		add(m, !end, PAUSE, 20);
	}
}

/* Add an act of this kind.  Returns 0 if it is the last act of the script. */
static int
add_act(struct maker *m, int end, enum what what)
{
	switch (what) {
	case SEND:
		add_send(m, end);
		break;
	case STALL:
		add_stall(m, end);
		break;
	case PAUSE:
		add_pause(m, end);
		break;
	case HALF_CLOSE:
		m->closed[end] = 1;
		add(m, end, HALF_CLOSE, 0);
		break;
	case RATE:
		add_rate(m, end);
		break;
	case TRICKLE:
		add_trickle(m, end);
		break;
	case LOSE:
		m->lost = 1;
		if (m->s->keepalive == 1)
			add_loss(m, end);
		else
			add_outage(m, end);
		break;
	case CLOSE:
		add_close(m, end);
		return 0;
	default:
		add(m, end, what, 0);
	}
	return 1;
}

static void
add_reset(struct maker *m, int end)
{
	unsigned kind;
	int finished;

	finished = m->closed[end];
	if (!m->closed[CLIENT] && !m->closed[TARGET] &&
	    draw(&m->state, 3) == 0) {
		add(m, end, HALF_CLOSE, 0);
		finished = 1;
	}
	/*
	 * If the answer to a probe is lost, the relay takes an RST after FIN
	 * for that answer.  So use no probes.
	 */
	if (m->s->kind == LOSSY && finished)
		m->s->keepalive = 0;
	kind = draw(&m->state, 3);
	/* If a segment before RST is lost, the receiver might reject RST. */
	add(m, end, RESET, m->s->kind == LOSSY && kind == ABRUPT ? QUIET :
	    kind);
}

/*
 * A script can end in three ways: one end resets; both ends half-close; or each
 * end that has not half-closed sends one more byte, to show that its stream is
 * still open.  A patient script can also end with close(2).
 */
void
make_script(struct script *s, uint64_t seed, enum kind kind)
{
	static const enum what often[] = { SEND, SEND, SEND, SEND, SEND, SEND,
	    URGENT, URGENT, URGENT, STALL, STALL, PAUSE, HALF_CLOSE, RESET,
	    /* patient scripts only: */ SEND, STALL, PAUSE, PAUSE, RATE, RATE,
	    RATE, TRICKLE, LOSE, LOSE, CLOSE, CLOSE, CLOSE };
	struct maker m;
	enum what what;
	unsigned left, most, whats;
	int end, i, way_out;

	memset(&m, 0, sizeof m);
	memset(s, 0, sizeof *s);
	m.s = s;
	m.state = s->seed = seed;
	s->kind = kind;
	whats = kind == QUICK ? 14 : sizeof often / sizeof often[0];
	most = kind == QUICK ? LONG : PATIENT_LONG;
	if (kind != QUICK)
		draw_options(&m);
	for (end = 0; end < ENDS; end++)
		draw_window(&m, end);
	if (m.limited)
		add_rate(&m, (int)draw(&m.state, ENDS));
	way_out = (int)draw(&m.state, 3);
	left = 1 + draw(&m.state, draw(&m.state, 3) == 0 ? 3 : most - 5);
	what = SEND;
	for (; left > 0; left--) {
		end = (int)draw(&m.state, ENDS);
		/* Two pauses in a row could together exceed a limit. */
		what = m.limited && what == PAUSE ? SEND :
		    often[draw(&m.state, whats)];
		/* A long script should not end early. */
		if (((what == RESET || what == CLOSE) && left > most / 2) ||
		    (what == HALF_CLOSE && (left > most / 2 ||
		    m.closed[CLIENT] || m.closed[TARGET])) ||
		    (what == LOSE && !may_lose(&m, end)))
			what = SEND;
		if (m.closed[end] && (what == SEND || what == URGENT ||
		    what == TRICKLE))
			end = !end;
		if (what == RESET)
			break;
		if (!add_act(&m, end, what))
			return;
	}
	end = (int)draw(&m.state, ENDS);
	if (left > 0 || way_out == 0) {
		add_reset(&m, end);
		return;
	}
	for (i = 0; i < ENDS; i++, end = !end)
		if (!m.closed[end] && way_out == 1)
			add(&m, end, HALF_CLOSE, 0);
		else if (!m.closed[end])
			add(&m, end, SEND, 1);
}

/*
 * If a reset comes before FIN has been read, recv(2) on the BSDs reports the
 * reset instead of FIN.
 */
static int
hides_fin(const struct script *s, int end)
{
#ifdef __linux__
	(void)s;
	(void)end;
#else
	const struct op *op;

	for (op = s->op; op < s->op + s->n; op++)
		if (op->what == HALF_CLOSE && op->end == end)
			return 1;
#endif
	return 0;
}

int
is_certain(const struct script *s, int end)
{
	const struct op *last;

	last = &s->op[s->n - 1];
	return last->what != RESET || last->arg == QUIET ||
	    (last->arg == ACKED && last->end != end &&
	    !hides_fin(s, last->end));
}

void
put(struct text *t, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->s + t->n, sizeof t->s - t->n, format, ap);
	va_end(ap);
	t->n += (size_t)n;
	if (t->n >= sizeof t->s)
		t->n = sizeof t->s - 1;
}

/* In the text, the number after an op is the value of its `arg'. */
void
put_script(struct text *t, const struct script *s)
{
	static const char *const names[] = {
		[WINDOW] = "window",
		[SEND] = "send",
		[URGENT] = "urgent",
		[STALL] = "stall",
		[PAUSE] = "pause",
		[HALF_CLOSE] = "half-close",
		[RESET] = "reset",
		[BUFFER] = "buffer",
		[RATE] = "rate",
		[CLOSE] = "close",
		[LOSE] = "lose",
		[HEAL] = "heal",
		[TRICKLE] = "trickle",
		[SETTLE] = "settle",
		[AWAIT] = "await"
	};
	static const char *const resets[] = {
		[ABRUPT] = "at once",
		[ACKED] = "when all it sent is acknowledged",
		[QUIET] = "when both ends have seen all"
	};
	const struct op *op;

	if (s->kind != QUICK)
		put(t, "# relay -k %u -T %u -t %u\n", s->keepalive, s->idle,
		    s->half_closed);
	for (op = s->op; op < s->op + s->n; op++) {
		put(t, "# %s %s", end_name[op->end], names[op->what]);
		if (op->what == RESET)
			put(t, " %s", resets[op->arg]);
		else if (op->arg != 0)
			put(t, " %u", op->arg);
		put(t, "\n");
	}
}

void
put_seen(struct text *t, const struct seen *seen, int certain)
{
	size_t i;

	if (certain)
		put(t, "%zu ", seen->bytes);
	put(t, "%s", seen->wrong ? "wrong bytes" : "bytes");
	for (i = 0; certain && i < seen->marks; i++)
		put(t, "%s%zu", i == 0 ? " (urgent: " : ", ", seen->mark[i]);
	put(t, "%s", certain && i > 0 ? ")" : "");
	if (certain && seen->fin)
		put(t, ", FIN");
	if (seen->error != 0)
		put(t, ", %s", seen->error == ECONNRESET ? "RST" :
		    strerror(seen->error));
	else if (certain && !seen->fin)
		put(t, ", no end");
}
