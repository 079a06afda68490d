/*
 * Measures what a process does (how much CPU time it uses, and how often it
 * wakes up), and what the whole system uses (sockets and memory).
 */

#ifndef USE_H
#define USE_H

#include "test.h"

/*
 * cpu_microseconds: the CPU time of a process; -1 if unknown.
 * status_of: the number after `key' in /proc/PID/status.
 * state_of: the letter that proc_pid_stat(5) has for the state of a process,
 * such as S (asleep) or t (traced); S if unknown.
 * await_state: pauses, so that what is in flight arrives, and then waits for
 * this state.
 * sleeps_of: how often a process has gone to sleep; 0 if unknown.
 * expect_idle: expects that, for this many milliseconds, the process neither
 * spins nor wakes up more than `looks' times.
 * sockets_in_use: the number of IPv4 and IPv6 TCP sockets in this network.
 * meminfo: the sum, in KiB, of the lines of /proc/meminfo that begin with one
 * of these words.  NULL ends the list of words.
 */
int64_t	cpu_microseconds(pid_t);
long	status_of(pid_t, const char *key);
char	state_of(pid_t);
void	await_state(pid_t, char);
long	sleeps_of(pid_t);
void	expect_idle(pid_t, int ms, int looks);
long	sockets_in_use(void);
long	meminfo(const char *const *words);

#ifndef TEST_LIBRARY
#define cpu_microseconds(...) HERE(cpu_microseconds(__VA_ARGS__))
#define status_of(...) HERE(status_of(__VA_ARGS__))
#define state_of(...) HERE(state_of(__VA_ARGS__))
#define await_state(...) HERE(await_state(__VA_ARGS__))
#define sleeps_of(...) HERE(sleeps_of(__VA_ARGS__))
#define expect_idle(...) HERE(expect_idle(__VA_ARGS__))
#define sockets_in_use(...) HERE(sockets_in_use(__VA_ARGS__))
#define meminfo(...) HERE(meminfo(__VA_ARGS__))
#endif

#endif
