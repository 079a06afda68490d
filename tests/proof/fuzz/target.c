/*
 * libFuzzer: find the target that is embedded in the address that the client
 * dialled.  Compare it with the table in RFC 6052, 2.2.
 */

#include "../../../src/target.c"

#include "fuzz.h"

/* For each prefix length: where the four bytes of the IPv4 address are. */
static const struct {
	int len;
	int at[4];
} formats[] = {
	{ 16, { 2, 3, 4, 5 } },		/* RFC 3056 */
	{ 32, { 4, 5, 6, 7 } },
	{ 40, { 5, 6, 7, 9 } },
	{ 48, { 6, 7, 9, 10 } },
	{ 56, { 7, 9, 10, 11 } },
	{ 64, { 9, 10, 11, 12 } },
	{ 96, { 12, 13, 14, 15 } }
};

/* Returns bit i of an IPv4 address; bit 0 is the leftmost. */
static int
bit(const unsigned char *address, int i)
{
	return address[i / 8] >> (7 - i % 8) & 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct session s;
	unsigned char dialled[16], network[4], want[4];
	unsigned format;
	int good, i;

	clear(&s);
	format = draw_below(sizeof formats / sizeof formats[0], &data, &size);
	s.opt.prefix = formats[format].len;
	s.opt.network_len = 1 + (int)draw_below(32, &data, &size);
	s.opt.port = (in_port_t)draw_below(3, &data, &size);
	s.local.sa.sa_family = draw_below(16, &data, &size) == 1 ? AF_INET :
	    AF_INET6;
	draw(dialled, sizeof dialled, &data, &size);
	if (draw_below(4, &data, &size) != 1 && formats[format].len != 16)
		dialled[8] = 0;
	for (i = 0; i < 4; i++)
		want[i] = dialled[formats[format].at[i]];
	/* In most cases, use a network that contains this address. */
	memcpy(network, want, sizeof network);
	if (draw_below(4, &data, &size) == 1)
		draw(network, sizeof network, &data, &size);
	for (i = s.opt.network_len; i < 32; i++)
		network[i / 8] &= (unsigned char)~(0x80 >> i % 8);
	memcpy(&s.opt.network, network, sizeof network);
	if (s.local.sa.sa_family == AF_INET6) {
		memcpy(&s.local.in6.sin6_addr, dialled, sizeof dialled);
		s.local.in6.sin6_port = htons(2);
	} else {
		memcpy(&s.local.in.sin_addr, dialled, 4);
		s.local.in.sin_port = htons(2);
	}

	good = s.local.sa.sa_family == AF_INET6 &&
	    (formats[format].len == 16 || dialled[8] == 0) &&
	    want[0] != 0 && want[0] < 224;
	for (i = 0; i < s.opt.network_len; i++)
		good = good && bit(want, i) == bit(network, i);

	REQUIRE(target_find(&s) == (good ? 0 : -1));
	if (!good) {
		REQUIRE(s.end == END_DENIED && s.words[0] != '\0');
		return 0;
	}
	REQUIRE(s.end == END_OPEN && s.ntargets == 1);
	REQUIRE(s.targets[0].sa.sa_family == AF_INET);
	REQUIRE(memcmp(&s.targets[0].in.sin_addr, want, sizeof want) == 0);
	REQUIRE(ntohs(s.targets[0].in.sin_port) ==
	    (s.opt.port == 0 ? 2 : s.opt.port));
	return 0;
}
