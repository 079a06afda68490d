/*
 * The system calls of a session.  For each call, there is a list of errors from
 * its manual, including errors that only mean a wrong address or descriptor.
 */

#ifndef ERRNOS_H
#define ERRNOS_H

#include <stddef.h>

enum { MOST_ERRORS = 24 };

/*
 * An error is an errno, or one of the constants in traced.h.  A 0 ends the list
 * of errors.
 */
struct call {
	const char *name;
	long number;
	int errors[MOST_ERRORS];
};

enum { MOST_CALLS = 80 };
extern const struct call calls[];
extern const size_t ncalls;

#endif
