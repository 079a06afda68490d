#define TEST_LIBRARY
#include "address.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

union address
address(const char *text, int port)
{
	union address a;
	char host[64];
	char *scope;

	memset(&a, 0, sizeof a);
	if (inet_pton(AF_INET, text, &a.in.sin_addr) == 1) {
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons((in_port_t)port);
		return a;
	}
	snprintf(host, sizeof host, "%s", text);
	scope = strchr(host, '%');
	if (scope != NULL) {
		*scope = '\0';
		a.in6.sin6_scope_id = if_nametoindex(scope + 1);
	}
	if (inet_pton(AF_INET6, host, &a.in6.sin6_addr) != 1)
		fail("%s is no address", text);
	a.in6.sin6_family = AF_INET6;
	a.in6.sin6_port = htons((in_port_t)port);
	return a;
}

socklen_t
address_size(const union address *a)
{
	return a->sa.sa_family == AF_INET ? sizeof a->in : sizeof a->in6;
}

const char *
host_text(const union address *a)
{
	static char text[INET6_ADDRSTRLEN];

	if (a->sa.sa_family == AF_INET)
		inet_ntop(AF_INET, &a->in.sin_addr, text, sizeof text);
	else
		inet_ntop(AF_INET6, &a->in6.sin6_addr, text, sizeof text);
	return text;
}

const char *
address_text(const union address *a)
{
	static char text[INET6_ADDRSTRLEN + 32];

	if (a->sa.sa_family == AF_INET)
		snprintf(text, sizeof text, "%s:%d", host_text(a),
		    ntohs(a->in.sin_port));
	else if (a->in6.sin6_scope_id != 0)
		snprintf(text, sizeof text, "[%s%%%u]:%d", host_text(a),
		    (unsigned)a->in6.sin6_scope_id, ntohs(a->in6.sin6_port));
	else
		snprintf(text, sizeof text, "[%s]:%d", host_text(a),
		    ntohs(a->in6.sin6_port));
	return text;
}

union address
own_name(int fd)
{
	union address a;
	socklen_t len;

	memset(&a, 0, sizeof a);
	len = sizeof a;
	if (getsockname(fd, &a.sa, &len) == -1)
		fail("getsockname: %s", strerror(errno));
	return a;
}

union address
peer_name(int fd)
{
	union address a;
	socklen_t len;

	memset(&a, 0, sizeof a);
	len = sizeof a;
	if (getpeername(fd, &a.sa, &len) == -1)
		fail("getpeername: %s", strerror(errno));
	return a;
}

int
bound_to(const union address *a)
{
	int fd, is_loopback, one, zero;

	one = 1;
	zero = 0;
	is_loopback = a->sa.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
	fd = private_socket(a->sa.sa_family, SOCK_STREAM, 0);
	if (fd == -1 && errno == EAFNOSUPPORT)
		skip("no IPv6");
	if (fd == -1)
		fail("socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (a->sa.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
	if (bind(fd, &a->sa, address_size(a)) == -1) {
		/* OpenBSD has no mapped addresses. */
		if (errno == EADDRNOTAVAIL && a->sa.sa_family == AF_INET6 &&
		    IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
			skip("no mapped addresses here");
		if (errno == EADDRNOTAVAIL && is_loopback)
			skip("there is no ::1 here");
		fail("bind to %s: %s", host_text(a), strerror(errno));
	}
	return fd;
}
