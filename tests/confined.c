/*
 * What a session has given up: seen from outside, tried from inside, and each
 * layer by itself.
 */

#include "peers.h"
#include "traced.h"

#include <stdio.h>

#if !defined(__linux__)

int
main(void)
{
	puts("ok - a session is confined # SKIP only Linux shows it in /proc");
	return 0;
}

#else

#include <sys/prctl.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MIB = 1048576 };

/* A session that is being carried, so that all is confined that will be. */
static void
begin(struct relay *r, const char *a, const char *b)
{
	relay_session(r, a, b, NULL);
	send_stream(r->client, 1, 0, 1000);
	expect_stream(r->target, 1, 0, 1000);
}

/* It still carries, and ends as it should. */
static void
conclude(struct relay *r)
{
	converse(r->client, r->target);
	if (relay_status(r, SOON) != 0)
		fail("exit status is not 0");
}

/* The rest of the line in /proc/PID/file that begins with this word. */
static const char *
proc_line(pid_t pid, const char *file, const char *word)
{
	static char line[256];
	char path[64];
	FILE *f;

	snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, file);
	f = fopen(path, "r");
	if (f == NULL)
		fail("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, word, strlen(word)) == 0) {
			fclose(f);
			line[strcspn(line, "\n")] = '\0';
			return line + strlen(word);
		}
	fclose(f);
	fail("%s has no %s", path, word);
}

/* A build with -DNO_SECCOMP, or a kernel without it. */
static void
need_filter(pid_t pid)
{
	if (strtol(proc_line(pid, "status", "Seccomp:"), NULL, 10) == 0)
		skip("this build or this kernel has no seccomp filter");
}

static void
expect_number(pid_t pid, const char *word, int base, unsigned long want)
{
	const char *text;

	text = proc_line(pid, "status", word);
	if (strtoul(text, NULL, base) != want)
		fail("%s%s", word, text);
}

static void
status_file(void)
{
	static const char *const sets[] = {
		"CapInh:", "CapPrm:", "CapEff:", "CapAmb:"
	};
	struct relay r;
	size_t i;

	begin(&r, NULL, NULL);
	need_filter(r.pid);
	for (i = 0; i < sizeof sets / sizeof sets[0]; i++)
		expect_number(r.pid, sets[i], 16, 0);
	expect_number(r.pid, "NoNewPrivs:", 10, 1);
	expect_number(r.pid, "Seccomp:", 10, 2);
	conclude(&r);
}

static void
join_groups(void)
{
	static const gid_t some[] = { 1, 2, 65534 };

	if (setgroups(3, some) == -1)
		_exit(125);
}

static void
groups(void)
{
	struct relay r;
	const char *text;

	if (geteuid() != 0)
		skip("not root");
	relay_setup = join_groups;
	begin(&r, NULL, NULL);
	need_filter(r.pid);
	text = proc_line(r.pid, "status", "Groups:");
	if (strspn(text, " \t") != strlen(text))
		fail("Groups:%s", text);
	conclude(&r);
}

static int
descriptors(pid_t pid)
{
	struct dirent *e;
	char path[64];
	DIR *d;
	int n;

	snprintf(path, sizeof path, "/proc/%ld/fd", (long)pid);
	d = opendir(path);
	if (d == NULL && errno == EACCES)
		skip("only root may look into a process that is not dumpable");
	if (d == NULL)
		fail("%s: %s", path, strerror(errno));
	for (n = 0; (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.')
			n++;
	closedir(d);
	return n;
}

static void
four_descriptors(void)
{
	struct relay r;
	int n;

	begin(&r, NULL, NULL);
	n = descriptors(r.pid);
	if (n > 4)
		fail("there are %d", n);
	conclude(&r);
}

static void
expect_limit(pid_t pid, const char *name, unsigned long want)
{
	const char *text;
	char *end;
	unsigned long soft, hard;

	text = proc_line(pid, "limits", name);
	soft = strtoul(text, &end, 10);
	hard = strtoul(end, NULL, 10);
	if (*text == '\0' || strstr(text, "unlimited") != NULL ||
	    soft != want || hard != want)
		fail("%s%s", name, text);
}

static void
limits(void)
{
	struct relay r;
	char port[8];
	int listener;

	/* A file could be written to where 2 is not the client's socket. */
	listener = listen_on(AF_INET);
	snprintf(port, sizeof port, "%d", port_of(listener));
	relay_start(&r, AF_INET6, 0, "127.0.0.1", port, NULL);
	r.target = accept_from(listener);
	send_stream(r.client, 1, 0, 1000);
	expect_stream(r.target, 1, 0, 1000);
	expect_limit(r.pid, "Max core file size", 0);
	expect_limit(r.pid, "Max processes", 0);
	expect_limit(r.pid, "Max file size", 0);
	expect_limit(r.pid, "Max open files", 8);
	conclude(&r);
}

/* Each such call is to fail, as on a kernel that lacks it or refuses. */
static void
without(struct tracing *t, long call, long argument, int error)
{
	struct fault *f;

	f = &t->faults[t->nfaults++];
	f->call = call;
	f->argument = argument;
	f->nth = 0;
	f->error = error;
}

/* The relay, traced, has made all the calls that were forced upon it. */
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
		poll(NULL, 0, 1);
	}
}

/* Into a process that is not dumpable only root may write, even here. */
static struct tracing *
trace_with_data(void)
{
	struct tracing *t;

	t = trace_begin();
	without(t, SYS_prctl, PR_SET_DUMPABLE, PRETEND);
	return t;
}

static void
begin_confined(const struct tracing *t, struct relay *r)
{
	begin(r, NULL, NULL);
	if (!t->confined)
		skip("this build or this kernel has no seccomp filter");
}

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

static void
expect_results(const struct forced *f, size_t n, long want)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (f[i].result != want)
			fail("call %ld gives %ld", f[i].call, f[i].result);
}

static void
from_inside(void)
{
	struct tracing *t;
	struct relay r;
	size_t n;

	t = trace_with_data();
	begin_confined(t, &r);
	n = plan_break_out(t->force);
	force(t, n);
	expect_results(t->force, n, -ENOSYS);
	conclude(&r);
}

static int
is_allowed(long call)
{
	/* Those of 32 bits and of old, where a machine has them. */
	static const long allowed[] = {
		SYS_clock_gettime, SYS_close, SYS_exit, SYS_exit_group,
		SYS_fcntl, SYS_getpid, SYS_getsockopt, SYS_ioctl, SYS_pipe2,
		SYS_ppoll, SYS_read, SYS_recvfrom, SYS_restart_syscall,
		SYS_rt_sigreturn, SYS_sched_yield, SYS_sendto, SYS_setitimer,
		SYS_setsockopt, SYS_shutdown, SYS_splice, SYS_write,
#ifdef SYS_alarm
		SYS_alarm, SYS_pipe, SYS_poll,
#endif
#ifdef SYS_ppoll_time64
		SYS_clock_gettime64, SYS_fcntl64, SYS_ppoll_time64,
		SYS_sigreturn,
#endif
#ifdef SYS_socketcall
		SYS_socketcall,
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

	for (i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
		if (allowed[i] == call)
			return 1;
	return 0;
}

static void
every_number(void)
{
	struct tracing *t;
	struct relay r;
	size_t n;
	long call;

	t = trace_begin();
	begin_confined(t, &r);
	for (call = 0, n = 0; call < 600; call++)
		if (!is_allowed(call))
			plan(&t->force[n++], call, 0, 0, 0);
#ifdef __x86_64__
	/* The same numbers, as x32 has them. */
	plan(&t->force[n++], 0x40000000 | SYS_read, 0, 0, 0);
	plan(&t->force[n++], 0x40000000 | SYS_open, 0, 0, 0);
	plan(&t->force[n++], -1, 0, 0, 0);
#endif
	force(t, n);
	expect_results(t->force, n, -ENOSYS);
	printf("# %zu calls tried from inside, each of them ENOSYS\n", n);
	fflush(stdout);
	conclude(&r);
}

#ifdef SYS_socketcall
/* socket(1) to accept(5), sendmsg(16) and more; send(9) to 15 are ours. */
static void
socketcalls(void)
{
	struct tracing *t;
	struct relay r;
	size_t i, n;
	long sub;

	t = trace_begin();
	begin_confined(t, &r);
	for (sub = 0, n = 0; sub <= 24; sub++)
		if (sub < 9 || sub > 15)
			plan(&t->force[n++], SYS_socketcall, sub, 0, 0);
	force(t, n);
	for (i = 0; i < n; i++)
		if (t->force[i].result != -ENOSYS)
			fail("socketcall %ld gives %ld",
			    t->force[i].arguments[0], t->force[i].result);
	conclude(&r);
}
#endif

#ifdef __x86_64__
/* The signal that int 0x80 is here in a process that may make any call; or 0. */
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
static void
foreign_architecture(void)
{
	static const char alone[] =
	    "# this machine has no other architecture\n";
	struct tracing *t;
	struct relay r;
	int expected, status;

	expected = foreign_signal();
	if (expected == 0)
		expected = SIGSYS;
	else
		(void)!write(STDOUT_FILENO, alone, sizeof alone - 1);

	t = trace_with_data();
	begin_confined(t, &r);
	t->foreign = 1;
	kill(t->pid, SIGALRM);
	expect_end(r.client, RST);
	status = relay_status(&r, SOON);
	if (status != 128 + expected)
		fail("exit status %d", status);
}
#endif

/* Kernels that lack something, or refuse it. */

static long
landlock_abi(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
}

static void
need_landlock(const struct tracing *t)
{
	if (landlock_abi() < 1)
		skip("this kernel has no Landlock");
	if (t->count[SYS_landlock_restrict_self] == 0)
		skip("this build has no Landlock");
}

/* The layers that are left, when the filter is not there to hide them. */
static void
landlock_alone(void)
{
	struct tracing *t;
	struct relay r;
	struct sockaddr_in in;
	struct forced *f;
	long fd;

	t = trace_with_data();
	without(t, SYS_prctl, PR_SET_SECCOMP, EINVAL);
	begin(&r, NULL, NULL);
	need_landlock(t);
	expect_number(t->pid, "Seccomp:", 10, 0);
	f = t->force;
	plan_path(plan(&f[0], SYS_openat, AT_FDCWD, 0, O_RDONLY), 1,
	    "/etc/passwd");
	plan_path(plan(&f[1], SYS_openat, AT_FDCWD, 0,
	    O_RDONLY | O_DIRECTORY), 1, "/");
	plan_path(plan(&f[2], SYS_mkdirat, AT_FDCWD, 0, 0700), 1,
	    "/tmp/stfl-relay-may-not");
	plan_path(plan(&f[3], SYS_execve, 0, 0, 0), 0, "/bin/sh");
	plan(&f[4], SYS_socket, AF_INET, SOCK_STREAM, 0);
	force(t, 5);
	(void)rmdir("/tmp/stfl-relay-may-not");
	expect_results(f, 4, -EACCES);
	fd = f[4].result;
	if (fd < 0)
		fail("socket gives %ld", fd);

	memset(&in, 0, sizeof in);
	in.sin_family = AF_INET;
	in.sin_port = htons((in_port_t)port_of(listen_on(AF_INET)));
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	plan_data(plan(&f[0], SYS_connect, fd, 0, sizeof in), 1, &in,
	    sizeof in);
	in.sin_port = 0;
	plan_data(plan(&f[1], SYS_bind, fd, 0, sizeof in), 1, &in, sizeof in);
	plan(&f[2], SYS_kill, getpid(), 0, 0);
	plan(&f[3], SYS_close, fd, 0, 0);
	force(t, 4);
	if (landlock_abi() >= 4)
		expect_results(f, 2, -EACCES);
	if (landlock_abi() >= 6)
		expect_results(f + 2, 1, -EPERM);
	conclude(&r);
}

/* A session where these are missing works; gives what it was traced with. */
static struct tracing *
session_without(long call, long argument, int error, long call2,
    long argument2, int error2)
{
	struct tracing *t;
	struct relay r;

	t = trace_begin();
	without(t, call, argument, error);
	if (call2 != 0)
		without(t, call2, argument2, error2);
	begin(&r, NULL, NULL);
	if (t->injected == 0)
		skip("this build has no layer to do without");
	conclude(&r);
	return t;
}

static void
no_landlock(void)
{
	static const int errors[] = { ENOSYS, EOPNOTSUPP };
	size_t i;

	for (i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (!session_without(SYS_landlock_create_ruleset, ANY,
		    errors[i], 0, 0, 0)->confined)
			fail("the filter is missing");
}

static void
no_seccomp(void)
{
	static const int errors[] = { EINVAL, ENOSYS };
	size_t i;

	for (i = 0; i < sizeof errors / sizeof errors[0]; i++)
		(void)session_without(SYS_prctl, PR_SET_SECCOMP, errors[i],
		    SYS_landlock_create_ruleset, ANY, ENOSYS);
}

/* Before 5.9 there is no close_range(2). */
static void
no_close_range(void)
{
	(void)session_without(SYS_close_range, ANY, ENOSYS, 0, 0, 0);
}

static void
no_limits(void)
{
	(void)session_without(SYS_prlimit64, ANY, EPERM, SYS_setrlimit, ANY,
	    EPERM);
}

/* RST for both peers, a word in the log, and 71. */
static void
refused(const char *what, long call, long argument, unsigned nth, int error)
{
	struct tracing *t;
	struct relay r;
	char text[2048], want[64];

	t = trace_begin();
	without(t, call, argument, error);
	t->faults[0].nth = nth;
	relay_session(&r, NULL);
	expect_end(r.client, RST);
	expect_end(r.target, RST);
	if (relay_status(&r, SOON) != 71)
		fail("%s: exit status is not 71", what);
	if (t->injected == 0)
		fail("%s is not called", what);
	relay_stderr(&r, text, sizeof text);
	snprintf(want, sizeof want, "end=error error=\"%s: ", what);
	if (strstr(text, want) == NULL)
		fail("the log says %s", text);
	close(r.client);
	close(r.target);
	close(r.err);
}

static void
refusals(void)
{
	struct tracing *t;
	struct relay r;

	t = trace_begin();
	begin_confined(t, &r);
	conclude(&r);
	refused("capset", SYS_capset, ANY, 0, EPERM);
	refused("PR_SET_DUMPABLE", SYS_prctl, PR_SET_DUMPABLE, 0, EINVAL);
	refused("PR_SET_NO_NEW_PRIVS", SYS_prctl, PR_SET_NO_NEW_PRIVS, 0,
	    EINVAL);
	refused("seccomp", SYS_prctl, PR_SET_SECCOMP, 0, EACCES);
	refused("seccomp", SYS_prctl, PR_SET_SECCOMP, 0, ENOMEM);
	if (landlock_abi() >= 1) {
		refused("Landlock", SYS_landlock_create_ruleset, ANY, 2,
		    EINVAL);
		refused("Landlock", SYS_landlock_restrict_self, ANY, 0, EPERM);
	}
}

/* All paths under the filter.  A call that it does not know shows. */

static void
expect_syslog(int fd, const char *word)
{
	char line[2048];
	ssize_t n;

	if (!readable(fd, SOON))
		fail("syslogd gets no line with %s", word);
	n = recv(fd, line, sizeof line - 1, 0);
	if (n == -1)
		fail("recv: %s", strerror(errno));
	line[n] = '\0';
	if (strstr(line, word) == NULL)
		fail("syslogd gets %s", line);
}

static void
expect_known(const struct tracing *t)
{
	if (!t->confined)
		skip("this build or this kernel has no seccomp filter");
	if (t->calls == 0)
		fail("nothing was seen");
	if (t->unknown != -1)
		fail("call %ld is not allowed", t->unknown);
}

static void
path_talk(void)
{
	struct tracing *t;
	struct relay r;

	t = trace_begin();
	begin_confined(t, &r);
	conclude(&r);
	expect_known(t);
}

/* Both flows at once, so both have a pipe, and then talk again. */
static void
bulk_session(struct tracing *t)
{
	struct relay r;
	pid_t client, target;

	begin_confined(t, &r);
	client = aside(send_stream, r.client, 3, 8 * MIB);
	target = aside(send_stream, r.target, 3, 8 * MIB);
	expect_stream(r.target, 3, 0, 8 * MIB);
	expect_stream(r.client, 3, 0, 8 * MIB);
	expect_done(client);
	expect_done(target);
	conclude(&r);
	expect_known(t);
}

/* A kernel that lacks splice(2), or has it not for sockets. */
static void
no_splice(void)
{
	static const int errors[] = { ENOSYS, EINVAL };
	struct tracing *t;
	size_t i;

	for (i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		t = trace_begin();
		without(t, SYS_splice, ANY, errors[i]);
		bulk_session(t);
		if (t->injected == 0)
			skip("nothing is spliced, see pipe-user-pages-soft in "
			    "pipe(7)");
	}
}

/* There may be no pipe, while others hold many (pipe(7)). */
static void
path_bulk(void)
{
	struct tracing *t;
	int i;

	t = trace_begin();
	for (i = 0; i < 10 && t->count[SYS_splice] == 0; i++) {
		poll(NULL, 0, i * 50);
		bulk_session(t);
	}
	if (t->count[SYS_splice] == 0)
		skip("nothing is spliced, see pipe-user-pages-soft in pipe(7)");
}

static void
path_urgent(void)
{
	struct tracing *t;
	struct relay r;
	char c[2];

	t = trace_begin();
	begin_confined(t, &r);
	if (send(r.client, "u", 1, MSG_OOB) != 1 ||
	    send(r.target, "U", 1, MSG_OOB) != 1)
		fail("send: %s", strerror(errno));
	send_all(r.client, "v", 1);
	send_all(r.target, "V", 1);
	c[0] = 1;
	recv_exactly(r.target, c, 1);
	if (c[0] != 'v')
		fail("\"%c\" arrives as no urgent byte", c[0]);
	recv_exactly(r.client, c, 1);
	if (c[0] != 'V')
		fail("\"%c\" arrives as no urgent byte", c[0]);
	conclude(&r);
	expect_known(t);
}

/* With the line to syslogd, and to descriptor 2. */
static void
path_signals(void)
{
	struct tracing *t;
	struct relay r;
	int fd;

	fd = syslog_socket();
	t = trace_begin();
	begin_confined(t, &r);
	expect_syslog(fd, "end=open");
	kill(t->pid, SIGUSR1);
	expect_syslog(fd, "end=open");
	kill(t->pid, SIGTERM);
	expect_end(r.client, RST);
	expect_end(r.target, RST);
	expect_syslog(fd, "end=signal");
	if (relay_status(&r, SOON) != 0)
		fail("exit status is not 0");
	expect_known(t);
}

static void
fill(int fd)
{
	static char block[65536];

	while (send(fd, block, sizeof block, MSG_DONTWAIT) > 0)
		poll(NULL, 0, 1);
}

/* To a target that takes it slowly, with the waits that this has. */
static void
path_reset(void)
{
	static char block[65536];
	struct tracing *t;
	struct relay r;
	unsigned calls;
	ssize_t n;

	t = trace_begin();
	begin_confined(t, &r);
	fill(r.client);
	calls = t->calls;
	reset_now(&r.client);
	while (t->calls == calls)
		poll(NULL, 0, 1);
	while ((n = recv(r.target, block, sizeof block, 0)) > 0)
		;
	if (n == 0)
		fail("FIN where RST should be");
	if (relay_status(&r, SOON) != 0)
		fail("exit status is not 0");
	expect_known(t);
}

static void
path_limits(const char *option, int half_close)
{
	struct tracing *t;
	struct relay r;

	t = trace_begin();
	begin(&r, option, "1");
	if (half_close) {
		finish(r.client);
		expect_end(r.target, FIN);
	} else {
		expect_end(r.target, RST);
	}
	expect_end(r.client, RST);
	if (relay_status(&r, SOON) != 0)
		fail("exit status is not 0");
	expect_known(t);
}

static void
path_idle(void)
{
	path_limits("-T", 0);
}

static void
path_half_closed(void)
{
	path_limits("-t", 1);
}

/* What is under way is looked after, TCP_INFO included. */
static void
path_unacknowledged(void)
{
	struct tracing *t;
	struct relay r;

	t = trace_begin();
	begin(&r, "-k", "1");
	fill(r.client);
	while (t->count[SYS_ioctl] < 3)
		poll(NULL, 0, 10);
	kill(t->pid, SIGTERM);
	if (relay_status(&r, SOON) != 0)
		fail("exit status is not 0");
	expect_known(t);
}

/* The build with -DNO_SECCOMP has neither this word nor anything to test. */
static int
is_confined_build(void)
{
	static const char word[] = "PR_SET_NO_NEW_PRIVS";
	static char program[8 * MIB];
	const char *path;
	ssize_t n;
	int fd;

	path = getenv("RELAY") != NULL ? getenv("RELAY") : relay_path;
	fd = open(path, O_RDONLY);
	n = read(fd, program, sizeof program);
	close(fd);
	return n > 0 && memmem(program, (size_t)n, word, sizeof word) != NULL;
}

/* What holds without a filter as well. */
static const struct test always[] = {
	{ "a session that talks has at most four descriptors",
	    four_descriptors },
	{ "a session can write no core and no file, start no process and "
	    "open no more than eight descriptors", limits },
	{ "a kernel without close_range carries sessions", no_close_range },
	{ "limits that cannot be lowered do no harm", no_limits }
};

static const struct test tests[] = {
	{ "a session cannot regain privileges, has a filter and no capability",
	    status_file },
	{ "a session that root started is in no supplementary group", groups },
	{ "open, socket, connect, sendto an address, execve, fork, kill and "
	    "ptrace fail from inside a session", from_inside },
	{ "every call but those of a session is unknown inside it",
	    every_number },
#ifdef SYS_socketcall
	{ "every socket call but those of a session is unknown inside it",
	    socketcalls },
#endif
#ifdef __x86_64__
	{ "a call of another architecture ends the session with RST",
	    foreign_architecture },
#endif
	{ "without a filter Landlock still denies files, ports and signals",
	    landlock_alone },
	{ "a kernel without Landlock carries sessions under the filter",
	    no_landlock },
	{ "a kernel without seccomp and Landlock carries sessions",
	    no_seccomp },
	{ "confinement that is refused is RST at both peers: 71", refusals },
	{ "the filter knows all that talk needs", path_talk },
	{ "the filter knows all that bulk needs", path_bulk },
	{ "a kernel without splice(2) carries bulk", no_splice },
	{ "the filter knows all that urgent bytes need", path_urgent },
	{ "the filter knows all that signals and syslog lines need",
	    path_signals },
	{ "the filter knows all that a reset before a slow target needs",
	    path_reset },
	{ "the filter knows all that -T needs", path_idle },
	{ "the filter knows all that -t needs", path_half_closed },
	{ "the filter knows all that -k needs with bytes under way",
	    path_unacknowledged }
};

int
main(int argc, char *argv[])
{
	int failed;

	failed = run_tests(always, sizeof always / sizeof always[0], argc - 1,
	    argv + 1);
	if (is_confined_build())
		failed |= run_tests(tests, sizeof tests / sizeof tests[0],
		    argc - 1, argv + 1);
	else
		puts("# built with -DNO_SECCOMP: a session is not confined");
	return failed;
}

#endif
