/*
 * For how long processors have stood still.  Those of a virtual machine may stop
 * for up to two seconds, several times in a row: then what runs there is late,
 * whether it is a test or a relay.
 *
 * still_watch: have a process on each processor watch for pauses, until the
 * caller ends; except on Linux, one process in all.
 * still_so_far: how long all pauses since then were, in milliseconds.
 */

#ifndef STILL_H
#define STILL_H

#include <stdint.h>

void	still_watch(void);
int64_t	still_so_far(void);

#endif
