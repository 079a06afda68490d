/*
 * The part of confine.c that depends on the system.  There is one file for
 * each: confine_linux.c, confine_openbsd.c, confine_freebsd.c, confine_other.c.
 */

#ifndef CONFINE_H
#define CONFINE_H

/* With -DNO_CONFINE, Linux counts as a system that cannot confine a process. */
#if defined(__linux__) && !defined(NO_CONFINE)
#define CONFINE_LINUX
#endif

/*
 * confine_lock: give up whatever the system lets a process give up.  Returns 0,
 * or -1 (from confine_refused) if the system refuses.
 */
int	confine_lock(struct session *);
int	confine_refused(struct session *, const char *);

#endif
