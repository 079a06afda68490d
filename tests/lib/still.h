/*
 * How long the machine has stood still.  The processors of a virtual machine
 * sometimes stop for up to two seconds, several times in a row.  Even while the
 * processors run, the kernel sometimes delays exit(2) by ten seconds for all
 * processes that have the same file mapped.  During such a delay,
 * /proc/PID/wchan says unlink_file_vma_batch_process.  Both kinds of pause
 * delay the tests and the relays.
 *
 * still_watch: starts one process per processor.  Until the caller ends, these
 * processes look for such pauses.  At each look, a process starts a child and
 * waits until the child has ended.  The child has the relay's file mapped, and
 * ends at once unless there is a pause.  On systems other than Linux, only one
 * process looks.
 * still_so_far: the sum of all pauses since still_watch was called, in
 * milliseconds.
 */

#ifndef STILL_H
#define STILL_H

#include <stdint.h>

void	still_watch(const char *relay);
int64_t	still_so_far(void);

#endif
