/*
 * A minimal super-server, for the demo and the tests.  It listens on a loopback
 * address and prints the number of its port.  For each connection, it starts
 * the command, with the socket on descriptors 0, 1 and 2 (with -e, only on 0
 * and 1).
 *
 * On SIGINT, SIGTERM, SIGHUP or SIGUSR1, the super-server sends SIGTERM to
 * every command that is still running, and ends when these commands have ended.
 */

#define _GNU_SOURCE	/* err(3) with -std=c99 */

#include <sys/types.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 256 };	/* commands at the same time; more clients wait */

static volatile sig_atomic_t stop;
static pid_t children[MOST];
static int running;

static void
usage(void)
{
	fprintf(stderr, "usage: superserver [-4e] [-n sessions] [-p port] "
	    "command [argument ...]\n"
	    "  -4  listen on 127.0.0.1 instead of ::1\n"
	    "  -e  leave the command's 2 as it is: not the socket\n"
	    "  -n  end after so many sessions\n");
	exit(64);
}

static long
number(const char *text, long most)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n < 0 || n > most)
		errx(64, "%s: not a number from 0 to %ld", text, most);
	return n;
}

static void
caught(int sig)
{
	if (sig != SIGCHLD)
		stop = 1;
}

/*
 * Block these signals, so that they are caught only during pselect(2).  Returns
 * the mask for pselect(2).
 */
static sigset_t
take_signals(void)
{
	static const int signals[] = {
		SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD
	};
	struct sigaction sa;
	sigset_t blocked, waiting;
	size_t i;

	memset(&sa, 0, sizeof sa);
	sa.sa_handler = caught;
	sigemptyset(&sa.sa_mask);
	sigemptyset(&blocked);
	for (i = 0; i < sizeof signals / sizeof signals[0]; i++) {
		sigaction(signals[i], &sa, NULL);
		sigaddset(&blocked, signals[i]);
	}
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	sigemptyset(&waiting);
	return waiting;
}

/*
 * Listen on this port or, if it is 0, on a port that the system chooses.  Print
 * the number of the port.
 */
static int
listener(int family, in_port_t port)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} a;
	socklen_t len;
	int fd, one;

	memset(&a, 0, sizeof a);
	if (family == AF_INET) {
		a.in.sin_family = AF_INET;
		a.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		a.in.sin_port = htons(port);
		len = sizeof a.in;
	} else {
		a.in6.sin6_family = AF_INET6;
		a.in6.sin6_addr = in6addr_loopback;
		a.in6.sin6_port = htons(port);
		len = sizeof a.in6;
	}
	one = 1;
	fd = socket(family, SOCK_STREAM, 0);
	if (fd != -1)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one,
		    sizeof one);
	if (fd == -1 || bind(fd, &a.sa, len) == -1 || listen(fd, 512) == -1) {
		if (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)
			errx(69, "this machine has no %s",
			    family == AF_INET ?
			    "IPv4 loopback address (127.0.0.1)" :
			    "IPv6 loopback address (::1)");
		err(69, "port %u of %s", (unsigned)port,
		    family == AF_INET ? "127.0.0.1" : "::1");
	}
	if (getsockname(fd, &a.sa, &len) == -1)
		err(71, "getsockname");
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	/*
	 * Without O_NONBLOCK, accept(2) would wait if the client had already
	 * gone.
	 */
	fcntl(fd, F_SETFL, O_NONBLOCK);
	printf("%u\n", (unsigned)ntohs(family == AF_INET ? a.in.sin_port :
	    a.in6.sin6_port));
	/* Close standard output, so that a reader of the port sees EOF. */
	if (fflush(stdout) == EOF || freopen("/dev/null", "w", stdout) == NULL)
		err(71, "standard output");
	return fd;
}

/* What the child does. */
static void
run(char *argv[], int fd, int keep_stderr, const sigset_t *mask)
{
	fcntl(fd, F_SETFL, 0);
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	if (!keep_stderr)
		dup2(fd, STDERR_FILENO);
	close(fd);
	/*
	 * Ignore ^C from a terminal.  It also reaches the super-server, which
	 * then sends SIGTERM to the command.
	 */
	signal(SIGINT, SIG_IGN);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	if (keep_stderr)
		warn("%s", argv[0]);
	_exit(71);
}

static void
reap(int options)
{
	pid_t pid;
	int i;

	while (running > 0 && (pid = waitpid(-1, NULL, options)) > 0)
		for (i = 0; i < running; i++)
			if (children[i] == pid) {
				children[i] = children[--running];
				break;
			}
}

int
main(int argc, char *argv[])
{
	sigset_t mask;
	fd_set set;
	pid_t pid;
	long sessions;
	in_port_t port;
	int c, family, fd, i, keep_stderr, listening;

	family = AF_INET6;
	keep_stderr = 0;
	sessions = -1;
	port = 0;
	while ((c = getopt(argc, argv, "+4en:p:")) != -1)
		switch (c) {
		case '4':
			family = AF_INET;
			break;
		case 'e':
			keep_stderr = 1;
			break;
		case 'n':
			sessions = number(optarg, 1000000);
			break;
		case 'p':
			port = (in_port_t)number(optarg, 65535);
			break;
		default:
			usage();
		}
	if (optind == argc)
		usage();
	argv += optind;

	mask = take_signals();
	listening = listener(family, port);
	while (!stop && (sessions != 0 || running > 0)) {
		FD_ZERO(&set);
		if (sessions != 0 && running < MOST)
			FD_SET(listening, &set);
		if (pselect(listening + 1, &set, NULL, NULL, NULL, &mask) ==
		    -1) {
			if (errno != EINTR)
				err(71, "pselect");
			reap(WNOHANG);
			continue;
		}
		fd = accept(listening, NULL, NULL);
		if (fd == -1) {
			if (errno != EAGAIN && errno != EWOULDBLOCK &&
			    errno != EINTR && errno != ECONNABORTED)
				warn("accept");
			continue;
		}
		pid = fork();
		if (pid == 0)
			run(argv, fd, keep_stderr, &mask);
		if (pid == -1)
			warn("fork");
		else
			children[running++] = pid;
		close(fd);
		/* Once the last session has begun, refuse new clients. */
		if (sessions > 0 && --sessions == 0)
			close(listening);
	}
	for (i = 0; i < running; i++)
		kill(children[i], SIGTERM);
	reap(0);
	return 0;
}
