/*
 * For how long the machine has stood still.  The processors of a virtual machine
 * may stop for up to two seconds, several times in a row.  Even while they run,
 * its kernel may hold up every exit(2) for ten seconds, because it is taking
 * pages of the C library back (unlink_file_vma_batch_process in /proc/PID/wchan
 * then).  Either way tests and relays are late.
 *
 * still_watch: have a process on each processor watch for such pauses, until the
 * caller ends, by a child of its own that ends at once; except on Linux, one
 * process in all.
 * still_so_far: how long all pauses since then were, in milliseconds.
 */

#ifndef STILL_H
#define STILL_H

#include <stdint.h>

void	still_watch(void);
int64_t	still_so_far(void);

#endif
