/*
 * Linux: capabilities, Landlock, seccomp.
 */

#include "relay.h"
#include "confine.h"

#ifdef CONFINE_LINUX

#include <sys/prctl.h>

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <errno.h>
#include <grp.h>
#include <stddef.h>
#include <string.h>

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

int
lock(struct session *s)
{
	static const struct sock_fprog program = {
		sizeof filter / sizeof filter[0],
		(struct sock_filter *)(uintptr_t)filter
	};

	if (drop_capabilities(s) == -1)
		return confine_refused(s, "capset");
	/* No core, and no other process of this user may look in. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return confine_refused(s, "PR_SET_DUMPABLE");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return confine_refused(s, "PR_SET_NO_NEW_PRIVS");
	if (landlock() == -1)
		return confine_refused(s, "Landlock");
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1 &&
	    errno != EINVAL && errno != ENOSYS)
		return confine_refused(s, "seccomp");
	return 0;
}

#endif
