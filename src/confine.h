/*
 * What confine.c asks of each system, one file for each: confine_linux.c,
 * confine_openbsd.c, confine_freebsd.c, confine_other.c.
 */

#ifndef CONFINE_H
#define CONFINE_H

/* Built with -DNO_CONFINE, Linux is a system without a means. */
#if defined(__linux__) && !defined(NO_CONFINE)
#define CONFINE_LINUX
#endif

/*
 * confine_lock: give up what the system lets be given up.  0, or -1 with the
 * reason, by confine_refused, when it refuses.
 */
int	confine_lock(struct session *);
int	confine_refused(struct session *, const char *);

#endif
