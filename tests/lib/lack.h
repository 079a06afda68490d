/*
 * Simulated kernels that lack a system call or refuse it.  The relay's parent
 * installs a filter for that (seccomp(2)).
 */

#ifndef LACK_H
#define LACK_H

#include <stddef.h>

/*
 * This call fails with this errno, always or only if that argument has this
 * value.
 */
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
