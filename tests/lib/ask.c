/* How tests/system asks questions and prints the answers: see ask.h. */

#include "ask.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int awhile = 200;

int failed;

char answer[ANSWER];

void
put(const char *format, ...)
{
	va_list ap;
	size_t n;

	n = strlen(answer);
	va_start(ap, format);
	vsnprintf(answer + n, sizeof answer - n, format, ap);
	va_end(ap);
}

void
relied(const char *question, int true)
{
	printf("%s - %s:%s\n", true ? "ok" : "not ok", question, answer);
	failed |= !true;
	answer[0] = '\0';
}

void
told(const char *question)
{
	printf("# %s:%s\n", question, answer);
	answer[0] = '\0';
}

void
give_up(const char *what)
{
	printf("not ok - %s: %s\n", what, strerror(errno));
	exit(1);
}

void
wait_awhile(void)
{
	(void)poll(NULL, 0, awhile);
}

void
connection(int fd[2])
{
	struct sockaddr_in in;
	socklen_t len;
	int listener;

	memset(&in, 0, sizeof in);
	in.sin_family = AF_INET;
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	len = sizeof in;
	listener = socket(AF_INET, SOCK_STREAM, 0);
	fd[PEER] = socket(AF_INET, SOCK_STREAM, 0);
	if (listener == -1 || fd[PEER] == -1 ||
	    bind(listener, (struct sockaddr *)&in, sizeof in) == -1 ||
	    listen(listener, 5) == -1 ||
	    getsockname(listener, (struct sockaddr *)&in, &len) == -1 ||
	    connect(fd[PEER], (struct sockaddr *)&in, sizeof in) == -1 ||
	    (fd[OWN] = accept(listener, NULL, NULL)) == -1)
		give_up("a connection");
	close(listener);
	fcntl(fd[OWN], F_SETFL, O_NONBLOCK);
}

void
reset_peer(int fd[2])
{
	struct linger linger;

	linger.l_onoff = 1;
	linger.l_linger = 0;
	setsockopt(fd[PEER], SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	close(fd[PEER]);
}

void
put_events(int events)
{
	static const struct {
		int bit;
		const char *name;
	} names[] = {
		{ POLLIN, "IN" }, { POLLPRI, "PRI" }, { POLLOUT, "OUT" },
		{ POLLERR, "ERR" }, { POLLHUP, "HUP" }, { POLLNVAL, "NVAL" }
	};
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if ((events & names[i].bit) != 0)
			put(" POLL%s", names[i].name);
	if (events == 0)
		put(" nothing");
}

int
polled(int fd, int events, int ms)
{
	struct pollfd p;

	p.fd = fd;
	p.events = (short)events;
	p.revents = 0;
	(void)poll(&p, 1, ms);
	return p.revents;
}

void
put_result(const char *call, ssize_t n)
{
	if (n == -1)
		put(" %s: %s;", call, strerror(errno));
	else
		put(" %s: %zd;", call, n);
}
