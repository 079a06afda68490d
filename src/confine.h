/*
 * The part of confine.c that depends on the system, in a file for each:
 * confine_linux.c, confine_openbsd.c, confine_freebsd.c, confine_other.c.
 */

#ifndef CONFINE_H
#define CONFINE_H

/* With -DNO_CONFINE Linux is treated as a system without a mechanism. */
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
