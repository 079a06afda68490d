/*
 * What confine.c asks of each system, one file for each: confine_linux.c,
 * confine_openbsd.c, confine_freebsd.c, confine_other.c.
 */

#ifndef CONFINE_H
#define CONFINE_H

/* Built with -DNO_CONFINE, Linux counts as a system that has no mechanism. */
#if defined(__linux__) && !defined(NO_CONFINE)
#define CONFINE_LINUX
#endif

/*
 * confine_lock: give up what the system allows to be given up.  0; or, if the
 * system refuses, -1 with the reason, from confine_refused.
 */
int	confine_lock(struct session *);
int	confine_refused(struct session *, const char *);

#endif
