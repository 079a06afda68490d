/*
 * Sessions in unusual surroundings.  Each test changes one thing: whether a
 * signal is ignored or blocked, the options of the client's socket, the
 * environment, /dev or /etc.
 */

#include "../lib/places.h"
#include "../lib/relay.h"

#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* On SIGUSR1, the relay logs a line; on SIGTERM, it ends. */

static int sig_number;

static void
ignore_one(void)
{
	signal(sig_number, SIG_IGN);
}

static void
block_one(void)
{
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, sig_number);
	sigprocmask(SIG_BLOCK, &one, NULL);
}

static void
signals_after(void (*mess)(void), const char *how)
{
	static char about[64];
	struct session t;

	snprintf(about, sizeof about, "(signal %d %s) ", sig_number, how);
	test_about(about);
	relay_setup = mess;
	begin(&t, NULL, NULL);
	signals_work(&t);
	let_go(&t);
}
#define signals_after(...) FROM(signals_after, __VA_ARGS__)

TEST(one_signal, "SIGUSR1 and SIGTERM work whatever signal was ignored or "
    "blocked")
{
	for (sig_number = 1; sig_number < 32; sig_number++) {
		if (sig_number == SIGKILL || sig_number == SIGSTOP)
			continue;
		signals_after(ignore_one, "ignored");
		signals_after(block_one, "blocked");
	}
}

/*
 * Options of the client's socket.  The super-server or another program has set
 * them before the relay gets the socket.
 */

static void
option(int name, const void *value, size_t size)
{
	if (setsockopt(0, SOL_SOCKET, name, value, (socklen_t)size) == -1)
		_exit(126);
}

static void
set_options(void)
{
	struct linger linger;
	struct timeval soon;
	int few, many, one;

	linger.l_onoff = 1;
	linger.l_linger = 30;
	option(SO_LINGER, &linger, sizeof linger);
	soon.tv_sec = 0;
	soon.tv_usec = 1000;
	option(SO_RCVTIMEO, &soon, sizeof soon);
	option(SO_SNDTIMEO, &soon, sizeof soon);
	one = 1;
	option(SO_KEEPALIVE, &one, sizeof one);
	option(SO_RCVBUF, &one, sizeof one);
	/* On NetBSD, a send buffer below this size sends nothing. */
	few = 2048;
	option(SO_SNDBUF, &few, sizeof few);
	many = 1000000;
	option(SO_RCVLOWAT, &many, sizeof many);
	/*
	 * The kernel sends the relay SIGIO at each event on the socket.  By
	 * default, SIGIO kills a process.
	 */
	signal(SIGIO, SIG_DFL);
#ifdef O_ASYNC
	if (fcntl(0, F_SETOWN, getpid()) == -1 ||
	    fcntl(0, F_SETFL, O_ASYNC | O_APPEND) == -1)
		_exit(126);
#endif
}

TEST(odd_socket, "what was set on the client's socket before does no harm")
{
	session_after(set_options);
}

extern char **environ;

static void
forget_environment(void)
{
	environ = NULL;
}

TEST(no_environment, "a session needs no environment")
{
	session_after(forget_environment);
}

TEST(nothing_there, "a session needs nothing in /dev and /etc")
{
	static const char *const args[] = {
		"-w", "1", "name.invalid", "9", NULL
	};
	struct relay r;
	int status;

	apart();
	mount_over("/dev");
	mount_over("/etc");
	session_after(NULL);
	/*
	 * With an empty /etc, either the name is unknown, or no nameserver
	 * answers.
	 */
	relay_startv(&r, AF_INET6, 0, args);
	expect_end(r.client, RST);
	status = relay_status(&r, SOON);
	if (status != 68 && status != 69)
		fail("exit status %d", status);
}

static void
log_is(const char *what, int result)
{
	static char about[64];

	snprintf(about, sizeof about, "(/dev/log: %s) ", what);
	test_about(about);
	if (result == -1)
		fail("%s", strerror(errno));
	session_after(NULL);
}
#define log_is(...) FROM(log_is, __VA_ARGS__)

TEST(odd_log, "a session does not mind what /dev/log is")
{
	struct sockaddr_un sun;
	int fd;

	apart();
	mount_over("/dev");
	log_is("a directory", mkdir("/dev/log", 0700));
	rmdir("/dev/log");
	log_is("a link to itself", symlink("log", "/dev/log"));
	unlink("/dev/log");
	log_is("a pipe", mkfifo("/dev/log", 0600));
	unlink("/dev/log");
	memset(&sun, 0, sizeof sun);
	sun.sun_family = AF_UNIX;
	strcpy(sun.sun_path, "/dev/log");
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	log_is("a stream socket", bind(fd, (struct sockaddr *)&sun,
	    sizeof sun));
	log_is("one that listens", listen(fd, 0));
	log_is("one that is closed", close(fd));
}
