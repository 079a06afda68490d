/*
 * Give up what a session does not need: stray descriptors at its start, and
 * everything else once the target is connected.
 *
 * A kernel that lacks a means is taken as it is, and the rest still holds; one
 * that has it and refuses ends the session.
 */

#include "relay.h"
#include "confine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	/* 0 to 3, and a pipe for each flow */
	DESCRIPTORS = 8
};

/*
 * Close every descriptor from 3 up.  Where the kernel has no call for it, the
 * limit bounds the search; a limit without end is cut at a number that no
 * super-server reaches.
 */
void
close_strays(void)
{
	long fd, most;

	if (CLOSE_FROM(3) == 0)
		return;
	most = sysconf(_SC_OPEN_MAX);
	if (most < 0 || most > 65536)
		most = 65536;
	for (fd = 3; fd < most; fd++)
		close((int)fd);
}

/*
 * No core, no process, no descriptor that a session has no use for, and no file
 * (but where 2 is one).  Lowering a limit cannot fail.
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
	/* Fails where it is lower already, and that is as good. */
	limit.rlim_cur = limit.rlim_max = DESCRIPTORS;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* The kernel has this means, and refuses it, by errno.  Always -1. */
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
	return lock(s);
}
