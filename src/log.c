/*
 * Send lines to syslogd through its socket.  All systems except illumos have
 * this socket.  For illumos, see log_sun.c.
 */

#include "relay.h"

#ifndef __sun

#include <sys/un.h>

#include <string.h>

/* Returns a descriptor for log_connect, or -1. */
int
log_open(void)
{
	return socket(AF_UNIX, SOCK_DGRAM, 0);
}

/* Returns 0, or -1 if no syslogd is listening. */
int
log_connect(int fd)
{
	struct sockaddr_un sun;

	memset(&sun, 0, sizeof sun);
	sun.sun_family = AF_UNIX;
	memcpy(sun.sun_path, _PATH_LOG, sizeof _PATH_LOG);
	return connect(fd, (struct sockaddr *)&sun, sizeof sun);
}

/*
 * Send a line of len bytes without waiting.  The line begins with its priority
 * in angle brackets.  A newline and a NUL follow the line, but len does not
 * count them.
 */
void
log_send(int fd, const char *line, size_t len)
{
	(void)send(fd, line, len, MSG_DONTWAIT);
}

#endif
