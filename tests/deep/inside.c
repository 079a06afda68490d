/*
 * What a session has given up, tried from inside: the relay, traced, makes
 * calls for us.
 */

#include "../lib/traced.h"
#include "../lib/use.h"

#include <sys/wait.h>

#include <arpa/inet.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__

/* A call to be forced, with up to three arguments; the next two are 0. */
static struct forced *
plan(struct forced *f, long call, long a, long b, long c)
{
	memset(f, 0, sizeof *f);
	f->call = call;
	f->arguments[0] = a;
	f->arguments[1] = b;
	f->arguments[2] = c;
	return f;
}

static void
plan_useless(struct forced *f, long call)
{
	size_t i;

	plan(f, call, -1, -1, -1);
	for (i = 0; i < sizeof f->arguments / sizeof f->arguments[0]; i++)
		f->arguments[i] = -1;
}

static struct forced *
plan_data(struct forced *f, int at, const void *data, size_t size)
{
	memcpy(f->data, data, size);
	f->data_size = size;
	f->data_at = at;
	return f;
}

static void
plan_path(struct forced *f, int at, const char *path)
{
	plan_data(f, at, path, strlen(path) + 1);
}

/* What someone would try who has taken the process over. */
static size_t
plan_break_out(struct forced *f)
{
	struct sockaddr_in in;
	size_t n;

	memset(&in, 0, sizeof in);
	in.sin_family = AF_INET;
	in.sin_port = htons(9);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	n = 0;
#ifdef SYS_open
	plan_path(plan(&f[n++], SYS_open, 0, O_RDONLY, 0), 0, "/etc/passwd");
#endif
	plan_path(plan(&f[n++], SYS_openat, AT_FDCWD, 0, O_RDONLY), 1,
	    "/etc/passwd");
	plan(&f[n++], SYS_socket, AF_INET, SOCK_STREAM, 0);
	plan(&f[n++], SYS_socket, AF_UNIX, SOCK_DGRAM, 0);
	plan_data(plan(&f[n++], SYS_connect, 1, 0, sizeof in), 1, &in,
	    sizeof in);
	plan_data(plan(&f[n++], SYS_sendto, 1, 0, 0), 4, &in, sizeof in);
	/* The filter looks at an address in two halves. */
	plan(&f[n++], SYS_sendto, 1, 0, 0)->arguments[4] = 1;
	if (sizeof(long) == 8)
		plan(&f[n++], SYS_sendto, 1, 0, 0)->arguments[4] =
		    (long)(1UL << (sizeof(long) * 8 - 1));
	plan_path(plan(&f[n++], SYS_execve, 0, 0, 0), 0, "/bin/sh");
#ifdef SYS_fork
	plan(&f[n++], SYS_fork, 0, 0, 0);
	plan(&f[n++], SYS_vfork, 0, 0, 0);
#endif
	plan(&f[n++], SYS_clone, SIGCHLD, 0, 0);
	plan(&f[n++], SYS_kill, getpid(), 0, 0);
	plan(&f[n++], SYS_ptrace, 16, getpid(), 0);
	return n;
}

/*
 * What ends a process or resumes it, with whatever arguments: no process can be
 * without, and none could be tried and go on.
 */
static int
ends_or_resumes(long call)
{
	static const long those[] = {
		SYS_exit, SYS_exit_group, SYS_restart_syscall, SYS_rt_sigreturn,
#ifdef SYS_sigreturn
		SYS_sigreturn,
#endif
#ifdef __x86_64__
		/*
		 * uretprobe and uprobe: kernels since 6.14 ask no filter, and
		 * kill whoever calls them unbidden.
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
 * No system has as many calls.  No argument is of any use, so that what a
 * session may call does nothing.
 */
static size_t
plan_every_number(struct forced *f)
{
	size_t n;
	long call;

	for (call = 0, n = 0; call < 600; call++)
		if (!ends_or_resumes(call))
			plan_useless(&f[n++], call);
#ifdef __x86_64__
	/* The same numbers, as x32 has them. */
	plan_useless(&f[n++], 0x40000000 | SYS_read);
	plan_useless(&f[n++], 0x40000000 | SYS_open);
	plan_useless(&f[n++], -1);
#endif
	return n;
}

/* Four that need a file, and then a socket. */
static void
plan_files(struct forced *f)
{
	plan_path(plan(&f[0], SYS_openat, AT_FDCWD, 0, O_RDONLY), 1,
	    "/etc/passwd");
	plan_path(plan(&f[1], SYS_openat, AT_FDCWD, 0,
	    O_RDONLY | O_DIRECTORY), 1, "/");
	plan_path(plan(&f[2], SYS_mkdirat, AT_FDCWD, 0, 0700), 1,
	    "/tmp/stfl-relay-may-not");
	plan_path(plan(&f[3], SYS_execve, 0, 0, 0), 0, "/bin/sh");
	plan(&f[4], SYS_socket, AF_INET, SOCK_STREAM, 0);
}

/* With that socket two that need a port, a signal to us, and its end. */
static void
plan_ports(struct forced *f, long fd, int listener)
{
	struct sockaddr_in in;

	memset(&in, 0, sizeof in);
	in.sin_family = AF_INET;
	in.sin_port = htons((in_port_t)port_of(listener));
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	plan_data(plan(&f[0], SYS_connect, fd, 0, sizeof in), 1, &in,
	    sizeof in);
	in.sin_port = 0;
	plan_data(plan(&f[1], SYS_bind, fd, 0, sizeof in), 1, &in, sizeof in);
	plan(&f[2], SYS_kill, getpid(), 0, 0);
	plan(&f[3], SYS_close, fd, 0, 0);
}

#else

/* Nothing is traced there. */

static size_t
plan_break_out(struct forced *f)
{
	(void)f;
	return 0;
}

static size_t
plan_every_number(struct forced *f)
{
	(void)f;
	return 0;
}

static void
plan_files(struct forced *f)
{
	(void)f;
}

static void
plan_ports(struct forced *f, long fd, int listener)
{
	(void)f;
	(void)fd;
	(void)listener;
}

#endif

/* The relay has made all the calls that were forced upon it. */
static void
force(struct tracing *t, size_t n)
{
	int64_t end;

	t->nforce = n;
	kill(t->pid, SIGALRM);
	end = milliseconds() + SOON;
	while (t->nforce != 0) {
		if (t->over || milliseconds() > end)
			fail("the relay is %s by call %ld",
			    t->over ? "killed" : "stopped",
			    t->force[t->forced].call);
		pause_for(1);
	}
}
#define force(...) FROM(force, __VA_ARGS__)

/* Into a process that is not dumpable only root may write, even here. */
static struct tracing *
trace_with_data(void)
{
	struct tracing *t;

	t = trace_begin();
	trace_without(t, SYS_prctl, PR_SET_DUMPABLE, PRETEND);
	return t;
}

static void
expect_results(const struct forced *f, size_t n, long want)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (f[i].result != want)
			fail("call %ld gives %ld", f[i].call, f[i].result);
}
#define expect_results(...) FROM(expect_results, __VA_ARGS__)

TEST(break_out,
    "open, socket, connect, sendto an address, execve, fork, kill and ptrace "
    "fail from inside a session")
{
	struct tracing *t;
	struct session s;
	size_t n;

	t = trace_with_data();
	trace_confined(t, &s);
	n = plan_break_out(t->force);
	force(t, n);
	expect_results(t->force, n, -ENOSYS);
	conclude(&s);
}

/*
 * A budget, and not a list: which calls a session needs is its own business and
 * its libc's, but there are few of them, and those of break_out are not among
 * them.  A machine of 32 bits has some in two forms.
 */
enum { MOST_KNOWN = sizeof(long) == 8 ? 19 : 22 };

TEST(every_number,
    "every call but those of a session is unknown inside it")
{
	struct tracing *t;
	struct session s;
	char known[600];
	size_t at, i, n, n_known;

	t = trace_begin();
	trace_confined(t, &s);
	n = plan_every_number(t->force);
	force(t, n);
	known[0] = '\0';
	for (i = n_known = at = 0; i < n; i++) {
		if (t->force[i].result == -ENOSYS)
			continue;
		n_known++;
		if (at < sizeof known)
			at += (size_t)snprintf(known + at, sizeof known - at,
			    " %ld", t->force[i].call);
	}
	printf("# %zu calls tried from inside, of which are known%s\n", n,
	    known);
	fflush(stdout);
	if (n_known > MOST_KNOWN)
		fail("%zu are known, and %d at most:%s", n_known, MOST_KNOWN,
		    known);
	conclude(&s);
}

#ifdef SYS_socketcall
/* socket(1) to accept(5), sendmsg(16) and more; send(9) to 15 are ours. */
TEST(every_socketcall,
    "every socket call but those of a session is unknown inside it")
{
	struct tracing *t;
	struct session s;
	size_t i, n;
	long sub;

	t = trace_begin();
	trace_confined(t, &s);
	for (sub = 0, n = 0; sub <= 24; sub++)
		if (sub < 9 || sub > 15)
			plan(&t->force[n++], SYS_socketcall, sub, 0, 0);
	force(t, n);
	for (i = 0; i < n; i++)
		if (t->force[i].result != -ENOSYS)
			fail("socketcall %ld gives %ld",
			    t->force[i].arguments[0], t->force[i].result);
	conclude(&s);
}
#endif

#if defined(__linux__) && defined(__x86_64__)
/* The signal that int 0x80 is here in a process that may make it; or 0. */
static int
foreign_signal(void)
{
	pid_t pid;
	int status;

	pid = fork();
	if (pid == 0) {
		__asm__ volatile("int $0x80" : : "a"(20) : "memory");
		_exit(0);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		fail("fork: %s", strerror(errno));
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/*
 * read(2) in the 32-bit way: int 0x80, where the waiting call was made.  Where
 * the kernel has no such call for anybody, that is what ends the session.
 */
TEST(foreign_architecture,
    "a call of another architecture ends the session with RST")
{
	struct tracing *t;
	struct session s;
	int expected;

	expected = foreign_signal();
	if (expected == 0) {
		expected = SIGSYS;
	} else {
		printf("# this machine has no other architecture\n");
		fflush(stdout);
	}

	t = trace_with_data();
	trace_confined(t, &s);
	t->foreign = 1;
	kill(t->pid, SIGALRM);
	expect_end(s.fd[CLIENT], RST);
	expect_status(&s, 128 + expected);
}
#endif

/* The layers that are left, when the filter is not there to hide them. */
TEST(landlock_alone,
    "without a filter Landlock still denies files, ports and signals")
{
	struct tracing *t;
	struct session s;
	struct forced *f;
	long fd;

	t = trace_with_data();
	trace_without(t, SYS_prctl, PR_SET_SECCOMP, EINVAL);
	trace_session(t, &s, NULL, NULL);
	if (landlock_abi() < 1)
		skip("this kernel has no Landlock");
	if (t->count[SYS_landlock_restrict_self] == 0)
		skip("this build has no Landlock");
	if (status_of(t->pid, "Seccomp:") != 0)
		fail("there is a filter");
	f = t->force;
	plan_files(f);
	force(t, 5);
	(void)rmdir("/tmp/stfl-relay-may-not");
	expect_results(f, 4, -EACCES);
	fd = f[4].result;
	if (fd < 0)
		fail("socket gives %ld", fd);

	plan_ports(f, fd, listen_on(AF_INET));
	force(t, 4);
	if (landlock_abi() >= 4)
		expect_results(f, 2, -EACCES);
	if (landlock_abi() >= 6)
		expect_results(f + 2, 1, -EPERM);
	conclude(&s);
}
