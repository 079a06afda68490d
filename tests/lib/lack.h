/*
 * Kernels that lack a system call, or refuse it, played by a filter that the
 * parent of a relay leaves behind (seccomp(2)).
 */

#ifndef LACK_H
#define LACK_H

#include <stddef.h>

/* This call, or only where that argument is this, fails with this errno. */
struct lack {
	long call;
	int argument;		/* from 0, or ANY_ARGUMENT */
	unsigned value;
	int error;
};
enum { ANY_ARGUMENT = -1 };

/*
 * lack_calls: from here on, in this process and what it executes; an exit where
 * that cannot be.  For relay_setup.
 */
void	lack_calls(const struct lack *, size_t n);

#endif
