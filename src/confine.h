/*
 * This header declares the part of the confinement that depends on the system.
 * The code is in confine_linux.c, confine_openbsd.c, confine_freebsd.c or
 * confine_other.c.
 */

#ifndef CONFINE_H
#define CONFINE_H

/* With -DNO_CONFINE, Linux counts as a system that cannot confine a process. */
#if defined(__linux__) && !defined(NO_CONFINE)
#define CONFINE_LINUX
#endif

/*
 * confine_lock gives up whatever the system lets a process give up, and returns
 * 0.  If the system refuses, confine_lock returns -1, after confine_refused has
 * noted the reason.
 */
int	confine_lock(struct session *);
int	confine_refused(struct session *, const char *);

#endif
