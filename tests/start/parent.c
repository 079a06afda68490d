/* What a process inherits from its parent: signals, limits, descriptors. */

#include "../lib/places.h"
#include "../lib/relay.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The relay trusts nothing that it inherits. */

static void
hostile_parent(void)
{
	struct rlimit none;
	sigset_t all;
	int sig;

	for (sig = 1; sig < 32; sig++)
		signal(sig, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setenv("LOCALDOMAIN", "example.invalid", 1);
	setenv("RES_OPTIONS", "ndots:9", 1);
	none.rlim_cur = none.rlim_max = 0;
	setrlimit(RLIMIT_FSIZE, &none);
	setrlimit(RLIMIT_CORE, &none);
	umask(0777);
}

/*
 * Give the relay a hostile parent, and a working directory that has been
 * removed.
 */
static void
be_hostile(void)
{
	static char path[4096];
	char dir[] = "/tmp/stfl-relay.XXXXXX";

	if (realpath(relay_path, path) == NULL)
		fail("%s: %s", relay_path, strerror(errno));
	relay_path = path;
	if (mkdtemp(dir) == NULL || chdir(dir) == -1 || rmdir(dir) == -1)
		fail("%s: %s", dir, strerror(errno));
	relay_setup = hostile_parent;
}

static void
begin_hostile(struct session *t)
{
	const char *args[] = { "-v", "localhost", NULL, NULL };
	int listener;

	be_hostile();
	listener = listen_on(AF_INET);
	args[2] = port_text(listener);
	relay_startv(&t->relay, AF_INET6, 1, args);
	connected(t, listener);
}
#define begin_hostile(...) FROM(begin_hostile, __VA_ARGS__)

TEST(inherited_signals, "signals that the parent ignored and blocked work")
{
	struct session t;

	begin_hostile(&t);
	signals_work(&t);
}

TEST(hostile_session,
    "umask, environment, limits and a removed directory do no harm")
{
	struct session t;

	begin_hostile(&t);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 1000, 3000);
}

/*
 * An alarm that alarm(2) has set survives execve(2).  The signal is blocked,
 * because it would end any program that has not yet prepared for it.  The relay
 * unblocks it.
 */
static void
leave_alarm(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	alarm(1);
}

TEST(inherited_alarm, "an alarm that the parent has set does no harm")
{
	struct session t;

	relay_setup = leave_alarm;
	begin_as_inetd(&t, NULL);
	pause_for(ALARM_PAST);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_status(&t, 0);
}

/* The resolver must look up only the name on the command line. */
TEST(hostile_resolver, "the environment does not change what is looked up")
{
	static const char *const args[] = { "single", "80", NULL };
	char query[512];
	struct session t;
	int names;

	own_etc("");
	names = name_socket();
	be_hostile();
	begin_without(&t, 0, "", args);
	if (!readable(names, SOON) ||
	    recv(names, query, sizeof query, 0) < 12 + 8)
		fail("nothing is looked up");
	if (memcmp(query + 12, "\6single", 8) != 0)
		fail("looked up is something else");
}

/*
 * The write end of a pipe.  The relay inherits many copies of this descriptor.
 */
static int stray;

static void
leave_strays(void)
{
	static const int at[] = { 3, 4, 5, 6, 7, 40, 63, 64, 65, 100, 500,
	    1024, 4000 };	/* the last two if the hard limit allows */
	struct rlimit limit;
	size_t i;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (i = 0; i < sizeof at / sizeof at[0]; i++)
		if (at[i] != stray)
			dup2(stray, at[i]);
	limit.rlim_cur = 50;
	setrlimit(RLIMIT_NOFILE, &limit);
}

TEST(stray_descriptors, "stray descriptors are closed")
{
	struct session t;
	int end[2];

	if (private_pipe(end) == -1)
		fail("pipe: %s", strerror(errno));
	/* Give the write end a number that is not in `at' above. */
	stray = fcntl(end[1], F_DUPFD_CLOEXEC, 200);
	close(end[1]);
	relay_setup = leave_strays;
	begin(&t, NULL, NULL);
	close(stray);
	if (!readable(end[0], SOON))
		fail("one stays open");
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 1000, 3000);
}

/* The relay's limit on descriptors. */
static int most;

static void
few_descriptors(void)
{
	struct rlimit limit;

	limit.rlim_cur = limit.rlim_max = (rlim_t)most;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/*
 * A session needs descriptors 0 to 3 and, for a short time, one more.  With a
 * limit of five, the relay cannot open a pipe, so it copies bulk.
 */
TEST(limit_of_five, "five descriptors are enough")
{
	struct session t;
	pid_t sender;

	relay_setup = few_descriptors;
	most = 5;
	begin(&t, NULL, NULL);
	sender = aside(send_stream, t.fd[CLIENT], 3, 8 * MIB);
	expect_stream(t.fd[TARGET], 3, 0, 8 * MIB);
	expect_done(sender);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 8 * MIB + 1000, 3000);
}

/*
 * The relay is limited to four descriptors.  A look-up needs more, so a system
 * call of the look-up fails.
 */
TEST(system_error, "a system call that fails is RST at the client: 71")
{
	static const char *const args[] = { "localhost", "80", NULL };

	relay_setup = few_descriptors;
	most = 4;
	fails(71, "localhost", "error error=\"*", args);
}
