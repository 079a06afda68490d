/* The source address of a session: the address that the target sees. */

#include "relay.h"

#include <arpa/inet.h>

#include <string.h>

/*
 * Returns what identifies a client: its IPv4 address, or the first 64 bits of
 * its IPv6 address.  The last 64 bits do not count, because providers give
 * every customer at least a /64 to choose addresses from.
 */
static uint64_t
identity(const union address *client)
{
	const unsigned char *bytes;
	uint64_t n;
	int i;

	if (client->sa.sa_family == AF_INET)
		return ntohl(client->in.sin_addr.s_addr);
	bytes = client->in6.sin6_addr.s6_addr;
	for (i = 0, n = 0; i < 8; i++)
		n = n << 8 | bytes[i];
	return n;
}

/* The 64-bit finalizer of MurmurHash3. */
static uint64_t
mix(uint64_t h)
{
	h = (h ^ h >> 33) * 0xff51afd7ed558ccdU;
	h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53U;
	return h ^ h >> 33;
}

/*
 * Returns the address in network/len that this client maps to; len is from 8 to
 * 32.  A client maps to the same address in every process, on every machine and
 * in every version of this program.  No host has the first or the last address
 * of a network, so these two are left out.  But if a network has only one or
 * two addresses, all of them are used (RFC 3021).
 */
struct in_addr
source_of(const union address *client, struct in_addr network, int len)
{
	uint64_t hosts;
	uint32_t first;

	hosts = (uint64_t)1 << (32 - len);
	first = ntohl(network.s_addr);
	if (hosts > 2) {
		hosts -= 2;
		first++;
	}
	network.s_addr = htonl(first + (uint32_t)(mix(identity(client)) %
	    hosts));
	return network;
}
