/*
 * The system calls of a session, each with what its manual says that it may
 * fail with.  Those that only say that an address or a descriptor is wrong are
 * in: who knows.
 */

#ifndef ERRNOS_H
#define ERRNOS_H

#include <stddef.h>

enum { MOST_ERRORS = 24 };

/* Errors are errnos, and what traced.h has instead of one; 0 ends them. */
struct call {
	const char *name;
	long number;
	int errors[MOST_ERRORS];
};

enum { MOST_CALLS = 80 };
extern const struct call calls[];
extern const size_t ncalls;

#endif
