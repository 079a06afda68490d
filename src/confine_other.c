/* Systems that have no means of confinement except resource limits. */

#include "relay.h"
#include "confine.h"

#if !defined(CONFINE_LINUX) && !defined(__OpenBSD__) && !defined(__FreeBSD__)

int
confine_lock(struct session *s)
{
	(void)s;
	return 0;
}

#endif
