/*
 * What systems lack, make slow or call by another name.  What they add is in
 * the files of carry, confine and tcp that bear their names.
 */

#ifndef SYSTEM_H
#define SYSTEM_H

#define _GNU_SOURCE	/* nothing hidden on Linux */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <netinet/in.h>

#ifdef __sun
#include <sys/filio.h>		/* where illumos has what others ask for by */
#include <sys/sockio.h>		/* sys/ioctl.h */
#endif

#include <poll.h>
#include <signal.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#ifndef SO_PROTOCOL
#define SO_PROTOCOL 38		/* older headers lack it */
#endif

#include <sys/syscall.h>

#include <linux/tcp.h>		/* libc's may lack what tcp_info has gained */
#else
#include <netinet/tcp.h>
#endif

/*
 * Where poll(2), asked for no event, tells nothing of a reset; kqueue(2) does
 * there (wait_kqueue.c).
 */
#if defined(__NetBSD__) || defined(__DragonFly__) || defined(__APPLE__)
#define POLL_BLIND 1
#define POLL(fds, n, ms) kqueue_poll(fds, n, ms)
#else
#define POLL_BLIND 0
#define POLL(fds, n, ms) poll(fds, n, ms)
#endif

/*
 * Where a dead socket still tells what was read of it, what was not, and what
 * its peer had not acknowledged.  Elsewhere its queue may be empty or as it was.
 */
#ifdef __linux__
#define DEAD_TELLS 1
#else
#define DEAD_TELLS 0
#endif

/*
 * Where poll(2) says POLLERR of an error that ends a TCP connection, and of
 * nothing else.
 */
#ifdef __linux__
#define POLLERR_TELLS 1
#else
#define POLLERR_TELLS 0
#endif

/* The clock's system call itself, where libc's timespec is the kernel's. */
#if defined(SYS_clock_gettime) && defined(__LP64__)
#define CLOCK_CALL(clock, t) syscall(SYS_clock_gettime, clock, t)
#else
#define CLOCK_CALL(clock, t) clock_gettime(clock, t)
#endif

/* Close all from this descriptor on; -1: there is no call for it. */
#if defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__) || \
    defined(__DragonFly__) || defined(__sun)
#define CLOSE_FROM(fd) (closefrom(fd), 0)
#elif defined(SYS_close_range)
#define CLOSE_FROM(fd) syscall(SYS_close_range, (unsigned)(fd), ~0U, 0U)
#else
#define CLOSE_FROM(fd) ((void)(fd), -1)
#endif

/*
 * macOS lets no option be set after FIN both ways, unless that is asked for in
 * time: nor SO_LINGER, so that close(2) would be RST for ever (tcp_abort).
 */
#ifdef SO_NP_EXTENSIONS
#define KEEP_OPTIONS(fd) setsockopt(fd, SOL_SOCKET, SO_NP_EXTENSIONS, \
    &(struct so_np_extensions){ SONPX_SETOPTSHUT, SONPX_SETOPTSHUT }, \
    sizeof(struct so_np_extensions))
#else
#define KEEP_OPTIONS(fd) ((void)(fd), 0)
#endif

/*
 * An option that a system lacks is one that no system has: to set it fails, as
 * it may.
 */
#if defined(__APPLE__) && !defined(TCP_KEEPIDLE)
#define TCP_KEEPIDLE TCP_KEEPALIVE
#endif
#ifndef TCP_KEEPIDLE
#define TCP_KEEPIDLE (-1)
#endif
#ifndef TCP_KEEPINTVL
#define TCP_KEEPINTVL (-1)
#define TCP_KEEPCNT (-1)
#endif
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT (-1)
#endif
#ifndef RLIMIT_NPROC
#define RLIMIT_NPROC RLIMIT_CORE
#endif

/* Signals that ask for the line so far. */
#ifdef SIGINFO
#define STATUS_SIGNALS SIGUSR1, SIGINFO
#else
#define STATUS_SIGNALS SIGUSR1
#endif

#ifndef _PATH_LOG
#define _PATH_LOG "/dev/log"
#endif

/*
 * A common symbol comes last in memory, and the buffers come last in this one:
 * all else that a session writes to shares one page with what libc does.
 */
#define SESSION_LAST __attribute__((common))

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0	/* SIGPIPE is kept waiting in any case */
#endif

/* glibc looks for options behind the operands, unless told so. */
#ifdef __GLIBC__
#define GETOPT_IN_ORDER "+"
#else
#define GETOPT_IN_ORDER ""
#endif

#endif
