/*
 * What the relay can inherit from its parent: everything that survives
 * execve(2).
 *
 * Some of these things are tested in other files.  In parent.c, all signals are
 * ignored and blocked, and the relay inherits a umask, an environment, an alarm
 * and stray descriptors.  Limits are tested in limits.c.  Descriptors 0, 1 and
 * 2 are tested in descriptors.c.  In surroundings.c, one signal at a time is
 * ignored or blocked, and /dev is empty.  In ../deep/faults.c, system calls
 * fail, one at a time.
 */

#include "../lib/lack.h"
#include "../lib/places.h"
#include "../lib/rows.h"

#include <stdio.h>

#ifdef __linux__

#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <linux/securebits.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* Send until this process is killed. */
static void
send_on(int fd, unsigned stream, uint64_t from, size_t size)
{
	for (;;)
		send_stream(fd, stream, from, size);
}

/* Keep the relay busy until it has used this many milliseconds of CPU time. */
static void
burn(struct relay *r, int ms)
{
	static char block[65536];
	struct timespec t;
	clockid_t clock;
	pid_t pid;

	if (clock_getcpuclockid(r->pid, &clock) != 0)
		skip("no clock of another process here");
	pid = aside(send_on, r->target, 1, MIB);
	do
		if (!readable(r->client, SOON) ||
		    recv(r->client, block, sizeof block, 0) <= 0)
			fail("the session ends");
	while (clock_gettime(clock, &t) == 0 &&
	    t.tv_sec * 1000 + t.tv_nsec / 1000000 < ms);
	kill(pid, SIGKILL);
	kill(r->pid, SIGTERM);
	relay_ends(r, 0);
}

/*
 * Block all signals.  A signal then stays pending if it comes before the
 * relay's main() begins.
 */
static void
block_all(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
}

#ifdef __GLIBC__
typedef __itimer_which_t timer_name;
#else
typedef int timer_name;
#endif

static void
timer(timer_name which, int ms)
{
	struct itimerval t;

	block_all();
	t.it_value.tv_sec = t.it_interval.tv_sec = 0;
	t.it_value.tv_usec = t.it_interval.tv_usec = ms * 1000;
	setitimer(which, &t, NULL);
}

static void
real_timer(void)
{
	timer(ITIMER_REAL, 50);
}

static void
cpu_timers(void)
{
	timer(ITIMER_PROF, 100);
	timer(ITIMER_VIRTUAL, 20);
}

static void
cpu_limit(void)
{
	struct rlimit second;

	getrlimit(RLIMIT_CPU, &second);
	second.rlim_cur = 1;
	setrlimit(RLIMIT_CPU, &second);
}

static void
burnt(const struct row *o)
{
	struct relay r;

	relay_setup = o->setup;
	row_begin(&r, NULL, NULL, NULL);
	burn(&r, o->option);
}

TEST(timers, "neither timers nor limits that count CPU time end a session")
{
	static const struct row rows[] = {
		{ "CPU timers", 0, 800, NULL, 0, 0, cpu_timers },
		{ "RLIMIT_CPU", 0, 1200, NULL, 0, 0, cpu_limit }
	};

	EACH(burnt, rows);
}

/* Make some signals pending before execve(2). */
static void
waiting_signals(void)
{
	static const int waiting[] = {
		SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGXFSZ, SIGPIPE, SIGIO
	};
	size_t i;

	block_all();
	for (i = 0; i < sizeof waiting / sizeof waiting[0]; i++)
		raise(waiting[i]);
}

static void
change_personality(void)
{
	personality(ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT | MMAP_PAGE_ZERO |
	    READ_IMPLIES_EXEC | SHORT_INODE | STICKY_TIMEOUTS | UNAME26 |
	    WHOLE_SECONDS);
}

static void
schedule(int policy)
{
	struct sched_param p;

	memset(&p, 0, sizeof p);
	if (sched_setscheduler(0, policy, &p) == -1)
		_exit(126);
}

static void
schedule_batch(void)
{
	schedule(SCHED_BATCH);
}

/*
 * The scheduler puts the processes of a session into one group (sched(7)).  In
 * this group, a SCHED_IDLE process hardly runs beside other processes.  So
 * start a new session.
 */
static void
schedule_idle(void)
{
	setsid();
	schedule(SCHED_IDLE);
}

/* At execve(2), root loses its capabilities, and no process gains any. */
static void
secure_bits(void)
{
	(void)prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
	    SECBIT_NO_SETUID_FIXUP, 0, 0, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/*
 * The kernel sends SIGTERM only if the parent ends.  In this test, the parent
 * does not end before the relay.
 */
static void
death_signal(void)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
}

/*
 * The parent sets a timer slack of one second, which the relay does not change.
 * So -w, -T and -t can end a session one second late.
 */
static void
timer_slack(void)
{
	prctl(PR_SET_TIMERSLACK, 1000000000UL, 0, 0, 0);
}

static void
small_stack(void)
{
	struct rlimit limit;

	limit.rlim_cur = limit.rlim_max = 131072;
	setrlimit(RLIMIT_STACK, &limit);
}

/*
 * A session can do without the system calls in this list.  The parent installs
 * a filter that makes the first n of these calls fail with `error'.
 */
static void
calls_fail(int error, size_t n)
{
	struct lack lack[] = {
#ifdef SYS_pipe
		{ SYS_pipe, ANY_ARGUMENT, 0, 0 },
#else
		{ SYS_pipe2, ANY_ARGUMENT, 0, 0 },
#endif
		{ SYS_splice, ANY_ARGUMENT, 0, 0 },
		{ SYS_pipe2, ANY_ARGUMENT, 0, 0 },
		{ SYS_sched_yield, ANY_ARGUMENT, 0, 0 },
		{ SYS_sched_getscheduler, ANY_ARGUMENT, 0, 0 },
		{ SYS_sched_setscheduler, ANY_ARGUMENT, 0, 0 },
		{ SYS_setitimer, ANY_ARGUMENT, 0, 0 },
		{ 436, ANY_ARGUMENT, 0, 0 },	/* close_range */
		{ 444, ANY_ARGUMENT, 0, 0 },	/* 444 to 446: Landlock */
		{ 445, ANY_ARGUMENT, 0, 0 },
		{ 446, ANY_ARGUMENT, 0, 0 }
	};
	size_t i;

	for (i = 0; i < n; i++)
		lack[i].error = error;
	lack_calls(lack, n);
}

static void
calls_not_there(void)
{
	calls_fail(ENOSYS, 11);
}

/*
 * Leave out Landlock's calls.  Whatever error the first of them returns, the
 * relay assumes that the kernel has no Landlock, as in calls_not_there().
 */
static void
calls_refused(void)
{
	calls_fail(EPERM, 8);
}

static void
served(const struct row *o)
{
	struct relay r;

	relay_setup = o->setup;
	row_begin(&r, NULL, NULL, NULL);
	/* The timer repeats.  Wait for longer than its interval. */
	if (o->setup == real_timer)
		pause_for(TIMER_PAST);
	whole_session(&r);
}

TEST(attributes, "the parent's timers, pending signals, personality, "
    "scheduling, capabilities and filter do no harm")
{
#define SETUP(name) { #name, 0, 0, NULL, 0, 0, name }
	static const struct row rows[] = {
		SETUP(real_timer),
		SETUP(waiting_signals),
		SETUP(change_personality),
		SETUP(schedule_batch),
		SETUP(schedule_idle),
		SETUP(secure_bits),
		SETUP(death_signal),
		SETUP(timer_slack),
		SETUP(small_stack),
		SETUP(calls_not_there),
		SETUP(calls_refused)
	};

	EACH(served, rows);
}

/*
 * Descriptor 2 is a terminal that stops background processes when they write to
 * it (stty tostop).
 */

static int tty;

static void
background(void)
{
	setpgid(0, 0);
	dup2(tty, 2);
	close(tty);
}

static void
own_terminal(void)
{
	struct termios t;
	int master;

	setsid();
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master == -1 || grantpt(master) == -1 || unlockpt(master) == -1)
		skip("no terminal: %s", strerror(errno));
	tty = open(ptsname(master), O_RDWR);
	if (tty == -1 || ioctl(tty, TIOCSCTTY, 0) == -1 ||
	    tcgetattr(tty, &t) == -1)
		fail("no terminal of our own: %s", strerror(errno));
	t.c_lflag |= TOSTOP;
	tcsetattr(tty, TCSANOW, &t);
}

TEST(in_background,
    "a terminal that stops background writers does not stop a session")
{
	struct relay r;
	pid_t pid;

	/*
	 * Fork first, because setsid(2) fails for the leader of a process
	 * group.
	 */
	pid = fork();
	if (pid == 0) {
		own_terminal();
		relay_setup = background;
		row_begin(&r, NULL, "-v", "-n");
		whole_session(&r);
		_exit(0);
	}
	expect_done(pid);
}

static int two;

static void
pipe_on_two(void)
{
	dup2(two, 2);
}

/*
 * The relay's poll(2) reports that the pipe on descriptor 2 has room.  But
 * before the relay writes, another process fills the pipe.
 */
TEST(usage_to_full_pipe,
    "a usage error does not wait for a pipe that fills up before the relay "
    "writes")
{
	static const char *const args[] = {
		"ASAN_OPTIONS=detect_leaks=0", "strace", "-D", "-qq", "-o",
		"/dev/null", "-e", "trace=write", "-e",
		"inject=write:delay_enter=6s", NULL, "no", "good", "line", NULL
	};
	const char *words[sizeof args / sizeof args[0]];
	static char page[4096];
	struct relay r;
	int end[2], ours, theirs;

	if (system("strace -o /dev/null true 2>/dev/null") != 0)
		skip("strace is not there, or may not trace");
	memcpy(words, args, sizeof args);
	words[10] = relay_path;
	relay_path = "/usr/bin/env";
	if (private_pipe(end) == -1)
		fail("pipe: %s", strerror(errno));
	two = end[1];
	relay_setup = pipe_on_two;
	socket_pair(AF_INET6, &ours, &theirs);
	relay_on(&r, theirs, 0, words);
	/* The relay closes its sockets before it writes its message. */
	expect_end(ours, RST);
	pause_for(LOG_STUCK);
	fcntl(end[1], F_SETFL, O_NONBLOCK);
	while (write(end[1], page, sizeof page) > 0 ||
	    write(end[1], "x", 1) == 1)
		;
	/*
	 * O_NONBLOCK also applies to the relay's descriptor 2.  This test needs
	 * the relay's write(2) to block, so clear the flag.
	 */
	fcntl(end[1], F_SETFL, 0);
	relay_ends(&r, 64);
}

#endif
