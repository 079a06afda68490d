/*
 * Whether a processor has stood still.
 *
 * One of a virtual machine's may, for seconds, while the others go on: what runs
 * is moved to those, but a timer that was set on it does not fire.  Then a relay
 * that waits for a second is late, and the test that looks at its end is not.
 *
 * still_watch: have a process on each processor note it from now on, for as long
 * as the caller is there; still_since: true if one has stood still for a second
 * since then (a time of milliseconds(); it may not have ended yet).
 */

#ifndef STILL_H
#define STILL_H

#include <stdint.h>

void	still_watch(void);
int	still_since(int64_t);

#endif
