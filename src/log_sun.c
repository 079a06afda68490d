/*
 * On illumos, send lines to syslogd through log(4D), a STREAMS device.  The
 * device takes a line's priority separately from its text.
 */

#include "relay.h"

#ifdef __sun

#include <sys/strlog.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <stropts.h>

/* Returns a descriptor for log_connect, or -1. */
int
log_open(void)
{
	return open("/dev/conslog", O_WRONLY | O_NONBLOCK);
}

/* Returns 0, or -1 if this descriptor is not the device. */
int
log_connect(int fd)
{
	return isastream(fd) == 1 ? 0 : -1;
}

/*
 * Send a line of len bytes without waiting.  The line begins with its priority
 * in angle brackets.  A newline and a NUL follow the line, but len does not
 * count them.  The device takes at most 1,024 bytes (LOG_MAXPS), including the
 * newline and NUL.
 */
void
log_send(int fd, const char *line, size_t len)
{
	struct log_ctl ctl;
	struct strbuf about, text;
	const char *plain;

	memset(&ctl, 0, sizeof ctl);
	ctl.pri = atoi(line + 1);
	ctl.flags = SL_CONSOLE;
	about.len = about.maxlen = sizeof ctl;
	about.buf = (char *)&ctl;
	plain = strchr(line, '>') + 1;
	text.len = text.maxlen = (int)(line + len - plain) + 2;
	text.buf = (char *)(uintptr_t)plain;
	(void)putmsg(fd, &about, &text, 0);
}

#endif
