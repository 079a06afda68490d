/*
 * The way to syslogd: its socket, which all systems have but illumos (log_sun.c).
 */

#include "relay.h"

#ifndef __sun

#include <sys/un.h>

#include <string.h>

/*
 * A descriptor for log_send, or -1.  Where there is no syslogd it leads to
 * nobody.
 */
int
log_open(void)
{
	struct sockaddr_un sun;
	int fd;

	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (fd == -1)
		return -1;
	memset(&sun, 0, sizeof sun);
	sun.sun_family = AF_UNIX;
	memcpy(sun.sun_path, _PATH_LOG, sizeof _PATH_LOG);
	(void)connect(fd, (struct sockaddr *)&sun, sizeof sun);
	return fd;
}

/* One line, which begins with its priority in brackets.  It does not wait. */
void
log_send(int fd, int priority, const char *line, size_t len)
{
	(void)priority;
	(void)send(fd, line, len, MSG_DONTWAIT);
}

#endif
