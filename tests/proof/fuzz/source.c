/*
 * libFuzzer: a client's source address must be a host address in the network.
 * It must be the same for all addresses in the client's /64.
 */

#include "../../../src/source.c"

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	union address client, neighbour;
	struct in_addr network, from;
	uint32_t behind, first, mask;
	int len;

	memset(&client, 0, sizeof client);
	len = 8 + (int)draw_below(25, &data, &size);
	mask = ~(uint32_t)0 << (32 - len);
	draw(&network, sizeof network, &data, &size);
	network.s_addr &= htonl(mask);
	neighbour = client;
	if (draw_below(4, &data, &size) == 1) {
		client.in.sin_family = AF_INET;
		draw(&client.in.sin_addr, 4, &data, &size);
		neighbour = client;
		neighbour.in.sin_port = 1;
	} else {
		client.in6.sin6_family = AF_INET6;
		draw(&client.in6.sin6_addr, 16, &data, &size);
		neighbour = client;
		draw(&neighbour.in6.sin6_addr.s6_addr[8], 8, &data, &size);
		neighbour.in6.sin6_scope_id = 1;
	}

	from = source_of(&client, network, len);
	first = ntohl(network.s_addr);
	behind = ntohl(from.s_addr) - first;
	REQUIRE((ntohl(from.s_addr) & mask) == first);
	REQUIRE(len > 30 || (behind != 0 && behind != ~mask));
	REQUIRE(source_of(&neighbour, network, len).s_addr == from.s_addr);
	return 0;
}
