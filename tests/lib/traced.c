/*
 * The process that traces a relay, and how it interferes with the relay's
 * system calls.
 */

#define TEST_LIBRARY
#include "traced.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
trace_without(struct tracing *t, long call, long argument, int error)
{
	struct fault *f;

	f = &t->faults[t->nfaults++];
	f->call = call;
	f->argument = argument;
	f->nth = 0;
	f->error = error;
}

void
trace_session(const struct tracing *t, struct session *s, const char *option,
    const char *value)
{
	relay_session(&s->relay, option, value, NULL);
	s->fd[CLIENT] = s->relay.client;
	s->fd[TARGET] = s->relay.target;
	s->pid = t->pid;
	put_names(s, NULL);
	expect_line(s, "open", 0, 0);
	carry_on(s);
}

void
trace_confined(const struct tracing *t, struct session *s)
{
	trace_session(t, s, NULL, NULL);
	if (!t->confined)
		skip("this build or this kernel has no seccomp filter");
}

void
carry_on(struct session *s)
{
	send_stream(s->fd[CLIENT], 1, 0, 1000);
	expect_stream(s->fd[TARGET], 1, 0, 1000);
}

void
conclude(struct session *s)
{
	converse(s->fd[CLIENT], s->fd[TARGET]);
	expect_over(s, CLIENT, "eof", 2000, 3000);
}

long
landlock_abi(void)
{
#ifdef __linux__
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
#else
	return -1;
#endif
}

#if !defined(__linux__) || (!defined(__x86_64__) && !defined(__i386__))

struct tracing *
trace_begin(void)
{
	skip("this system's ptrace, or this machine's registers, are not known "
	    "here");
}

#else

#include <sys/ptrace.h>
#include <sys/user.h>

#ifdef __x86_64__
#define REG_CALL orig_rax
#define REG_RESULT rax
#define REG_ARG0 rdi
#define REG_ARG2 rdx
#define REG_ARG4 r8
#else
#define REG_CALL orig_eax
#define REG_RESULT eax
#define REG_ARG0 ebx
#define REG_ARG2 edx
#define REG_ARG4 edi
#endif
#define SET(reg, value) r->reg = (__typeof__(r->reg))(value)

/* A traced process: the relay, or the relay's child that looks names up. */
struct tracee {
	pid_t pid;
	int inside;		/* between entry and exit of a call */
	int error;		/* errno to return, or PRETEND; 0: none */
	long call;
};

static struct tracing *tracing;

/*
 * Returns the number of the system call.  On 32-bit systems, the call may be
 * socketcall(2).  The function then returns the number of the call that
 * socketcall(2) stands for.
 */
static long
call_of(const struct user_regs_struct *r)
{
#ifdef SYS_socketcall
	static const long calls[] = {
		0, SYS_socket, SYS_bind, SYS_connect, SYS_listen, 0,
		SYS_getsockname, SYS_getpeername, SYS_socketpair, SYS_sendto,
		SYS_recvfrom, SYS_sendto, SYS_recvfrom, SYS_shutdown,
		SYS_setsockopt, SYS_getsockopt, SYS_sendmsg, SYS_recvmsg
	};

	if (r->REG_CALL == SYS_socketcall && r->REG_ARG0 > 0 &&
	    r->REG_ARG0 < (long)(sizeof calls / sizeof calls[0]))
		return calls[r->REG_ARG0];
#endif
	return (long)r->REG_CALL;
}

/* Let the call move only one byte. */
static void
shorten(struct user_regs_struct *r, long call)
{
	if (call == SYS_splice)
		r->REG_ARG4 = 1;
	else if (call == (long)r->REG_CALL)
		r->REG_ARG2 = 1;
}

/*
 * This is the nth system call with its number.  If one of the faults is for
 * this call, make the call fail.
 */
static void
inject(struct tracee *t, struct user_regs_struct *r, unsigned nth)
{
	const struct fault *f, *end;

	end = tracing->faults + tracing->nfaults;
	for (f = tracing->faults; f < end; f++)
		if (f->call == t->call && (f->nth == 0 || f->nth == nth) &&
		    (f->argument == ANY || f->argument == (long)r->REG_ARG0))
			break;
	if (f == end)
		return;
	tracing->injected++;
	if (f->error == KILLED) {
		kill(t->pid, SIGKILL);
	} else if (f->error == SHORT) {
		shorten(r, t->call);
	} else {
		/*
		 * Replace this call with getpid(2), because getpid(2) has no
		 * effect and the relay's filter allows it.
		 */
		t->error = f->error;
		SET(REG_CALL, SYS_getpid);
	}
	ptrace(PTRACE_SETREGS, t->pid, NULL, r);
}

/*
 * True if this call comes from the program itself, and not from libc before
 * main.  The program begins by setting up signals and descriptors, because it
 * does not trust those that its parent has left.  No libc makes such calls
 * before main.
 */
static int
is_own(long call, const struct user_regs_struct *r)
{
	switch (call) {
	case SYS_rt_sigaction:
		return r->REG_ARG0 == SIGTERM;
	case SYS_close_range:
	case SYS_getpeername:
	case SYS_getsockname:
		return 1;
#ifdef SYS_newfstatat
	case SYS_newfstatat:
#endif
#ifdef SYS_fstat64
	case SYS_fstat64:
#endif
	case SYS_fcntl:
	case SYS_fstat:
	case SYS_statx:
		return (unsigned long)r->REG_ARG0 <= STDERR_FILENO;
	default:
		return 0;
	}
}

static void
enter(struct tracee *t, struct user_regs_struct *r)
{
	t->inside = 1;
	t->error = 0;
	t->call = call_of(r);
	if (tracing->calls == 0 && is_own(t->call, r))
		tracing->calls = 1;
	if (tracing->calls == 0 || t->call < 0 || t->call >= TRACE_CALLS)
		return;
	if (++tracing->calls > TRACE_SPIN) {
		tracing->spun = 1;
		kill(t->pid, SIGKILL);
	}
	inject(t, r, ++tracing->count[t->call]);
}

static void
leave(struct tracee *t, struct user_regs_struct *r)
{
	long result;

	t->inside = 0;
	result = (long)r->REG_RESULT;
	if (t->error != 0) {
		SET(REG_RESULT, t->error == PRETEND ? 0 : -t->error);
		ptrace(PTRACE_SETREGS, t->pid, NULL, r);
		return;
	}
	if (t->call == SYS_prctl && r->REG_ARG0 == PR_SET_SECCOMP &&
	    result == 0)
		tracing->confined = 1;
}

static struct tracee *
find(struct tracee *all, size_t n, pid_t pid)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (all[i].pid == pid)
			return &all[i];
	for (i = 0; i < n; i++)
		if (all[i].pid == 0) {
			all[i].pid = pid;
			return &all[i];
		}
	return NULL;
}

/* Trace the relay until it ends.  Returns the relay's wait status. */
static int
trace(void)
{
	static struct tracee all[8];
	struct user_regs_struct r;
	struct tracee *t;
	pid_t pid;
	int sig, status;

	for (;;) {
		pid = waitpid(-1, &status, __WALL);
		if (pid == -1)
			_exit(126);
		t = find(all, sizeof all / sizeof all[0], pid);
		if (t == NULL)
			_exit(126);
		if (!WIFSTOPPED(status)) {
			if (pid == tracing->pid)
				return status;
			t->pid = 0;
			continue;
		}
		sig = WSTOPSIG(status);
		if (sig == (SIGTRAP | 0x80)) {
			sig = 0;
			if (ptrace(PTRACE_GETREGS, pid, NULL, &r) == -1)
				continue;
			if (t->inside)
				leave(t, &r);
			else
				enter(t, &r);
		} else if (sig == SIGTRAP || sig == SIGSTOP) {
			/* exec, fork, a new child */
			sig = 0;
		}
		ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)sig);
	}
}

/*
 * Start a child.  The child becomes the relay, and this process becomes the
 * tracer.
 */
static void
be_traced(void)
{
	const struct rlimit few = { 256, 256 };
	pid_t pid;
	int status;

	pid = fork();
	if (pid == 0) {
		/*
		 * Keep the limit low, because without close_range(2) the relay
		 * closes every descriptor below the limit, one by one.
		 */
		if (setrlimit(RLIMIT_NOFILE, &few) == -1)
			_exit(125);
		/* LeakSanitizer does not work in a traced process. */
		setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
			_exit(125);
		raise(SIGSTOP);
		return;
	}
	if (pid == -1 || waitpid(pid, &status, 0) == -1 ||
	    !WIFSTOPPED(status) || ptrace(PTRACE_SETOPTIONS, pid, NULL,
	    (void *)(long)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL |
	    PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
	    PTRACE_O_TRACECLONE)) == -1)
		_exit(125);
	/*
	 * Close the tracer's copies of the sockets, so that only the relay has
	 * them open.
	 */
	if (syscall(SYS_close_range, 0U, ~0U, 0U) == -1)
		for (status = 0; status < 1024; status++)
			close(status);
	tracing->pid = pid;
	ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	status = trace();
	tracing->over = 1;
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
	    WEXITSTATUS(status));
}

static int
may_trace(void)
{
	pid_t pid;
	int status;

	pid = fork();
	if (pid == 0)
		_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1);
	return waitpid(pid, &status, 0) == pid && status == 0;
}

struct tracing *
trace_begin(void)
{
	if (!may_trace())
		skip("ptrace(2) is not allowed here");
	tracing = mmap(NULL, sizeof *tracing, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tracing == MAP_FAILED)
		fail("mmap: %s", strerror(errno));
	relay_setup = be_traced;
	return tracing;
}

#endif
