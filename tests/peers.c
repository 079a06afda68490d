#include "peers.h"

#include <sys/ioctl.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/mount.h>

#include <linux/filter.h>
#include <linux/sockios.h>
#include <sched.h>
#endif

enum { JOBS = 12, TEST_LIMIT = 120 };

const char *relay_path = "./stfl-relay";
void (*relay_setup)(void);

const char *about = "";

/* The reason goes through this pipe, from the test's process to the runner. */
static int why = STDERR_FILENO;

static void
vsay(const char *format, va_list ap)
{
	char text[512];
	int n;

	n = snprintf(text, sizeof text, "%.99s", about);
	n += vsnprintf(text + n, sizeof text - (size_t)n, format, ap);
	if (n > (int)sizeof text - 1)
		n = (int)sizeof text - 1;
	(void)!write(why, text, (size_t)n);
}

void
fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsay(format, ap);
	va_end(ap);
	_exit(1);
}

void
skip(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsay(format, ap);
	va_end(ap);
	_exit(SKIPPED);
}

struct job {
	pid_t pid;
	int why;
	const struct test *test;
};

static void
begin(struct job *job, const struct test *test)
{
	int end[2];

	fflush(stdout);
	/* No relay is to hold a descriptor of the runner's. */
	if (pipe2(end, O_CLOEXEC) == -1)
		fail("pipe: %s", strerror(errno));
	job->test = test;
	job->why = end[0];
	job->pid = fork();
	if (job->pid == -1)
		fail("fork: %s", strerror(errno));
	if (job->pid == 0) {
		close(end[0]);
		why = end[1];
		setpgid(0, 0);
		alarm(TEST_LIMIT);
		signal(SIGPIPE, SIG_IGN);
		test->run();
		_exit(0);
	}
	close(end[1]);
}

/* Print the verdict.  1 if the test failed. */
static int
verdict(struct job *job, int status)
{
	char text[512];
	ssize_t n;
	int code;

	n = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		n = read(job->why, text, sizeof text - 1);
	text[n > 0 ? n : 0] = '\0';
	close(job->why);
	/* What the test has left running is its own process group. */
	kill(-job->pid, SIGKILL);
	job->pid = 0;
	code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	if (WIFSIGNALED(status))
		snprintf(text, sizeof text, "killed by signal %d%s",
		    WTERMSIG(status), WTERMSIG(status) == SIGALRM ?
		    " (took too long)" : "");
	printf("%s - %s%s%s\n", code == 0 || code == SKIPPED ? "ok" : "not ok",
	    job->test->sentence, code == 0 ? "" : code == SKIPPED ?
	    " # SKIP " : ": ", code == 0 ? "" : text);
	fflush(stdout);
	return code != 0 && code != SKIPPED;
}

static int
reap(struct job *jobs)
{
	pid_t pid;
	int i, status;

	pid = wait(&status);
	if (pid == -1)
		fail("wait: %s", strerror(errno));
	for (i = 0; i < JOBS; i++)
		if (jobs[i].pid == pid)
			return verdict(&jobs[i], status);
	return 0;
}

static int
wanted(const struct test *test, int n, char *patterns[])
{
	int i;

	for (i = 0; i < n; i++)
		if (strstr(test->sentence, patterns[i]) != NULL)
			return 1;
	return n == 0;
}

int
run_tests(const struct test *tests, size_t n, int argc, char *argv[])
{
	static struct job jobs[JOBS];
	size_t i;
	int failed, free_job, running;

	if (getenv("RELAY") != NULL)
		relay_path = getenv("RELAY");
	failed = running = 0;
	for (i = 0; i < n; i++) {
		if (!wanted(&tests[i], argc, argv))
			continue;
		if (running == JOBS) {
			failed |= reap(jobs);
			running--;
		}
		for (free_job = 0; jobs[free_job].pid != 0; free_job++)
			;
		begin(&jobs[free_job], &tests[i]);
		running++;
	}
	for (; running > 0; running--)
		failed |= reap(jobs);
	return failed;
}

int
target_family(void)
{
	return getenv("TARGET6") == NULL ? AF_INET : AF_INET6;
}

int
client_family(void)
{
	return getenv("TARGET6") == NULL ? AF_INET6 : AF_INET;
}

const char *
target_host(void)
{
	return getenv("TARGET6") == NULL ? "127.0.0.1" : "::1";
}

static socklen_t
loopback(struct sockaddr_storage *ss, int family, int port)
{
	struct sockaddr_in *in;
	struct sockaddr_in6 *in6;

	memset(ss, 0, sizeof *ss);
	ss->ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		in = (struct sockaddr_in *)ss;
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		in->sin_port = htons((in_port_t)port);
		return sizeof *in;
	}
	in6 = (struct sockaddr_in6 *)ss;
	in6->sin6_addr = in6addr_loopback;
	in6->sin6_port = htons((in_port_t)port);
	return sizeof *in6;
}

int
refuse_on(int family)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int fd;

	len = loopback(&ss, family, 0);
	fd = socket(family, SOCK_STREAM, 0);
	if (fd == -1 || bind(fd, (struct sockaddr *)&ss, len) == -1) {
		if (family == AF_INET6 &&
		    (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
			skip("no IPv6 on the loopback interface");
		fail("bind: %s", strerror(errno));
	}
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

int
listen_on(int family)
{
	int fd;

	fd = refuse_on(family);
	if (listen(fd, 512) == -1)
		fail("listen: %s", strerror(errno));
	return fd;
}

int
port_of(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len;

	len = sizeof ss;
	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		fail("getsockname: %s", strerror(errno));
	return ntohs(ss.ss_family == AF_INET ?
	    ((struct sockaddr_in *)&ss)->sin_port :
	    ((struct sockaddr_in6 *)&ss)->sin6_port);
}

int
connect_to(int family, int port)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int fd, one;

	len = loopback(&ss, family, port);
	fd = socket(family, SOCK_STREAM, 0);
	if (fd == -1 || connect(fd, (struct sockaddr *)&ss, len) == -1)
		fail("connect: %s", strerror(errno));
	one = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

int
accept_from(int listener)
{
	int fd, one;

	if (!readable(listener, SOON))
		fail("nobody connected");
	fd = accept(listener, NULL, NULL);
	if (fd == -1)
		fail("accept: %s", strerror(errno));
	one = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

void
socket_pair(int family, int *ours, int *theirs)
{
	int listener;

	listener = listen_on(family);
	*ours = connect_to(family, port_of(listener));
	*theirs = accept_from(listener);
	close(listener);
}

void
relay_on(struct relay *r, int theirs, int separate, const char *const *args)
{
	const char *argv[32];
	int end[2], i;

	argv[0] = relay_path;
	for (i = 0; args[i] != NULL && i < 30; i++)
		argv[i + 1] = args[i];
	argv[i + 1] = NULL;

	r->client = r->target = r->err = -1;
	end[0] = end[1] = -1;
	if (separate && pipe2(end, O_CLOEXEC) == -1)
		fail("pipe: %s", strerror(errno));
	r->pid = fork();
	if (r->pid == -1)
		fail("fork: %s", strerror(errno));
	if (r->pid == 0) {
		dup2(theirs, 0);
		dup2(theirs, 1);
		dup2(separate ? end[1] : theirs, 2);
		alarm(0);
		signal(SIGPIPE, SIG_DFL);
		if (relay_setup != NULL)
			relay_setup();
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(theirs);
	if (separate) {
		close(end[1]);
		r->err = end[0];
	}
}

void
relay_startv(struct relay *r, int family, int separate,
    const char *const *args)
{
	int ours, theirs;

	socket_pair(family, &ours, &theirs);
	relay_on(r, theirs, separate, args);
	r->client = ours;
}

static void
collect(const char **args, int at, int most, va_list ap)
{
	while (at < most - 1 && (args[at] = va_arg(ap, const char *)) != NULL)
		at++;
	args[at] = NULL;
}

void
relay_start(struct relay *r, int family, int separate, ...)
{
	const char *args[31];
	va_list ap;

	va_start(ap, separate);
	collect(args, 0, 31, ap);
	va_end(ap);
	relay_startv(r, family, separate, args);
}

void
relay_session(struct relay *r, ...)
{
	const char *args[31];
	char port[8];
	va_list ap;
	int listener, n;

	listener = listen_on(target_family());
	snprintf(port, sizeof port, "%d", port_of(listener));
	args[0] = "-v";
	va_start(ap, r);
	collect(args, 1, 28, ap);
	va_end(ap);
	for (n = 0; args[n] != NULL; n++)
		;
	args[n] = target_host();
	args[n + 1] = port;
	args[n + 2] = NULL;
	relay_startv(r, client_family(), 1, args);
	r->target = accept_from(listener);
	close(listener);
}

/* By the count of its turns: a machine may stand still for seconds. */
int
relay_status(struct relay *r, int ms)
{
	int status, turns;

	for (turns = 0; waitpid(r->pid, &status, WNOHANG) == 0; turns++) {
		if (turns > ms)
			fail("the relay did not end within %d ms", ms);
		poll(NULL, 0, 1);
	}
	r->pid = -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
	    WEXITSTATUS(status);
}

void
relay_stderr(struct relay *r, char *text, size_t size)
{
	ssize_t n;
	size_t got;

	for (got = 0; got < size - 1; got += (size_t)n) {
		if (!readable(r->err, SOON))
			fail("the relay's descriptor 2 stays open");
		n = read(r->err, text + got, size - 1 - got);
		if (n <= 0)
			break;
	}
	text[got] = '\0';
}

/* No period that a buffer's size could hide. */
unsigned char
stream_byte(unsigned stream, uint64_t i)
{
	uint64_t x;

	x = (i + 1) * 0x9e3779b97f4a7c15u + stream * 0xbf58476d1ce4e5b9u;
	return (unsigned char)(x >> 56 ^ x >> 29);
}

void
send_all(int fd, const void *data, size_t size)
{
	const char *p;
	ssize_t n;

	for (p = data; size > 0; p += n, size -= (size_t)n) {
		n = send(fd, p, size, MSG_NOSIGNAL);
		if (n == -1)
			fail("send: %s", strerror(errno));
	}
}

void
send_stream(int fd, unsigned stream, uint64_t from, size_t size)
{
	unsigned char buffer[65536];
	size_t i, n;

	for (; size > 0; size -= n, from += n) {
		n = size < sizeof buffer ? size : sizeof buffer;
		for (i = 0; i < n; i++)
			buffer[i] = stream_byte(stream, from + i);
		send_all(fd, buffer, n);
	}
}

void
recv_exactly(int fd, void *data, size_t size)
{
	char *p;
	ssize_t n;

	for (p = data; size > 0; p += n, size -= (size_t)n) {
		if (!readable(fd, SOON))
			fail("%zu bytes did not come", size);
		n = recv(fd, p, size, 0);
		if (n == 0)
			fail("FIN %zu bytes too early", size);
		if (n == -1)
			fail("%s %zu bytes too early", strerror(errno), size);
	}
}

void
expect_stream(int fd, unsigned stream, uint64_t from, size_t size)
{
	unsigned char buffer[65536];
	size_t i, n;

	for (; size > 0; size -= n, from += n) {
		n = size < sizeof buffer ? size : sizeof buffer;
		recv_exactly(fd, buffer, n);
		for (i = 0; i < n; i++)
			if (buffer[i] != stream_byte(stream, from + i))
				fail("byte %llu is wrong",
				    (unsigned long long)(from + i));
	}
}

enum ending
ending(int fd, int ms)
{
	char c;
	ssize_t n;

	if (!readable(fd, ms))
		return NOTHING;
	n = recv(fd, &c, 1, 0);
	if (n == 0)
		return FIN;
	if (n == -1 && (errno == ECONNRESET || errno == EPIPE))
		return RST;
	if (n == -1)
		fail("recv: %s", strerror(errno));
	fail("a byte more than there should be");
}

void
expect_end(int fd, enum ending want)
{
	static const char *const words[] = { "FIN", "RST", "nothing" };
	enum ending got;

	got = ending(fd, want == NOTHING ? 300 : SOON);
	if (got != want)
		fail("%s where %s should be", words[got], words[want]);
}

void
finish(int fd)
{
	if (shutdown(fd, SHUT_WR) == -1)
		fail("shutdown: %s", strerror(errno));
}

void
converse(int one, int other)
{
	send_stream(one, 1, 0, 1000);
	expect_stream(other, 1, 0, 1000);
	finish(one);
	expect_end(other, FIN);
	send_stream(other, 2, 0, 3000);
	expect_stream(one, 2, 0, 3000);
	finish(other);
	expect_end(one, FIN);
}

pid_t
aside(void (*f)(int, unsigned, uint64_t, size_t), int fd, unsigned stream,
    size_t size)
{
	pid_t pid;

	pid = fork();
	if (pid == -1)
		fail("fork: %s", strerror(errno));
	if (pid == 0) {
		f(fd, stream, 0, size);
		_exit(0);
	}
	return pid;
}

/* It said itself why it failed. */
void
expect_done(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) == -1 || WIFSIGNALED(status))
		fail("what ran aside was killed");
	if (status != 0)
		_exit(1);
}

void
reset_now(int *fd)
{
	struct linger linger;

	linger.l_onoff = 1;
	linger.l_linger = 0;
	setsockopt(*fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	close(*fd);
	*fd = -1;
}

void
wait_acked(int fd)
{
	int64_t end;
	int n;

	end = milliseconds() + SOON;
	while (ioctl(fd, TIOCOUTQ, &n) == 0 && n > 0) {
		if (milliseconds() > end)
			fail("%d bytes stay unacknowledged", n);
		poll(NULL, 0, 1);
	}
}

int
readable(int fd, int ms)
{
	struct pollfd p;

	p.fd = fd;
	p.events = POLLIN;
	return poll(&p, 1, ms) == 1;
}

int64_t
milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
put_file(const char *path, const char *format, ...)
{
	char text[512];
	va_list ap;
	int fd, n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd == -1 || write(fd, text, (size_t)n) != n)
		skip("%s: %s", path, strerror(errno));
	close(fd);
}

int
syslog_socket(void)
{
	struct sockaddr_un sun;
	int fd;

	apart();
	mount_over("/dev");
	memset(&sun, 0, sizeof sun);
	sun.sun_family = AF_UNIX;
	strcpy(sun.sun_path, "/dev/log");
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sun, sizeof sun) == -1)
		fail("/dev/log: %s", strerror(errno));
	return fd;
}

#ifdef __linux__
static void
loopback_up(void)
{
	struct ifreq ifr;
	int fd;

	memset(&ifr, 0, sizeof ifr);
	memcpy(ifr.ifr_name, "lo", 3);
	ifr.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd == -1 || ioctl(fd, SIOCSIFFLAGS, &ifr) == -1)
		skip("no loopback interface of our own: %s", strerror(errno));
	close(fd);
}

void
apart(void)
{
	int flags;
	unsigned uid, gid;

	flags = CLONE_NEWNS | CLONE_NEWNET;
	uid = getuid();
	gid = getgid();
	if (unshare(flags) == -1) {
		if (unshare(CLONE_NEWUSER | flags) == -1)
			skip("neither root nor a user namespace");
		put_file("/proc/self/setgroups", "deny");
		put_file("/proc/self/uid_map", "0 %u 1", uid);
		put_file("/proc/self/gid_map", "0 %u 1", gid);
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		skip("no private mounts: %s", strerror(errno));
	loopback_up();
}

void
mount_over(const char *path)
{
	if (mount("none", path, "tmpfs", 0, NULL) == -1)
		skip("cannot mount on %s: %s", path, strerror(errno));
}

void
lose(int fd, unsigned size)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, size, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)
	};
	struct sock_fprog program = { 4, code };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
	    sizeof program) == -1)
		skip("SO_ATTACH_FILTER: %s", strerror(errno));
}

void
lose_nothing(int fd)
{
	int unused = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused,
	    sizeof unused) == -1)
		fail("SO_DETACH_FILTER: %s", strerror(errno));
}
#else
void
apart(void)
{
	skip("needs Linux namespaces");
}

void
mount_over(const char *path)
{
	skip("%s: needs Linux namespaces", path);
}

void
lose(int fd, unsigned size)
{
	(void)fd;
	(void)size;
	skip("no way to lose packets");
}

void
lose_nothing(int fd)
{
	(void)fd;
}
#endif

void
vanish(int fd)
{
	lose(fd, 0);
}
