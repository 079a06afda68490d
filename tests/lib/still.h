/*
 * How long the machine has stood still.  The processors of a virtual machine
 * may stop for up to two seconds, several times in a row.  Even while they run,
 * the machine's kernel may delay every exit(2) for ten seconds.  Then
 * /proc/PID/wchan says unlink_file_vma_batch_process.  In both cases, tests and
 * relays are late.
 *
 * still_watch: starts a process on each processor, which watches for such
 * pauses until the caller ends.  At each look, the process waits for a child
 * that ends at once.  On systems other than Linux, there is only one process.
 * still_so_far: the sum of all pauses since still_watch, in milliseconds.
 */

#ifndef STILL_H
#define STILL_H

#include <stdint.h>

void	still_watch(void);
int64_t	still_so_far(void);

#endif
