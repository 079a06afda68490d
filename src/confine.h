/*
 * The part of confine.c that depends on the system.  Each system has a file:
 * confine_linux.c, confine_openbsd.c, confine_freebsd.c, confine_other.c.
 */

#ifndef CONFINE_H
#define CONFINE_H

/* With -DNO_CONFINE, Linux counts as a system that cannot confine a process. */
#if defined(__linux__) && !defined(NO_CONFINE)
#define CONFINE_LINUX
#endif

/*
 * confine_lock gives up whatever the system lets a process give up.  It returns
 * 0, or -1 if the system refuses: confine_refused notes the reason and returns
 * -1.
 */
int	confine_lock(struct session *);
int	confine_refused(struct session *, const char *);

#endif
