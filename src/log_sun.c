/*
 * The way to syslogd on illumos: a STREAMS device, log(4D), and a line of which
 * the priority is beside the text.
 */

#include "relay.h"

#ifdef __sun

#include <sys/strlog.h>

#include <fcntl.h>
#include <string.h>
#include <stropts.h>

/* A descriptor for log_send, or -1. */
int
log_open(void)
{
	return open("/dev/conslog", O_WRONLY | O_NONBLOCK);
}

/*
 * One line, which begins with its priority in brackets and ends with a newline
 * behind these bytes.  It does not wait.  The device takes 1,024 bytes at most
 * (LOG_MAXPS), with newline and NUL.
 */
void
log_send(int fd, int priority, const char *line, size_t len)
{
	struct log_ctl ctl;
	struct strbuf about, text;
	const char *plain;

	(void)len;
	memset(&ctl, 0, sizeof ctl);
	ctl.pri = priority;
	ctl.flags = SL_CONSOLE;
	about.len = about.maxlen = sizeof ctl;
	about.buf = (char *)&ctl;
	plain = strchr(line, '>') + 1;
	text.len = text.maxlen = (int)strlen(plain) + 1;
	text.buf = (char *)(uintptr_t)plain;
	(void)putmsg(fd, &about, &text, 0);
}

#endif
