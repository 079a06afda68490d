/*
 * This header makes up for what some systems lack, do slowly, or call by a
 * different name.  Code that only one system needs is in a file named after
 * that system, such as carry_linux.c.
 */

#ifndef SYSTEM_H
#define SYSTEM_H

/* The headers of Linux and of illumos hide less with these. */
#define _GNU_SOURCE
#define __EXTENSIONS__

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <netinet/in.h>

#ifdef __sun
/* These two headers define what other systems define in sys/ioctl.h. */
#include <sys/filio.h>
#include <sys/sockio.h>
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

#include <linux/tcp.h>		/* libc's tcp_info can lack fields */
#else
#include <netinet/tcp.h>
#endif

/*
 * On NetBSD, DragonFly and macOS, poll(2) reports a reset only if the caller
 * requests some event.  FreeBSD's poll(2) then reports a reset that has already
 * come, but is not woken by one (uipc_socket.c).  On these systems, the relay
 * uses kqueue(2), which always reports a reset (wait_kqueue.c).
 */
#if defined(__NetBSD__) || defined(__FreeBSD__) || defined(__DragonFly__) || \
    defined(__APPLE__)
#define POLL_BLIND 1
#define POLL(fds, n, ms) kqueue_poll(fds, n, ms)
#else
#define POLL_BLIND 0
#define POLL(fds, n, ms) poll(fds, n, ms)
#endif

/*
 * A dead socket is one whose connection has ended.  On Linux, a dead socket
 * still tells how many bytes were read, how many were not read, and how many
 * its peer had not acknowledged.  On other systems, the queues of a dead socket
 * tell nothing, because the system may have emptied them or left them
 * unchanged.
 */
#ifdef __linux__
#define DEAD_TELLS 1
#else
#define DEAD_TELLS 0
#endif

/*
 * Read the clock by a system call (see now()) if libc's timespec has the same
 * layout as the kernel's.
 */
#if defined(SYS_clock_gettime) && defined(__LP64__)
#define CLOCK_CALL(clock, t) syscall(SYS_clock_gettime, clock, t)
#else
#define CLOCK_CALL(clock, t) clock_gettime(clock, t)
#endif

/*
 * Close descriptor fd and all above it.  The value is -1 if the system cannot
 * do this in one call.
 */
#if defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__) || \
    defined(__DragonFly__) || defined(__sun)
#define CLOSE_FROM(fd) (closefrom(fd), 0)
#elif defined(SYS_close_range)
#define CLOSE_FROM(fd) syscall(SYS_close_range, (unsigned)(fd), ~0U, 0U)
#else
#define CLOSE_FROM(fd) ((void)(fd), -1)
#endif

/*
 * After FIN has gone both ways, macOS rejects all setsockopt(2) calls, unless
 * SO_NP_EXTENSIONS was set earlier to allow them.  Without SO_NP_EXTENSIONS,
 * the relay could not clear SO_LINGER, and close(2) would always send RST
 * (tcp_abort).
 */
#ifdef SO_NP_EXTENSIONS
#define KEEP_OPTIONS(fd) setsockopt(fd, SOL_SOCKET, SO_NP_EXTENSIONS, \
    &(struct so_np_extensions){ SONPX_SETOPTSHUT, SONPX_SETOPTSHUT }, \
    sizeof(struct so_np_extensions))
#else
#define KEEP_OPTIONS(fd) ((void)(fd), 0)
#endif

/*
 * A socket option that a system lacks gets a number that no system knows.
 * Setting such an option fails, which does no harm.
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
#if !defined(TCP_NOPUSH) && defined(TCP_CORK)
#define TCP_NOPUSH TCP_CORK
#endif
#ifndef TCP_NOPUSH
#define TCP_NOPUSH (-1)
#endif
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT (-1)
#endif
#ifndef RLIMIT_NPROC
#define RLIMIT_NPROC RLIMIT_CORE
#endif

/* The signals that make the relay log a line about the session so far. */
#ifdef SIGINFO
#define STATUS_SIGNALS SIGUSR1, SIGINFO
#else
#define STATUS_SIGNALS SIGUSR1
#endif

#ifndef _PATH_LOG
#define _PATH_LOG "/dev/log"
#endif

/*
 * The linker places common symbols last, and the buffers are the last member of
 * struct session.  So, apart from the buffers, all the static memory that a
 * session writes to fits into one page, together with libc's data.
 */
#define SESSION_LAST __attribute__((common))

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0	/* SIGPIPE is blocked anyway */
#endif

/*
 * glibc's getopt(3) also looks for options after the operands, unless the
 * option string begins with +.
 */
#ifdef __GLIBC__
#define GETOPT_IN_ORDER "+"
#else
#define GETOPT_IN_ORDER ""
#endif

#endif
