/*
 * Give up what a session does not need: stray descriptors at its start, and
 * everything else once the target is connected.
 *
 * If the kernel lacks one of the mechanisms, the others still apply; if it has
 * one and refuses it, the session ends.
 */

#include "relay.h"
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* 0 to 3, and a pipe for each flow */
	DESCRIPTORS = 8
};

/*
 * A bound for the descriptors that may be open.  Linux gives the size of their
 * table (FDSize in proc_pid_status(5)).  Elsewhere it is the limit, the hard
 * one first, because the soft one may have been lowered since; up to a million.
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

/* Close every descriptor from 3 up. */
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
 * No core dump, no new process, no descriptor that a session has no use for,
 * and no growing file (except where 2 may be one).  Lowering a limit cannot
 * fail.
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
	/* Fails where it is lower already, which is as good. */
	limit.rlim_cur = limit.rlim_max = DESCRIPTORS;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* The kernel has this mechanism, and refuses it, with errno.  Always -1. */
int
confine_refused(struct session *s, const char *what)
{
	snprintf(s->words, sizeof s->words, "%s: %s", what, strerror(errno));
	return over(s, END_SYSTEM, errno);
}

/*
 * Confine this process to what the pump and the report still do: poll, read,
 * write and close the descriptors it has.
 */
int
confine(struct session *s)
{
	limit_resources(s);
	return confine_lock(s);
}
