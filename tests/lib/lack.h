/*
 * Simulated kernels that lack or refuse a system call: a seccomp(2) filter is
 * installed before the relay is executed.
 */

#ifndef LACK_H
#define LACK_H

#include <stddef.h>

/*
 * A system call that fails with this errno: either always, or only if this
 * argument has this value.
 */
struct lack {
	long call;
	int argument;		/* counted from 0; or ANY_ARGUMENT */
	unsigned value;
	int error;
};
enum { ANY_ARGUMENT = -1 };

/*
 * lack_calls: from now on, these calls fail in this process and in every
 * program that it executes.  If that is impossible, the process exits.  Call
 * this function from relay_setup.
 */
void	lack_calls(const struct lack *, size_t n);

#endif
