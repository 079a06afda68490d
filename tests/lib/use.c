#define TEST_LIBRARY
#include "use.h"

#ifdef __OpenBSD__
#include <sys/sysctl.h>
#endif

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t
cpu_microseconds(pid_t pid)
{
#if defined(__OpenBSD__)
	int name[6] = { CTL_KERN, KERN_PROC, KERN_PROC_PID, 0,
	    sizeof(struct kinfo_proc), 1 };
	struct kinfo_proc p;
	size_t len;

	name[3] = pid;
	len = sizeof p;
	if (sysctl(name, 6, &p, &len, NULL, 0) == 0 && len == sizeof p)
		return (int64_t)p.p_rtime_sec * 1000000 + p.p_rtime_usec;
#elif !defined(__APPLE__) && !defined(__sun)
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) == 0 &&
	    clock_gettime(clock, &t) == 0)
		return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
#else
	(void)pid;
#endif
	return -1;
}

/* The number after `key' in /proc/PID/status. */
long
status_of(pid_t pid, const char *key)
{
	char path[64], line[256];
	FILE *f;
	long n;

	snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
	f = fopen(path, "r");
	if (f == NULL)
		skip("no %s", path);
	n = -1;
	while (n == -1 && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, key, strlen(key)) == 0)
			n = atol(line + strlen(key));
	fclose(f);
	if (n == -1)
		skip("no %s in %s", key, path);
	return n;
}

/*
 * The letter that proc_pid_stat(5) has for the state of a process, such as S
 * (asleep) or t (traced); S if unknown.
 */
char
state_of(pid_t pid)
{
	char state;
#ifdef __linux__
	char path[64];
	FILE *f;

	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	f = fopen(path, "r");
	if (f == NULL || fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		skip("no %s", path);
	fclose(f);
#else
	(void)pid;
	state = 'S';
#endif
	return state;
}

/*
 * Pause, so that what is in flight arrives.  Then go on until the process has
 * this state.
 */
void
await_state(pid_t pid, char state)
{
	int i;

	for (i = 0; i < SOON / SETTLED; i++) {
		pause_for(SETTLED);
		if (state_of(pid) == state)
			return;
	}
	fail("the state is %c, not %c", state_of(pid), state);
}

/* How often a process has gone to sleep; 0 if unknown. */
long
sleeps_of(pid_t pid)
{
#ifdef __linux__
	return status_of(pid, "voluntary_ctxt_switches:");
#else
	(void)pid;
	return 0;
#endif
}

/*
 * Expect that the process does not spin and does not wake up more than `looks'
 * times.  A process that spins uses much CPU time.  Wake-ups are counted,
 * because CPU time does not show them reliably: on a shared machine, a single
 * wake-up can cost half a millisecond.  First wait until the process sleeps,
 * because on a busy machine it may still be doing earlier work.
 */
void
expect_idle(pid_t pid, int ms, int looks)
{
	int64_t used;
	long slept;
	int i, tries;

	i = 0;
	do {
		slept = sleeps_of(pid);
		pause_for(50);
	} while ((sleeps_of(pid) != slept || state_of(pid) != 'S') && ++i < 40);
	tries = 0;
	do {		/* retry, because the relay may have closed a pipe */
		used = cpu_microseconds(pid);
		slept = sleeps_of(pid);
		pause_for(ms);
		used = cpu_microseconds(pid) - used;
		slept = sleeps_of(pid) - slept;
	} while ((used > ms * 50 || slept > looks) && ++tries < 3);
	if (tries == 3)
		fail("%lld us of CPU and %ld looks in %d ms with nothing to do",
		    (long long)used, slept, ms);
}

/* What the whole system uses. */

/* The number of IPv4 and IPv6 TCP sockets in this network. */
long
sockets_in_use(void)
{
	static const char *const files[] = {
		"/proc/net/sockstat", "/proc/net/sockstat6"
	};
	char line[256];
	FILE *f;
	size_t i;
	long n, sum;

	for (i = 0, sum = 0; i < 2; i++) {
		f = fopen(files[i], "r");
		if (f == NULL)
			skip("%s: %s", files[i], strerror(errno));
		while (fgets(line, sizeof line, f) != NULL)
			if (sscanf(line, "TCP: inuse %ld", &n) == 1 ||
			    sscanf(line, "TCP6: inuse %ld", &n) == 1)
				sum += n;
		fclose(f);
	}
	return sum;
}

/* The sum, in KiB, of the lines that begin with one of these words. */
long
meminfo(const char *const *words)
{
	char line[256];
	FILE *f;
	size_t i, len;
	long sum;

	f = fopen("/proc/meminfo", "r");
	if (f == NULL)
		skip("/proc/meminfo: %s", strerror(errno));
	for (sum = 0; fgets(line, sizeof line, f) != NULL;)
		for (i = 0; words[i] != NULL; i++) {
			len = strlen(words[i]);
			if (strncmp(line, words[i], len) == 0)
				sum += strtol(line + len, NULL, 10);
		}
	fclose(f);
	return sum;
}
