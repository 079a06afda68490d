/*
 * Waiting: for descriptors, for a deadline, and for the operator's signals.
 */

#include "relay.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stop, status, limited;

/*
 * A signal that comes between our last look at the flags and poll(2), or before
 * a call that may wait, does not interrupt that call: the alarm does, each
 * second until what it is for is done.  To block signals except in ppoll(2)
 * will not do: Linux delivers none as long as a descriptor is ready.
 */
static void
caught(int sig)
{
	if (sig == SIGTERM || sig == SIGHUP || sig == SIGINT)
		stop = 1;
	else if (sig != SIGALRM)
		status = 1;
	/* 0: it was a timer of the parent's, which may repeat itself. */
	alarm(stop || status || limited);
}

/*
 * From so many seconds on, no call waits any longer: it is interrupted (EINTR).
 * 0: as long as it likes.
 */
void
wait_alarm(unsigned seconds)
{
	limited = seconds != 0;
	alarm(seconds);
}

/*
 * Dispositions and mask as this program needs them, whatever was inherited: the
 * operator's signals and the alarm are caught, and others are kept waiting.  Of
 * those, SIGPIPE and SIGXFSZ are errors of the call that caused them; others
 * come of what survives execve(2): a parent's timers and limits of CPU time, a
 * signal that waits already, a terminal that stops who writes in the
 * background.
 */
void
wait_begin(void)
{
	static const int awaited[] = { SIGTERM, SIGHUP, SIGINT, SIGALRM,
	    STATUS_SIGNALS };
	static const int faults[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV,
	    SIGSYS, SIGTRAP };	/* undefined if they are blocked */
	struct sigaction sa;
	sigset_t others;
	size_t i;

	memset(&sa, 0, sizeof sa);
	sigemptyset(&sa.sa_mask);
	sa.sa_handler = caught;
	sigfillset(&others);
	for (i = 0; i < sizeof awaited / sizeof awaited[0]; i++) {
		sigaction(awaited[i], &sa, NULL);
		sigdelset(&others, awaited[i]);
	}
	for (i = 0; i < sizeof faults / sizeof faults[0]; i++)
		sigdelset(&others, faults[i]);
	sigprocmask(SIG_SETMASK, &others, NULL);
}

/*
 * Look at the monotonic clock, in milliseconds: s->now.
 *
 * Libc's look is no system call on Linux, but the first of a static build has
 * to find and read the vDSO, and three page faults for that cost more than all
 * looks of a short session.  So the first ones are system calls.
 */
int64_t
now(struct session *s)
{
	enum { FEW = 64 };
	struct timespec t;

	if (s->looks >= FEW || CLOCK_CALL(CLOCK_MONOTONIC, &t) != 0)
		clock_gettime(CLOCK_MONOTONIC, &t);
	else
		s->looks++;
	s->now = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
	return s->now;
}

/*
 * poll(2) until something is ready, and give how many; 0 when the deadline (a
 * value of now(), or NEVER) has come; -1 when the session is to end: SIGTERM,
 * SIGHUP or SIGINT came, or the system failed.  SIGUSR1 and SIGINFO log the
 * session's line on the way.
 */
int
wait_for(struct session *s, struct pollfd *fds, nfds_t n, int64_t deadline)
{
	int64_t ms;
	int ready;

	for (;;) {
		ms = deadline - s->now;
		ms = ms < 0 ? 0 : ms < INT32_MAX ? ms : INT32_MAX;
		if (stop || status)
			wait_alarm(0);
		if (stop)
			return over(s, END_SIGNAL, 0);
		if (status) {
			status = 0;
			report_line(s);
			(void)now(s);	/* a full pipe on 2 can take 5 s */
			continue;
		}
		ready = POLL(fds, n, (int)ms);
		if (ready == -1 && errno != EINTR) {
			/* Once confined, no strerror(3), which wants memory. */
			snprintf(s->words, sizeof s->words, "poll: errno %d",
			    errno);
			return over(s, END_SYSTEM, errno);
		}
		(void)now(s);
		if (ready > 0)
			return ready;
		if (ready == 0 && s->now >= deadline)
			return 0;
	}
}
