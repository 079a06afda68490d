/* The launcher and the load generator use this file. */

#include "bench.h"

#include <sys/resource.h>

/* Set the descriptor limit to 65536 or, if that fails, to the hard limit. */
void
raise_limit(void)
{
	struct rlimit r;

	r.rlim_cur = r.rlim_max = 65536;
	if (setrlimit(RLIMIT_NOFILE, &r) == -1 &&
	    getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &r);
	}
}
