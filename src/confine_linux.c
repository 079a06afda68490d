/* Linux: capabilities, Landlock, seccomp. */

#include "relay.h"
#include "confine.h"

#ifdef CONFINE_LINUX

#include <sys/ioctl.h>
#include <sys/prctl.h>

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
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
#pragma message "no system call filter: name this machine's AUDIT_ARCH"
#endif

#ifdef ARCH

/*
 * To find out which system calls this filter denies to a libc, define DENIED as
 * a verdict that kills the process.
 */
#ifndef DENIED
#define DENIED (SECCOMP_RET_ERRNO | ENOSYS)
#endif

#define LOAD_AT(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define LOAD(field) LOAD_AT(offsetof(struct seccomp_data, field))
#define LOAD_SECOND(field) \
	LOAD_AT(offsetof(struct seccomp_data, field) + sizeof(uint32_t))
/*
 * Load an argument whose type is int: of its 64 bits, load only the half that
 * the kernel uses.
 */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LOAD_INT(field) LOAD_SECOND(field)
#else
#define LOAD_INT(field) LOAD(field)
#endif
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)

/*
 * The filter below is written with these macros.  Each test looks at the value
 * that was loaded last.  The rules inside IF and UNLESS must end with a
 * verdict: ALLOW_ALL, DENY or another RETURN.
 */
#define LENGTH(...) (sizeof (struct sock_filter[]){ __VA_ARGS__ } / \
	sizeof(struct sock_filter))
#define EQUAL(value, yes, no) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define IF(value, ...) \
	EQUAL(value, 0, LENGTH(__VA_ARGS__)), __VA_ARGS__
#define IF_2(a, b, ...) \
	EQUAL(a, 1, 0), IF(b, __VA_ARGS__)
#define UNLESS(value, ...) \
	EQUAL(value, LENGTH(__VA_ARGS__), 0), __VA_ARGS__
#define DENY RETURN(DENIED)
#define ALLOW_ALL RETURN(SECCOMP_RET_ALLOW)
#define ALLOW(a) IF(a, ALLOW_ALL)
#define ALLOW_2(a, b) EQUAL(a, 1, 0), ALLOW(b)
#define ALLOW_3(a, b, c) EQUAL(a, 2, 0), ALLOW_2(b, c)
#define ALLOW_4(a, b, c, d) EQUAL(a, 3, 0), ALLOW_3(b, c, d)
#define NULL_ONLY(argument) \
	LOAD(argument), UNLESS(0, DENY), \
	LOAD_SECOND(argument), UNLESS(0, DENY)

/*
 * On some machines, all calls on sockets go through one system call,
 * socketcall(2).  Its first argument is the number of the call on the socket.
 * The arguments of that call are in memory, where a filter cannot see them.
 * Allow send (9), recv (10), and the calls from shutdown (13) to getsockopt
 * (15).  With musl, also allow sendto (11) and recvfrom (12), because older
 * versions of musl make these calls through socketcall(2).
 */
#ifdef __GLIBC__
#define SOCKETCALLS ALLOW_2(9, 10), ALLOW_3(13, 14, 15)
#else
#define SOCKETCALLS ALLOW_4(9, 10, 11, 12), ALLOW_3(13, 14, 15)
#endif

/*
 * Some calls have two forms, each with a name.  On a machine that has only one
 * of the forms, both names stand for that form.
 */
#ifndef SYS_poll
#define SYS_poll SYS_ppoll
#endif
#ifndef SYS_ppoll
#define SYS_ppoll SYS_poll
#endif
#ifndef SYS_ppoll_time64
#define SYS_ppoll_time64 SYS_ppoll
#endif
#ifndef SYS_clock_gettime
#define SYS_clock_gettime SYS_clock_gettime64
#endif
#ifndef SYS_clock_gettime64
#define SYS_clock_gettime64 SYS_clock_gettime
#endif
#ifndef SYS_alarm
#define SYS_alarm SYS_setitimer
#endif
#ifndef SYS_fcntl64
#define SYS_fcntl64 SYS_fcntl
#endif
#ifndef SYS_sigreturn
#define SYS_sigreturn SYS_rt_sigreturn
#endif

/*
 * This filter allows the system calls that a confined session makes.  If a
 * call's arguments could do harm, only the arguments that a session uses are
 * allowed.  If a call has an old and a new form, both are listed, because libc
 * decides which form to use.
 *
 * Any other call fails with ENOSYS, so that a libc that has tried a newer call
 * falls back to an older one.  The process is killed only if it makes a system
 * call of a different architecture.
 */
static const struct sock_filter filter[] = {
	/*
	 * This instruction does not affect the verdict, but it saves time.
	 * With it, the filter costs 35 microseconds per session instead of 79.
	 *
	 * When a process sets a filter, the kernel simulates the filter for
	 * every system call, in order to find the calls that are always
	 * allowed.  Later, the kernel skips the filter for these calls.  But
	 * the kernel's simulator does not know this instruction, so the kernel
	 * stops simulating here.  For one session, running the filter at each
	 * call costs less than the simulation.
	 */
	BPF_STMT(BPF_LD | BPF_IMM, 0),
	LOAD(arch),
	UNLESS(ARCH, RETURN(SECCOMP_RET_KILL_PROCESS)),

	/*
	 * These calls are harmless, whatever their arguments are: they open
	 * nothing and reach nobody.
	 */
	LOAD(nr),
	ALLOW_4(SYS_poll, SYS_ppoll, SYS_ppoll_time64, SYS_sched_yield),
	ALLOW_2(SYS_clock_gettime, SYS_clock_gettime64),
	ALLOW_4(SYS_alarm, SYS_setitimer, SYS_sigreturn, SYS_rt_sigreturn),
	ALLOW_3(SYS_getpid, SYS_restart_syscall, SYS_exit_group),

	/*
	 * Allow these calls for this process only, and no real-time policy,
	 * which a parent's RLIMIT_RTPRIO could permit.
	 */
	IF(SYS_sched_getscheduler,
	    LOAD_INT(args[0]),
	    ALLOW(0),
	    DENY),
	IF(SYS_sched_setscheduler,
	    LOAD_INT(args[0]),
	    UNLESS(0, DENY),
	    LOAD_INT(args[1]),
	    ALLOW_2(SCHED_OTHER, SCHED_BATCH),
	    DENY),

	IF(SYS_pipe2,
	    LOAD_INT(args[1]),
	    ALLOW(O_NONBLOCK | O_CLOEXEC),
	    DENY),
	IF(SYS_write,
	    LOAD_INT(args[0]),
	    ALLOW(STDERR_FILENO),
	    DENY),
#if defined(__i386__) || defined(__s390x__)
	IF(SYS_socketcall,
	    LOAD_INT(args[0]),
	    SOCKETCALLS,
	    DENY),
#endif

	/*
	 * The first argument of every call below is a descriptor.  Deny these
	 * calls on descriptor 2, because that descriptor can be the operator's
	 * terminal or a file.  The only call that is allowed on descriptor 2 is
	 * write(2), which the rule above allows.
	 */
	LOAD_INT(args[0]),
	IF(STDERR_FILENO, DENY),
	LOAD(nr),
	ALLOW_2(SYS_shutdown, SYS_close),
#ifdef SYS_recvfrom
	ALLOW(SYS_recvfrom),
#endif
#ifdef SYS_sendto
	/*
	 * Allow sendto(2) only without an address, because an address could
	 * name any Unix socket.
	 */
	IF(SYS_sendto,
	    NULL_ONLY(args[4]),
	    ALLOW_ALL),
#endif
#ifdef SYS_recv
	ALLOW(SYS_recv),
#endif
#ifdef SYS_send
	ALLOW(SYS_send),
#endif
	/*
	 * Allow splice(2) only without offsets, because only files have
	 * offsets.
	 */
	IF(SYS_splice,
	    LOAD_INT(args[2]),
	    IF(STDERR_FILENO, DENY),
	    NULL_ONLY(args[1]),
	    NULL_ONLY(args[3]),
	    ALLOW_ALL),
	IF(SYS_ioctl,
	    LOAD_INT(args[1]),
	    ALLOW_3(FIONREAD, SIOCOUTQ, SIOCATMARK),
	    DENY),
#ifdef SYS_getsockopt
	IF_2(SYS_getsockopt, SYS_setsockopt,
	    LOAD_INT(args[1]),
	    IF(SOL_SOCKET,
		LOAD_INT(args[2]),
		ALLOW_4(SO_ERROR, SO_LINGER, SO_PROTOCOL, SO_TIMESTAMPING),
		DENY),
	    IF(IPPROTO_TCP,
		LOAD_INT(args[2]),
		ALLOW_3(TCP_INFO, TCP_MAXSEG, TCP_LINGER2),
		DENY),
	    IF(IPPROTO_IPV6,
		LOAD_INT(args[2]),
		ALLOW(IPV6_RECVERR),
		DENY),
	    IF(IPPROTO_IP,
		LOAD_INT(args[2]),
		ALLOW(IP_RECVERR),
		DENY),
	    DENY),
#endif
	/*
	 * Of the commands of fcntl(2), allow only these two.  Another command,
	 * F_SETOWN, could make the kernel send signals to other processes.
	 */
	IF_2(SYS_fcntl, SYS_fcntl64,
	    LOAD_INT(args[1]),
	    ALLOW_2(F_SETPIPE_SZ, F_GETPIPE_SZ),
	    DENY),
	DENY
};

static int
filter_calls(void)
{
	static const struct sock_fprog program = {
		sizeof filter / sizeof filter[0],
		(struct sock_filter *)(uintptr_t)filter
	};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

#else

static int
filter_calls(void)
{
	return 0;
}

#endif

/*
 * Landlock is new in Linux 5.13, and older headers lack the numbers of its
 * calls.  These numbers are the same on all machines except Alpha.
 */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self 446
#endif

/*
 * Deny everything that Landlock can deny in the running kernel (landlock(7)):
 * access to files, to ports and to the Unix sockets of other processes, and
 * signals to other processes.
 */
static int
landlock(void)
{
#define BITS(n) ((1ULL << (n)) - 1)
	/*
	 * What each version of the ABI can deny, beginning with version 1.  A
	 * newer version can deny everything that an older one can.
	 */
	static const struct {
		uint64_t fs, net, scoped;
	} rights[] = {
		{ BITS(13), 0, 0 },
		{ BITS(14), 0, 0 },
		{ BITS(15), 0, 0 },
		{ BITS(15), BITS(2), 0 },
		{ BITS(16), BITS(2), 0 },
		{ BITS(16), BITS(2), BITS(2) },
		{ BITS(16), BITS(2), BITS(2) },
		{ BITS(16), BITS(2), BITS(2) },
		{ BITS(17), BITS(2), BITS(2) },
		{ BITS(17), BITS(4), BITS(2) }
	};
	enum { KNOWN = sizeof rights / sizeof rights[0] };
	long abi;
	int fd, result;

	abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	if (abi < 1)
		return 0;	/* Landlock is missing or switched off */
	fd = (int)syscall(SYS_landlock_create_ruleset,
	    &rights[(abi < KNOWN ? abi : KNOWN) - 1], sizeof rights[0], 0);
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

	/*
	 * EPERM is ignored.  It means that this process lacks CAP_SETGID, or
	 * that its user namespace denies setgroups(2).
	 */
	if (s->root && setgroups(0, NULL) == -1 && errno != EPERM)
		return -1;
	memset(&header, 0, sizeof header);
	memset(none, 0, sizeof none);
	header.version = _LINUX_CAPABILITY_VERSION_3;
	return (int)syscall(SYS_capset, &header, none);
}

int
confine_lock(struct session *s)
{
	if (drop_capabilities(s) == -1)
		return confine_refused(s, "capset");
	/*
	 * Forbid core dumps, and keep other processes of this user from tracing
	 * this process.
	 */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return confine_refused(s, "PR_SET_DUMPABLE");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return confine_refused(s, "PR_SET_NO_NEW_PRIVS");
	if (landlock() == -1)
		return confine_refused(s, "Landlock");
	if (filter_calls() == -1 && errno != EINVAL && errno != ENOSYS)
		return confine_refused(s, "seccomp");
	return 0;
}

#endif
