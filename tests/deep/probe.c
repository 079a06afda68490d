/*
 * An intruder in a session.  It is built into a relay (tests/stfl-relay-probed)
 * that calls probed_poll() instead of poll(2).  When this relay calls
 * probed_poll() for the first time after its confinement, the intruder tries
 * things that a session is not allowed to do.  On OpenBSD, the intruder tries
 * only one thing, in the second call of probed_poll() after the confinement.
 *
 * On Linux, the intruder sends a line to the target for each attempt that was
 * not denied.  This is possible because a session is allowed to send to its
 * target.  The last line is "tried", followed by the number of attempts.  The
 * environment variable PROBE says what the intruder tries.  Without PROBE, the
 * intruder tries nothing.
 *
 * Environment variables can also simulate a kernel that lacks a mechanism.
 * PROBE_ABI is the highest Landlock ABI that the relay sees.  With PROBE_ABI=0,
 * the relay sees no Landlock.  With PROBE=landlock, the relay has no seccomp
 * filter.  The paths of the test's socket and files begin with the value of
 * PLACE.  Each path ends in a different suffix.
 */

#define _GNU_SOURCE

#include <poll.h>

int	probed_poll(struct pollfd *, nfds_t, int);

#ifdef __linux__

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attempts.h"

int	probed_prctl(int, ...);
long	probed_syscall(long, ...);

/* Try what Landlock with this ABI denies to a relay without a filter. */
static void
landlock_alone(long abi)
{
	static char shell[] = "sh";
	static char *const sh[] = { shell, NULL };
	struct sockaddr_in in;
	struct sockaddr_un abstract, un;
	char name[120], there[120];
	int fd;

	memset(&in, 0, sizeof in);
	in.sin_family = AF_INET;
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	memset(&un, 0, sizeof un);
	un.sun_family = AF_UNIX;
	/*
	 * These are the addresses of two sockets that the test has made.  One
	 * socket has a path, and the other does not.
	 */
	snprintf(un.sun_path, sizeof un.sun_path, "%s.socket", getenv("PLACE"));
	abstract = un;
	abstract.sun_path[0] = '\0';
	snprintf(name, sizeof name, "%s.new", getenv("PLACE"));
	snprintf(there, sizeof there, "%s.there", getenv("PLACE"));

#define NOT_PERMITTED(call) expect(EACCES, call, "%s", #call)
	NOT_PERMITTED(open("/etc/passwd", O_RDONLY));
	NOT_PERMITTED(open(there, O_WRONLY));
	NOT_PERMITTED(open("/", O_RDONLY | O_DIRECTORY));
	NOT_PERMITTED(mkdir(name, 0700));
	NOT_PERMITTED(symlink("/", name));
	NOT_PERMITTED(unlink(there));
	if (abi >= 3)
		NOT_PERMITTED(truncate(there, 0));
	NOT_PERMITTED(execve("/bin/sh", sh, NULL));
	if (abi >= 4) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		NOT_PERMITTED(bind(fd, (struct sockaddr *)&in, sizeof in));
		in.sin_port = htons(9);
		NOT_PERMITTED(connect(fd, (struct sockaddr *)&in, sizeof in));
		in.sin_port = 0;
		close(fd);
	}
	if (abi >= 6) {
		expect(EPERM, kill(getppid(), 0), "a signal");
		expect(EPERM, sendto(LOG, "x", 1, 0,
		    (struct sockaddr *)&abstract, sizeof abstract),
		    "an abstract socket");
	}
	if (abi >= 9)
		NOT_PERMITTED(sendto(LOG, "x", 1, 0, (struct sockaddr *)&un,
		    sizeof un));
	if (abi >= 10) {
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		NOT_PERMITTED(bind(fd, (struct sockaddr *)&in, sizeof in));
		in.sin_port = htons(9);
		NOT_PERMITTED(connect(fd, (struct sockaddr *)&in, sizeof in));
		close(fd);
	}
	tell("abi %ld\n", abi);
}

static long
own_abi(void)
{
	const char *most;
	long abi;

	abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	most = getenv("PROBE_ABI");
	if (most != NULL && abi > atol(most))
		abi = atol(most);
	return abi;
}

/* Call read(2) as an i386 program does.  That call must end the session. */
static void
foreign(void)
{
#ifdef __x86_64__
	__asm__ volatile("int $0x80" : : "a"(3) : "memory");
	tell("int 0x80: done\n");
#else
	tell("no other architecture\n");
#endif
}

static int
is(const char *what)
{
	return getenv("PROBE") != NULL && strcmp(getenv("PROBE"), what) == 0;
}

int
probed_prctl(int option, ...)
{
	unsigned long a[4];
	va_list ap;
	int i;

	va_start(ap, option);
	for (i = 0; i < 4; i++)
		a[i] = va_arg(ap, unsigned long);
	va_end(ap);
	if (option == PR_SET_SECCOMP && is("landlock")) {
		errno = EINVAL;
		return -1;
	}
	return prctl(option, a[0], a[1], a[2], a[3]);
}

long
probed_syscall(long call, ...)
{
	long a[6];
	va_list ap;
	int i;

	va_start(ap, call);
	for (i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (call == SYS_landlock_create_ruleset && a[0] == 0) {
		a[0] = own_abi();
		if (a[0] == 0) {
			errno = EOPNOTSUPP;
			return -1;
		}
		return a[0];
	}
	return syscall(call, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void
probe(void)
{
	static int confined;

	/*
	 * Before confinement, this prctl(2) returns 0.  After confinement, it
	 * returns 1, or -1 if the filter denies the call.
	 */
	if (confined || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0)
		return;
	confined = 1;
	if (getenv("PROBE") == NULL)
		return;
	if (is("numbers"))
		every_number();
	if (is("doors"))
		old_doors();
	if (is("calls"))
		break_out();
	if (is("arguments"))
		wrong_arguments();
	if (is("landlock"))
		landlock_alone(own_abi());
	if (is("foreign"))
		foreign();
	tell("tried %u\n", tried);
}

#elif defined(__OpenBSD__)

#include <sys/socket.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int	probed_pledge(const char *, const char *);

static int pledged;

int
probed_pledge(const char *promises, const char *execpromises)
{
	pledged = pledge(promises, execpromises) == 0;
	return pledged ? 0 : -1;
}

/*
 * Make only one attempt, because any attempt kills the process.  Make the
 * attempt in the second call of probed_poll().  By then, the first byte has
 * come, and both peers are connected.
 */
static void
probe(void)
{
	static char name[] = "sh";
	static char *const sh[] = { name, NULL };
	static int polls;
	const char *what;

	what = getenv("PROBE");
	if (!pledged || what == NULL || ++polls != 2)
		return;
	if (strcmp(what, "open") == 0)
		(void)open("/etc/passwd", O_RDONLY);
	if (strcmp(what, "execve") == 0)
		(void)execve("/bin/sh", sh, NULL);
	if (strcmp(what, "fork") == 0)
		(void)fork();
	if (strcmp(what, "kill") == 0)
		(void)kill(getppid(), 0);
	if (strcmp(what, "unix") == 0)
		(void)socket(AF_UNIX, SOCK_DGRAM, 0);
}

#else

static void
probe(void)
{
}

#endif

int
probed_poll(struct pollfd *fds, nfds_t n, int ms)
{
	probe();
	return poll(fds, n, ms);
}
