/*
 * Whether a processor has stood still.
 *
 * A virtual machine's processor may stand still for seconds while the others go
 * on: its processes are moved to the others, but a timer that was set on it
 * does not fire.  Then a relay that waits for a second is late, and the test
 * that watches it is not.
 *
 * still_watch: starts a process on each processor that notices this, for as
 * long as the caller exists.
 * still_since: true if any processor has stood still for a second since this
 * time (of milliseconds()); it may still be doing so.
 */

#ifndef STILL_H
#define STILL_H

#include <stdint.h>

void	still_watch(void);
int	still_since(int64_t);

#endif
