/* OpenBSD: pledge(2). */

#include "relay.h"
#include "confine.h"

#ifdef __OpenBSD__

/*
 * The relay needs "inet" for the urgent mark and for SO_LINGER.  Without
 * SO_LINGER, the relay cannot send RST.  "inet" also allows new sockets, but
 * the limit on descriptors leaves room for only a few.
 */
int
confine_lock(struct session *s)
{
	if (pledge("stdio inet", NULL) == -1)
		return confine_refused(s, "pledge");
	return 0;
}

#endif
