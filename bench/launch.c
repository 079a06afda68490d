/*
 * The launcher is a super-server that does as little as possible, so that it
 * hardly affects what is measured of the program that it starts.  It accepts
 * connections on [::1].  For each connection, it calls vfork(2) and executes
 * the command with the socket on descriptors 0, 1 and 2.  The command has to be
 * a path.  The kernel reaps the children (SA_NOCLDWAIT), because wait(2) would
 * look at every child that is still running.  In the children, execve(2) clears
 * SA_NOCLDWAIT.
 *
 * usage: launch port command [argument ...]
 *
 * If the port is 0, the launcher only executes the command.  Whatever the port
 * is, the launcher first raises the descriptor limit and begins a new process
 * group, so that one signal can end everything.
 */

#include "bench.h"

#include <sys/socket.h>

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Start one session.  The child shares the launcher's memory until it executes
 * the command, so the child makes only system calls.
 */
static void
start(int fd, char *argv[])
{
	pid_t pid;

	if ((pid = vfork()) == -1) {
		warn("vfork");
		return;
	}
	if (pid == 0) {
		dup2(fd, 0);
		dup2(fd, 1);
		dup2(fd, 2);
		execv(argv[0], argv);
		_exit(127);
	}
}

int
main(int argc, char *argv[])
{
	struct sigaction sa;
	int fd, listener, port;

	if (argc < 3) {
		fprintf(stderr, "usage: launch port command [argument ...]\n");
		return 2;
	}
	port = atoi(argv[1]);
	argv += 2;
	(void)setpgid(0, 0);
	raise_limit();
	if (port == 0) {
		execv(argv[0], argv);
		err(1, "%s", argv[0]);
	}

	memset(&sa, 0, sizeof sa);
	sa.sa_handler = SIG_DFL;
	sa.sa_flags = SA_NOCLDWAIT;
	if (sigaction(SIGCHLD, &sa, NULL) == -1)
		err(1, "sigaction");
	if ((listener = listen_six(port)) == -1)
		errx(1, "[::1]:%d is taken", port);
	for (;;) {
		if ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) == -1) {
			warn("accept");
			continue;
		}
		start(fd, argv);
		close(fd);
	}
}
