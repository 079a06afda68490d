/*
 * This file waits for descriptors, for a deadline and for the operator's
 * signals.
 */

#include "relay.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stop, status, limited;

/*
 * A signal interrupts only a call that is already waiting.  But a signal can
 * come after we have checked the flags and before a call such as poll(2) begins
 * to wait.  The call would then wait although a flag is set.  So an alarm
 * interrupts waiting calls every second, until wait_for has seen the flag.  It
 * would not be enough to block the signals everywhere except in ppoll(2),
 * because Linux delivers no signal in ppoll(2) while a descriptor is ready.
 */
static void
caught(int sig)
{
	if (sig == SIGTERM || sig == SIGHUP || sig == SIGINT)
		stop = 1;
	else if (sig != SIGALRM)
		status = 1;
	/*
	 * If all three flags are 0, the alarm came from a timer that a parent
	 * had set, and alarm(0) stops that timer.
	 */
	alarm(stop || status || limited);
}

/* Make calls that wait fail with EINTR after this many seconds; 0: never. */
void
wait_alarm(unsigned seconds)
{
	limited = seconds != 0;
	alarm(seconds);
}

/*
 * Set up signals as this program needs them, whatever a parent has set.
 * Catch the operator's signals and the alarm.  Block all other signals, except
 * those that report faults.
 *
 * The program needs none of the blocked signals.  A call that causes SIGPIPE or
 * SIGXFSZ also fails with an errno.  All other blocked signals come from other
 * processes or from something that survives execve(2).  That can be a timer or
 * a CPU limit that a parent has set, a signal that was already pending, or a
 * terminal that stops background writers.
 */
void
wait_begin(void)
{
	static const int awaited[] = { SIGTERM, SIGHUP, SIGINT, SIGALRM,
	    STATUS_SIGNALS };
	static const int faults[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV,
	    SIGSYS, SIGTRAP };	/* blocking these has undefined effects */
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
 * Read the monotonic clock, in milliseconds.  Store the time in s->now, and
 * return it.
 *
 * On Linux, libc reads the clock without a system call.  But in a static build,
 * libc first has to find and read the vDSO, which causes three page faults.
 * These faults cost more than all the system calls with which a short session
 * could read the clock.  So the first FEW readings are system calls.
 */
int64_t
now(struct session *s)
{
	enum { FEW = 64 };
	struct timespec t;

	if (s->readings >= FEW || CLOCK_CALL(CLOCK_MONOTONIC, &t) != 0)
		clock_gettime(CLOCK_MONOTONIC, &t);
	else
		s->readings++;
	s->now = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
	return s->now;
}

/*
 * Poll until a descriptor is ready, and return the number of ready descriptors.
 * Returns 0 if the deadline comes first.  The deadline is a time on the clock
 * of now(), or NEVER.  Returns -1 if SIGTERM, SIGHUP or SIGINT has ended the
 * session, or if a failure of poll(2) has ended it.  On SIGUSR1 or SIGINFO, log
 * a line about the session so far, and go on waiting.
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
			(void)now(s);	/* writing the line can take 5 s */
			continue;
		}
		ready = POLL(fds, n, (int)ms);
		if (ready == -1 && errno != EINTR) {
			/*
			 * A confined process cannot get the memory that
			 * strerror(3) needs.
			 */
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
