/*
 * libFuzzer: the command line.  The input is its words, separated by NUL.  The
 * program must either refuse a command line in words, or read its numbers,
 * addresses and networks as the independent parser in this file does.
 */

#include "../../../src/options.c"

#include "fuzz.h"

enum { MOST_WORDS = 24, LONGEST_LINE = 512 };

/*
 * Returns the number that `text' consists of.  Returns -1 if `text' is not a
 * number, or if the number exceeds `most'.
 */
static long
digits(const char *text, long most)
{
	long n;

	for (n = 0; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		n = n * 10 + (*text - '0');
		if (n > most)
			return -1;
	}
	return n;
}

/* number() and digits() must agree. */
static void
check_number(const char *text, long least, long most)
{
	long n;

	n = *text == '\0' ? -1 : digits(text, most);
	REQUIRE(number(text, least, most) == (n < least ? -1 : n));
}

/*
 * An address is written as text.  When the text is read, it must give the same
 * address.
 */
static void
check_address(const char *text)
{
	union address a, again;
	char host[ADDRESS_WIDTH];

	if (parse_address(text, &a) == -1) {
		REQUIRE(inet_pton(AF_INET, text, host) != 1);
		REQUIRE(inet_pton(AF_INET6, text, host) != 1);
		return;
	}
	address_host(host, sizeof host, &a);
	REQUIRE(parse_address(host, &again) == 0);
	again.in6.sin6_scope_id = a.in6.sin6_scope_id;
	REQUIRE(address_equal(&a, &again));
	REQUIRE(strchr(text, '%') == NULL || a.in6.sin6_scope_id != 0);
}

/*
 * A network must be an IPv4 address, a slash and a prefix length, and must have
 * no host bits.
 */
static void
check_network(struct session *s, const char *text, int least)
{
	char copy[LONGEST_LINE + 1], *slash;
	struct in_addr a, network;
	int bit, good, len;

	if (strchr(text, '/') == NULL)
		return;
	clear(s);
	len = 0;
	memset(&network, 0, sizeof network);
	good = parse_network(s, "", text, least, &network, &len) == 0;
	strcpy(copy, text);
	slash = strchr(copy, '/');
	*slash = '\0';
	if (inet_pton(AF_INET, copy, &a) != 1 || slash[1] == '\0' ||
	    digits(slash + 1, 32) < least) {
		REQUIRE(!good);
		return;
	}
	for (bit = (int)digits(slash + 1, 32); bit < 32; bit++)
		if ((ntohl(a.s_addr) & 0x80000000 >> bit) != 0) {
			REQUIRE(!good);
			return;
		}
	REQUIRE(good && network.s_addr == a.s_addr &&
	    len == digits(slash + 1, 32));
}

/* Check everything that the rest of the program relies on. */
static void
check_options(const struct options *o)
{
	REQUIRE(o->target != NULL && *o->target != '\0');
	REQUIRE(o->family == AF_INET || o->family == AF_INET6);
	REQUIRE(o->keepalive >= 0 && o->keepalive <= LONGEST_KEEPALIVE);
	REQUIRE(o->wait >= 1 && o->wait <= LONGEST);
	REQUIRE(o->idle >= 0 && o->idle <= LONGEST);
	REQUIRE(o->half_closed >= 0 && o->half_closed <= LONGEST);
	REQUIRE(o->proxy >= 0 && o->proxy <= 2);
	REQUIRE(o->loudness >= -1 && o->loudness <= 1);
	REQUIRE(!o->is_name || !o->numeric);
	REQUIRE((o->network_len != 0) + o->is_name +
	    (o->address.sa.sa_family != AF_UNSPEC) == 1);
	REQUIRE(o->address.sa.sa_family == AF_UNSPEC ||
	    o->address.sa.sa_family == o->family);
	REQUIRE((o->prefix != 0) == (o->network_len != 0));
	REQUIRE(o->prefix == 0 || o->prefix == 16 || o->prefix == 96 ||
	    (o->prefix >= 32 && o->prefix <= 64 && o->prefix % 8 == 0));
	REQUIRE(o->network_len >= 0 && o->network_len <= 32);
	REQUIRE(o->source_len == 0 ||
	    (o->source_len >= 8 && o->source_len <= 32));
	REQUIRE(o->source.sa.sa_family == AF_UNSPEC ||
	    o->source.sa.sa_family == o->family);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct session s;
	char line[LONGEST_LINE + 1], *argv[MOST_WORDS + 2];
	size_t at;
	int argc, i;

	if (size > LONGEST_LINE)
		return 0;
	memcpy(line, data, size);
	line[size] = '\0';
	argv[0] = line + size;
	argc = 1;
	for (at = 0; at < size && argc <= MOST_WORDS; at += strlen(line + at) + 1)
		argv[argc++] = line + at;
	argv[argc] = NULL;
	for (i = 1; i < argc; i++) {
		check_number(argv[i], 0, LONGEST);
		check_number(argv[i], 1, 65535);
		check_number(argv[i], 16, 96);
		check_address(argv[i]);
		check_network(&s, argv[i], 1);
		check_network(&s, argv[i], 8);
	}

	clear(&s);
	optind = 0;		/* this resets glibc's getopt */
	if (options_parse(&s, argc, argv) == 0) {
		REQUIRE(s.end == END_OPEN);
		check_options(&s.opt);
	} else {
		REQUIRE(s.end == END_SHOWN ||
		    (s.end == END_USAGE && s.words[0] != '\0'));
		REQUIRE(memchr(s.words, '\0', sizeof s.words) != NULL);
	}
	return 0;
}
