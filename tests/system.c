/*
 * Questions about TCP sockets that systems answer in different ways.  This
 * program finds out how the system that it runs on answers these questions, and
 * prints one line per answer.  A line that begins with "ok" or "not ok" is
 * about something that src/ relies on when it runs on this system (see system.h
 * and tcp_*.c).  A line that begins with "#" is for information only.
 */

#include "../src/relay.h"

#include <sys/ioctl.h>
#include <sys/utsname.h>

#include <arpa/inet.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ask.h"

static char block[1 << 20];	/* too large for the buffers of a connection */

/* Questions about a poll(2) that requests no events. */

static void
ask_fin(void)
{
	int events, fd[2];

	connection(fd);
	shutdown(fd[PEER], SHUT_WR);
	wait_awhile();
	put_events(events = polled(fd[OWN], 0, 0));
	relied("a poll(2) that is asked for nothing does not report FIN",
	    events == 0);
	shutdown(fd[OWN], SHUT_WR);
	wait_awhile();
	put_events(events = polled(fd[OWN], 0, 0));
	told("after FIN both ways, a poll(2) that is asked for nothing "
	    "reports");
	close(fd[PEER]);
	close(fd[OWN]);
}

/*
 * On Linux, poll(2) reports POLLERR for every error that ends a TCP connection,
 * and for some that do not (see tcp_error).
 */
#ifdef __linux__
#define POLLERR_TELLS 1
#else
#define POLLERR_TELLS 0
#endif

/*
 * Call poll(2) before the reset, so that the process is asleep in poll(2) when
 * the reset comes.  Call poll(2) again after the reset.
 */
static void
ask_reset(int half_closed)
{
	const char *question;
	int asleep, awake, fd[2];

	question = half_closed ? "of a reset after FIN, it reports" :
	    "of a reset, a poll(2) that is asked for nothing reports";
	connection(fd);
	if (half_closed)
		shutdown(fd[PEER], SHUT_WR);
	wait_awhile();
	if (fork() == 0) {
		close(fd[OWN]);
		wait_awhile();
		reset_peer(fd);
		_exit(0);
	}
	close(fd[PEER]);
	/*
	 * Wait for a long time, except where poll(2) reports no reset at all.
	 */
	put_events(asleep = polled(fd[OWN], 0, (POLL_BLIND ? 5 : 50) * awhile));
	put(", later");
	put_events(awake = polled(fd[OWN], 0, 0));
	if (POLL_BLIND)
		told(question);
	else
		relied(question, asleep != 0 &&
		    (awake & (POLLERR | POLLHUP)) != 0 &&
		    (!POLLERR_TELLS || (awake & POLLERR) != 0));
	close(fd[OWN]);
}

static void
ask_kqueue(void)
{
#if POLL_BLIND
	struct pollfd p;
	int fd[2];

	connection(fd);
	send(fd[PEER], "x", 1, 0);
	p.fd = fd[OWN];
	p.events = 0;
	put(" bytes %d,", kqueue_poll(&p, 1, awhile));
	reset_peer(fd);
	put(" reset %d", kqueue_poll(&p, 1, 10 * awhile));
	relied("kqueue(2) reports a reset, and does not report bytes",
	    strcmp(answer, " bytes 0, reset 1") == 0);
	close(fd[OWN]);
#endif
}

/*
 * Questions about a socket whose peer has sent one byte and then a reset.  The
 * byte has not been read.
 */

static void
ask_dead(void)
{
	struct sockaddr_in in;
	socklen_t len;
	char byte;
	int error, fd[2], n;

	connection(fd);
	send(fd[PEER], "x", 1, 0);
	wait_awhile();
	reset_peer(fd);
	wait_awhile();
	len = sizeof in;
	n = getsockname(fd[OWN], (struct sockaddr *)&in, &len);
	put_result("getsockname", n);
	len = sizeof in;
	n = getpeername(fd[OWN], (struct sockaddr *)&in, &len);
	put_result("getpeername", n);
	n = 1;
	n = setsockopt(fd[OWN], IPPROTO_TCP, TCP_NODELAY, &n, sizeof n);
	put_result("TCP_NODELAY", n);
	n = ioctl(fd[OWN], FIONREAD, &error) == -1 ? -1 : error;
	put_result("FIONREAD", n);
	told("calls on a connection that was reset");

	len = sizeof error;
	n = getsockopt(fd[OWN], SOL_SOCKET, SO_ERROR, &error, &len);
	put(" %s", strerror(n == -1 ? errno : error));
	relied("SO_ERROR reports the reset", n == 0 && error == ECONNRESET);
	put_result("recv", recv(fd[OWN], &byte, 1, 0));
	relied("a byte that came before the reset can be read",
	    strcmp(answer, " recv: 1;") == 0);
	put_result("recv", recv(fd[OWN], &byte, 1, 0));
	put_result("send", send(fd[OWN], "x", 1, MSG_NOSIGNAL));
	put_result("shutdown", shutdown(fd[OWN], SHUT_WR));
	told("after that");
	close(fd[OWN]);
}

/* Is FIN reported while a byte before it is still unread? */
static void
ask_had_fin(void)
{
	int fd[2], before;

	connection(fd);
	send(fd[PEER], "x", 1, 0);
	wait_awhile();
	before = tcp_had_fin(fd[OWN], 0);
	shutdown(fd[PEER], SHUT_WR);
	wait_awhile();
	put(" %d, then %d", before, tcp_had_fin(fd[OWN], 0));
	relied("FIN after unread bytes is reported",
	    strcmp(answer, " 0, then 1") == 0);
	close(fd[PEER]);
	close(fd[OWN]);
}

/* Read without calling poll(2) first. */
static void
ask_reading(int finished)
{
	char byte;
	int fd[2];

	connection(fd);
	send(fd[PEER], "x", 1, 0);
	if (finished)
		shutdown(fd[PEER], SHUT_WR);
	wait_awhile();
	reset_peer(fd);
	wait_awhile();
	put_result("recv", recv(fd[OWN], &byte, 1, 0));
	put_result("again", recv(fd[OWN], &byte, 1, 0));
	put_result("again", recv(fd[OWN], &byte, 1, 0));
	told(finished ? "a byte, FIN and a reset are read as" :
	    "a byte and a reset are read as");
	close(fd[OWN]);
}

static void
ask_abort(void)
{
	char byte;
	int fd[2];

	connection(fd);
	reset_peer(fd);
	wait_awhile();
	put_result("recv", recv(fd[OWN], &byte, 1, 0));
	relied("close(2) with SO_LINGER 0 is a reset", errno == ECONNRESET);
	close(fd[OWN]);

	/* KEEP_OPTIONS has an effect only while bytes are in flight. */
	connection(fd);
	(void)KEEP_OPTIONS(fd[OWN]);
	(void)send(fd[OWN], block, sizeof block, 0);
	shutdown(fd[PEER], SHUT_WR);
	shutdown(fd[OWN], SHUT_WR);
	wait_awhile();
	put_result("SO_LINGER", setsockopt(fd[OWN], SOL_SOCKET, SO_LINGER,
	    &(struct linger){ 0, 0 }, sizeof(struct linger)));
	relied("that can be undone after FIN both ways",
	    strcmp(answer, " SO_LINGER: 0;") == 0);
	close(fd[PEER]);
	close(fd[OWN]);
}

/* Questions about the number of bytes that are not yet acknowledged. */

static void
ask_unsent(void)
{
	int all, fd[2], n, taken;

	connection(fd);
	taken = (int)send(fd[OWN], block, sizeof block, 0);
	wait_awhile();
	n = tcp_unsent(fd[OWN]);
	put(" %d of %d", n, taken);
	all = ioctl(fd[PEER], FIONREAD, &all) == -1 ? -1 : all;
	put(", and %d have come", all);
#ifdef __sun
	told("bytes that a peer has not acknowledged are counted");
#else
	relied("bytes that a peer has not acknowledged are counted",
	    n >= 0 && n <= taken && n + all >= taken);
#endif
	shutdown(fd[OWN], SHUT_WR);
	put(" %d", tcp_unsent(fd[OWN]) - n);
	told("FIN counts among them as");
	reset_peer(fd);
	wait_awhile();
	put(" %d", tcp_unsent(fd[OWN]));
	if (DEAD_TELLS)
		relied("after a reset they are still counted",
		    tcp_unsent(fd[OWN]) >= n);
	else
		told("after a reset the count is");
	close(fd[OWN]);
}

/* Send these bytes.  A ! is not sent, but makes the next byte urgent. */

static void
send_marked(int fd, const char *bytes)
{
	int mark;

	for (mark = 0; *bytes != '\0'; bytes++) {
		if (*bytes != '!')
			send(fd, bytes, 1, mark ? MSG_OOB : 0);
		mark = *bytes == '!';
	}
	wait_awhile();
}

/* Read all bytes and print them, with a ! before a byte at the urgent mark. */
static void
put_marked(int fd)
{
	char byte;
	int mark;

	put(" ");
	for (;;) {
		mark = sockatmark(fd) == 1;
		if (recv(fd, &byte, 1, 0) != 1)
			break;
		put("%s%c", mark ? "!" : "", byte);
	}
}

static void
ask_urgent(void)
{
	int fd[2], one;

	one = 1;
	connection(fd);
	setsockopt(fd[OWN], SOL_SOCKET, SO_OOBINLINE, &one, sizeof one);
	send_marked(fd[PEER], "a!bc");
	put_events(polled(fd[OWN], POLLPRI, 0));
	put(",");
	put_marked(fd[OWN]);
	relied("an urgent byte with SO_OOBINLINE, and its mark",
	    strstr(answer, " a!bc") != NULL);
	close(fd[PEER]);
	close(fd[OWN]);

	connection(fd);
	send_marked(fd[PEER], "a!bc");
	setsockopt(fd[OWN], SOL_SOCKET, SO_OOBINLINE, &one, sizeof one);
	put_marked(fd[OWN]);
	told("one that came before SO_OOBINLINE was set");
	close(fd[PEER]);
	close(fd[OWN]);
}

/*
 * Read as a session does.  The peer sends the bytes in `before' before the
 * session begins, and the bytes in `after' later.
 */
static void
ask_early(const char *before, const char *after)
{
	static const char question[] = "an early urgent byte, as a session "
	    "reads it";
	char want[10];
	int early, fd[2], i, one, revents;
	char byte;
	ssize_t n;

	one = 1;
	connection(fd);
	send_marked(fd[PEER], before);
	setsockopt(fd[OWN], SOL_SOCKET, SO_OOBINLINE, &one, sizeof one);
	early = tcp_early(fd[OWN]);
	send_marked(fd[PEER], after);
	put(" ");
	for (i = 0; i < 5; i++) {
		revents = polled(fd[OWN], tcp_awaited(early), 0);
		if (revents == 0 && !tcp_due(fd[OWN], early))
			break;
		if (tcp_at_mark(fd[OWN], revents, &early)) {
			put("!");
			n = tcp_take_urgent(fd[OWN], &byte, &early);
		} else {
			n = recv(fd[OWN], &byte, 1, 0);
		}
		if (n == 1)
			put("%c", byte);
	}
	snprintf(want, sizeof want, " %s%s", before, after);
	relied(question, strcmp(answer, want) == 0);
	close(fd[PEER]);
	close(fd[OWN]);
}

static void
ask_keepalive(void)
{
	static const struct {
		const char *name;
		int option;
	} options[] = {
		{ "TCP_KEEPIDLE", TCP_KEEPIDLE },
		{ "TCP_KEEPINTVL", TCP_KEEPINTVL },
		{ "TCP_KEEPCNT", TCP_KEEPCNT }
	};
	size_t i;
	int fd[2], n;

	connection(fd);
	for (i = 0; i < sizeof options / sizeof options[0]; i++) {
		n = 4;
		put_result(options[i].name, setsockopt(fd[OWN], IPPROTO_TCP,
		    options[i].option, &n, sizeof n));
	}
	told("the times of keepalive can be set");
	close(fd[PEER]);
	close(fd[OWN]);
}

/*
 * The tests need to know how a port on loopback refuses a connection, and
 * whether loopback has 127.0.0.2.
 */
static void
ask_loopback(void)
{
	struct sockaddr_in in;
	socklen_t len;
	int bound, fd;

	memset(&in, 0, sizeof in);
	in.sin_family = AF_INET;
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bound = socket(AF_INET, SOCK_STREAM, 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	len = sizeof in;
	if (bind(bound, (struct sockaddr *)&in, sizeof in) == -1 ||
	    getsockname(bound, (struct sockaddr *)&in, &len) == -1)
		give_up("bind");
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (connect(fd, (struct sockaddr *)&in, sizeof in) == -1 &&
	    errno == EINPROGRESS) {
		put_events(polled(fd, POLLOUT, 5 * awhile));
		len = sizeof errno;
		(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &errno, &len);
	}
	put(" %s", strerror(errno));
	told("a port that is bound and does not listen");
	close(fd);
	close(bound);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	in.sin_port = 0;
	put_result("bind", bind(fd, (struct sockaddr *)&in, sizeof in));
	told("127.0.0.2");
	close(fd);
}

int
main(void)
{
	struct utsname name;
	const char *slow;

	slow = getenv("TEST_SLOW");
	if (slow != NULL && atoi(slow) > 1)
		awhile *= atoi(slow);
	if (uname(&name) != -1)
		printf("# %s %s, %s\n", name.sysname, name.release,
		    name.machine);
	ask_fin();
	ask_reset(0);
	ask_reset(1);
	ask_kqueue();
	ask_dead();
	ask_had_fin();
	ask_reading(0);
	ask_reading(1);
	ask_abort();
	ask_unsent();
	ask_urgent();
	ask_early("a!bc", "");
	ask_early("!b", "c");
	ask_early("a!b", "");
#ifndef __linux__	/* on Linux, a newer urgent byte moves the mark */
	ask_early("!a", "!bc");
#endif
	ask_keepalive();
	ask_loopback();
	return failed;
}
