/*
 * Kernels that lack a system call, or refuse it, simulated by a filter that a
 * relay's parent installs (seccomp(2)).
 */

#ifndef LACK_H
#define LACK_H

#include <stddef.h>

/* This call, or only if that argument has this value, fails with this errno. */
struct lack {
	long call;
	int argument;		/* from 0, or ANY_ARGUMENT */
	unsigned value;
	int error;
};
enum { ANY_ARGUMENT = -1 };

/*
 * lack_calls: from here on, in this process and what it executes; exits if that
 * is impossible.  For relay_setup.
 */
void	lack_calls(const struct lack *, size_t n);

#endif
