/* Addresses: as text, and in the form that sockets use. */

#ifndef ADDRESS_H
#define ADDRESS_H

#include "test.h"

#include <netinet/in.h>

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/*
 * address: makes an address from a text (such as "192.0.2.1", "2001:db8::1" or
 * "fe80::1%lo") and a port.
 * host_text: the address as text, without port and scope.
 * address_text: the address as a log line gives it: "192.0.2.1:80" or
 * "[fe80::1%1]:80".  The text that host_text or address_text returns is valid
 * until the next call of either function.
 * own_name: the socket's own address.
 * peer_name: the address of the socket's peer.
 * bound_to: returns a TCP socket that is bound to this address.  If the system
 * allows it, an IPv6 socket is for IPv4 as well.
 */
union address address(const char *text, int port);
socklen_t address_size(const union address *);
const char *host_text(const union address *);
const char *address_text(const union address *);
union address own_name(int fd);
union address peer_name(int fd);
int	bound_to(const union address *);

#ifndef TEST_LIBRARY
#define address(...) HERE(address(__VA_ARGS__))
#define own_name(...) HERE(own_name(__VA_ARGS__))
#define peer_name(...) HERE(peer_name(__VA_ARGS__))
#define bound_to(...) HERE(bound_to(__VA_ARGS__))
#endif

#endif
