/*
 * The system calls of a session, each with the errors that its manual lists,
 * including those that only say that an address or a descriptor is wrong.
 */

#ifndef ERRNOS_H
#define ERRNOS_H

#include <stddef.h>

enum { MOST_ERRORS = 24 };

/* Errors are errnos, or what traced.h has instead of one; 0 ends them. */
struct call {
	const char *name;
	long number;
	int errors[MOST_ERRORS];
};

enum { MOST_CALLS = 80 };
extern const struct call calls[];
extern const size_t ncalls;

#endif
