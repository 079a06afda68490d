/*
 * Connect to the target, unless the deadline that -w sets passes or the client
 * leaves first.
 */

#include "relay.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/*
 * Connect, and wait until the attempt has succeeded or failed, but not beyond
 * the deadline.  Returns 0 or an errno, or -1 if the session is over, for
 * example because the client left or a signal came.  After success, s->via is
 * the address that the target sees.  Bytes and FIN from the client are not read
 * here: the pump will read them.
 */
static int
connect_within(struct session *s, const union address *to, int64_t deadline)
{
	struct pollfd fds[SIDES];
	union address own;
	socklen_t len;
	int error, ready;

	error = connect(s->fd[TARGET], &to->sa, address_size(to)) == -1 ?
	    errno : 0;
	/* Get our address now, because the BSDs forget it after a reset. */
	len = sizeof own;
	if (getsockname(s->fd[TARGET], &own.sa, &len) == -1)
		own.sa.sa_family = AF_UNSPEC;
	if (error != EINPROGRESS) {
		s->via = own;
		return error;
	}
	fds[CLIENT].fd = s->fd[CLIENT];
	fds[CLIENT].events = 0;
	fds[TARGET].fd = s->fd[TARGET];
	fds[TARGET].events = POLLOUT;
	do {
		ready = wait_for(s, fds, SIDES, deadline);
		if (ready == -1)
			return -1;
		if (ready == 0)
			return ETIMEDOUT;
		if (fds[TARGET].revents == 0 && client_left(&fds[CLIENT]))
			return over(s, END_CLIENT_RESET, 0);
		/*
		 * If ICMP comes while connect(2) is still running, Linux
		 * reports POLLERR alone, and the attempt goes on.
		 */
		error = tcp_error(s->fd[TARGET], fds[TARGET].revents);
	} while (error == 0 &&
	    (fds[TARGET].revents & (POLLOUT | POLLHUP)) == 0);
	s->via = own;
	return error;
}

/*
 * Returns the reason why the session ends if connecting failed with this errno.
 */
static enum end
failure(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return END_REFUSED;
	case ETIMEDOUT:
		return END_TIMEOUT;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return END_SYSTEM;
	default:
		return END_UNREACHABLE;
	}
}

/*
 * Say in s->words that this address has no free port for a connection to the
 * target.  Without -s, the errno of connect(2) can also mean that this host has
 * no address of the target's family.  Returns the errno to report.
 */
static int
no_port(struct session *s, const union address *source)
{
	char host[ADDRESS_WIDTH];
	const char *cure;

	cure = s->opt.family == AF_INET6 ? "" :
	    s->opt.source_len != 0 ? "; a larger network has more" :
	    "; -s with a network has as many for each of its addresses";
	if (source->sa.sa_family == AF_UNSPEC) {
		snprintf(s->words, sizeof s->words, "no port is left to this "
		    "target, or this host has no %s address%s",
		    s->opt.family == AF_INET6 ? "IPv6" : "IPv4", cure);
		return EADDRNOTAVAIL;
	}
	address_host(host, sizeof host, source);
	snprintf(s->words, sizeof s->words, "no port is left from %s to this "
	    "target%s", host, cure);
	return EADDRINUSE;
}

/*
 * Called if the address that -s gives could not be used.  If strerror(3) would
 * mislead, this function puts the reason into s->words.  Returns the errno.
 */
static int
no_source(struct session *s, const union address *source, int error)
{
	char host[ADDRESS_WIDTH];

	if (error == EADDRINUSE)
		return no_port(s, source);
	address_host(host, sizeof host, source);
	if (error == EADDRNOTAVAIL)
		snprintf(s->words, sizeof s->words,
		    "%s is not an address of this host", host);
	return error;
}

/* Bind to the address that -s gives.  Returns 0 or an errno. */
static int
bind_source(struct session *s, union address *source)
{
	const int yes = 1;

	*source = s->opt.source;
	if (source->sa.sa_family == AF_UNSPEC)
		return 0;
	if (s->opt.source_len != 0)
		source->in.sin_addr = source_of(&s->client,
		    source->in.sin_addr, s->opt.source_len);
	/*
	 * Some systems let a socket bind to a multicast address, but then no
	 * answer reaches it.
	 */
	if (source->sa.sa_family == AF_INET &&
	    IN_MULTICAST(ntohl(source->in.sin_addr.s_addr)))
		return no_source(s, source, EADDRNOTAVAIL);
	/*
	 * Let connect(2) choose the port, because connect(2) knows the target.
	 * If bind(2) chose the port, as it does before Linux 4.2, no other
	 * connection could use that port, not even to a different target.
	 */
	(void)setsockopt(s->fd[TARGET], IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT,
	    &yes, sizeof yes);
	if (bind(s->fd[TARGET], &source->sa, address_size(source)) == -1)
		return no_source(s, source, errno);
	return 0;
}

/* Open a socket for the target, bound as -s says.  Returns 0 or an errno. */
static int
open_socket(struct session *s, int family, union address *source)
{
	s->fd[TARGET] = socket(family, SOCK_STREAM, 0);
	if (s->fd[TARGET] == -1 ||
	    tcp_prepare(s->fd[TARGET], s->opt.keepalive) == -1)
		return errno;
	tcp_abort(s->fd[TARGET], 1);
	return bind_source(s, source);
}

/* Check the addresses of the new connection.  Returns 0 or an errno. */
static int
verify(struct session *s, const union address *source)
{
	/*
	 * Linux lets a socket bind to a broadcast address, but then connects
	 * from a different one.
	 */
	if (source->sa.sa_family == AF_INET && s->via.sa.sa_family == AF_INET &&
	    source->in.sin_addr.s_addr != s->via.in.sin_addr.s_addr)
		return no_source(s, source, EADDRNOTAVAIL);
	/*
	 * If the target is a local port on which nothing listens, the system
	 * can choose that very port for our end.  Then TCP connects the socket
	 * to itself (RFC 9293, 3.5).
	 */
	return address_equal(&s->via, &s->target) ? ECONNREFUSED : 0;
}

/* Try one target.  Returns 0, an errno, or -1 if the session is over. */
static int
attempt(struct session *s, const union address *to, int64_t deadline)
{
	union address source;
	int error;

	s->target = *to;
	s->words[0] = '\0';
	s->gone_early = 0;
	source.sa.sa_family = AF_UNSPEC;
	error = open_socket(s, to->sa.sa_family, &source);
	if (error != 0)
		return error;
	error = connect_within(s, to, deadline);
	if (error == EADDRNOTAVAIL)
		error = no_port(s, &source);
	/*
	 * These errors mean that the target accepted the connection and then
	 * sent RST.  If the target sent bytes before RST, the pump passes them
	 * on.
	 */
	if (error == ECONNRESET || error == EPIPE) {
		s->gone_early = error;
		error = 0;
	}
	return error != 0 ? error : verify(s, &source);
}

/*
 * Try the targets in order.  Each attempt gets the time that is left until the
 * deadline (-w), divided by the number of targets that are left.  So a silent
 * target leaves time for the next one.  If all attempts fail, the errno of the
 * last attempt decides how the session ends.
 */
int
dial(struct session *s)
{
	size_t i;
	int error;

	error = ETIMEDOUT;
	for (i = 0; i < s->ntargets; i++) {
		error = attempt(s, &s->targets[i], s->now +
		    (s->deadline - s->now) / (int64_t)(s->ntargets - i));
		if (error == 0) {
			if (s->opt.loudness > 0)
				report_line(s);
			return 0;
		}
		if (s->fd[TARGET] != -1)
			close(s->fd[TARGET]);
		s->fd[TARGET] = -1;
		s->via.sa.sa_family = AF_UNSPEC;
		if (error == -1)
			return -1;
	}
	return over(s, failure(error), error);
}
