/*
 * Simulates kernels that lack or refuse a system call.  To do this, a test
 * installs a seccomp(2) filter before it executes the relay.
 */

#ifndef LACK_H
#define LACK_H

#include <stddef.h>

/*
 * A system call that fails with the errno `error'.  If `argument' is
 * ANY_ARGUMENT, the call always fails; otherwise it fails only if that argument
 * has this value.
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
 * program that it executes.  If the filter cannot be installed, the process
 * exits.  Call this function from relay_setup.
 */
void	lack_calls(const struct lack *, size_t n);

#endif
