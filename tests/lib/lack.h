/*
 * Simulated kernels that lack or refuse a system call: a seccomp(2) filter,
 * installed before the relay is executed.
 */

#ifndef LACK_H
#define LACK_H

#include <stddef.h>

/* A call that fails with this errno, perhaps only with this argument. */
struct lack {
	long call;
	int argument;		/* from 0, or ANY_ARGUMENT */
	unsigned value;
	int error;
};
enum { ANY_ARGUMENT = -1 };

/*
 * lack_calls: takes effect at once, in this process and in what it executes;
 * exits if that is impossible.  For use as relay_setup.
 */
void	lack_calls(const struct lack *, size_t n);

#endif
