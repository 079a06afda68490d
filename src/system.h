/*
 * What systems lack, make slow or call by another name.  What they add is in
 * carry.c and confine.c.
 */

#ifndef SYSTEM_H
#define SYSTEM_H

#define _GNU_SOURCE	/* nothing hidden on Linux */

#include <sys/types.h>
#include <sys/socket.h>

#include <poll.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

/*
 * Where poll(2), asked for no event, sleeps through a reset, it is woken after
 * so many milliseconds to look again; 0: it does not.
 */
#if defined(__linux__) || defined(__OpenBSD__) || defined(__sun)
#define POLL_BLIND 0
#else
#define POLL_BLIND 1000
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

#ifdef __APPLE__
#define TCP_KEEPIDLE TCP_KEEPALIVE
#endif

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0	/* SIGPIPE is ignored in any case */
#endif

/* glibc looks for options behind the operands, unless told so. */
#ifdef __GLIBC__
#define GETOPT_IN_ORDER "+"
#else
#define GETOPT_IN_ORDER ""
#endif

#endif
