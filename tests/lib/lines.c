/* Checks a relay's log lines, and how the relay ends. */

#define TEST_LIBRARY
#include "address.h"
#include "relay.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Write key=address:port, as in the log. */
static size_t
put_name(char *to, size_t size, const char *key, const union address *a)
{
	return (size_t)snprintf(to, size, "%s=%s ", key, address_text(a));
}

/* Set the addresses that the relay's lines must give: see relay.h. */
void
put_names(struct session *t, const char *target)
{
	union address client, local, via, own;
	char words[100];
	size_t n, size;

	/*
	 * Copy `target', because put_name calls address_text, which may
	 * overwrite the text.
	 */
	snprintf(words, sizeof words, "%s", target == NULL ? "" : target);
	size = sizeof t->addresses;
	client = own_name(t->fd[CLIENT]);
	local = peer_name(t->fd[CLIENT]);
	n = put_name(t->addresses, size, "client", &client);
	n += put_name(t->addresses + n, size - n, "local", &local);
	if (target != NULL) {
		snprintf(t->addresses + n, size - n, "target=%s ", words);
		return;
	}
	own = own_name(t->fd[TARGET]);
	via = peer_name(t->fd[TARGET]);
	n += put_name(t->addresses + n, size - n, "target", &own);
	put_name(t->addresses + n, size - n, "via", &via);
}

/*
 * `line' is the last part of a log line.  True if that part is equal to `end'.
 * A * at the end of `end' matches any text.
 */
static int
ends_with(const char *line, const char *end)
{
	size_t len;

	len = strlen(end);
	if (end[len - 1] == '*')
		return strncmp(line, end, len - 1) == 0;
	return strcmp(line, end) == 0;
}

/*
 * If root started the session, each of its log lines ends with a warning.  Cut
 * the warning off.  True if there was one.
 */
int
cut_warning(char *line)
{
	static const char warning[] = " warning=\"root is not needed\"";
	size_t len;

	len = strlen(line);
	if (len < sizeof warning || strcmp(line +
	    len - (sizeof warning - 1), warning) != 0)
		return 0;
	line[len - (sizeof warning - 1)] = '\0';
	return 1;
}

/* Check a log line.  Returns its value of secs=, in milliseconds. */
int64_t
check_line(char *line, const struct session *t, const char *end, uint64_t up,
    uint64_t down)
{
	static const char digits[] = "0123456789";
	char want[600];
	const char *p;
	size_t len;

	if (cut_warning(line) != (geteuid() == 0))
		fail("logged \"%s\", %s root", line,
		    geteuid() == 0 ? "as" : "not as");
	len = (size_t)snprintf(want, sizeof want,
	    "stfl-relay[%ld]: %sup=%llu down=%llu secs=", (long)t->pid,
	    t->addresses, (unsigned long long)up, (unsigned long long)down);
	p = line + len;
	if (strncmp(line, want, len) != 0 || strspn(p, digits) == 0)
		fail("logged \"%s\" and not \"%s\"", line, want);
	p += strspn(p, digits);
	if (*p != '.' || strspn(p + 1, digits) != 3 ||
	    strncmp(p + 4, " end=", 5) != 0 || !ends_with(p + 9, end))
		fail("logged \"%s\" and not end=%s", line, end);
	return atol(line + len) * 1000L + atol(p + 1);
}

void
read_line(int fd, char *line, size_t size)
{
	size_t n;

	for (n = 0; n < size - 1; n++) {
		if (!readable(fd, SOON))
			fail("no line is logged");
		if (read(fd, line + n, 1) != 1)
			fail("a line is missing in the log");
		if (line[n] == '\n')
			break;
	}
	line[n] = '\0';
}

void
syslog_line(int fd, char *line, size_t size)
{
	ssize_t n;

	if (!readable(fd, SOON))
		fail("nothing comes to syslogd");
	n = recv(fd, line, size - 1, 0);
	if (n == -1)
		fail("syslogd's socket: %s", strerror(errno));
	line[n] = '\0';
}

int64_t
expect_line(const struct session *t, const char *end, uint64_t up,
    uint64_t down)
{
	char line[1024];

	read_line(t->relay.err, line, sizeof line);
	return check_line(line, t, end, up, down);
}

void
expect_status(struct session *t, int want)
{
	int got;

	got = relay_status(&t->relay, SOON);
	if (got != want)
		fail("exit status %d and not %d", got, want);
}

/*
 * Expect that the relay ends with this status, and that its last line has these
 * values of end=, up= and down=.
 */
void
expect_exit(struct session *t, int status, const char *end, uint64_t up,
    uint64_t down)
{
	char rest[64];

	expect_status(t, status);
	expect_line(t, end, up, down);
	relay_stderr(&t->relay, rest, sizeof rest);
	if (rest[0] != '\0')
		fail("logged more: %s", rest);
}

/*
 * Expect that the relay ends with status 0, and that its last line counts
 * `sent' bytes from this side and `back' bytes to this side.
 */
void
expect_over(struct session *t, int side, const char *end, uint64_t sent,
    uint64_t back)
{
	expect_exit(t, 0, end, side == CLIENT ? sent : back,
	    side == CLIENT ? back : sent);
}
