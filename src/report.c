/*
 * This file ends a session: it closes the sockets, logs the session's line, and
 * chooses the exit status.  It also contains the functions that a step calls to
 * end the session.
 *
 * A log line has the format of RFC 3164, but without the time, which every
 * syslogd adds.  The relay does not use syslog(3), because that function would
 * block as long as syslogd is stuck.
 */

#include "relay.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

/*
 * A stuck syslogd delays our exit by at most this number of milliseconds.  The
 * relay closes both connections first, so no peer has to wait.
 */
enum { LOG_PATIENCE = 5000 };

/*
 * How each end is reported: its name in the log line, the level of that line,
 * the usual exit status (sysexits(3)), and the exit status that applies if the
 * client chose the target.  Nothing that a connected peer does counts as a
 * failure of this process.  A target that cannot be reached does count as a
 * failure, unless the client chose that target.
 */
enum { QUIET = -1 };	/* no line */
static const struct {
	const char *name;
	signed char level, status, chosen;
} ends[] = {
	[END_OPEN] = { "open", LOG_INFO, EX_OK, EX_OK },
	[END_EOF] = { "eof", LOG_INFO, EX_OK, EX_OK },
	[END_CLIENT_RESET] = { "client-reset", LOG_INFO, EX_OK, EX_OK },
	[END_TARGET_RESET] = { "target-reset", LOG_INFO, EX_OK, EX_OK },
	[END_CLIENT_TIMEOUT] = { "client-timeout", LOG_INFO, EX_OK, EX_OK },
	[END_TARGET_TIMEOUT] = { "target-timeout", LOG_INFO, EX_OK, EX_OK },
	[END_IDLE] = { "idle", LOG_INFO, EX_OK, EX_OK },
	[END_HALF_CLOSED] = { "half-closed", LOG_INFO, EX_OK, EX_OK },
	[END_SIGNAL] = { "signal", LOG_INFO, EX_OK, EX_OK },
	[END_REFUSED] = { "refused", LOG_WARNING, EX_UNAVAILABLE, EX_OK },
	[END_UNREACHABLE] = { "unreachable", LOG_WARNING, EX_UNAVAILABLE,
	    EX_OK },
	[END_TIMEOUT] = { "timeout", LOG_WARNING, EX_UNAVAILABLE, EX_OK },
	[END_RESOLVE] = { "resolve", LOG_WARNING, EX_NOHOST, EX_NOHOST },
	[END_LOOP] = { "loop", LOG_WARNING, EX_CONFIG, EX_OK },
	[END_DENIED] = { "denied", LOG_WARNING, EX_CONFIG, EX_OK },
	[END_SYSTEM] = { "error", LOG_WARNING, EX_OSERR, EX_OSERR },
	[END_USAGE] = { "usage", LOG_ERR, EX_USAGE, EX_USAGE },
	[END_GONE] = { "gone", QUIET, EX_OK, EX_OK },
	[END_SHOWN] = { "shown", QUIET, EX_OK, EX_OK }
};

const char usage[] =
    "usage: stfl-relay [-6hnqVv] [-k seconds] [-p 1|2] [-s source[/len]]\n"
    "                  [-T seconds] [-t seconds] [-w seconds] [-x len]\n"
    "                  target[/len] [port]\n";

/*
 * End the session for this reason, unless the session is already over.  Returns
 * -1.
 */
int
over(struct session *s, enum end end, int error)
{
	if (s->end == END_OPEN) {
		s->end = end;
		s->error = error;
	}
	return -1;
}

/*
 * End the session with one line that tells the operator what is wrong.  Returns
 * -1.
 */
int
misused(struct session *s, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(s->words, sizeof s->words, format, ap);
	va_end(ap);
	return over(s, END_USAGE, 0);
}

/*
 * Print this text on standard output.  But if standard output could be the
 * client's connection, report that -h and -V are mistakes in the command line
 * of a service.  Returns -1.
 */
int
shown(struct session *s, const char *text)
{
	if (!s->out)
		return misused(s, "-h, -V: not for a service, whose standard "
		    "output is the client's connection");
	(void)!write(STDOUT_FILENO, text, strlen(text));
	return over(s, END_SHOWN, 0);
}

/*
 * Put the socket to syslogd on descriptor 1.  Put it on descriptor 2 as well,
 * unless 2 leads to the operator.  From then on, only descriptor 0 is the
 * client's connection, so nothing that a library prints by mistake can reach
 * the client.
 *
 * If one of these descriptors were free, the target's socket would get its
 * number.  A target's socket on descriptor 2 would be useless, because a
 * confined session can do nothing with descriptor 2 except write lines to it.
 * If the socket to syslogd cannot be opened, an unconnected socket of the
 * target's family takes its place.  If even that socket cannot be opened, no
 * session is possible anyway, because the target needs a socket of the same
 * family.
 */
int
report_open(struct session *s)
{
	int fd;

	s->log = LOG_USELESS;
	close(STDOUT_FILENO);
	fd = log_open();
	if (fd == -1)
		fd = socket(s->opt.family, SOCK_DGRAM, 0);
	if (fd == STDIN_FILENO) {	/* 0 was closed: no client */
		fd = dup2(fd, STDOUT_FILENO);
		close(STDIN_FILENO);
	}
	if (fd == -1 ||
	    (!s->copy && dup2(STDOUT_FILENO, STDERR_FILENO) == -1))
		return over(s, END_SYSTEM, errno);
	if (log_connect(STDOUT_FILENO) == 0)
		s->log = STDOUT_FILENO;
	return 0;
}

/* True if this descriptor becomes writable within `patience' milliseconds. */
static int
has_room(struct session *s, int fd, int patience)
{
	struct pollfd p;
	int64_t deadline;
	int ready;

	p.fd = fd;
	p.events = POLLOUT;
	deadline = now(s) + patience;
	do
		ready = poll(&p, 1, (int)(deadline - s->now));
	while (ready == -1 && errno == EINTR && now(s) <= deadline);
	return ready == 1 && (p.revents & POLLOUT) != 0;
}

/*
 * Send one line to syslogd, and also to descriptor 2 if the operator should see
 * that line.  For each of these two destinations, wait at most `patience'
 * milliseconds until it has room for the line.  A destination that still has no
 * room does not get the line.
 */
static void
put(struct session *s, int level, const char *text, int patience)
{
	char line[1024 + sizeof usage];
	const char *plain;
	size_t i, len;

	snprintf(line, sizeof line, "<%d>stfl-relay[%ld]: %s\n",
	    LOG_DAEMON | level, (long)getpid(), text);
	len = strlen(line);
	/* A newline in a word of the command line must not make a second line. */
	for (i = 0; i + 1 < len; i++)
		if (iscntrl((unsigned char)line[i]))
			line[i] = '?';
	plain = strchr(line, '>') + 1;
	if (s->log >= 0 && has_room(s, s->log, patience))
		log_send(s->log, line, len - 1);
	if (s->copy && (level < LOG_INFO || s->opt.loudness > 0) &&
	    has_room(s, STDERR_FILENO, patience)) {
		if (level == LOG_ERR)
			memcpy(line + len, usage, sizeof usage);
		/*
		 * If descriptor 2 is a pipe, another process can fill it just
		 * before this write(2).  The call then waits until the alarm
		 * interrupts it.
		 */
		wait_alarm(LOG_PATIENCE / 1000);
		(void)!write(STDERR_FILENO, plain, strlen(plain));
		wait_alarm(0);
	}
}

/* A log line that is being built.  Text that does not fit is cut off. */
struct line {
	char text[960];
	size_t len;
};

static void add(struct line *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static void
add(struct line *line, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(line->text + line->len, sizeof line->text - line->len, format,
	    ap);
	va_end(ap);
	line->len += strlen(line->text + line->len);
}

static void
add_address(struct line *line, const char *key, const union address *a)
{
	char text[ADDRESS_WIDTH];

	if (a->sa.sa_family == AF_UNSPEC)
		return;
	address_print(text, sizeof text, a);
	add(line, "%s=%s ", key, text);
}

static void
put_session(struct session *s, enum end end, int patience)
{
	struct line line;
	int64_t ms;
	int level;

	if (s->log < 0 && !s->copy)
		return;
	level = ends[end].level;
	line.len = 0;
	add_address(&line, "client", &s->client);
	add_address(&line, "local", &s->local);
	if (s->target.sa.sa_family == AF_UNSPEC)
		add(&line, "target=%.255s ", s->opt.target);
	add_address(&line, "target", &s->target);
	add_address(&line, "via", &s->via);
	ms = now(s) - s->began;
	add(&line, "up=%llu down=%llu secs=%lld.%03d end=%s",
	    (unsigned long long)s->flow[CLIENT].bytes,
	    (unsigned long long)s->flow[TARGET].bytes,
	    (long long)(ms / 1000), (int)(ms % 1000), ends[end].name);
	/*
	 * A confined session cannot call strerror(3), so wait_for sets s->words
	 * if an error ends such a session.
	 */
	if (level < LOG_INFO && (s->words[0] != '\0' || s->error != 0))
		add(&line, " error=\"%s\"", s->words[0] != '\0' ? s->words :
		    strerror(s->error));
	if (s->root)
		add(&line, " warning=\"root is not needed\"");
	put(s, level, line.text, patience);
}

/* Log a line about the session so far. */
void
report_line(struct session *s)
{
	put_session(s, END_OPEN, 0);
}

/*
 * Close the sockets first and log the session's line afterwards, so that no
 * peer has to wait for the log.  (But systemd keeps the client's socket open
 * until this process has ended, so there the client gets RST only then.)  If
 * the end is good for both sides, the sockets are closed with FIN, otherwise
 * with RST.  But a side that is gone always gets RST, because its system might
 * still be alive.  Returns the exit status.
 */
int
report_exit(struct session *s)
{
	int level, side;

	for (side = 0; side < SIDES; side++)
		if (s->fd[side] != -1) {
			tcp_abort(s->fd[side], s->end != END_EOF || s->reset ||
			    s->gone == side);
			close(s->fd[side]);
		}

	if (s->log == LOG_UNOPENED && s->end == END_USAGE)
		(void)report_open(s);
	level = ends[s->end].level;
	if (level == LOG_ERR)
		put(s, level, s->words, LOG_PATIENCE);
	else if (level == LOG_WARNING ||
	    (level == LOG_INFO && s->opt.loudness >= 0))
		put_session(s, s->end, LOG_PATIENCE);
	return s->opt.network_len != 0 ? ends[s->end].chosen :
	    ends[s->end].status;
}
