/*
 * Simulated kernels that lack or refuse a system call: a seccomp(2) filter is
 * installed before the relay is executed.
 */

#ifndef LACK_H
#define LACK_H

#include <stddef.h>

/*
 * A system call that fails with this errno, perhaps only if this argument has
 * this value.
 */
struct lack {
	long call;
	int argument;		/* its number, from 0; or ANY_ARGUMENT */
	unsigned value;
	int error;
};
enum { ANY_ARGUMENT = -1 };

/*
 * lack_calls: from now on, these calls fail in this process and in what it
 * executes.  If that is impossible, the process exits.  Call it in relay_setup.
 */
void	lack_calls(const struct lack *, size_t n);

#endif
