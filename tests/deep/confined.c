/*
 * These tests check from outside what a session can no longer do.  Some of the
 * tests simulate kernels that lack or refuse a layer of confinement.
 */

#include "../lib/lack.h"
#include "../lib/places.h"
#include "../lib/traced.h"

#include <sys/resource.h>
#include <sys/stat.h>

#ifdef __OpenBSD__
#include <sys/pledge.h>
#include <sys/sysctl.h>
#endif

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Begin a session, and let it carry bytes.  The session is then confined. */
static void
begin_carried(struct session *t)
{
	begin(t, NULL, NULL);
	carry_on(t);
}
#define begin_carried(...) FROM(begin_carried, __VA_ARGS__)

/*
 * Find the line that begins with `word' in /proc/PID/file.  Returns the rest of
 * that line.
 */
static const char *
proc_line(pid_t pid, const char *file, const char *word)
{
	static char line[256];
	char path[64];
	FILE *f;

#ifndef __linux__
	skip("only Linux shows it in /proc");
#endif
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
#define proc_line(...) FROM(proc_line, __VA_ARGS__)

/*
 * Skip if the relay was built with -DNO_CONFINE, or if this kernel has no
 * filter.
 */
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
#define expect_number(...) FROM(expect_number, __VA_ARGS__)

TEST(no_privileges,
    "a session cannot regain privileges, has a filter and no capability")
{
	static const char *const sets[] = {
		"CapInh:", "CapPrm:", "CapEff:", "CapAmb:"
	};
	struct session t;
	size_t i;

	begin_carried(&t);
	need_filter(t.pid);
	for (i = 0; i < sizeof sets / sizeof sets[0]; i++)
		expect_number(t.pid, sets[i], 16, 0);
	expect_number(t.pid, "NoNewPrivs:", 10, 1);
	expect_number(t.pid, "Seccomp:", 10, 2);
	conclude(&t);
}

static void
join_groups(void)
{
	static const gid_t some[] = { 1, 2, 65534 };

	if (setgroups(3, some) == -1)
		_exit(125);
}

TEST(no_groups, "a session that root started is in no supplementary group")
{
	struct session t;
	const char *text;

	if (geteuid() != 0)
		skip("not root");
	relay_setup = join_groups;
	begin_carried(&t);
	need_filter(t.pid);
	text = proc_line(t.pid, "status", "Groups:");
	if (strspn(text, " \t") != strlen(text))
		fail("Groups:%s", text);
	conclude(&t);
}

static void
be_user(void)
{
	if (setgid(65534) == -1 || setuid(65534) == -1)
		_exit(125);
}

/* Root must own the files in the session's /proc/PID: see proc(5). */
TEST(not_dumpable, "another process of the same user cannot look into a "
    "session")
{
	struct session t;
	struct stat st;
	char path[64];

	if (geteuid() == 0)
		relay_setup = be_user;
	begin_as_inetd(&t, NULL);
	carry_on(&t);
	need_filter(t.pid);
	snprintf(path, sizeof path, "/proc/%ld/fd", (long)t.pid);
	if (stat(path, &st) == -1)
		fail("%s: %s", path, strerror(errno));
	if (st.st_uid != 0)
		fail("%s is of user %ld", path, (long)st.st_uid);
	let_go(&t);
}

static int
descriptors(pid_t pid)
{
	struct dirent *e;
	char path[64];
	DIR *d;
	int n;

#ifndef __linux__
	skip("only Linux shows it in /proc");
#endif
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

TEST(four_descriptors, "a session that talks has at most four descriptors, also "
    "after a thousand messages of 4 KiB")
{
	struct session t;
	uint64_t at;
	int n;

	begin(&t, NULL, NULL);
	for (at = 0; at < 4000 * KIB; at += 4 * KIB) {
		send_stream(t.fd[CLIENT], 3, at, 4 * KIB);
		expect_stream(t.fd[TARGET], 3, at, 4 * KIB);
	}
	n = descriptors(t.pid);
	if (n > 4)
		fail("there are %d", n);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 1000 + 4000 * KIB, 3000);
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
#define expect_limit(...) FROM(expect_limit, __VA_ARGS__)

/*
 * Here, descriptor 2 is the client's socket, so the relay does not need to
 * write to a log file.
 */
TEST(own_limits,
    "a session can write no core and no file, start no process and open no "
    "more than eight descriptors")
{
	struct session t;

	begin_as_inetd(&t, NULL);
	carry_on(&t);
	expect_limit(t.pid, "Max core file size", 0);
	expect_limit(t.pid, "Max processes", 0);
	expect_limit(t.pid, "Max file size", 0);
	expect_limit(t.pid, "Max open files", 8);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_status(&t, 0);
}

#ifdef __linux__

/* The tests below simulate kernels that lack or refuse a system call. */

static const struct lack *lacking;
static size_t nlacking;

static void
lack_them(void)
{
	lack_calls(lacking, nlacking);
}

/* Skip unless this build confines a session on this kernel. */
static void
need_confinement(void)
{
	struct session t;

	begin_carried(&t);
	need_filter(t.pid);
	conclude(&t);
}
#define need_confinement(...) FROM(need_confinement, __VA_ARGS__)

/*
 * Expect that a session works without the calls in `lack', and that the session
 * has this many filters.
 */
static void
session_without(const struct lack *lack, size_t n, int filters)
{
	struct session t;

	lacking = lack;
	nlacking = n;
	relay_setup = lack_them;
	begin_carried(&t);
	/* The kernel also counts the filter that makes these calls fail. */
	expect_number(t.pid, "Seccomp_filters:", 10, (unsigned long)filters + 1);
	conclude(&t);
}
#define session_without(...) FROM(session_without, __VA_ARGS__)

static void
lack_local_sockets(void)
{
	static const struct lack lack = { SYS_socket, 0, AF_UNIX,
	    EAFNOSUPPORT };

	lack_calls(&lack, 1);
}

/* This is what systemd does for RestrictAddressFamilies=AF_INET AF_INET6. */
TEST(no_local_sockets, "bulk is carried where there are no local sockets")
{
	struct session t;
	pid_t pid;

	relay_setup = lack_local_sockets;
	relay_path = "tests/stfl-relay-bulk";
	begin_as_inetd(&t, NULL);
	carry_on(&t);
	pid = aside(send_stream, t.fd[TARGET], 3, 8 * MIB);
	expect_stream(t.fd[CLIENT], 3, 0, 8 * MIB);
	expect_done(pid);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_status(&t, 0);
}

/*
 * A pipe.  The relay inherits the pipe's write end.  The number of that
 * descriptor is above the relay's soft limit.
 */
static int stray[2];
static rlim_t hard_limit;

static void
leave_stray(void)
{
	static const struct lack lack = { SYS_close_range, ANY_ARGUMENT, 0,
	    ENOSYS };
	struct rlimit few;

	few.rlim_cur = 50;
	few.rlim_max = hard_limit;
	dup2(stray[1], 200);
	if (setrlimit(RLIMIT_NOFILE, &few) == -1)
		_exit(125);
	lack_calls(&lack, 1);
}

static void
stray_closed(rlim_t limit)
{
	struct session t;

	hard_limit = limit;
	if (private_pipe(stray) == -1)
		fail("pipe: %s", strerror(errno));
	relay_setup = leave_stray;
	begin_carried(&t);
	close(stray[1]);
	if (!readable(stray[0], SOON))
		fail("one stays open");
	conclude(&t);
	close(stray[0]);
}
#define stray_closed(...) FROM(stray_closed, __VA_ARGS__)

/*
 * Simulate a kernel older than 5.9.  On such a kernel, the relay reads the size
 * of the descriptor table from /proc.
 */
TEST(no_close_range, "a kernel without close_range carries sessions, and stray "
    "descriptors are closed there, beyond the soft limit, too")
{
	stray_closed(100);
}

/*
 * A build with sanitizers skips this test, because sanitizers complain on
 * descriptor 2 when /proc is missing.
 */
TEST(no_close_range_no_proc, "a kernel without close_range and /proc closes "
    "stray descriptors up to the hard limit")
{
	need_confinement();
	apart();
	mount_over("/proc");
	stray_closed(256);
}

TEST(no_limits, "limits that cannot be lowered do no harm")
{
	static const struct lack lack[] = {
		{ SYS_prlimit64, ANY_ARGUMENT, 0, EPERM },
#ifdef SYS_setrlimit
		{ SYS_setrlimit, ANY_ARGUMENT, 0, EPERM }
#endif
	};

	need_confinement();
	session_without(lack, sizeof lack / sizeof lack[0], 1);
}

/*
 * In a user namespace that denies setgroups, root is not allowed to leave its
 * groups: see user_namespaces(7).
 */
TEST(no_setgroups, "root that may not leave its groups carries sessions")
{
	static const struct lack lack[] = {
		{ SYS_setgroups, ANY_ARGUMENT, 0, EPERM },
#ifdef SYS_setgroups32
		{ SYS_setgroups32, ANY_ARGUMENT, 0, EPERM }
#endif
	};

	need_confinement();
	session_without(lack, sizeof lack / sizeof lack[0], 1);
}

TEST(no_landlock,
    "a kernel without Landlock carries sessions under the filter")
{
	static const struct lack lack[] = {
		{ SYS_landlock_create_ruleset, ANY_ARGUMENT, 0, ENOSYS },
		{ SYS_landlock_create_ruleset, ANY_ARGUMENT, 0, EOPNOTSUPP }
	};

	need_confinement();
	session_without(&lack[0], 1, 1);
	session_without(&lack[1], 1, 1);
}

TEST(no_seccomp, "a kernel without seccomp and Landlock carries sessions")
{
	static const struct lack lack[] = {
		{ SYS_landlock_create_ruleset, ANY_ARGUMENT, 0, ENOSYS },
		{ SYS_prctl, 0, PR_SET_SECCOMP, EINVAL },
		{ SYS_landlock_create_ruleset, ANY_ARGUMENT, 0, ENOSYS },
		{ SYS_prctl, 0, PR_SET_SECCOMP, ENOSYS }
	};

	need_confinement();
	session_without(&lack[0], 2, 0);
	session_without(&lack[2], 2, 0);
}

/*
 * Make this call fail.  Expect RST at both peers, the reason in the log, and
 * exit status 71.
 */
static void
refused(const char *what, long call, int argument, unsigned value, int error)
{
	struct session s;
	struct lack lack;
	char about[64], text[2048], want[64];

	snprintf(about, sizeof about, "(%s) ", what);
	test_about(about);
	lack.call = call;
	lack.argument = argument;
	lack.value = value;
	lack.error = error;
	lacking = &lack;
	nlacking = 1;
	relay_setup = lack_them;
	relay_session(&s.relay, NULL);
	expect_end(s.relay.client, RST);
	expect_end(s.relay.target, RST);
	expect_status(&s, 71);
	relay_stderr(&s.relay, text, sizeof text);
	snprintf(want, sizeof want, "end=error error=\"%s: ", what);
	if (strstr(text, want) == NULL)
		fail("the log says %s", text);
	close(s.relay.client);
	close(s.relay.target);
	close(s.relay.err);
	test_about("");
}
#define refused(...) FROM(refused, __VA_ARGS__)

/* glibc and musl make the newer call if the machine has both. */
#ifdef SYS_setgroups32
#define SET_GROUPS SYS_setgroups32
#else
#define SET_GROUPS SYS_setgroups
#endif

TEST(refused_layers, "confinement that is refused is RST at both peers: 71")
{
	need_confinement();
	refused("capset", SYS_capset, ANY_ARGUMENT, 0, EPERM);
	if (geteuid() == 0)
		refused("capset", SET_GROUPS, ANY_ARGUMENT, 0, ENOMEM);
	refused("PR_SET_DUMPABLE", SYS_prctl, 0, PR_SET_DUMPABLE, EINVAL);
	refused("PR_SET_NO_NEW_PRIVS", SYS_prctl, 0, PR_SET_NO_NEW_PRIVS,
	    EINVAL);
	refused("seccomp", SYS_prctl, 0, PR_SET_SECCOMP, EACCES);
	refused("seccomp", SYS_prctl, 0, PR_SET_SECCOMP, ENOMEM);
	if (landlock_abi() >= 1) {
		/*
		 * Let this call fail if its argument 2, the flags, is 0.  With
		 * a flag, the call just reports the ABI, and must succeed.
		 */
		refused("Landlock", SYS_landlock_create_ruleset, 2, 0, EINVAL);
		refused("Landlock", SYS_landlock_restrict_self, ANY_ARGUMENT,
		    0, EPERM);
	}
}

#elif defined(__OpenBSD__)

/* Read the pledge from the kernel, as ps(1) does. */
TEST(pledged, "a session is pledged to stdio and inet, and to nothing else")
{
	int name[6] = { CTL_KERN, KERN_PROC, KERN_PROC_PID, 0,
	    sizeof(struct kinfo_proc), 1 };
	struct kinfo_proc p;
	struct session t;
	size_t len;

	begin_carried(&t);
	name[3] = t.pid;
	len = sizeof p;
	if (sysctl(name, 6, &p, &len, NULL, 0) == -1)
		fail("sysctl: %s", strerror(errno));
	if (p.p_pledge != (PLEDGE_STDIO | PLEDGE_INET))
		fail("pledged to %llx", (unsigned long long)p.p_pledge);
	finish(t.fd[CLIENT]);
	finish(t.fd[TARGET]);
	expect_status(&t, 0);
}
#endif
