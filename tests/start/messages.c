/*
 * When the operator makes a mistake, a message says what to do about it.  The
 * message appears on a terminal or, if a real inetd starts the relay, in the
 * log.
 */

#include "../lib/places.h"
#include "../lib/relay.h"

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IN_INETD_CONF \
    ": stands where the program's name belongs; in inetd.conf that comes " \
    "before the target, as in stfl-relay 127.0.0.1 80"
#define NOT_TWICE \
    ": stands where the target belongs; only inetd.conf has the program's " \
    "name before it"
#define AS_A_WORD ": the port is a word of its own, as in 127.0.0.1 80"
#define NO_BRACKETS \
    ": an IPv6 address goes without brackets, and the port is a word of its " \
    "own, as in ::1 80"
#define NO_URL ": a URL; give the address and the port, as in 127.0.0.1 80"
#define NO_UNIX \
    ": a path; only a TCP server can be the target, not a Unix socket"
#define FIRST ": options come before the target"
#define A_NUMBER \
    ": a number; the target comes first, then the port (and in inetd.conf " \
    "the program's name before both)"

/*
 * For each mistake, `words' has the program's name and its arguments.  `line'
 * is the text that the relay must write after "stfl-relay[PID]: ".
 */
static const struct {
	const char *words[6];
	const char *line;
} mistakes[] = {
	{ { "stfl-relay", "127.0.0.1:80" }, "target 127.0.0.1:80" AS_A_WORD },
	{ { "stfl-relay", "localhost:80" }, "target localhost:80" AS_A_WORD },
	{ { "stfl-relay", "localhost:http" },
	    "target localhost:http" AS_A_WORD },
	{ { "stfl-relay", "[::1]", "80" }, "target [::1]" NO_BRACKETS },
	{ { "stfl-relay", "[::1]:80" }, "target [::1]:80" NO_BRACKETS },
	{ { "stfl-relay", "http://127.0.0.1/" },
	    "target http://127.0.0.1/" NO_URL },
	{ { "stfl-relay", "https://[::1]:80/x" },
	    "target https://[::1]:80/x" NO_URL },
	{ { "stfl-relay", "/run/app.sock" }, "target /run/app.sock" NO_UNIX },
	{ { "stfl-relay", "unix:app" }, "target unix:app" NO_UNIX },
	{ { "stfl-relay", "localhost/24" }, "target localhost/24: not an IPv4 "
	    "network, such as 192.0.2.0/24" },
	{ { "stfl-relay", "192.0.2.0/33" }, "target 192.0.2.0/33: not a length "
	    "from 1 to 32 after the slash" },
	{ { "stfl-relay", "192.0.2.1/24" },
	    "target 192.0.2.1/24: host bits are set beyond /24" },
	{ { "stfl-relay", "127.0.0.1", "80", "-v" }, "-v" FIRST },
	{ { "stfl-relay", "127.0.0.1", "-T", "60" }, "-T" FIRST },
	{ { "stfl-relay", "127.0.0.1", "--wait=1" }, "--wait=1" FIRST },
	{ { "stfl-relay", "127.0.0.1", "80", "81" },
	    "81: only a target and a port are expected" },
	{ { "stfl-relay", "-Z", "127.0.0.1" }, "-Z: unknown option" },
	{ { "stfl-relay", "--wait=1", "127.0.0.1" },
	    "--wait=1: unknown option" },
	{ { "127.0.0.1", "80" }, "127.0.0.1" IN_INETD_CONF },
	{ { "192.0.2.0/24" }, "192.0.2.0/24" IN_INETD_CONF },
	{ { "::1", "80" }, "::1" IN_INETD_CONF },
	{ { "-nv", "127.0.0.1", "80" }, "-nv" IN_INETD_CONF },
	{ { "127.0.0.1:80" }, "127.0.0.1:80" IN_INETD_CONF },
	{ { "stfl-relay", "stfl-relay", "127.0.0.1", "80" },
	    "stfl-relay" NOT_TWICE },
	{ { "stfl-relay", "stfl-relay", "localhost:80" },
	    "stfl-relay" NOT_TWICE },
	{ { "stfl-relay", "stfl-relay", "-v", "127.0.0.1", "80" },
	    "stfl-relay" NOT_TWICE },
	{ { "stfl-relay", "/usr/local/sbin/stfl-relay", "127.0.0.1" },
	    "/usr/local/sbin/stfl-relay" NOT_TWICE },
	{ { "-w5", "127.0.0.1", "80" }, "-w5" IN_INETD_CONF },
	{ { "--help", "127.0.0.1", "80" }, "--help" IN_INETD_CONF },
	{ { "localhost", "80" }, "target 80" A_NUMBER },
	{ { "www.example.org" }, "no target given (in inetd.conf, the "
	    "program's name comes before it)" },
	/* In each of the following rows, the program has an unusual name. */
	{ { "-stfl-relay", "[::1]" }, "target [::1]" NO_BRACKETS },
	{ { "a:b/stfl-relay", "[::1]" }, "target [::1]" NO_BRACKETS },
	{ { "relay:http", "[::1]" }, "target [::1]" NO_BRACKETS },
	{ { "./64", "[::1]" }, "target [::1]" NO_BRACKETS },
};
enum { MISTAKES = sizeof mistakes / sizeof mistakes[0] };

static const char *const *typed;	/* argv, instead of the library's */

static void
as_typed(void)
{
	execv(relay_path, (char *const *)(uintptr_t)typed);
}

/*
 * Start the relay with these words, and with `zero' as its descriptor 0.
 * Expect this exit status.  Store in `text' the relay's output on descriptor 2.
 */
static void
type(int zero, const char *const *words, int status, char *text, size_t size)
{
	struct relay r;

	typed = words;
	relay_setup = as_typed;
	relay_on(&r, zero, 1, words + 1);
	if (relay_status(&r, SOON) != status)
		fail("%s %s: exit status is not %d", words[0],
		    words[1] != NULL ? words[1] : "", status);
	relay_stderr(&r, text, size);
	close(r.err);
}
#define type(...) FROM(type, __VA_ARGS__)

/* Returns the part of a line that follows "stfl-relay[PID]: ". */
static char *
words_of(char *line)
{
	char *at;

	at = strstr(line, "]: ");
	if (strncmp(strchr(line, '>') != NULL ? strchr(line, '>') + 1 : line,
	    "stfl-relay[", 11) != 0 || at == NULL)
		fail("no line, but \"%s\"", line);
	at += 3;
	at[strcspn(at, "\n")] = '\0';
	return at;
}

TEST(typed_mistakes, "a mistake that is typed gets a line that says what to do")
{
	char text[2048];
	int i;

	for (i = 0; i < MISTAKES; i++) {
		type(terminal(), mistakes[i].words, 64, text, sizeof text);
		if (strcmp(words_of(text), mistakes[i].line) != 0)
			fail("it says \"%s\" in place of \"%s\"",
			    words_of(text), mistakes[i].line);
	}
}

TEST(control_characters, "a newline in a word makes no second line")
{
	static const char *const words[] = { "stfl-relay", "127.0.0.1", "80",
	    "8\n\0331", NULL };
	char text[2048];

	type(terminal(), words, 64, text, sizeof text);
	if (strcmp(words_of(text),
	    "8??1: only a target and a port are expected") != 0)
		fail("it says \"%s\"", words_of(text));
}

TEST(no_standard_input, "standard input from /dev/null is told of systemd's "
    "StandardInput=socket")
{
	static const char *const words[] = { "stfl-relay", "127.0.0.1", NULL };
	char text[2048];

	type(open("/dev/null", O_RDWR), words, 64, text, sizeof text);
	if (strcmp(words_of(text), "standard input is a device (does the "
	    "service of systemd lack StandardInput=socket?); it must be a "
	    "connected TCP socket, as inetd gives it") != 0)
		fail("it says \"%s\"", words_of(text));
}

/* Start a real inetd, whose configuration has one port per mistake. */
static void
start_inetd(int first)
{
	static char inetd[300], program[1024];
	const char *unpacked;
	FILE *conf;
	int i, j;

	unpacked = getenv("INETDS");
	snprintf(inetd, sizeof inetd, "%s/openbsd-inetd/usr/sbin/inetd",
	    unpacked != NULL ? unpacked : "../stfl-relay-inetds");
	if (access(inetd, X_OK) == -1)
		snprintf(inetd, sizeof inetd, "/usr/sbin/inetd");
	if (access(inetd, X_OK) == -1)
		skip("no inetd is installed");
	if (realpath(relay_path, program) == NULL)
		fail("%s: %s", relay_path, strerror(errno));
	conf = fopen("/dev/conf", "w");
	if (conf == NULL)
		fail("/dev/conf: %s", strerror(errno));
	for (i = 0; i < MISTAKES; i++) {
		fprintf(conf, "%d stream tcp6 nowait root %s", first + i,
		    program);
		for (j = 0; mistakes[i].words[j] != NULL; j++)
			fprintf(conf, " %s", mistakes[i].words[j]);
		fprintf(conf, "\n");
	}
	fclose(conf);
	switch (fork()) {
	case -1:
		fail("fork: %s", strerror(errno));
	case 0:
		/*
		 * With -d, inetd stays in the foreground and prints a lot, here
		 * to a file.
		 */
		dup2(open("/dev/said", O_WRONLY | O_CREAT, 0600), 2);
		execl(inetd, "inetd", "-d", "-i", "/dev/conf", (char *)NULL);
		_exit(127);
	}
}

/* Connect to this port as soon as inetd is listening on it. */
static int
connect_soon(int port)
{
	struct sockaddr_in6 in6;
	int64_t began;
	int fd;

	memset(&in6, 0, sizeof in6);
	in6.sin6_family = AF_INET6;
	in6.sin6_addr = in6addr_loopback;
	in6.sin6_port = htons((in_port_t)port);
	for (began = milliseconds(); milliseconds() - began < SOON;) {
		fd = private_socket(AF_INET6, SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&in6, sizeof in6) == 0)
			return fd;
		close(fd);
		pause_for(10);
	}
	fail("inetd does not listen: %s", strerror(errno));
}

TEST(mistakes_in_inetd, "a mistake in inetd.conf is logged with what to do, and "
    "its client gets RST and not a byte")
{
	enum { FIRST_PORT = 7000 };
	char line[512];
	int client, i, log;

	log = syslog_socket();
	start_inetd(FIRST_PORT);
	for (i = 0; i < MISTAKES; i++) {
		client = connect_soon(FIRST_PORT + i);
		expect_end(client, RST);
		close(client);
		syslog_line(log, line, sizeof line);
		if (strcmp(words_of(line), mistakes[i].line) != 0)
			fail("it logs \"%s\" in place of \"%s\"",
			    words_of(line), mistakes[i].line);
	}
}

/*
 * -h, -V and their other forms.  Standard output is either a pipe or the
 * client's socket.
 */

static int shown;

static void
show_to_pipe(void)
{
	dup2(shown, 1);
}

/*
 * If standard output is a pipe, this option must make the relay print a text
 * that begins with `begins'.  If standard output is the client's socket, the
 * relay must refuse the option.
 */
static void
expect_shown(const char *option, const char *begins)
{
	const char *args[] = { option, NULL };
	struct session t;
	char text[512];
	int end[2];
	ssize_t n;

	relay_setup = NULL;
	begin_without(&t, 1, "", args);
	expect_end(t.fd[CLIENT], RST);
	expect_status(&t, 64);
	relay_stderr(&t.relay, text, sizeof text);
	if (strcmp(words_of(text), "-h, -V: not for a service, whose standard "
	    "output is the client's connection") != 0)
		fail("%s of a service: \"%s\"", option, words_of(text));
	close(t.fd[CLIENT]);
	if (private_pipe(end) == -1)
		fail("pipe: %s", strerror(errno));
	shown = end[1];
	relay_setup = show_to_pipe;
	begin_without(&t, 0, "", args);
	expect_end(t.fd[CLIENT], RST);
	expect_status(&t, 0);
	close(end[1]);
	n = read(end[0], text, sizeof text - 1);
	if (n <= 0 || strncmp(text, begins, strlen(begins)) != 0 ||
	    text[n - 1] != '\n')
		fail("%s prints \"%.*s\"", option, (int)n, text);
	close(end[0]);
}
#define expect_shown(...) FROM(expect_shown, __VA_ARGS__)

TEST(help, "-h, -? and --help print the usage, -V and --version the version, "
    "but never to the client: there they are a mistake")
{
	expect_shown("-h", "usage: stfl-relay [-6hnqVv] ");
	expect_shown("-?", "usage: stfl-relay [-6hnqVv] ");
	expect_shown("--help", "usage: stfl-relay [-6hnqVv] ");
	expect_shown("-V", "stfl-relay 0.");
	expect_shown("--version", "stfl-relay 0.");
}
