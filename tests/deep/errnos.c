#include "../lib/traced.h"
#include "errnos.h"

#include <errno.h>

#ifdef __linux__

const struct call calls[] = {
#define CALL(name, ...) { #name, SYS_ ## name, { __VA_ARGS__ } }
	CALL(rt_sigaction, EFAULT, EINVAL),
	CALL(rt_sigprocmask, EFAULT, EINVAL),
	CALL(close_range, EINVAL, EMFILE, ENOMEM, ENOSYS),
#ifdef SYS_newfstatat
	CALL(newfstatat, EACCES, EBADF, EFAULT, ELOOP, ENOENT, ENOMEM,
	    ENOTDIR, EOVERFLOW),
#endif
#ifdef SYS_fstat
	CALL(fstat, EBADF, EFAULT, ENOMEM, EOVERFLOW),
#endif
#ifdef SYS_fstat64
	CALL(fstat64, EBADF, EFAULT, ENOMEM, EOVERFLOW),
#endif
#ifdef SYS_fstatat64
	CALL(fstatat64, EBADF, EFAULT, ENOMEM, EOVERFLOW),
#endif
	CALL(statx, EACCES, EBADF, EFAULT, EINVAL, ENOENT, ENOMEM, ENOTDIR),
	CALL(socket, EACCES, EAFNOSUPPORT, EINVAL, EMFILE, ENFILE, ENOBUFS,
	    ENOMEM, EPROTONOSUPPORT),
	/* EBUSY is left out: musl would repeat the failed call for ever. */
#ifdef SYS_dup2
	CALL(dup2, EBADF, EINTR, EMFILE),
#endif
	CALL(dup3, EBADF, EINTR, EINVAL, EMFILE),
	CALL(connect, EACCES, EPERM, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT,
	    EAGAIN, EALREADY, EBADF, ECONNREFUSED, EFAULT, EINPROGRESS, EINTR,
	    EISCONN, ENETUNREACH, ENOTSOCK, EPROTOTYPE, ETIMEDOUT),
	CALL(bind, EACCES, EADDRINUSE, EBADF, EINVAL, ENOTSOCK, EADDRNOTAVAIL,
	    EFAULT, ENOMEM),
	CALL(getsockname, EBADF, EFAULT, EINVAL, ENOBUFS, ENOTSOCK),
	CALL(getpeername, EBADF, EFAULT, EINVAL, ENOBUFS, ENOTCONN, ENOTSOCK),
	CALL(getsockopt, EBADF, EFAULT, EINVAL, ENOPROTOOPT, ENOTSOCK),
	CALL(setsockopt, EBADF, EFAULT, EINVAL, ENOPROTOOPT, ENOTSOCK, EDOM,
	    ENOMEM),
	CALL(fcntl, EACCES, EAGAIN, EBADF, EBUSY, EINTR, EINVAL, EMFILE,
	    EPERM),
#ifdef SYS_fcntl64
	CALL(fcntl64, EACCES, EAGAIN, EBADF, EBUSY, EINTR, EINVAL, EMFILE,
	    EPERM),
#endif
	CALL(ppoll, EFAULT, EINTR, EINVAL, ENOMEM, KILLED),
#ifdef SYS_ppoll_time64
	CALL(ppoll_time64, EFAULT, EINTR, EINVAL, ENOMEM, KILLED),
#endif
#ifdef SYS_poll
	CALL(poll, EFAULT, EINTR, EINVAL, ENOMEM, KILLED),
#endif
	CALL(recvfrom, EAGAIN, EBADF, ECONNREFUSED, ECONNRESET, EFAULT, EINTR,
	    EINVAL, ENOMEM, ENOTCONN, ENOTSOCK, ETIMEDOUT, SHORT, KILLED),
	CALL(sendto, EACCES, EAGAIN, EALREADY, EBADF, ECONNRESET,
	    EDESTADDRREQ, EFAULT, EINTR, EINVAL, EISCONN, EMSGSIZE, ENOBUFS,
	    ENOMEM, ENOTCONN, ENOTSOCK, EOPNOTSUPP, EPIPE, ETIMEDOUT, SHORT,
	    KILLED),
	CALL(splice, EAGAIN, EBADF, EINVAL, ENOMEM, ENOSYS, ESPIPE, EPIPE,
	    ECONNRESET, SHORT, KILLED),
	CALL(sched_yield, ENOSYS, KILLED),
	CALL(sched_getscheduler, EINVAL, ENOSYS, ESRCH, KILLED),
	CALL(sched_setscheduler, EINVAL, ENOSYS, EPERM, ESRCH, KILLED),
#ifdef SYS_pipe
	CALL(pipe, EFAULT, EINVAL, EMFILE, ENFILE),
#endif
	CALL(pipe2, EFAULT, EINVAL, EMFILE, ENFILE),
	CALL(read, EAGAIN, EBADF, EFAULT, EINTR, EINVAL, EIO, EISDIR, SHORT),
	CALL(write, EAGAIN, EBADF, EDESTADDRREQ, EDQUOT, EFAULT, EFBIG, EINTR,
	    EINVAL, EIO, ENOSPC, EPERM, EPIPE, SHORT),
	CALL(ioctl, EBADF, EFAULT, EINVAL, ENOTTY, KILLED),
	CALL(shutdown, EBADF, EINVAL, ENOTCONN, ENOTSOCK, KILLED),
	CALL(close, EBADF, EINTR, EIO, ENOSPC, EDQUOT),
#ifdef SYS_setrlimit
	CALL(setrlimit, EFAULT, EINVAL, EPERM),
#endif
	CALL(prlimit64, EFAULT, EINVAL, EPERM, ESRCH),
	CALL(setgroups, EFAULT, EINVAL, ENOMEM, EPERM),
#ifdef SYS_setgroups32
	CALL(setgroups32, EFAULT, EINVAL, ENOMEM, EPERM),
#endif
	CALL(capset, EFAULT, EINVAL, EPERM, ESRCH),
	CALL(prctl, EACCES, EBADF, EBUSY, EFAULT, EINVAL, ENODEV, ENXIO,
	    EOPNOTSUPP, EOVERFLOW, EPERM),
	CALL(landlock_create_ruleset, EOPNOTSUPP, EINVAL, E2BIG, EFAULT,
	    ENOMSG),
	CALL(landlock_restrict_self, EOPNOTSUPP, EINVAL, EBADF, EBADFD, EPERM,
	    E2BIG),
#ifdef SYS_alarm
	CALL(alarm, ENOSYS),
#endif
	CALL(setitimer, EFAULT, EINVAL),
	CALL(clock_gettime, EFAULT, EINVAL, EPERM),
	/*
	 * The relay makes some of these calls for the child that looks up a
	 * name.  getaddrinfo(3) makes the others.
	 */
	CALL(clone, EAGAIN, EINVAL, ENOMEM, EPERM),
#ifdef SYS_fork
	CALL(fork, EAGAIN, ENOMEM, ENOSYS),
#endif
	CALL(wait4, ECHILD, EINTR, EINVAL),
	CALL(kill, EINVAL, EPERM, ESRCH),
#ifdef SYS_open
	CALL(open, EACCES, EINTR, EMFILE, ENFILE, ENOENT, ENOMEM),
#endif
	CALL(openat, EACCES, EINTR, EMFILE, ENFILE, ENOENT, ENOMEM),
	CALL(brk, ENOMEM),
#ifdef SYS_mmap
	CALL(mmap, EACCES, EAGAIN, EINVAL, ENFILE, ENOMEM),
#endif
#ifdef SYS_mmap2
	CALL(mmap2, EACCES, EAGAIN, EINVAL, ENFILE, ENOMEM),
#endif
	CALL(mprotect, EACCES, EINVAL, ENOMEM),
	CALL(munmap, EINVAL),
	CALL(futex, EAGAIN, EINTR, EINVAL, ENOSYS),
	CALL(getrandom, EAGAIN, EFAULT, EINTR, EINVAL, ENOSYS),
	CALL(lseek, EBADF, EINVAL, EOVERFLOW, ESPIPE),
	CALL(uname, EFAULT),
	CALL(set_robust_list, EINVAL),
	/* These calls cannot fail. */
	CALL(getpid, 0), CALL(gettid, 0), CALL(rt_sigreturn, 0),
	CALL(restart_syscall, 0), CALL(exit_group, 0)
#undef CALL
};

#else

/* On other systems, the tests do not trace calls. */
const struct call calls[] = { { "none", -1, { 0 } } };

#endif

typedef char fits[sizeof calls / sizeof calls[0] <= MOST_CALLS ? 1 : -1];
const size_t ncalls = sizeof calls / sizeof calls[0];
