/*
 * Parents that leave a mess, and peers that misbehave.  What rules.c shows of
 * them already is not here.
 */

#include "peers.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MIB = 1048576 };

static void
expect_status(struct relay *r, int want)
{
	int status;

	status = relay_status(r, SOON);
	if (status != want)
		fail("exit status %d, not %d", status, want);
}

static void
let_go(struct relay *r)
{
	if (r->client != -1)
		close(r->client);
	if (r->target != -1)
		close(r->target);
	if (r->err != -1)
		close(r->err);
}

/* A session whose relay is started with this done. */
static void
session_after(void (*mess)(void))
{
	struct relay r;

	relay_setup = mess;
	relay_session(&r, NULL);
	converse(r.client, r.target);
	expect_status(&r, 0);
	let_go(&r);
}

/*
 * Descriptors 0, 1 and 2: the client's socket, a file, or nothing, in base 3.
 */
enum { SOCKET, A_FILE, CLOSED, STATES };
static int combination, files[3];

static int
state_of(int fd)
{
	return fd == 0 ? combination % 3 : fd == 1 ? combination / 3 % 3 :
	    combination / 9;
}

static void
combine(void)
{
	int fd, keep;

	keep = fcntl(0, F_DUPFD_CLOEXEC, 100);
	for (fd = 0; fd < 3; fd++)
		if (state_of(fd) == CLOSED)
			close(fd);
		else
			dup2(state_of(fd) == SOCKET ? keep : files[fd], fd);
}

static void
expect_nothing_written(int fd)
{
	struct stat st;

	if (fstat(files[fd], &st) == -1 || st.st_size != 0)
		fail("something is written to %d in combination %d", fd,
		    combination);
}

static void
make_files(void)
{
	char path[64];
	int i;

	for (i = 0; i < 3; i++) {
		strcpy(path, "/tmp/stfl-relay.XXXXXX");
		files[i] = mkstemp(path);
		if (files[i] == -1 || unlink(path) == -1)
			fail("%s: %s", path, strerror(errno));
		fcntl(files[i], F_SETFD, FD_CLOEXEC);
	}
}

/* Served to the end; and reset, with the reset to pass at once. */
static void
expect_served(const char *const *args, int listener)
{
	struct relay r;

	relay_startv(&r, AF_INET6, 0, args);
	r.target = accept_from(listener);
	converse(r.client, r.target);
	expect_status(&r, 0);
	let_go(&r);

	relay_startv(&r, AF_INET6, 0, args);
	r.target = accept_from(listener);
	send_stream(r.client, 1, 0, 1000);
	expect_stream(r.target, 1, 0, 1000);
	reset_now(&r.target);
	expect_end(r.client, RST);
	expect_status(&r, 0);
	let_go(&r);
}

/* In words, but not in the client's ear. */
static void
expect_refused(const char *const *args)
{
	struct relay r;
	struct stat st;
	char c;

	relay_startv(&r, AF_INET6, 0, args);
	expect_status(&r, 64);
	if (recv(r.client, &c, 1, MSG_DONTWAIT) == 1)
		fail("a byte to the client in combination %d", combination);
	if (state_of(2) == A_FILE &&
	    (fstat(files[2], &st) == -1 || st.st_size == 0))
		fail("no word on 2 in combination %d", combination);
	(void)!ftruncate(files[2], 0);
	let_go(&r);
}

static void
every_combination(void)
{
	const char *args[] = { "127.0.0.1", NULL, NULL };
	char port[8];
	int listener;

	make_files();
	listener = listen_on(AF_INET);
	snprintf(port, sizeof port, "%d", port_of(listener));
	args[1] = port;
	relay_setup = combine;
	for (combination = 0; combination < 27; combination++) {
		if (state_of(0) == SOCKET)
			expect_served(args, listener);
		else
			expect_refused(args);
		expect_nothing_written(0);
		expect_nothing_written(1);
		expect_nothing_written(2);
	}
}

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

/* SIGUSR1 logs, SIGTERM ends. */
static void
signals_after(void (*mess)(void))
{
	struct relay r;
	char text[2048];
	ssize_t n;

	relay_setup = mess;
	relay_session(&r, NULL);
	send_stream(r.client, 1, 0, 10);
	expect_stream(r.target, 1, 0, 10);
	if (!readable(r.err, SOON) || read(r.err, text, sizeof text) <= 0)
		fail("no line at the start");
	kill(r.pid, SIGUSR1);
	if (!readable(r.err, SOON) ||
	    (n = read(r.err, text, sizeof text - 1)) <= 0)
		fail("no line for SIGUSR1 without signal %d", sig_number);
	text[n] = '\0';
	if (strstr(text, "end=open") == NULL)
		fail("the line is \"%s\"", text);
	kill(r.pid, SIGTERM);
	expect_end(r.client, RST);
	expect_end(r.target, RST);
	expect_status(&r, 0);
	let_go(&r);
}

static void
one_signal(void)
{
	for (sig_number = 1; sig_number < 32; sig_number++) {
		if (sig_number == SIGKILL || sig_number == SIGSTOP)
			continue;
		signals_after(ignore_one);
		signals_after(block_one);
	}
}

/* A log file on 2 that may not grow. */
static void
no_file_may_grow(void)
{
	struct rlimit none;

	none.rlim_cur = none.rlim_max = 0;
	setrlimit(RLIMIT_FSIZE, &none);
	signal(SIGXFSZ, SIG_DFL);
	dup2(files[2], 2);
}

static void
log_file_is_full(void)
{
	make_files();
	session_after(no_file_may_grow);
}

/*
 * The least limit of this kind, of those that are a power of two, under which
 * the program starts at all; the session has to do with it, too.
 */
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

static void
least_limit(limit_name kind)
{
	struct relay r;
	int i;

	limit_kind = kind;
	for (limit_value = 131072; limit_value < (rlim_t)1 << 30;
	    limit_value *= 2)
		if (starts())
			break;
	/* Under AddressSanitizer it starts with no limit alone. */
	if (!starts())
		limit_value = 0;
	relay_setup = set_limit;
	relay_session(&r, NULL);
	for (i = 0; i < 8; i++) {
		send_stream(r.client, 3, 0, MIB / 2);
		expect_stream(r.target, 3, 0, MIB / 2);
	}
	converse(r.client, r.target);
	expect_status(&r, 0);
}

static void
small_address_space(void)
{
	least_limit(RLIMIT_AS);
}

static void
small_data(void)
{
	least_limit(RLIMIT_DATA);
}

static void
small_limits(void)
{
	static const limit_name kinds[] = {
		RLIMIT_CORE, RLIMIT_FSIZE, RLIMIT_MEMLOCK, RLIMIT_NPROC
	};
	size_t i;

	for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		limit_kind = kinds[i];
		limit_value = 1;
		session_after(set_limit);
	}
}

/* 0 to 3 are needed, and one more for a moment where there is Landlock. */
static void
few_descriptors(void)
{
	struct relay r;
	char text[2048];

	limit_kind = RLIMIT_NOFILE;
	for (limit_value = 5; limit_value < 12; limit_value++)
		session_after(set_limit);
	limit_value = 4;
	relay_session(&r, NULL);
	if (!readable(r.client, 300)) {
		converse(r.client, r.target);
		expect_status(&r, 0);
		return;
	}
	expect_end(r.client, RST);
	expect_end(r.target, RST);
	expect_status(&r, 71);
	relay_stderr(&r, text, sizeof text);
	if (strstr(text, "end=error error=") == NULL)
		fail("the log says \"%s\"", text);
}

/* What a super-server, or the service before, has set on the socket. */

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
	int many, one;

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
	option(SO_SNDBUF, &one, sizeof one);
	many = 1000000;
	option(SO_RCVLOWAT, &many, sizeof many);
	/* SIGIO at each event, which kills. */
	signal(SIGIO, SIG_DFL);
	if (fcntl(0, F_SETOWN, getpid()) == -1 ||
	    fcntl(0, F_SETFL, O_ASYNC | O_APPEND) == -1)
		_exit(126);
}

static void
odd_socket(void)
{
	session_after(set_options);
}

static void
forget_environment(void)
{
	environ = NULL;
}

static void
no_environment(void)
{
	session_after(forget_environment);
}

static void
nothing_there(void)
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
	/* A name is unknown, or asked for where nobody answers. */
	relay_startv(&r, AF_INET6, 0, args);
	expect_end(r.client, RST);
	status = relay_status(&r, SOON);
	if (status != 68 && status != 69)
		fail("exit status %d", status);
}

/* Whatever /dev/log is. */
static void
odd_log(void)
{
	struct sockaddr_un sun;
	int fd;

	apart();
	mount_over("/dev");
	if (mkdir("/dev/log", 0700) == -1)
		fail("/dev/log: %s", strerror(errno));
	session_after(NULL);
	if (rmdir("/dev/log") == -1 || symlink("log", "/dev/log") == -1)
		fail("/dev/log: %s", strerror(errno));
	session_after(NULL);
	unlink("/dev/log");
	if (mkfifo("/dev/log", 0600) == -1)
		fail("/dev/log: %s", strerror(errno));
	session_after(NULL);
	unlink("/dev/log");
	memset(&sun, 0, sizeof sun);
	sun.sun_family = AF_UNIX;
	strcpy(sun.sun_path, "/dev/log");
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&sun, sizeof sun) == -1)
		fail("/dev/log: %s", strerror(errno));
	session_after(NULL);
	if (listen(fd, 0) == -1)
		fail("listen: %s", strerror(errno));
	session_after(NULL);
	close(fd);
	session_after(NULL);
}

/* Peers. */

static long
cpu_ms(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (long)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
	    (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

/* All the bytes, or the first of them; then RST, or FIN behind all. */
static void
expect_some_then_end(int fd, size_t sent, int finished, int round)
{
	static unsigned char block[65536];
	size_t at;
	ssize_t i, n;

	for (at = 0; readable(fd, SOON); at += (size_t)n) {
		n = recv(fd, block, sizeof block, 0);
		if (n == 0 && (!finished || at != sent))
			fail("FIN after %zu of %zu bytes in round %d", at,
			    sent, round);
		if (n == 0 || (n == -1 && errno == ECONNRESET))
			return;
		if (n == -1)
			fail("recv: %s", strerror(errno));
		for (i = 0; i < n; i++)
			if (block[i] != stream_byte(1, at + (size_t)i))
				fail("a wrong byte in round %d", round);
	}
	fail("no end in round %d", round);
}

/* Bytes both ways, perhaps FIN, a little time, and reset. */
static void
reset_round(int from_target, int round)
{
	struct relay r;
	int *near, far, finished;
	size_t sent;

	relay_session(&r, NULL);
	near = from_target ? &r.target : &r.client;
	far = from_target ? r.client : r.target;
	sent = (size_t)(round * round * 20);
	finished = round % 3 == 0;
	send_stream(far, 2, 0, (size_t)round * 10);
	send_stream(*near, 1, 0, sent);
	if (finished)
		finish(*near);
	usleep((useconds_t)(round * 10));
	reset_now(near);
	expect_some_then_end(far, sent, finished, round);
	expect_status(&r, 0);
	let_go(&r);
}

static void
reset_at_any_time(void)
{
	int round;

	for (round = 0; round < 80; round++) {
		reset_round(0, round);
		reset_round(1, round);
	}
}

static void
half_close_and_vanish(int from_target)
{
	struct relay r;
	int64_t end;
	int near, far;

	relay_session(&r, "-k", "1", NULL);
	near = from_target ? r.target : r.client;
	far = from_target ? r.client : r.target;
	send_stream(near, 1, 0, 1000);
	finish(near);
	expect_stream(far, 1, 0, 1000);
	expect_end(far, FIN);
	wait_acked(near);
	vanish(near);
	send_stream(far, 2, 0, 1000);
	/* Behind FIN a reset is seen by who sends. */
	end = milliseconds() + 5000;
	while (send(far, "x", 1, MSG_NOSIGNAL) == 1) {
		if (milliseconds() > end)
			fail("nobody misses it");
		poll(NULL, 0, 10);
	}
	if (errno != EPIPE && errno != ECONNRESET)
		fail("send: %s", strerror(errno));
	expect_status(&r, 0);
}

static void
client_half_closes_and_vanishes(void)
{
	half_close_and_vanish(0);
}

static void
target_half_closes_and_vanishes(void)
{
	half_close_and_vanish(1);
}

/* 64 KiB of urgent bytes each way. */

enum { URGENT = 65536 };

static void
send_urgent(int fd, unsigned stream)
{
	unsigned char c;
	uint64_t i;

	for (i = 0; i < URGENT; i++) {
		c = stream_byte(stream, i);
		if (send(fd, &c, 1, MSG_OOB | MSG_NOSIGNAL) != 1)
			fail("send: %s", strerror(errno));
	}
	finish(fd);
}

static void
much_urgent(void)
{
	struct relay r;
	pid_t pid[4];
	int fd[2], i, status, yes;

	relay_session(&r, NULL);
	fd[0] = r.client;
	fd[1] = r.target;
	yes = 1;
	for (i = 0; i < 2; i++)
		if (setsockopt(fd[i], SOL_SOCKET, SO_OOBINLINE, &yes,
		    sizeof yes) == -1)
			fail("SO_OOBINLINE: %s", strerror(errno));
	for (i = 0; i < 4; i++) {
		pid[i] = fork();
		if (pid[i] == -1)
			fail("fork: %s", strerror(errno));
		if (pid[i] != 0)
			continue;
		if (i < 2) {
			send_urgent(fd[i], (unsigned)i + 1);
		} else {
			expect_stream(fd[i - 2], (unsigned)(3 - i) + 1, 0,
			    URGENT);
			expect_end(fd[i - 2], FIN);
		}
		_exit(0);
	}
	for (i = 0; i < 4; i++)
		if (waitpid(pid[i], &status, 0) == -1 || status != 0)
			fail("not all bytes arrive");
	expect_status(&r, 0);
}

/* A target that accepts, and no more; a client that waits for it. */
static void
nobody_moves(void)
{
	struct relay r;
	int listener;
	char port[8];
	long before, usual, waiting;

	/* What the program itself takes: a sanitizer's start, a tenth of a s. */
	before = cpu_ms();
	session_after(NULL);
	usual = cpu_ms() - before;
	listener = listen_on(AF_INET);
	snprintf(port, sizeof port, "%d", port_of(listener));
	before = cpu_ms();
	relay_start(&r, AF_INET6, 1, "-T", "2", "127.0.0.1", port, NULL);
	send_stream(r.client, 1, 0, 1000);
	/* Not even accepted: the kernel alone has answered. */
	expect_end(r.client, RST);
	expect_status(&r, 0);
	r.target = accept_from(listener);
	expect_stream(r.target, 1, 0, 1000);
	expect_end(r.target, RST);
	waiting = cpu_ms() - before;
	if (waiting > usual + 80)
		fail("%ld ms of CPU, %ld without the waiting", waiting, usual);
}

#ifdef __linux__

/* A user that nobody else is: none but our own pipes count for him. */
static uid_t lonely;

static void
become_lonely(void)
{
	/* A sanitizer looks for leaks in a process of its own: none is left. */
	if (setenv("ASAN_OPTIONS", "detect_leaks=0", 1) == -1 ||
	    setresuid(lonely, lonely, lonely) == -1)
		_exit(126);
}

/* True if this process, of another user, has a pipe. */
static int
has_pipe(pid_t pid)
{
	char path[64], link[64];
	ssize_t n;
	int fd;

	for (fd = 0; fd < 16; fd++) {
		snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)pid, fd);
		n = readlink(path, link, sizeof link - 1);
		if (n == -1 && errno != ENOENT)
			fail("%s: %s", path, strerror(errno));
		if (n > 0 && strncmp(link, "pipe:", 5) == 0 && fd != 2)
			return 1;
	}
	return 0;
}

/* A pipe that is given back, or found too small, may be seen for a moment. */
static void
expect_no_pipe(pid_t pid)
{
	int64_t limit;

	limit = milliseconds() + SOON;
	while (has_pipe(pid)) {
		if (milliseconds() > limit)
			fail("the relay holds a pipe");
		poll(NULL, 0, 50);
	}
}

/* One user's pipes have so many pages together; then new ones are small. */
static void
no_large_pipe(void)
{
	struct relay r;
	FILE *file;
	char path[32];
	pid_t sender;
	long pages;
	int fd, p[2];

	file = fopen("/proc/sys/fs/pipe-user-pages-soft", "r");
	if (file == NULL || fscanf(file, "%ld", &pages) != 1 || pages == 0)
		skip("this system does not limit the pipes of a user");
	fclose(file);
	lonely = (uid_t)(1000000 + getpid());
	fd = open(relay_path, O_RDONLY);
	if (fd == -1)
		fail("%s: %s", relay_path, strerror(errno));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	relay_path = path;
	if (setresuid(lonely, (uid_t)-1, (uid_t)-1) == -1)
		skip("only root can become another user");
	for (; pages > 0; pages -= MIB / sysconf(_SC_PAGESIZE))
		if (pipe(p) == -1 || fcntl(p[1], F_SETPIPE_SZ, MIB) == -1)
			fail("a pipe: %s", strerror(errno));

	relay_setup = become_lonely;
	relay_session(&r, NULL);
	sender = aside(send_stream, r.target, 1, 16 * MIB);
	expect_stream(r.client, 1, 0, 8 * MIB);
	expect_no_pipe(r.pid);
	expect_stream(r.client, 1, 8 * MIB, 8 * MIB);
	expect_done(sender);
	converse(r.client, r.target);
	expect_status(&r, 0);
	let_go(&r);
}

/* After bulk a session that idles holds nothing that only bulk needs. */
static void
pipe_given_back(void)
{
	struct relay r;
	pid_t sender;

	if (geteuid() != 0)
		skip("only root can look at the descriptors of a session");
	relay_session(&r, "-k", "1", NULL);
	sender = aside(send_stream, r.target, 1, 16 * MIB);
	expect_stream(r.client, 1, 0, 8 * MIB);
	if (!has_pipe(r.pid))
		skip("bulk has no pipe: see pipe-user-pages-soft in pipe(7)");
	expect_stream(r.client, 1, 8 * MIB, 8 * MIB);
	expect_done(sender);
	expect_no_pipe(r.pid);
	converse(r.client, r.target);
	expect_status(&r, 0);
	let_go(&r);
}

#endif

static const struct test tests[] = {
	{ "64 KiB of urgent bytes each way arrive", much_urgent },
	{ "a client that has finished and then vanishes is a reset at the "
	    "target", client_half_closes_and_vanishes },
	{ "a target that has finished and then vanishes is a reset at the "
	    "client", target_half_closes_and_vanishes },
	{ "-T ends a session whose target never accepts", nobody_moves },
	{ "a reset at any time is a reset at the other side, or comes behind "
	    "FIN", reset_at_any_time },
	{ "descriptors 0, 1 and 2 may be the client's socket, a file or "
	    "closed: served, or refused in words", every_combination },
	{ "SIGUSR1 and SIGTERM work whatever signal was ignored or blocked",
	    one_signal },
	{ "a log file on 2 that may not grow does no harm", log_file_is_full },
	{ "an address space hardly larger than the program is enough",
	    small_address_space },
	{ "data limits hardly larger than the program are enough",
	    small_data },
	{ "limits on cores, files, locked memory and processes do no harm",
	    small_limits },
	{ "five descriptors and more are enough, four or a refusal in words",
	    few_descriptors },
	{ "what was set on the client's socket before does no harm",
	    odd_socket },
	{ "a session needs no environment", no_environment },
	{ "a session needs nothing in /dev and /etc", nothing_there },
	{ "a session does not mind what /dev/log is", odd_log },
#ifdef __linux__
	{ "bulk is copied for a user whose pipes may not be large",
	    no_large_pipe },
	{ "the pipe of bulk is given back when nothing moves for -k",
	    pipe_given_back }
#endif
};

int
main(int argc, char *argv[])
{
	return run_tests(tests, sizeof tests / sizeof tests[0], argc - 1,
	    argv + 1);
}
