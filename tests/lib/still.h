/*
 * How long processors have stood still.  Those of a virtual machine may stop
 * for up to two seconds, several times in a row.  Then what runs there is late,
 * whether it is a test or a relay.
 *
 * still_watch: starts a process on each processor that watches for pauses until
 * the caller ends.  On systems other than Linux, there is only one process.
 * still_so_far: the sum of all pauses since then, in milliseconds.
 */

#ifndef STILL_H
#define STILL_H

#include <stdint.h>

void	still_watch(void);
int64_t	still_so_far(void);

#endif
