/*
 * Any system call can fail.  These tests make each call of a session fail, with
 * each errno that errnos.c lists for that call.  The call fails either once (at
 * its first, second or any later use) or always.  Then the relay must neither
 * crash, nor spin, nor end later than its limits allow.  The relay must not
 * send a wrong byte.  If bytes were lost, the relay must not send FIN.
 *
 * There are many such faults.  "make check" tries every seventh fault (SAMPLE),
 * and "make check-faults" tries them all (FAULTS=all).  With
 * FAULTS=sendto:2:32, only the second sendto(2) fails, with errno 32.  With
 * FAULTS=sendto:0:32, each sendto(2) fails.  If the number is -1 instead of an
 * errno, the call does only a part of its work.  If the number is -3, the relay
 * is killed.  With FAULTS_LIST=1, the test prints each fault and its outcome.
 * The environment variable RELAY_BULK is the path of the relay that treats
 * every flow as bulk.
 */

#include "errnos.h"
#include "exchange.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SAMPLE = 7 };

/*
 * With a fault, connecting may last until -w ends it.  Without one, it has to
 * succeed, however busy the machine is.
 */
static void
start(const struct exchange *e, struct relay *r, int port, int faulty)
{
	const char *args[16];
	static char text[8];
	size_t i;

	snprintf(text, sizeof text, "%d", port);
	for (i = 0; e->options[i] != NULL; i++)
		args[i] = e->options[i];
	args[i++] = "-w";
	args[i++] = faulty ? "2" : "60";
	args[i++] = "-T";
	args[i++] = "3";
	args[i++] = e->named ? "localhost" : "127.0.0.1";
	args[i++] = text;
	args[i] = NULL;
	relay_startv(r, AF_INET6, !e->shared, args);
}

/* Run one session with this fault.  Returns what is wrong, or NULL. */
static const char *
session(const struct exchange *e, struct tracing *t, const struct fault *f,
    struct side *side)
{
	static char text[64];
	const char *what;
	struct relay r;
	int listener, status;

	memset(t, 0, sizeof *t);
	if (f != NULL) {
		t->faults[0] = *f;
		t->nfaults = 1;
	}
	listener = e->refuses ? refuse_on(AF_INET) : listen_on(AF_INET);
	start(e, &r, port_of(listener), f != NULL);
	what = play_exchange(e, t, listener, r.client, side);
	close(listener);
	if (side[0].fd != -1)
		close(side[0].fd);
	if (side[1].fd != -1)
		close(side[1].fd);
	if (what != NULL && !t->over && t->pid != 0)
		kill(t->pid, SIGKILL);
	status = relay_status(&r, EXCHANGE_LIMIT);
	if (r.err != -1)
		close(r.err);
	if (t->spun)
		return "it spins";
	if (what == NULL && status >= 125 && status != 128 + e->signal &&
	    (f == NULL || f->error != KILLED)) {
		snprintf(text, sizeof text, "exit status %d", status);
		what = text;
	}
	return what;
}

static struct {
	unsigned failures, losses;
	unsigned faults[MOST_CALLS];	/* how many in each call */
	char text[400];
} found;

/* Run one session in which the nth use of this call fails. */
static void
try(const struct exchange *e, struct tracing *t, size_t call, unsigned nth,
    int error)
{
	struct side side[2];
	struct fault f;
	const char *name, *what;
	size_t n;

	f.call = calls[call].number;
	f.argument = ANY;
	f.nth = nth;
	f.error = error;
	what = session(e, t, &f, side);
	if (t->injected == 0)
		return;
	found.faults[call]++;
	name = calls[call].name;
	if (getenv("FAULTS_LIST") != NULL)
		printf("# %s %u %s: up %zu down %zu: %s\n", name, nth,
		    error == SHORT ? "short" : error == KILLED ? "killed" :
		    strerror(error), side[1].received, side[0].received,
		    what == NULL ? "well" : what);
	if (what == NULL)
		return;
	if (strncmp(what, "LOSS", 4) == 0)
		found.losses++;
	found.failures++;
	n = strlen(found.text);
	snprintf(found.text + n, sizeof found.text - n, "; %s:%u:%d %s", name,
	    nth, error, what);
}

/* Try only the fault that FAULTS=call:nth:errno names. */
static void
just_one(const struct exchange *e, struct tracing *t, const char *text)
{
	size_t i, len;
	unsigned nth;
	int error;

	len = strcspn(text, ":");
	if (sscanf(text + len, ":%u:%d", &nth, &error) != 2)
		fail("FAULTS=%s: not all, nor call:nth:errno", text);
	for (i = 0; i < ncalls; i++)
		if (strlen(calls[i].name) == len &&
		    strncmp(calls[i].name, text, len) == 0)
			try(e, t, i, nth, error);
}

/* True for an error after which it is right to make the same call again. */
static int
passes(int error)
{
	return error == EAGAIN || error == EINTR || error == SHORT;
}

/*
 * In most faults, one use of a call fails, with one of that call's errors.  In
 * the other faults, every use of a call fails (nth is 0).  For the latter, leave
 * out errors after which it is right to make the call again.  Of the faults of
 * both kinds, try only one in `step'.  `count' says how often a session without a fault uses
 * each call.
 */
static void
every(const struct exchange *e, struct tracing *t, const unsigned *count,
    unsigned step)
{
	const int *error;
	unsigned at, nth;
	size_t i;

	at = 0;
	for (i = 0; i < ncalls; i++)
		for (nth = count[calls[i].number]; nth > 0; nth--)
			for (error = calls[i].errors; *error != 0; error++) {
				if (at++ % step == 0)
					try(e, t, i, nth, *error);
				if (nth == 1 && !passes(*error) &&
				    at++ % step == 0)
					try(e, t, i, 0, *error);
			}
}

/*
 * Check that a session without a fault ends well.  Returns how often the
 * session makes each call.
 */
static const unsigned *
calibrate(const struct exchange *e, struct tracing *t)
{
	static unsigned count[TRACE_CALLS];
	struct side side[2];
	const char *what;
	unsigned known;
	size_t i;

	what = session(e, t, NULL, side);
	/*
	 * If nothing was spliced, try again: other processes might have used up
	 * this user's pipes (see pipe(7)).
	 */
	for (i = 0; i < 20 && e->bulk && t->count[SYS_splice] == 0; i++) {
		pause_for(SETTLED);
		what = session(e, t, NULL, side);
	}
	if (what != NULL)
		fail("without a fault: %s", what);
	if (!e->refuses && e->signal != SIGTERM && !e->resets[CLIENT] &&
	    !e->resets[TARGET] && (!side[0].got_fin || !side[1].got_fin))
		fail("without a fault there is no FIN");
	if (!e->refuses && side[1].received != side[1].expected)
		fail("without a fault %zu bytes arrive", side[1].received);
	if (e->bulk && t->count[SYS_splice] == 0)
		skip("nothing is spliced, see pipe-user-pages-soft in pipe(7)");
	known = 1;	/* the tracer's count begins at 1, too */
	for (i = 0; i < ncalls; i++)
		known += t->count[calls[i].number];
	if (known != t->calls)
		printf("# %u calls are not in the list\n", t->calls - known);
	for (i = 0; i < TRACE_CALLS; i++)
		count[i] = t->count[i];
	return count;
}

static void
print_totals(void)
{
	unsigned sum;
	size_t i;

	sum = 0;
	for (i = 0; i < ncalls; i++) {
		sum += found.faults[i];
		if (getenv("FAULTS") != NULL && found.faults[i] != 0)
			printf("# %u of %s\n", found.faults[i],
			    calls[i].name);
	}
	printf("# %u faults injected, %u silent losses\n", sum, found.losses);
	fflush(stdout);
}

static void
try_all(const struct exchange *e)
{
	const char *choice;
	const unsigned *count;
	struct tracing *t;

	if (e->bulk)
		relay_path = getenv("RELAY_BULK") != NULL ?
		    getenv("RELAY_BULK") : "tests/stfl-relay-bulk";
	t = trace_begin();
	count = calibrate(e, t);
	choice = getenv("FAULTS");
	if (choice == NULL) {
		every(e, t, count, SAMPLE);
	} else {
		alarm(0);	/* no time limit */
		if (strcmp(choice, "all") == 0)
			every(e, t, count, 1);
		else
			just_one(e, t, choice);
	}
	print_totals();
	if (found.failures > 0)
		fail("%u of them%s", found.failures, found.text);
}

#define EXCHANGE(name, sentence, ...) \
TEST(name, sentence) \
{ \
	static const struct exchange exchange = { __VA_ARGS__ }; \
\
	try_all(&exchange); \
}

EXCHANGE(faults_bulk, "no call that fails hides a loss in bulk",
    .options = { "-q" }, .bytes = { 400000, 400000 }, .tail = 10, .bulk = 1)

EXCHANGE(faults_talk, "no call that fails hides a loss in talk",
    .options = { "-v" }, .bytes = { 1000, 3000 }, .last[TARGET] = 1)

EXCHANGE(faults_inetd,
    "no call that fails hides a loss in a session as inetd starts it",
    .options = { "-v" }, .bytes = { 1000, 3000 }, .last[CLIENT] = 1,
    .shared = 1)

EXCHANGE(faults_proxy, "no call that fails hides a loss after a PROXY header",
    .options = { "-p", "2" }, .bytes = { 1000, 3000 }, .last[TARGET] = 1,
    .is_header = 1)

EXCHANGE(faults_source, "no call that fails hides a loss with -s",
    .options = { "-s", "127.0.0.2" }, .bytes = { 1000, 3000 },
    .last[TARGET] = 1)

EXCHANGE(faults_urgent, "no call that fails hides a loss around urgent bytes",
    .options = { "-q" }, .bytes = { 1000, 1000 }, .urgent = 500)

EXCHANGE(faults_client_resets,
    "no call that fails hides a loss before a reset of the client",
    .options = { "-q" }, .bytes = { 300000, 0 }, .resets[CLIENT] = 1)

EXCHANGE(faults_target_resets,
    "no call that fails hides a loss before a reset of the target",
    .options = { "-q" }, .bytes = { 1000, 300000 }, .resets[TARGET] = 1)

EXCHANGE(faults_slow_target,
    "no call that fails hides a loss on the way to a slow target",
    .options = { "-q" }, .bytes = { 300000, 0 }, .resets[CLIENT] = 1, .slow = 1)

EXCHANGE(faults_name,
    "no call that fails hides a loss when the target is a name",
    .options = { "-v" }, .bytes = { 1000, 3000 }, .named = 1)

EXCHANGE(faults_refused,
    "no call that fails hides a loss when the target refuses",
    .options = { "-v" }, .bytes = { 10, 0 }, .refuses = 1)

EXCHANGE(faults_sigusr1, "no call that fails hides a loss when SIGUSR1 comes",
    .options = { "-q" }, .bytes = { 1000, 1000 }, .signal = SIGUSR1)

EXCHANGE(faults_sigterm, "no call that fails hides a loss when SIGTERM comes",
    .options = { "-q" }, .bytes = { 1000, 1000 }, .signal = SIGTERM)
