/* Comparing, unmapping and writing addresses. */

#include "relay.h"

#include <arpa/inet.h>

#include <stdio.h>
#include <string.h>

/* The size of the sockaddr for this address's family. */
socklen_t
address_size(const union address *a)
{
	return a->sa.sa_family == AF_INET ? sizeof a->in : sizeof a->in6;
}

/* True if the two addresses are the same, including their scopes and ports. */
int
address_equal(const union address *a, const union address *b)
{
	if (a->sa.sa_family != b->sa.sa_family ||
	    address_port(a) != address_port(b))
		return 0;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
	    memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr,
	    sizeof a->in6.sin6_addr) == 0;
}

/* The port, in host order. */
in_port_t
address_port(const union address *a)
{
	return ntohs(a->sa.sa_family == AF_INET ?
	    a->in.sin_port : a->in6.sin6_port);
}

/*
 * Turn an IPv4-mapped address (RFC 4291, 2.5.5.2) into the IPv4 address that it
 * contains.  Leave any other address as it is.
 */
void
address_unmap(union address *a)
{
	struct sockaddr_in in;

	if (a->sa.sa_family != AF_INET6 ||
	    !IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
		return;
	memset(&in, 0, sizeof in);
	in.sin_family = AF_INET;
	in.sin_port = a->in6.sin6_port;
	memcpy(&in.sin_addr, &a->in6.sin6_addr.s6_addr[12], 4);
	a->in = in;
}

/* Write only the address, without its scope and port (RFC 5952, 4). */
void
address_host(char *to, size_t size, const union address *a)
{
	if (a->sa.sa_family == AF_INET)
		inet_ntop(AF_INET, &a->in.sin_addr, to, (socklen_t)size);
	else
		inet_ntop(AF_INET6, &a->in6.sin6_addr, to, (socklen_t)size);
}

/*
 * Write an address and its port in the form 192.0.2.1:80 or [2001:db8::1]:80
 * (RFC 5952, 6).  If the address has a scope, write the number of the scope,
 * too (RFC 4007, 11.2).  ADDRESS_WIDTH bytes are enough for anything that this
 * function or address_host writes.
 */
void
address_print(char *to, size_t size, const union address *a)
{
	char host[ADDRESS_WIDTH];
	unsigned port;

	address_host(host, sizeof host, a);
	port = address_port(a);
	if (a->sa.sa_family == AF_INET)
		snprintf(to, size, "%s:%u", host, port);
	else if (a->in6.sin6_scope_id == 0)
		snprintf(to, size, "[%s]:%u", host, port);
	else
		snprintf(to, size, "[%s%%%lu]:%u", host,
		    (unsigned long)a->in6.sin6_scope_id, port);
}
