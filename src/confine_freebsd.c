/*
 * FreeBSD: Capsicum's capability mode, capsicum(4).
 */

#include "relay.h"
#include "confine.h"

#ifdef __FreeBSD__

#include <sys/capsicum.h>
#include <sys/ioctl.h>

#include <errno.h>

int
confine_lock(struct session *s)
{
	static const cap_ioctl_t requests[] = { FIONREAD, FIONWRITE,
	    SIOCATMARK };
	enum { REQUESTS = sizeof requests / sizeof requests[0] };
	cap_rights_t socket_rights, write_rights;

	cap_rights_init(&socket_rights, CAP_RECV, CAP_SEND, CAP_SHUTDOWN,
	    CAP_EVENT, CAP_GETPEERNAME, CAP_GETSOCKOPT, CAP_SETSOCKOPT,
	    CAP_IOCTL);
	cap_rights_init(&write_rights, CAP_SEND, CAP_WRITE, CAP_EVENT);
	if (cap_rights_limit(s->fd[CLIENT], &socket_rights) == -1 ||
	    cap_rights_limit(s->fd[TARGET], &socket_rights) == -1 ||
	    cap_ioctls_limit(s->fd[CLIENT], requests, REQUESTS) == -1 ||
	    cap_ioctls_limit(s->fd[TARGET], requests, REQUESTS) == -1 ||
	    cap_rights_limit(STDOUT_FILENO, &write_rights) == -1 ||
	    cap_rights_limit(STDERR_FILENO, &write_rights) == -1 ||
	    cap_enter() == -1)
		return errno == ENOSYS ? 0 : confine_refused(s, "Capsicum");
	return 0;
}

#endif
