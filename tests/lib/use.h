/*
 * What a process uses: CPU time, and how often it wakes up; and what the system
 * uses: sockets and memory.
 */

#ifndef USE_H
#define USE_H

#include "test.h"

/*
 * cpu_microseconds: CPU time; -1 if unknown.  status_of: a number from
 * /proc/PID/status.  state_of: proc_pid_stat(5): S asleep, t traced; S if
 * unknown.  sleeps_of: how often it has gone to sleep; 0 if unknown.
 * expect_idle: in these milliseconds it neither spins nor wakes up more often
 * than this.
 * sockets_in_use: of TCP, in this network, of both families.
 * meminfo: KiB, the sum of the lines that begin with one of these words, which
 * end with NULL.
 */
int64_t	cpu_microseconds(pid_t);
long	status_of(pid_t, const char *key);
char	state_of(pid_t);
long	sleeps_of(pid_t);
void	expect_idle(pid_t, int ms, int looks);
long	sockets_in_use(void);
long	meminfo(const char *const *words);

#ifndef TEST_LIBRARY
#define cpu_microseconds(...) HERE(cpu_microseconds(__VA_ARGS__))
#define status_of(...) HERE(status_of(__VA_ARGS__))
#define state_of(...) HERE(state_of(__VA_ARGS__))
#define sleeps_of(...) HERE(sleeps_of(__VA_ARGS__))
#define expect_idle(...) HERE(expect_idle(__VA_ARGS__))
#define sockets_in_use(...) HERE(sockets_in_use(__VA_ARGS__))
#define meminfo(...) HERE(meminfo(__VA_ARGS__))
#endif

#endif
