/* On all other systems, resource limits are the only means of confinement. */

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
