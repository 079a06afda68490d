/* Limits that a parent has set by setrlimit(2). */

#include "../lib/places.h"
#include "../lib/relay.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#ifdef __GLIBC__
typedef __rlimit_resource_t limit_name;
#else
typedef int limit_name;
#endif
static limit_name limit_kind;
static rlim_t limit_value;

static void
set_limit(void)
{
	struct rlimit limit;

	limit.rlim_cur = limit.rlim_max = limit_value;
	if (limit_value != 0 && setrlimit(limit_kind, &limit) == -1)
		_exit(126);
}

/* The log file on descriptor 2.  A limit keeps this file from growing. */
static int log_file;

static void
no_file_may_grow(void)
{
	struct rlimit none;

	none.rlim_cur = none.rlim_max = 0;
	setrlimit(RLIMIT_FSIZE, &none);
	signal(SIGXFSZ, SIG_DFL);
	dup2(log_file, 2);
}

TEST(log_file_full, "a log file on 2 that may not grow does no harm")
{
	log_file = empty_file();
	session_after(no_file_may_grow);
}

/* True if the program can start under this limit. */
static int
starts(void)
{
	pid_t pid;
	int null, status;

	pid = fork();
	if (pid == 0) {
		null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		set_limit();
		execl(relay_path, relay_path, "-V", (char *)NULL);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && status == 0;
}

/*
 * Double the limit of this kind until the program starts.  A session must work
 * with that limit, too.
 */
static void
least_limit(limit_name kind)
{
	struct session t;
	pid_t job;

	limit_kind = kind;
	for (limit_value = 131072; limit_value < (rlim_t)1 << 30;
	    limit_value *= 2)
		if (starts())
			break;
	/* With AddressSanitizer, the program starts only without a limit. */
	if (!starts())
		limit_value = 0;
	relay_setup = set_limit;
	begin(&t, NULL, NULL);
	job = aside(send_stream, t.fd[CLIENT], 3, 4 * MIB);
	expect_stream(t.fd[TARGET], 3, 0, 4 * MIB);
	expect_done(job);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_over(&t, CLIENT, "eof", 4 * MIB + 1000, 3000);
}
#define least_limit(...) FROM(least_limit, __VA_ARGS__)

TEST(small_address_space, "an address space hardly larger than the program is "
    "enough")
{
#ifdef RLIMIT_AS
	least_limit(RLIMIT_AS);
#else
	skip("no RLIMIT_AS here");
#endif
}

TEST(small_data, "data limits hardly larger than the program are enough")
{
	least_limit(RLIMIT_DATA);
}

TEST(small_limits, "limits on cores, files, locked memory and processes do no "
    "harm")
{
	static const limit_name kinds[] = {
		RLIMIT_CORE, RLIMIT_FSIZE,
#ifdef RLIMIT_MEMLOCK
		RLIMIT_MEMLOCK,
#endif
#ifdef RLIMIT_NPROC
		RLIMIT_NPROC
#endif
	};
	size_t i;

	for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		limit_kind = kinds[i];
		limit_value = 1;
		session_after(set_limit);
	}
}

/*
 * A session needs descriptors 0 to 3.  To set up Landlock, the relay needs one
 * more descriptor for a short time.
 */
TEST(few_descriptors, "with five descriptors or more a session works; with "
    "four it works or is refused in words")
{
	struct session t;
	char text[2048];
	char c;
	ssize_t n;
	int sent;

	limit_kind = RLIMIT_NOFILE;
	for (limit_value = 5; limit_value < 12; limit_value++)
		session_after(set_limit);
	limit_value = 4;
	relay_session(&t.relay, NULL);
	/* The client gets this byte or RST. */
	sent = send(t.relay.target, "x", 1, 0) == 1;
	if (!sent && errno != ECONNRESET)
		fail("send: %s", strerror(errno));
	if (!readable(t.relay.client, SOON))
		fail("neither served nor refused");
	n = recv(t.relay.client, &c, 1, 0);
	if (n == 1) {
		converse(t.relay.client, t.relay.target);
		expect_status(&t, 0);
		return;
	}
	if (n != -1 || errno != ECONNRESET)
		fail("no RST, recv gives %zd", n);
	if (sent)
		expect_end(t.relay.target, RST);
	expect_status(&t, 71);
	relay_stderr(&t.relay, text, sizeof text);
	if (strstr(text, "end=error error=") == NULL)
		fail("the log says \"%s\"", text);
}
