/*
 * A web server that speaks only IPv4, and a client that speaks only IPv6, for
 * the demo.
 *
 * webserver [-n requests]: listens on 127.0.0.1 and prints the port.  When a
 * client comes, it prints the client's address and port.  With -n, it ends
 * after this number of requests.
 *
 * webserver -f port seconds: fetches / from this port of ::1 and prints all
 * that arrives.  It fails if that takes longer than this number of seconds.  If
 * it fails, it says why on standard error, and its exit status is 1.
 */

#define TEST_LIBRARY	/* makes fail() print no line number */
#include "../lib/peers.h"

#include <arpa/inet.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Read a request up to its empty line.  Returns 0 if no empty line comes. */
static int
request(int fd)
{
	char text[8192];
	ssize_t n;
	size_t got;

	for (got = 0; got < sizeof text - 1; got += (size_t)n) {
		text[got] = '\0';
		if (strstr(text, "\r\n\r\n") != NULL)
			return 1;
		if (!readable(fd, SOON))
			return 0;
		n = recv(fd, text + got, sizeof text - 1 - got, 0);
		if (n <= 0)
			return 0;
	}
	return 0;
}

static void
serve(int fd, const char *client)
{
	char page[256], answer[512];
	int n;

	if (!request(fd))
		return;
	snprintf(page, sizeof page,
	    "Hello from a web server that speaks only IPv4.\n"
	    "Your address, as it sees you, is %s.\n", client);
	n = snprintf(answer, sizeof answer, "HTTP/1.0 200 OK\r\n"
	    "Content-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s",
	    strlen(page), page);
	/*
	 * If send(2) fails, the client has left and does not need the answer.
	 */
	(void)send(fd, answer, (size_t)n, MSG_NOSIGNAL);
}

static int
server(long requests)
{
	struct sockaddr_in sin;
	socklen_t len;
	char address[INET_ADDRSTRLEN], client[INET_ADDRSTRLEN + 8];
	int fd, listener;

	listener = listen_on(AF_INET);
	printf("%d\n", port_of(listener));
	fflush(stdout);
	while (requests == -1 || requests-- > 0) {
		len = sizeof sin;
		fd = accept(listener, (struct sockaddr *)&sin, &len);
		if (fd == -1)
			fail("webserver: accept: %s\n", strerror(errno));
		inet_ntop(AF_INET, &sin.sin_addr, address, sizeof address);
		snprintf(client, sizeof client, "%s:%u", address,
		    (unsigned)ntohs(sin.sin_port));
		printf("%s\n", client);
		fflush(stdout);
		serve(fd, client);
		close(fd);
	}
	return 0;
}

static int
fetch(int port, int seconds)
{
	char text[65536];
	int64_t deadline, left;
	ssize_t n;
	int fd;

	deadline = milliseconds() + seconds * 1000;
	alarm((unsigned)seconds + 1);	/* ends connect(2) if it hangs */
	fd = connect_to(AF_INET6, port);
	n = snprintf(text, sizeof text,
	    "GET / HTTP/1.0\r\nHost: [::1]:%d\r\n\r\n", port);
	if (send(fd, text, (size_t)n, MSG_NOSIGNAL) == -1)
		fail("%s", strerror(errno));
	do {
		left = deadline - milliseconds();
		if (left < 0 || !readable(fd, (int)left)) {
			/*
			 * Send RST, because FIN would not stop a peer that is
			 * still waiting for bytes.
			 */
			reset_now(&fd);
			fail("no end within %d seconds", seconds);
		}
		n = recv(fd, text, sizeof text, 0);
		if (n == -1)
			fail("%s", strerror(errno));
	} while (n > 0 && write(STDOUT_FILENO, text, (size_t)n) == n);
	return n != 0;
}

/* Read a decimal number from `least' to 65535.  Anything else is an error. */
static int
number(const char *text, long least)
{
	char *end;
	long n;

	n = strtol(text, &end, 10);
	if (end == text || *end != '\0' || n < least || n > 65535)
		fail("webserver: %s: not a number from %ld to 65535\n", text,
		    least);
	return (int)n;
}

int
main(int argc, char *argv[])
{
	if (argc == 4 && strcmp(argv[1], "-f") == 0)
		return fetch(number(argv[2], 1), number(argv[3], 1));
	if (argc == 3 && strcmp(argv[1], "-n") == 0)
		return server(number(argv[2], 0));
	if (argc == 1)
		return server(-1);
	fail("usage: webserver [-n requests] | -f port seconds\n");
}
