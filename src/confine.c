/*
 * Give up what a session does not need: stray descriptors at its start, and
 * everything else once the target is connected.
 *
 * A kernel that lacks a means is taken as it is, and the rest still holds; one
 * that has it and refuses ends the session.
 */

#include "relay.h"

#include <sys/resource.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>
#endif
#if defined(__linux__) && !defined(NO_SECCOMP)
#include <sys/prctl.h>

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <grp.h>
#elif defined(__FreeBSD__)
#include <sys/capsicum.h>
#elif defined(__sun)
#include <stdlib.h>
#endif

enum {
	/* 0 to 3, and a pipe for each flow */
	DESCRIPTORS = 8
};

/*
 * Close every descriptor from 3 up.  Where the kernel has no call for it, the
 * limit bounds the search; a limit without end is cut at a number that no
 * super-server reaches.
 */
void
close_strays(void)
{
#if defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__) || \
    defined(__DragonFly__) || defined(__sun)
	closefrom(3);
#else
	long fd, most;

#ifdef SYS_close_range
	if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0)
		return;
#endif
	most = sysconf(_SC_OPEN_MAX);
	if (most < 0 || most > 65536)
		most = 65536;
	for (fd = 3; fd < most; fd++)
		close((int)fd);
#endif
}

/*
 * No core, no process, no descriptor that a session has no use for, and no file
 * (but where 2 is one).  Lowering a limit cannot fail.
 */
static void
limit_resources(const struct session *s)
{
	struct rlimit limit;

	limit.rlim_cur = limit.rlim_max = 0;
	(void)setrlimit(RLIMIT_CORE, &limit);
#ifdef RLIMIT_NPROC
	(void)setrlimit(RLIMIT_NPROC, &limit);
#endif
	if (!s->copy)
		(void)setrlimit(RLIMIT_FSIZE, &limit);
	/* Fails where it is lower already, and that is as good. */
	limit.rlim_cur = limit.rlim_max = DESCRIPTORS;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

#if !defined(NO_SECCOMP) && \
    (defined(__linux__) || defined(__OpenBSD__) || defined(__FreeBSD__))
static int
refused(struct session *s, const char *what)
{
	snprintf(s->words, sizeof s->words, "%s: %s", what, strerror(errno));
	return over(s, END_SYSTEM, errno);
}
#endif

#if defined(__linux__) && !defined(NO_SECCOMP)

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define ARCH AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define ARCH AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#elif defined(__s390x__)
#define ARCH AUDIT_ARCH_S390X
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCH AUDIT_ARCH_PPC64LE
#else
#error "name this machine's AUDIT_ARCH, or build with -DNO_SECCOMP"
#endif

#define LOAD_AT(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define LOAD(field) LOAD_AT(offsetof(struct seccomp_data, field))
#define LOAD_SECOND(field) \
	LOAD_AT(offsetof(struct seccomp_data, field) + sizeof(uint32_t))
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LOAD_LOW(field) LOAD_SECOND(field)
#else
#define LOAD_LOW(field) LOAD(field)
#endif
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)
#define ALLOW(n) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, n, 0, 1), \
	RETURN(SECCOMP_RET_ALLOW)

/*
 * All that a session still calls, the most frequent first, in the old form and
 * the new, for the libc decides which.  Anything else is ENOSYS, and only a
 * foreign architecture is killed: a libc that tries something new goes on.
 */
static const struct sock_filter filter[] = {
	/*
	 * Of no use to the filter.  The kernel tries one on every system call
	 * when it is installed, so as to skip it later for those it allows, but
	 * gives up at an instruction that it cannot foresee, such as this: 35
	 * microseconds a session instead of 79; the filter runs at each call.
	 */
	BPF_STMT(BPF_LD | BPF_IMM, 0),
	LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
	RETURN(SECCOMP_RET_KILL_PROCESS),
	LOAD(nr),
#ifdef SYS_poll
	ALLOW(SYS_poll),
#endif
#ifdef SYS_ppoll
	ALLOW(SYS_ppoll),
#endif
#ifdef SYS_ppoll_time64
	ALLOW(SYS_ppoll_time64),
#endif
#ifdef SYS_recvfrom
	ALLOW(SYS_recvfrom),
#endif
#ifdef SYS_sendto
	/* To no address: that of a datagram may be any local socket's. */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendto, 0, 6),
	LOAD(args[4]),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3),
	LOAD_SECOND(args[4]),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
	RETURN(SECCOMP_RET_ALLOW),
	RETURN(SECCOMP_RET_ERRNO | ENOSYS),
#endif
#ifdef SYS_recv
	ALLOW(SYS_recv),
#endif
#ifdef SYS_send
	ALLOW(SYS_send),
#endif
	ALLOW(SYS_splice),
	ALLOW(SYS_sched_yield),
#ifdef SYS_clock_gettime
	ALLOW(SYS_clock_gettime),
#endif
#ifdef SYS_clock_gettime64
	ALLOW(SYS_clock_gettime64),
#endif
	ALLOW(SYS_ioctl),
#ifdef SYS_getsockopt
	ALLOW(SYS_getsockopt),
	ALLOW(SYS_setsockopt),
#endif
	ALLOW(SYS_shutdown),
	ALLOW(SYS_close),
#ifdef SYS_pipe
	ALLOW(SYS_pipe),
#endif
	ALLOW(SYS_pipe2),
#ifdef SYS_fcntl
	ALLOW(SYS_fcntl),
#endif
#ifdef SYS_fcntl64
	ALLOW(SYS_fcntl64),
#endif
	ALLOW(SYS_read),
	ALLOW(SYS_write),
	ALLOW(SYS_getpid),
#ifdef SYS_alarm
	ALLOW(SYS_alarm),
#endif
	ALLOW(SYS_setitimer),
#ifdef SYS_sigreturn
	ALLOW(SYS_sigreturn),
#endif
	ALLOW(SYS_rt_sigreturn),
	ALLOW(SYS_restart_syscall),
	ALLOW(SYS_exit),
	ALLOW(SYS_exit_group),
#ifdef SYS_socketcall
	/* All socket calls in one: of them send(9) to getsockopt(15). */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socketcall, 0, 4),
	LOAD_LOW(args[0]),
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 9, 0, 2),
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 15, 1, 0),
	RETURN(SECCOMP_RET_ALLOW),
#endif
	RETURN(SECCOMP_RET_ERRNO | ENOSYS)
};

/* Linux 5.13, the same on all machines but Alpha; older headers lack them. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self 446
#endif

/*
 * Allow no file, no TCP port, no abstract socket and no signal beyond this
 * process: each as far as the running kernel's Landlock ABI knows it.
 */
static int
landlock(void)
{
	/* File rights that each ABI, from 1 on, has; they have never shrunk. */
	static const int rights[] = { 13, 14, 15, 15, 16 };
	struct {
		uint64_t fs, net, scoped;
	} deny;
	long abi;
	int fd, result;

	abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	if (abi < 1)
		return 0;	/* none, or switched off */
	deny.fs = (1ULL << rights[abi > 5 ? 4 : abi - 1]) - 1;
	deny.net = abi >= 4 ? 3 : 0;
	deny.scoped = abi >= 6 ? 3 : 0;
	fd = (int)syscall(SYS_landlock_create_ruleset, &deny, sizeof deny, 0);
	if (fd == -1)
		return -1;
	result = (int)syscall(SYS_landlock_restrict_self, fd, 0);
	close(fd);
	return result;
}

static int
drop_capabilities(const struct session *s)
{
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct none[2];

	/* EPERM: root of a user namespace without groups, or of no power. */
	if (s->root && setgroups(0, NULL) == -1 && errno != EPERM)
		return -1;
	memset(&header, 0, sizeof header);
	memset(none, 0, sizeof none);
	header.version = _LINUX_CAPABILITY_VERSION_3;
	return (int)syscall(SYS_capset, &header, none);
}

static int
lock(struct session *s)
{
	static const struct sock_fprog program = {
		sizeof filter / sizeof filter[0],
		(struct sock_filter *)(uintptr_t)filter
	};

	if (drop_capabilities(s) == -1)
		return refused(s, "capset");
	/* No core, and no other process of this user may look in. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return refused(s, "PR_SET_DUMPABLE");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return refused(s, "PR_SET_NO_NEW_PRIVS");
	if (landlock() == -1)
		return refused(s, "Landlock");
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1 &&
	    errno != EINVAL && errno != ENOSYS)
		return refused(s, "seccomp");
	return 0;
}

#elif defined(__OpenBSD__)

/*
 * "stdio" alone would not do: SO_LINGER, without which there is no RST, the
 * urgent mark and SO_SPLICE are "inet".  New sockets have no descriptor left.
 */
static int
lock(struct session *s)
{
	if (pledge("stdio inet", NULL) == -1)
		return refused(s, "pledge");
	return 0;
}

#elif defined(__FreeBSD__)

static int
lock(struct session *s)
{
	cap_rights_t socket_rights, write_rights;

	cap_rights_init(&socket_rights, CAP_RECV, CAP_SEND, CAP_SHUTDOWN,
	    CAP_EVENT, CAP_GETSOCKOPT, CAP_SETSOCKOPT, CAP_IOCTL);
	cap_rights_init(&write_rights, CAP_SEND, CAP_WRITE, CAP_EVENT);
	if (cap_rights_limit(s->fd[CLIENT], &socket_rights) == -1 ||
	    cap_rights_limit(s->fd[TARGET], &socket_rights) == -1 ||
	    (s->log >= 0 && cap_rights_limit(s->log, &write_rights) == -1) ||
	    (s->copy && cap_rights_limit(STDERR_FILENO, &write_rights) == -1) ||
	    cap_enter() == -1)
		return errno == ENOSYS ? 0 : refused(s, "Capsicum");
	return 0;
}

#else

static int
lock(struct session *s)
{
	(void)s;
	return 0;
}

#endif

/*
 * Confine this process to what the pump and the report still do: poll, read,
 * write and close the descriptors it has.
 */
int
confine(struct session *s)
{
	limit_resources(s);
	return lock(s);
}
