/* OpenBSD: pledge(2). */

#include "relay.h"
#include "confine.h"

#ifdef __OpenBSD__

/*
 * "inet" is needed for the urgent mark and for setting SO_LINGER, without which
 * there is no RST.  The limit on descriptors leaves room for few new sockets.
 */
int
confine_lock(struct session *s)
{
	if (pledge("stdio inet", NULL) == -1)
		return confine_refused(s, "pledge");
	return 0;
}

#endif
