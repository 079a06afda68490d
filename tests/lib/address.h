/* Addresses, as text and as sockets have them. */

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
 * address: makes an address from a port and a text, such as "192.0.2.1",
 * "2001:db8::1" or "fe80::1%lo".
 * host_text: the address as text, without its port and scope.
 * address_text: the address as the log line gives it: "192.0.2.1:80" or
 * "[fe80::1%1]:80".  Each of these two texts is valid until the next call of
 * the same function.
 * own_name: the socket's own address.
 * peer_name: the address of the socket's peer.
 * bound_to: returns a TCP socket that is bound to this address.  If possible,
 * the socket is for both IPv6 and IPv4.  If the address is new, the function
 * waits until the system can use it.
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
