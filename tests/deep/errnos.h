/*
 * The system calls that a session makes.  For each call, there is a list of
 * errors from its manual page.  The list includes even errors that mean only a
 * wrong address or descriptor.
 */

#ifndef ERRNOS_H
#define ERRNOS_H

#include <stddef.h>

enum { MOST_ERRORS = 24 };

/*
 * Each of the errors is an errno, or SHORT or KILLED (see traced.h).  A 0 ends
 * the list.
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
