#define TEST_LIBRARY
#include "address.h"
#include "peers.h"

#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

void
need_ipv6(void)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int fd;

	len = loopback(&ss, AF_INET6, 0);
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	if ((fd == -1 || bind(fd, (struct sockaddr *)&ss, len) == -1) &&
	    (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
		skip("there is no ::1 here");
	close(fd);
}

static int
bind_on(int family)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int fd;

	if (family == AF_INET6)
		need_ipv6();
	len = loopback(&ss, family, 0);
	fd = socket(family, SOCK_STREAM, 0);
	if (fd == -1 || bind(fd, (struct sockaddr *)&ss, len) == -1)
		fail("bind: %s", strerror(errno));
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

/*
 * On OpenBSD, a SYN gets no RST if a socket is bound to its port but is not
 * listening.  So reserve an IPv6 port by binding an IPv4 socket to it, and an
 * IPv4 port by binding an IPv6 socket to it.
 */
int
refuse_on(int family)
{
#ifdef __linux__
	return bind_on(family);
#else
	return bind_on(family == AF_INET ? AF_INET6 : AF_INET);
#endif
}

int
listen_on(int family)
{
	int fd;

	fd = bind_on(family);
	if (listen(fd, 512) == -1)
		fail("listen: %s", strerror(errno));
	return fd;
}

static int
port_in(const union address *a)
{
	return ntohs(a->sa.sa_family == AF_INET ? a->in.sin_port :
	    a->in6.sin6_port);
}

int
port_of(int fd)
{
	union address a;

	a = own_name(fd);
	return port_in(&a);
}

int
peer_port(int fd)
{
	union address a;

	a = peer_name(fd);
	return port_in(&a);
}

int
connect_to(int family, int port)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int fd, one;

	if (family == AF_INET6)
		need_ipv6();
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

/* Expect RST, even after FIN.  (After FIN, recv(2) does not report RST.) */
void
expect_reset(int fd)
{
	int64_t end;
	socklen_t len;
	int error;

	/* Not every system's poll(2) reports RST. */
	end = milliseconds() + SOON;
	do {
		len = sizeof error;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
			fail("getsockopt: %s", strerror(errno));
	} while (error == 0 && milliseconds() < end && poll(NULL, 0, 1) == 0);
	if (error != ECONNRESET && error != EPIPE)
		fail("%s and not RST", error == 0 ? "nothing" :
		    strerror(error));
}

/*
 * Send until the kernel takes no more bytes.  Returns how many bytes the kernel
 * has taken.
 */
uint64_t
fill(int fd, unsigned stream)
{
	unsigned char buffer[16 * KIB];
	struct pollfd p;
	uint64_t sent;
	ssize_t n;
	size_t i;

	p.fd = fd;
	p.events = POLLOUT;
	/* On NetBSD, send(2) waits for space even with MSG_DONTWAIT. */
	fcntl(fd, F_SETFL, O_NONBLOCK);
	for (sent = 0; poll(&p, 1, FULL) == 1; sent += (uint64_t)n) {
		for (i = 0; i < sizeof buffer; i++)
			buffer[i] = stream_byte(stream, sent + i);
		n = send(fd, buffer, sizeof buffer, 0);
		if (n == -1 && errno == EAGAIN)
			n = 0;
		if (n == -1)
			fail("send: %s", strerror(errno));
	}
	fcntl(fd, F_SETFL, 0);
	return sent;
}

/* The number of bytes that the peer's kernel has not acknowledged. */
uint64_t
unacked(int fd)
{
	int n;

	n = unsent(fd);
	if (n == -1)
		skip("nobody tells what is unsent");
	return (uint64_t)n;
}

int
listen_at(const char *text, int port, int backlog)
{
	union address a;
	int fd;

	a = address(text, port);
	fd = bound_to(&a);
	if (listen(fd, backlog) == -1)
		fail("listen: %s", strerror(errno));
	return fd;
}

int
listen_dual(void)
{
	struct sockaddr_in6 in6;
	int fd, zero;

	memset(&in6, 0, sizeof in6);
	in6.sin6_family = AF_INET6;
	zero = 0;
	fd = private_socket(AF_INET6, SOCK_STREAM, 0);
	if (fd == -1 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero,
	    sizeof zero) == -1 ||
	    bind(fd, (struct sockaddr *)&in6, sizeof in6) == -1 ||
	    listen(fd, 20) == -1)
		skip("no listener for both protocols: %s", strerror(errno));
	return fd;
}

/*
 * Fill the queue of a listener whose backlog is 0.  The listener then answers
 * no SYN until the test accepts the connection that is in the queue (*filler).
 */
void
congest(int listener, int *filler)
{
	struct sockaddr_storage ss;
	struct pollfd p;
	socklen_t len;

	len = sizeof ss;
	getsockname(listener, (struct sockaddr *)&ss, &len);
	*filler = private_socket(ss.ss_family, SOCK_STREAM, 0);
	if (connect(*filler, (struct sockaddr *)&ss, len) == -1)
		fail("connect: %s", strerror(errno));
	p.fd = private_socket(ss.ss_family, SOCK_STREAM, 0);
	fcntl(p.fd, F_SETFL, O_NONBLOCK);
	p.events = POLLOUT;
	(void)connect(p.fd, (struct sockaddr *)&ss, len);
	if (poll(&p, 1, STILL) != 0)
		skip("a listener cannot be made to answer no one");
	close(p.fd);
}

int
blackhole(void)
{
	int filler, listener;

	listener = listen_at(target_host(), 0, 0);
	congest(listener, &filler);
	return listener;
}

/*
 * The bytes of a stream do not repeat with any period, because the period could
 * happen to be the size of a buffer.
 */
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

	got = ending(fd, want == NOTHING ? STILL : SOON);
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

/*
 * If the separate process failed or skipped the test, that process has already
 * said why.
 */
void
expect_done(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) == -1 || WIFSIGNALED(status))
		fail("what ran aside was killed");
	if (status != 0)
		_exit(WEXITSTATUS(status) == SKIPPED ? SKIPPED : 1);
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
	while ((n = unsent(fd)) > 0) {
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
