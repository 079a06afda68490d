/*
 * The attempts that an intruder in a session makes.  The filter must deny all
 * of them, except a few in every_number().  probe.c says when the attempts are
 * made, and who gets the results.
 */

#define _GNU_SOURCE

#include "attempts.h"

#ifdef __linux__

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

unsigned tried;

void
tell(const char *format, ...)
{
	char line[200];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	(void)!send(TARGET, line, strlen(line), MSG_NOSIGNAL);
}

void
expect(int error, long result, const char *format, ...)
{
	char what[120];
	va_list ap;
	int is;

	is = result == -1 ? errno : 0;
	tried++;
	if (is == error)
		return;
	va_start(ap, format);
	vsnprintf(what, sizeof what, format, ap);
	va_end(ap);
	tell("%s: %s\n", what, is == 0 ? "done" : is == EACCES ? "EACCES" :
	    is == EPERM ? "EPERM" : is == EINVAL ? "EINVAL" :
	    is == EFAULT ? "EFAULT" : is == EBADF ? "EBADF" :
	    is == ENOTTY ? "ENOTTY" : is == ENOTSOCK ? "ENOTSOCK" :
	    is == ENOSYS ? "ENOSYS" : is == EAGAIN ? "EAGAIN" : "another");
}

#define DENIED(call) expect(ENOSYS, call, "%s", #call)

/*
 * Whatever their arguments, these calls end or resume a process.  The filter
 * allows them, because every process needs them.  The intruder does not try
 * them, because it could not go on afterwards.
 */
static int
ends_or_resumes(long call)
{
	static const long those[] = {
		SYS_exit_group, SYS_restart_syscall, SYS_rt_sigreturn,
#ifdef SYS_sigreturn
		SYS_sigreturn,
#endif
#ifdef __x86_64__
		/*
		 * These are uretprobe and uprobe.  Since Linux 6.14, these two
		 * calls bypass every filter.  If a process makes one of them
		 * directly, the kernel kills the process.
		 */
		335, 336,
#endif
	};
	size_t i;

	for (i = 0; i < sizeof those / sizeof those[0]; i++)
		if (those[i] == call)
			return 1;
	return 0;
}

/*
 * Try every system call by its number.  No system has as many as 700 calls.
 * The arguments are useless, so a call that the filter allows does no harm.
 * The target gets a line about each call that the filter allows.
 */
void
every_number(void)
{
	long call;

	for (call = 0; call <= 700; call++)
		if (!ends_or_resumes(call))
			expect(ENOSYS, syscall(call, -1L, -1L, -1L, -1L, -1L,
			    -1L), "call %ld", call);
	/* If one of the calls has set an alarm, cancel the alarm. */
	alarm(0);
}

#ifdef SYS_socketcall
/*
 * socketcall(2) can make any call on sockets.  It reads the arguments of that
 * call from memory.  On i386 and s390x, some libcs make all calls on sockets
 * through socketcall(2).  So on i386 and s390x, the filter lets socketcall(2)
 * make the calls send (9), recv (10), and shutdown (13) to getsockopt (15).  If
 * the libc is not glibc, the filter also lets socketcall(2) make sendto (11)
 * and recvfrom (12).
 */
static void
every_socketcall(void)
{
	static const unsigned long none[6] = { -1UL, -1UL, -1UL, -1UL, -1UL,
	    -1UL };
	long sub;

	for (sub = 0; sub <= 24; sub++) {
#if defined(__i386__) || defined(__s390x__)
#ifndef __GLIBC__
		if (sub == 11 || sub == 12)
			continue;
#endif
		if (sub == 9 || sub == 10 || (sub >= 13 && sub <= 15))
			continue;
#endif
		expect(ENOSYS, syscall(SYS_socketcall, sub, none),
		    "socketcall %ld", sub);
	}
}
#endif

void
old_doors(void)
{
#ifdef __x86_64__
	enum { X32 = 0x40000000 };
	long call;

	for (call = 0; call <= 700; call++)
		expect(ENOSYS, syscall(X32 | call, -1L, -1L, -1L, -1L, -1L, -1L),
		    "call %ld of x32", call);
	expect(ENOSYS, syscall(-1L), "call -1");
#endif
#ifdef SYS_socketcall
	every_socketcall();
#endif
}

void
break_out(void)
{
	static char name[] = "sh";
	static char *const sh[] = { name, NULL };
	struct sockaddr_in in;
	struct sockaddr_un un;

	memset(&in, 0, sizeof in);
	in.sin_family = AF_INET;
	in.sin_port = htons(9);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	memset(&un, 0, sizeof un);
	un.sun_family = AF_UNIX;
	strcpy(un.sun_path, "/dev/log");

	DENIED(open("/etc/passwd", O_RDONLY));
	DENIED(openat(AT_FDCWD, "/etc/passwd", O_RDONLY));
	DENIED(socket(AF_INET, SOCK_STREAM, 0));
	DENIED(socket(AF_UNIX, SOCK_DGRAM, 0));
	DENIED(connect(LOG, (struct sockaddr *)&in, sizeof in));
	DENIED(execve("/bin/sh", sh, NULL));
	DENIED(fork());
	DENIED(kill(getppid(), 0));
	DENIED(kill(getpid(), 0));
	DENIED(syscall(SYS_tkill, getpid(), 0));
	DENIED(syscall(SYS_tgkill, getpid(), getpid(), 0));
	DENIED(syscall(SYS_rt_sigqueueinfo, getppid(), 0, NULL));
	DENIED(syscall(SYS_process_vm_writev, getppid(), NULL, 0, NULL, 0, 0));
	DENIED(syscall(SYS_memfd_create, "x", 0));
	DENIED(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, NULL));
	DENIED(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
#ifdef SYS_sendmsg
	DENIED(syscall(SYS_sendmsg, LOG, NULL, 0));
	DENIED(syscall(SYS_sendmmsg, LOG, NULL, 0, 0));
	DENIED(syscall(SYS_recvmsg, LOG, NULL, 0));
#endif
	DENIED(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	DENIED(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
	DENIED(mprotect((void *)(uintptr_t)break_out, 1, PROT_WRITE));
	DENIED(dup2(TARGET, OPERATOR));
#ifdef SYS_sendto
	DENIED(syscall(SYS_sendto, LOG, "x", 1, 0, &un, sizeof un));
	/* The filter must check both 32-bit halves of the pointer. */
	DENIED(syscall(SYS_sendto, LOG, "x", 1, 0, 1L, 0L));
	DENIED(syscall(SYS_sendto, LOG, "x", 1, 0, LONG_MIN, 0L));
#endif
#if defined(__GLIBC__) || !defined(SYS_socketcall)
	DENIED(sendto(LOG, "x", 1, 0, (struct sockaddr *)&un, sizeof un));
#endif
}

/*
 * The functions below try calls that a session makes, but with arguments that
 * no session needs.
 */

static void
every_ioctl(int fd)
{
	static const unsigned long other[] = {
		FIONBIO, FIOASYNC, FIOSETOWN, SIOCSPGRP, TIOCSTI, TCGETS,
		TIOCSCTTY, TIOCNOTTY,
		0x40086602	/* FS_IOC_SETFLAGS */
	};
	static const unsigned first[] = { 0x5400, 0x8900 };
	unsigned long request;
	unsigned i, n;

	for (i = 0; i < sizeof other / sizeof other[0]; i++)
		expect(ENOSYS, ioctl(fd, other[i], "x"), "ioctl(%d, 0x%lx)", fd,
		    other[i]);
	for (i = 0; i < sizeof first / sizeof first[0]; i++)
		for (n = 0; n < 256; n++) {
			request = first[i] + n;
			if (fd == OPERATOR || (request != FIONREAD &&
			    request != SIOCOUTQ && request != SIOCATMARK))
				expect(ENOSYS, ioctl(fd, request, NULL),
				    "ioctl(%d, 0x%lx)", fd, request);
		}
	if (fd == OPERATOR)
		expect(ENOSYS, ioctl(fd, FIONREAD, &n), "ioctl(2, FIONREAD)");
}

/*
 * For some commands, the libc of 32-bit machines itself reads the memory to
 * which the argument points.  So the argument is a valid pointer.
 */
static void
every_fcntl(int fd)
{
	static long argument[32];
	int command;

	for (command = 0; command < 1600; command++)
		if (fd == OPERATOR || (command != F_SETPIPE_SZ &&
		    command != F_GETPIPE_SZ))
			expect(ENOSYS, fcntl(fd, command, argument),
			    "fcntl(%d, %d)", fd, command);
}

/*
 * At levels above IPPROTO_IPV6, which no session uses, try only a few options.
 */
static void
every_option(int fd)
{
#ifdef SYS_getsockopt
	static const struct {
		int level, option;
	} known[] = {
		{ SOL_SOCKET, SO_ERROR },
		{ SOL_SOCKET, SO_LINGER },
		{ SOL_SOCKET, SO_PROTOCOL },
		{ SOL_SOCKET, SO_TIMESTAMPING },
		{ IPPROTO_TCP, TCP_INFO },
		{ IPPROTO_TCP, TCP_LINGER2 },
		{ IPPROTO_TCP, TCP_MAXSEG },
		{ IPPROTO_IP, IP_RECVERR },
		{ IPPROTO_IPV6, IPV6_RECVERR },
	};
	enum { KNOWN = sizeof known / sizeof known[0], FEW = 12, MANY = 80 };
	int level;
	size_t i;
	long call;
	int option, set;

	for (set = 0; set < 2; set++)
		for (level = -1; level < 300; level++)
			for (option = -1; option < (level > IPPROTO_IPV6 ? FEW :
			    MANY); option++) {
				for (i = 0; i < KNOWN; i++)
					if (known[i].level == level &&
					    known[i].option == option)
						break;
				if (i < KNOWN && fd != OPERATOR)
					continue;
				call = set ? SYS_setsockopt : SYS_getsockopt;
				expect(ENOSYS, syscall(call, fd, level, option,
				    NULL, 0), "%s(%d, %d, %d)",
				    set ? "setsockopt" : "getsockopt", fd, level,
				    option);
			}
#else
	(void)fd;
#endif
}

void
wrong_arguments(void)
{
	struct sched_param param;
	int pipes[2];
	char c;
	loff_t at;

	at = 0;
	memset(&param, 0, sizeof param);
	DENIED(syscall(SYS_sched_getscheduler, 1));
	DENIED(syscall(SYS_sched_setscheduler, 1, SCHED_BATCH, &param));
	DENIED(syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &param));
	param.sched_priority = 1;
	DENIED(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &param));
	pipes[0] = pipes[1] = -1;
	DENIED(pipe(pipes));
	DENIED(pipe2(pipes, 0));
	DENIED(pipe2(pipes, O_NONBLOCK | O_CLOEXEC | O_DIRECT));
	DENIED(pipe2(pipes, O_NONBLOCK | O_CLOEXEC | O_EXCL));
	if (pipe2(pipes, O_NONBLOCK | O_CLOEXEC) == -1) {
		tell("pipe2: %s\n", strerror(errno));
		return;
	}
	for (c = 0; c <= TARGET; c++) {
		every_ioctl(c);
		every_fcntl(c);
		every_option(c);
	}
	every_ioctl(pipes[1]);
	every_fcntl(pipes[1]);

	DENIED(write(0, "x", 1));
	DENIED(write(LOG, "x", 1));
	DENIED(write(TARGET, "x", 1));
	DENIED(write(pipes[1], "x", 1));
	DENIED(read(0, &c, 1));
	DENIED(read(OPERATOR, &c, 1));
	DENIED(read(pipes[0], &c, 1));
#ifdef SYS_recvfrom
	DENIED(syscall(SYS_recvfrom, OPERATOR, &c, 1, 0, NULL, NULL));
	DENIED(syscall(SYS_sendto, OPERATOR, "x", 1, 0, NULL, 0));
#endif
	/*
	 * Make the system call shutdown(2) directly.  In a call of
	 * socketcall(2), the filter could not see that descriptor 2 is meant.
	 */
	DENIED(syscall(SYS_shutdown, OPERATOR, SHUT_RDWR));
	DENIED(close(OPERATOR));
	DENIED(syscall(SYS_splice, OPERATOR, NULL, pipes[1], NULL, 1, 0));
	DENIED(syscall(SYS_splice, pipes[0], NULL, OPERATOR, NULL, 1, 0));
	DENIED(syscall(SYS_splice, pipes[0], NULL, OPERATOR, &at, 1, 0));
	DENIED(syscall(SYS_splice, pipes[0], NULL, TARGET, &at, 1, 0));
	DENIED(syscall(SYS_splice, TARGET, &at, pipes[1], NULL, 1, 0));
	DENIED(syscall(SYS_splice, pipes[0], NULL, TARGET, LONG_MIN, 1, 0));
	DENIED(syscall(SYS_tee, pipes[0], pipes[1], 1, 0));
	close(pipes[0]);
	close(pipes[1]);
}

#endif
