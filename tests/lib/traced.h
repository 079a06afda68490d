/*
 * A relay under ptrace(2): which system calls it makes, and what it does if
 * some of them fail.  The relay is the real program, and any build of it will
 * do.
 *
 * trace_begin: from now on, the relays that this test starts are traced, one at
 * a time.  In the structure that trace_begin returns, the test sets which calls
 * fail, and finds what the tracer has seen.  To the test, the tracing process
 * (the tracer) stands for the relay: relay.pid is the tracer's process ID, and
 * the tracer ends with the relay's status.
 */

#ifndef TRACED_H
#define TRACED_H

#include "relay.h"

#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#else
/*
 * Names for the tests, which are skipped on systems where nothing can be
 * traced.
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
	ANY = -1,		/* any first argument of a call */
	SHORT = -1,		/* instead of an errno: move only one byte */
	PRETEND = -2,		/* instead of an errno: do nothing, return 0 */
	KILLED = -3		/* instead of an errno: kill the process */
};

/*
 * The nth call with this number fails with this errno.  nth is 1 for the first
 * call; 0 means every call.
 */
struct fault {
	long call;
	long argument;
	unsigned nth;
	int error;
};

struct tracing {
	/* set before the relay is started: */
	struct fault faults[4];
	size_t nfaults;
	/* what the tracer sees, from the program's own first call on: */
	volatile pid_t pid;	/* the relay's */
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
 * are not NULL.  When it returns, the session has carried bytes, so the relay
 * is confined.  The session's pid is that of the relay, not of the tracer.
 * trace_confined: does the same without an option, but skips the test if the
 * relay has no filter.
 * carry_on: sends bytes from the client, in a session that has begun.
 * conclude: expects that the session still carries bytes, and that it ends as
 * it should.
 * landlock_abi: the ABI of this kernel's Landlock; below 1 if there is none.
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
