/*
 * Connect to the target, within the limit and for as long as the client stays.
 */

#include "relay.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/*
 * Wait until connected, refused, or the deadline; give an errno, 0 when
 * connected, and the address that the target sees.  -1: the session is over,
 * because the client left or a signal came.  The client may send and half-close
 * in the meantime; that is left to the pump.
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
	/* Ask now: after a reset the BSDs no longer know it. */
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
	} while (fds[TARGET].revents == 0);
	s->via = own;
	return tcp_error(s->fd[TARGET], fds[TARGET].revents);
}

/* The end that an errno of a failed connect stands for. */
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
 * Every port from this address to the target is taken; without -s, from the one
 * that the system chooses.  Gives an errno.
 */
static int
no_port(struct session *s, const union address *source)
{
	char host[ADDRESS_WIDTH];

	host[0] = '\0';
	if (source->sa.sa_family != AF_UNSPEC)
		address_host(host, sizeof host, source);
	snprintf(s->words, sizeof s->words, "no port is left%s%s to this target"
	    "%s", *host == '\0' ? "" : " from ", host,
	    s->opt.family == AF_INET6 ? "" :
	    "; -s with a network has as many for each of its addresses");
	return EADDRINUSE;
}

/* -s has failed, and strerror(3) would not say how.  Gives the errno. */
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

/* Connect from the address that -s says.  Gives an errno, 0 when done. */
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
	/* Some systems bind to multicast, and no answer ever comes back. */
	if (source->sa.sa_family == AF_INET &&
	    IN_MULTICAST(ntohl(source->in.sin_addr.s_addr)))
		return no_source(s, source, EADDRNOTAVAIL);
	/*
	 * Let connect(2) choose the port, because it knows the target: bind(2)
	 * would use one up for all targets, as kernels before 4.2 do.
	 */
	(void)setsockopt(s->fd[TARGET], IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT,
	    &yes, sizeof yes);
	if (bind(s->fd[TARGET], &source->sa, address_size(source)) == -1)
		return no_source(s, source, errno);
	return 0;
}

/* A socket for the target, at the address of -s.  Gives an errno, or 0. */
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

/* The connection stands: is it what it should be?  Gives an errno, or 0. */
static int
verify(struct session *s, const union address *source)
{
	/* Linux binds to a broadcast address, and connects from another. */
	if (source->sa.sa_family == AF_INET && s->via.sa.sa_family == AF_INET &&
	    source->in.sin_addr.s_addr != s->via.in.sin_addr.s_addr)
		return no_source(s, source, EADDRNOTAVAIL);
	/*
	 * Nobody listens on a local port, and the system has chosen that very
	 * port for us: TCP connects it to itself (RFC 9293, 3.5).
	 */
	return address_equal(&s->via, &s->target) ? ECONNREFUSED : 0;
}

/* Open, connect, verify.  Gives an errno, 0, or -1 when the session is over. */
static int
attempt(struct session *s, const union address *to, int64_t deadline)
{
	union address source;
	int error;

	s->target = *to;
	s->words[0] = '\0';
	source.sa.sa_family = AF_UNSPEC;
	error = open_socket(s, to->sa.sa_family, &source);
	if (error != 0)
		return error;
	error = connect_within(s, to, deadline);
	/*
	 * What systems say when no port is left; to IPv6 also when this host
	 * has no address.
	 */
	if (error == EADDRNOTAVAIL &&
	    (source.sa.sa_family != AF_UNSPEC || to->sa.sa_family == AF_INET))
		error = no_port(s, &source);
	/* A listener is there, and has sent RST: bytes may have come before. */
	if (error == ECONNRESET || error == EPIPE) {
		s->gone_early = error;
		error = 0;
	}
	return error != 0 ? error : verify(s, &source);
}

/*
 * Try the targets in order.  Each gets an equal share of what is left of -w,
 * so that one that is silent leaves time for the next.  The end says how the
 * last one failed.
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
