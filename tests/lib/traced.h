/*
 * Traces a relay with ptrace(2): which system calls the relay makes, and what
 * it does if some of these calls fail.  The relay that is traced is the real
 * program.  Any build of it can be traced.
 *
 * trace_begin: from now on, each relay that this test starts is traced.  Only
 * one can be traced at a time.  In the structure that trace_begin returns, the
 * test sets which calls fail, and the tracer notes what it sees.  The tracer is
 * a process between the test and the relay: relay.pid is the tracer's process
 * ID, and the tracer ends with the relay's status.
 */

#ifndef TRACED_H
#define TRACED_H

#include "relay.h"

#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#else
/*
 * The tests need these names to compile.  On systems where nothing can be
 * traced, the tests are skipped.
 */
enum {
	PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SYS_capset,
	SYS_close_range, SYS_landlock_create_ruleset,
	SYS_landlock_restrict_self, SYS_prctl, SYS_prlimit64, SYS_setrlimit,
	SYS_splice
};
#endif

enum {
	TRACE_CALLS = 1024,	/* system calls have lower numbers */
	TRACE_SPIN = 30000,	/* a relay that makes more calls is spinning */
	ANY = -1,		/* for a call with any first argument */
	SHORT = -1,		/* instead of an errno: move only one byte */
	PRETEND = -2,		/* instead of an errno: do nothing, return 0 */
	KILLED = -3		/* instead of an errno: kill the process */
};

/*
 * A system call with this number and this first argument fails with this errno.
 * If nth is not 0, the call fails only if it is the nth call with this number,
 * counted from 1.
 */
struct fault {
	long call;
	long argument;
	unsigned nth;
	int error;
};

struct tracing {
	/* What the test sets before it starts the relay: */
	struct fault faults[4];
	size_t nfaults;
	/* What the tracer sees, once libc has started the program: */
	volatile pid_t pid;	/* the relay's process ID */
	volatile unsigned count[TRACE_CALLS];
	volatile unsigned calls;
	volatile unsigned injected;
	volatile int confined;	/* a seccomp filter is on */
	volatile int spun;
	volatile int over;	/* the relay has ended */
};

/*
 * trace_without: makes every call with this number and first argument fail, as
 * on a kernel that lacks or refuses the call.
 * trace_session: begins a traced session, with this option and value if they
 * are not NULL.  When the function returns, the session has carried bytes, so
 * the relay has confined itself.  In the session, pid is the relay's process
 * ID, not the tracer's.
 * trace_confined: does the same without an option, but skips the test if the
 * relay has no seccomp filter.
 * carry_on: carries bytes from the client to the target, in a session that has
 * begun.
 * conclude: expects that the session still carries bytes, and that it then ends
 * as it should.
 * landlock_abi: the version of this kernel's Landlock ABI; less than 1 if the
 * kernel has no Landlock.
 */
struct tracing *trace_begin(void);
void	trace_without(struct tracing *, long call, long argument, int error);
void	trace_session(const struct tracing *, struct session *,
	    const char *option, const char *value);
void	trace_confined(const struct tracing *, struct session *);
void	carry_on(struct session *);
void	conclude(struct session *);
long	landlock_abi(void);

#ifndef TEST_LIBRARY
#define trace_begin(...) HERE(trace_begin(__VA_ARGS__))
#define trace_session(...) HERE(trace_session(__VA_ARGS__))
#define trace_confined(...) HERE(trace_confined(__VA_ARGS__))
#define carry_on(...) HERE(carry_on(__VA_ARGS__))
#define conclude(...) HERE(conclude(__VA_ARGS__))
#endif

#endif
