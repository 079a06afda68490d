/*
 * Give up what a session does not need: stray descriptors when the session
 * begins, and everything else once the target is connected.
 *
 * If the kernel lacks one mechanism of confinement, the relay uses the others.
 * If the kernel has a mechanism but refuses it, the session ends.
 */

#include "relay.h"
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* 0 to 3, and the two ends of one pipe per flow */
	DESCRIPTORS = 8
};

/*
 * Returns a limit: close_strays closes descriptors below it.  On Linux, this
 * limit is the size of the descriptor table (FDSize in proc_pid_status(5)).  On
 * other systems, it is the hard limit, but at most a million.  The soft limit
 * is used only if there is no hard limit, because a parent may have lowered the
 * soft limit after opening a descriptor.
 */
static long
table_size(void)
{
	enum { MOST = 1 << 20 };
	static const char key[] = "\nFDSize:";
	char text[1024];
	const char *at;
	struct rlimit limit;
	ssize_t n;
	int fd;

	n = 0;
	fd = open("/proc/self/status", O_RDONLY);
	if (fd != -1) {
		n = read(fd, text, sizeof text - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, key);
	if (at != NULL)
		return atol(at + sizeof key - 1);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_max != (rlim_t)RLIM_INFINITY)
		return (long)(limit.rlim_max < (rlim_t)MOST ?
		    limit.rlim_max : (rlim_t)MOST);
	return sysconf(_SC_OPEN_MAX);
}

/* Close descriptor 3 and all above it. */
void
close_strays(void)
{
	long fd, size;

	if (CLOSE_FROM(3) == 0)
		return;
	size = table_size();
	for (fd = 3; fd < size; fd++)
		close((int)fd);
}

/*
 * Forbid core dumps, new processes, and more descriptors than a session needs.
 * Also prevent files from growing, unless descriptor 2 could be a file.
 * Lowering a limit cannot fail.
 */
static void
limit_resources(const struct session *s)
{
	struct rlimit limit;

	limit.rlim_cur = limit.rlim_max = 0;
	(void)setrlimit(RLIMIT_CORE, &limit);
	(void)setrlimit(RLIMIT_NPROC, &limit);
	if (!s->copy)
		(void)setrlimit(RLIMIT_FSIZE, &limit);
	/*
	 * If the limit is already lower, this call can fail, but a lower limit
	 * does no harm.
	 */
	limit.rlim_cur = limit.rlim_max = DESCRIPTORS;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/*
 * End the session, because the kernel has this mechanism but has refused it.
 * errno says why.  Returns -1.
 */
int
confine_refused(struct session *s, const char *what)
{
	snprintf(s->words, sizeof s->words, "%s: %s", what, strerror(errno));
	return over(s, END_SYSTEM, errno);
}

/*
 * Confine this process to what pump() and report_exit() still need: polling,
 * reading, writing and closing the open descriptors.
 */
int
confine(struct session *s)
{
	limit_resources(s);
	return confine_lock(s);
}
