/* For the launcher and the load generator. */

#include "bench.h"

#include <sys/resource.h>

/* Raise the descriptor limit as far as allowed; root may go further. */
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
