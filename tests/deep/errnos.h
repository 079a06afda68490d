/*
 * The system calls of a session, each with the errors that its manual lists,
 * even those that only mean a wrong address or descriptor.
 */

#ifndef ERRNOS_H
#define ERRNOS_H

#include <stddef.h>

enum { MOST_ERRORS = 24 };

/* Errors are errnos or the constants in traced.h; 0 ends the list. */
struct call {
	const char *name;
	long number;
	int errors[MOST_ERRORS];
};

enum { MOST_CALLS = 80 };
extern const struct call calls[];
extern const size_t ncalls;

#endif
