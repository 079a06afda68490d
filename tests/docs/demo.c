/* These tests check what `make demo' prints, and what it leaves behind. */

#include "../lib/places.h"
#include "../lib/relay.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct demo {
	pid_t pid;
	int out;		/* a pipe from the demo's descriptors 1 and 2 */
	char text[8192];	/* what has been read from `out' */
	char dir[256];		/* the demo's TMPDIR */
};

/*
 * Start the command as on a terminal, so that ^C ends it.  The test itself
 * ignores ^C, because ^C goes to the whole process group, and the test is in
 * the same group.
 */
static void
start(struct demo *d, const char *const *argv)
{
	int end[2];

	snprintf(d->dir, sizeof d->dir, "%s/demo.XXXXXX",
	    getenv("scratch") != NULL ? getenv("scratch") : "/tmp");
	if (mkdtemp(d->dir) == NULL)
		fail("%s: %s", d->dir, strerror(errno));
	d->text[0] = '\0';
	fflush(stdout);
	signal(SIGINT, SIG_IGN);
	if (private_pipe(end) == -1 || (d->pid = fork()) == -1)
		fail("pipe or fork: %s", strerror(errno));
	if (d->pid == 0) {
		dup2(open("/dev/null", O_RDONLY), 0);
		dup2(end[1], 1);
		dup2(end[1], 2);
		signal(SIGINT, SIG_DFL);
		signal(SIGPIPE, SIG_DFL);
		setenv("TMPDIR", d->dir, 1);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(end[1]);
	d->out = end[0];
}
#define start(...) FROM(start, __VA_ARGS__)

/*
 * Start the demo with these variables in its environment.  If a value is NULL,
 * the variable is unset.
 */
static void
begin_anywhere(struct demo *d, const char *relay, const char *target,
    const char *port)
{
	static const char *const argv[] = { "sh", "tests/docs/demo.sh", NULL };

	unsetenv("TARGET");
	unsetenv("PORT");
	setenv("RELAY", relay, 1);
	if (target != NULL)
		setenv("TARGET", target, 1);
	if (port != NULL)
		setenv("PORT", port, 1);
	start(d, argv);
}

static void
begin_demo(struct demo *d, const char *relay, const char *target,
    const char *port)
{
	need_ipv6();
	begin_anywhere(d, relay, target, port);
}
#define begin_demo(...) FROM(begin_demo, __VA_ARGS__)

/* Read until these words appear.  If `words' is NULL, read to the end. */
static void
read_until(struct demo *d, const char *words)
{
	ssize_t n;
	size_t got;

	got = strlen(d->text);
	while (words == NULL || strstr(d->text, words) == NULL) {
		if (!readable(d->out, SOON))
			fail("silent after \"%s\"", d->text);
		n = read(d->out, d->text + got, sizeof d->text - 1 - got);
		if (n <= 0 && words == NULL)
			break;
		if (n <= 0)
			fail("no \"%s\" in \"%s\"", words, d->text);
		got += (size_t)n;
		d->text[got] = '\0';
	}
}
#define read_until(...) FROM(read_until, __VA_ARGS__)

/*
 * Wait until the demo has ended, and return its exit status.  The demo must
 * leave no file in TMPDIR and no process in its process group.  The test is in
 * the same group, so it leaves the group before it checks that the group is
 * empty.
 */
static int
finished(struct demo *d)
{
	int64_t end;
	pid_t group;
	int status;

	end = milliseconds() + SOON;
	while (waitpid(d->pid, &status, WNOHANG) == 0) {
		if (milliseconds() > end)
			fail("does not end");
		pause_for(1);
	}
	group = getpgrp();
	if (setpgid(0, getpgid(getppid())) == -1)
		fail("setpgid: %s", strerror(errno));
	/*
	 * The shell may have ended before its children.  Wait until init has
	 * reaped these children.
	 */
	while (kill(-group, 0) == 0) {
		if (milliseconds() > end)
			fail("left a process behind");
		pause_for(1);
	}
	if (rmdir(d->dir) == -1)
		fail("left a file behind in %s (%s)", d->dir, strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status);
}

static void
expect_finished(struct demo *d, int want)
{
	int status;

	status = finished(d);
	if (status != want)
		fail("exit status %d after \"%s\"", status, d->text);
}
#define expect_finished(...) FROM(expect_finished, __VA_ARGS__)

/*
 * Copy to `to' the text that follows these words, up to a space or the end of
 * the line.
 */
static const char *
after(const struct demo *d, const char *words, char *to, size_t size)
{
	const char *p;

	p = strstr(d->text, words);
	if (p == NULL)
		fail("no \"%s\" in \"%s\"", words, d->text);
	p += strlen(words);
	snprintf(to, size, "%.*s", (int)strcspn(p, " \n"), p);
	return to;
}
#define after(...) FROM(after, __VA_ARGS__)

static void
check_page(struct demo *d)
{
	char server[64], page[64], seen[64], via[64], dialled[64], word[64];

	after(d, "web server     ", server, sizeof server);
	after(d, "super-server   ", dialled, sizeof dialled);
	after(d, "as it sees you, is ", page, sizeof page);
	after(d, "saw the client at\n    ", seen, sizeof seen);
	after(d, " via=", via, sizeof via);
	page[strlen(page) - 1] = '\0';	/* without the full stop */
	if (strncmp(via, "127.0.0.1:", 10) != 0 || strcmp(page, via) != 0 ||
	    strcmp(seen, via) != 0)
		fail("page \"%s\", server \"%s\", log \"%s\"", page, seen, via);
	server[strcspn(server, ",")] = '\0';
	if (strcmp(after(d, " target=", word, sizeof word), server) != 0)
		fail("target=%s instead of %s", word, server);
	dialled[strcspn(dialled, ",")] = '\0';
	if (strcmp(after(d, " local=", word, sizeof word), dialled) != 0)
		fail("local=%s instead of %s", word, dialled);
	if (strncmp(after(d, " client=", word, sizeof word), "[::1]:", 6) != 0)
		fail("client=%s", word);
	if (strcmp(after(d, " end=", word, sizeof word), "eof") != 0)
		fail("end=%s", word);
	after(d, "gets\n    HTTP/1.0 200 OK\n    Hello from ", word,
	    sizeof word);
	if (geteuid() == 0)
		after(d, "(You are root here", word, sizeof word);
}

TEST(demo,
    "make demo shows the page, the address that the server saw and the log "
    "line, and leaves nothing behind")
{
	static char relay[512];
	static const char *const argv[] = { "make", "-s", "demo", relay, NULL };
	struct demo d;
	int64_t began;

	snprintf(relay, sizeof relay, "RELAY=%s", relay_path);
	/*
	 * If make(1) runs this test, `make demo' must not get the options of
	 * that make(1).
	 */
	unsetenv("MAKEFLAGS");
	unsetenv("MFLAGS");
	unsetenv("MAKELEVEL");
	unsetenv("TARGET");
	unsetenv("PORT");
	began = milliseconds();
	need_ipv6();
	start(&d, argv);
	read_until(&d, NULL);
	expect_finished(&d, 0);
	if (milliseconds() - began >= SOON)
		fail("took %lld ms", (long long)(milliseconds() - began));
	check_page(&d);
}

/*
 * Returns a port that is not in use.  It is not in the range from which Linux
 * chooses ports.  Otherwise, the kernel could give it to another test before
 * the demo listens on it.
 */
static int
free_port(void)
{
	struct sockaddr_in6 in6;
	int bound, fd, port;

	memset(&in6, 0, sizeof in6);
	in6.sin6_family = AF_INET6;
	in6.sin6_addr = in6addr_loopback;
	port = (int)getpid();
	do {
		port = 10000 + (port * 7 + 1) % 20000;
		in6.sin6_port = htons((in_port_t)port);
		fd = private_socket(AF_INET6, SOCK_STREAM, 0);
		bound = bind(fd, (struct sockaddr *)&in6, sizeof in6);
		close(fd);
	} while (bound == -1 && errno == EADDRINUSE);
	if (bound == -1)
		fail("bind: %s", strerror(errno));
	return port;
}

TEST(demo_target,
    "make demo TARGET=... PORT=... serves until interrupted, and leaves "
    "nothing behind")
{
	static const char answer[] = "HTTP/1.0 200 Fine\r\n\r\nsome page\n";
	struct demo d;
	char target[32], text[64], want[64];
	char request[256];
	int client, listener, port, server;

	listener = listen_on(AF_INET);
	port = free_port();
	snprintf(target, sizeof target, "127.0.0.1:%d", port_of(listener));
	snprintf(text, sizeof text, "%d", port);
	begin_demo(&d, relay_path, target, text);

	/* The demo itself starts the first client. */
	server = accept_from(listener);
	if (!readable(server, SOON) ||
	    recv(server, request, sizeof request, 0) < 5 ||
	    memcmp(request, "GET /", 5) != 0)
		fail("no request came");
	send_all(server, answer, sizeof answer - 1);
	close(server);
	read_until(&d, "The log:\n");
	snprintf(want, sizeof want, "%zu bytes, the first line of which is\n"
	    "    HTTP/1.0 200 Fine\n", sizeof answer - 1);
	after(&d, want, text, sizeof text);
	snprintf(want, sizeof want, "\n[::1]:%d stays open", port);
	after(&d, want, text, sizeof text);

	/*
	 * The demo goes on serving clients.  Two more come, one after the
	 * other.
	 */
	d.text[0] = '\0';
	client = connect_to(AF_INET6, port);
	server = accept_from(listener);
	send_stream(client, 1, 0, 1000);
	expect_stream(server, 1, 0, 1000);
	finish(client);
	expect_end(server, FIN);
	send_stream(server, 2, 0, 100000);
	finish(server);
	expect_stream(client, 2, 0, 100000);
	expect_end(client, FIN);
	read_until(&d, "up=1000 down=100000 ");

	client = connect_to(AF_INET6, port);
	server = accept_from(listener);
	send_stream(server, 3, 0, 10);
	expect_stream(client, 3, 0, 10);
	kill(0, SIGINT);
	expect_end(client, RST);
	expect_end(server, RST);
	read_until(&d, NULL);
	after(&d, "up=0 down=10 ", text, sizeof text);
	expect_finished(&d, 130);
}

/*
 * Write a script that will run instead of the relay.  The caller has to remove
 * the script.
 */
static void
write_script(char *path, size_t size, const char *text)
{
	FILE *f;

	snprintf(path, size, "%s/relay.XXXXXX",
	    getenv("scratch") != NULL ? getenv("scratch") : "/tmp");
	f = fdopen(mkstemp(path), "w");
	if (f == NULL || fputs(text, f) == EOF ||
	    fchmod(fileno(f), 0700) == -1 || fclose(f) == EOF)
		fail("%s: %s", path, strerror(errno));
}
#define write_script(...) FROM(write_script, __VA_ARGS__)

TEST(demo_interrupted,
    "make demo leaves nothing behind when interrupted half-way")
{
	struct demo d;
	char script[300];

	write_script(script, sizeof script, "#!/bin/sh\nexec sleep 60\n");
	begin_demo(&d, script, NULL, NULL);
	read_until(&d, "stfl-relay -v");
	kill(0, SIGINT);
	unlink(script);
	read_until(&d, NULL);
	expect_finished(&d, 130);
}

TEST(demo_target_in_words, "make demo takes TARGET as the program does, too")
{
	struct demo d;
	char target[32], want[64];
	int port;

	port = refuse_on(AF_INET);
	snprintf(target, sizeof target, "127.0.0.1 %d", port_of(port));
	begin_demo(&d, relay_path, target, NULL);
	snprintf(want, sizeof want, "stfl-relay -v %s\n", target);
	read_until(&d, want);
	read_until(&d, "end=refused ");
	read_until(&d, "The log:\n");
	kill(0, SIGINT);
	read_until(&d, NULL);
	expect_finished(&d, 130);
}

TEST(demo_port_taken, "make demo says that PORT is taken, and stops")
{
	struct demo d;
	char text[64];
	int listener;

	listener = listen_on(AF_INET6);
	snprintf(text, sizeof text, "%d", port_of(listener));
	begin_demo(&d, relay_path, "127.0.0.1:80", text);
	read_until(&d, NULL);
	after(&d, "port ", text, sizeof text);
	after(&d, " of ::1: Address already in use\n", text, sizeof text);
	expect_finished(&d, 1);
}

TEST(demo_refused, "make demo says that TARGET refuses")
{
	struct demo d;
	char target[32], text[64];

	snprintf(target, sizeof target, "127.0.0.1:%d",
	    port_of(refuse_on(AF_INET)));
	begin_demo(&d, relay_path, target, NULL);
	read_until(&d, "The log:\n");
	after(&d, "gets\n    nothing: Connection reset by peer\n", text,
	    sizeof text);
	after(&d, " error=\"Connection refused\"", text, sizeof text);
	kill(0, SIGINT);
	read_until(&d, NULL);
	expect_finished(&d, 130);
}

TEST(demo_bad_target, "make demo says that TARGET is no address, and stops")
{
	struct demo d;
	char text[64];

	begin_demo(&d, relay_path, "192.0.2:80", NULL);
	read_until(&d, NULL);
	after(&d, "target 192.0.2: neither ", text,
	    sizeof text);
	expect_finished(&d, 1);
}

TEST(demo_bad_relay, "make demo fails with a relay that does")
{
	struct demo d;

	begin_demo(&d, "false", NULL, NULL);
	read_until(&d, NULL);
	if (strstr(d.text, "did not even try") == NULL)
		fail("\"%s\"", d.text);
	expect_finished(&d, 1);
}

TEST(demo_lying_relay,
    "make demo fails with a relay that logs what it has not done")
{
	struct demo d;
	char script[300];

	write_script(script, sizeof script, "#!/bin/sh\n"
	    "echo up=0 via=127.0.0.1:1 up=0 down=0 end=eof >&2\n");
	begin_demo(&d, script, NULL, NULL);
	read_until(&d, NULL);
	unlink(script);
	if (strstr(d.text, "not as it should be") == NULL)
		fail("\"%s\"", d.text);
	expect_finished(&d, 1);
}

TEST(demo_without_ipv6,
    "make demo says that there is no IPv6 loopback address, and stops")
{
	static const char disable[] =
	    "/proc/sys/net/ipv6/conf/all/disable_ipv6";
	struct demo d;
	char text[64];

	/*
	 * Make this machine like those of 2005, which had 127.0.0.1 but no ::1.
	 */
	apart();
	if (access(disable, F_OK) == 0)
		put_file(disable, "1");
	listen_on(AF_INET);

	begin_anywhere(&d, relay_path, NULL, NULL);
	read_until(&d, NULL);
	after(&d, "no IPv6 loopback address", text, sizeof text);
	if (strchr(d.text, '\n') != d.text + strlen(d.text) - 1)
		fail("more than one line: \"%s\"", d.text);
	expect_finished(&d, 1);
}
