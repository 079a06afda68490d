/*
 * libFuzzer: a PROXY header and the log give an address as text or as bytes.
 * When these are read back, they must give the same address.
 */

#include "../../../src/header.c"

#include "fuzz.h"

static void
draw_address(union address *a, int family, const uint8_t **data, size_t *size)
{
	memset(a, 0, sizeof *a);
	a->sa.sa_family = (sa_family_t)family;
	if (family == AF_INET) {
		draw(&a->in.sin_addr, 4, data, size);
		draw(&a->in.sin_port, 2, data, size);
	} else {
		draw(&a->in6.sin6_addr, 16, data, size);
		draw(&a->in6.sin6_port, 2, data, size);
		draw(&a->in6.sin6_scope_id, 4, data, size);
	}
}

/* True if `host' is the text of this address, and `port' is its port. */
static int
is(const union address *a, const char *host, unsigned port)
{
	unsigned char raw_address[16];

	return port == address_port(a) &&
	    inet_pton(a->sa.sa_family, host, raw_address) == 1 &&
	    memcmp(raw_address, a->sa.sa_family == AF_INET ?
	    (const void *)&a->in.sin_addr : (const void *)&a->in6.sin6_addr,
	    a->sa.sa_family == AF_INET ? 4 : 16) == 0;
}

/*
 * The line of version 1 must have single spaces, decimal ports, and CR LF at
 * its end.
 */
static void
check_1(const union address *from, const union address *to)
{
	char a[64], again[LONGEST + 1], b[64], family, text[LONGEST + 1];
	unsigned from_port, to_port;
	size_t n;

	n = version_1(from, to, text);
	REQUIRE(n <= LONGEST && strlen(text) == n);
	REQUIRE(sscanf(text, "PROXY TCP%c %63s %63s %u %u", &family, a, b,
	    &from_port, &to_port) == 5);
	REQUIRE(family == (from->sa.sa_family == AF_INET ? '4' : '6'));
	REQUIRE(is(from, a, from_port) && is(to, b, to_port));
	snprintf(again, sizeof again, "PROXY TCP%c %s %s %u %u\r\n", family,
	    a, b, from_port, to_port);
	REQUIRE(strcmp(text, again) == 0);
}

static void
check_2(const union address *from, const union address *to)
{
	unsigned char text[LONGEST + 1];
	size_t len, n;
	int six;

	six = from->sa.sa_family == AF_INET6;
	len = six ? 16 : 4;
	n = version_2(from, to, (char *)text);
	REQUIRE(n == 16 + 2 * len + 4);
	REQUIRE(memcmp(text, "\r\n\r\n\0\r\nQUIT\n\x21", 13) == 0);
	REQUIRE(text[13] == (six ? 0x21 : 0x11));
	REQUIRE(text[14] * 256U + text[15] == n - 16);
	REQUIRE(memcmp(text + 16, six ? (const void *)&from->in6.sin6_addr :
	    (const void *)&from->in.sin_addr, len) == 0);
	REQUIRE(memcmp(text + 16 + len, six ? (const void *)&to->in6.sin6_addr :
	    (const void *)&to->in.sin_addr, len) == 0);
	REQUIRE(text[n - 4] * 256U + text[n - 3] == address_port(from));
	REQUIRE(text[n - 2] * 256U + text[n - 1] == address_port(to));
}

/* The log has an address as [address%scope]:port. */
static void
check_print(const union address *a)
{
	char host[ADDRESS_WIDTH], text[ADDRESS_WIDTH];
	unsigned long scope;
	unsigned port;

	memset(text, 'x', sizeof text);
	address_print(text, sizeof text, a);
	REQUIRE(memchr(text, '\0', sizeof text - 1) != NULL);
	scope = 0;
	if (a->sa.sa_family == AF_INET)
		REQUIRE(sscanf(text, "%63[0-9.]:%u", host, &port) == 2);
	else if (a->in6.sin6_scope_id == 0)
		REQUIRE(sscanf(text, "[%63[0-9a-f:.]]:%u", host, &port) == 2);
	else
		REQUIRE(sscanf(text, "[%63[0-9a-f:.]%%%lu]:%u", host, &scope,
		    &port) == 3 && scope == a->in6.sin6_scope_id);
	REQUIRE(is(a, host, port));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	union address from, to;
	int family, mapped;

	family = draw_below(2, &data, &size) == 0 ? AF_INET6 : AF_INET;
	draw_address(&from, family, &data, &size);
	draw_address(&to, family, &data, &size);
	check_print(&from);
	check_1(&from, &to);
	check_2(&from, &to);

	/*
	 * address_unmap() must turn a mapped address into its IPv4 address, and
	 * must change no other address.
	 */
	if (family == AF_INET6 && draw_below(2, &data, &size) == 1)
		memcpy(&from.in6.sin6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
	to = from;
	mapped = family == AF_INET6 && memcmp(&from.in6.sin6_addr,
	    "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0;
	address_unmap(&to);
	if (mapped) {
		REQUIRE(to.sa.sa_family == AF_INET);
		REQUIRE(memcmp(&to.in.sin_addr,
		    &from.in6.sin6_addr.s6_addr[12], 4) == 0);
		REQUIRE(address_port(&to) == address_port(&from));
	} else {
		REQUIRE(memcmp(&to, &from, sizeof to) == 0);
	}
	return 0;
}
