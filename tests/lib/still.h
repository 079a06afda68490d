/*
 * For how long processors have stood still.
 *
 * One of a virtual machine's may do so for seconds, while the others go on: what
 * runs is moved to those, but a timer that was set on it does not fire.  Then a
 * relay that waits for a second is late, and the test that looks at its end is
 * not.
 *
 * still_watch: have a process on each processor (only one process, except on
 * Linux) note it from now on, for as long as the caller is there. still_so_far: the milliseconds in which they did, all
 * processors together, from then until now.
 */

#ifndef STILL_H
#define STILL_H

#include <stdint.h>

void	still_watch(void);
int64_t	still_so_far(void);

#endif
