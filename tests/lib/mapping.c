/* Not with test.h: the program has other names for its sides. */
#include "../../src/relay.h"
#include "mapping.h"

#include <string.h>

struct in_addr
mapped(const struct sockaddr *client, struct in_addr network, int len)
{
	union address a;

	memset(&a, 0, sizeof a);
	if (client->sa_family == AF_INET)
		memcpy(&a.in, client, sizeof a.in);
	else
		memcpy(&a.in6, client, sizeof a.in6);
	return source_of(&a, network, len);
}
