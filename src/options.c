/* Read and check the command line. */

#include "relay.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LONGEST = 31536000,	/* seconds: a year */
	LONGEST_KEEPALIVE = 32767	/* Linux's maximum, tcp(7) */
};

static const char version[] = "stfl-relay " VERSION "\n";
static const char options[] = GETOPT_IN_ORDER ":6hk:np:qs:T:t:Vvw:x:";

/*
 * The value of the text, if it is a decimal number from min to max; otherwise
 * -1.
 */
static long
number(const char *text, long min, long max)
{
	char *end;
	long n;

	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || *end != '\0' || n < min || n > max)
		return -1;
	return n;
}

/*
 * Store an option's value, a number from min to max, in *to.  If the value is
 * wrong, the error message uses `thing' to say what the value should be.
 */
static int
value(struct session *s, int c, const char *thing, int min, int max, int *to)
{
	long n;

	n = number(optarg, min, max);
	if (n == -1)
		return misused(s, "-%c %s: not %s from %d to %d", c, optarg,
		    thing, min, max);
	*to = (int)n;
	return 0;
}

static int
seconds(struct session *s, int c, int min, int max, int *to)
{
	return value(s, c, "a number of seconds", min, max, to);
}

/* Parse a port: its number or, without -n, its name in services(5). */
static int
port(struct session *s, const char *text)
{
	const struct servent *service;
	long n;

	n = number(text, 1, 65535);
	if (n == -1 && !s->opt.numeric && *text != '\0' &&
	    (*text < '0' || *text > '9')) {
		service = getservbyname(text, "tcp");
		if (service != NULL)
			n = ntohs((in_port_t)service->s_port);
		/*
		 * The session must not keep a descriptor that a module of
		 * nsswitch.conf(5) has left open, such as a connection to a
		 * daemon.
		 */
		close_strays();
	}
	if (n == -1)
		return misused(s, "port %s: neither a number from 1 to 65535 "
		    "nor a service%s", *text == '\0' ? "\"\"" : text,
		    s->opt.numeric ? " (-n looks none up)" : "");
	s->opt.port = (in_port_t)n;
	return 0;
}

/*
 * True if the text is an address and nothing else.  NetBSD's inet_pton(3) would
 * accept words after the address.
 */
static int
parse_numeric(int family, const char *text, void *address)
{
	return strpbrk(text, " \t\n\v\f\r") == NULL &&
	    inet_pton(family, text, address) == 1;
}

/*
 * Parse an address.  A scope is accepted only in a link-local address (RFC
 * 4007, 11).
 */
static int
parse_address(const char *text, union address *a)
{
	char host[INET6_ADDRSTRLEN];
	const char *scope;
	size_t len;

	memset(a, 0, sizeof *a);
	if (parse_numeric(AF_INET, text, &a->in.sin_addr)) {
		a->in.sin_family = AF_INET;
		return 0;
	}
	scope = strchr(text, '%');
	len = scope == NULL ? strlen(text) : (size_t)(scope - text);
	if (len >= sizeof host)
		return -1;
	memcpy(host, text, len);
	host[len] = '\0';
	if (!parse_numeric(AF_INET6, host, &a->in6.sin6_addr))
		return -1;
	a->in6.sin6_family = AF_INET6;
	if (scope == NULL)
		return 0;
	a->in6.sin6_scope_id = if_nametoindex(scope + 1);
	return IN6_IS_ADDR_LINKLOCAL(&a->in6.sin6_addr) &&
	    a->in6.sin6_scope_id != 0 ? 0 : -1;
}

/*
 * Parse an IPv4 network whose prefix length is at least min.  Store the
 * network's address in *network, and the prefix length in *len.
 */
static int
parse_network(struct session *s, const char *what, const char *text, int min,
    struct in_addr *network, int *len)
{
	char host[INET_ADDRSTRLEN];
	const char *slash;
	long n;

	slash = strchr(text, '/');
	if ((size_t)(slash - text) >= sizeof host)
		return misused(s, "%s %s: not an IPv4 network, such as "
		    "192.0.2.0/24", what, text);
	memcpy(host, text, (size_t)(slash - text));
	host[slash - text] = '\0';
	if (!parse_numeric(AF_INET, host, network))
		return misused(s, "%s %s: not an IPv4 network, such as "
		    "192.0.2.0/24", what, text);
	n = number(slash + 1, min, 32);
	if (n == -1)
		return misused(s, "%s %s: not a length from %d to 32 after the "
		    "slash", what, text, min);
	if ((ntohl(network->s_addr) & ~(~(uint64_t)0 << (32 - n))) != 0)
		return misused(s, "%s %s: host bits are set beyond /%ld", what,
		    text, n);
	*len = (int)n;
	return 0;
}

/*
 * Some texts are often written by mistake where an address, a network or a name
 * belongs.  If this is such a text, returns what the text is and what to write
 * instead.  Otherwise returns NULL.
 */
static const char *
mistaken(const char *text)
{
	const char *colon;

	if (strstr(text, "://") != NULL)
		return "a URL; give the address and the port, as in 127.0.0.1 "
		    "80";
	if (*text == '/' || *text == '@' || strncmp(text, "unix:", 5) == 0)
		return "a path; only a TCP server can be the target, not a "
		    "Unix socket";
	if (*text == '[')
		return "an IPv6 address goes without brackets, and the port is "
		    "a word of its own, as in ::1 80";
	colon = strchr(text, ':');
	if (colon != NULL && strchr(colon + 1, ':') == NULL)
		return "the port is a word of its own, as in 127.0.0.1 80";
	if (number(text, 0, 65535) != -1)
		return "a number; the target comes first, then the port (and "
		    "in inetd.conf the program's name before both)";
	return NULL;
}

/* True if the text has the form of a host name (RFC 1123, 2.1). */
static int
is_host_name(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	const char *last;
	size_t len;

	len = strlen(text);
	for (last = text + len; last > text && last[-1] != '.'; last--)
		;
	/*
	 * If the text ends with a dot, it is an absolute name, and its last
	 * label is before that dot.
	 */
	if (*last == '\0')
		for (last--; last > text && last[-1] != '.'; last--)
			;
	/* The last label of an address is all digits; that of a name is not. */
	return len <= 255 && strspn(text, letters) == len && text[0] != '-' &&
	    text[0] != '.' && strspn(last, "0123456789.") != strlen(last);
}

/*
 * Parse the target: an address, a network or a name.  Only a name is looked up.
 */
static int
target(struct session *s, const char *text)
{
	const char *why;
	int is_address;

	s->opt.target = text;
	if (*text == '\0')
		return misused(s, "target \"\": empty");
	is_address = parse_address(text, &s->opt.address) == 0;
	if (!is_address && (why = mistaken(text)) != NULL)
		return misused(s, "target %.100s: %s", text, why);
	if (strchr(text, '/') != NULL) {
		if (s->opt.family == AF_INET6)
			return misused(s, "target %s: -6 takes no network",
			    text);
		if (s->opt.prefix == 0)
			s->opt.prefix = 96;
		return parse_network(s, "target", text, 1, &s->opt.network,
		    &s->opt.network_len);
	}
	if (s->opt.prefix != 0)
		return misused(s, "-x %d: goes with a network as the target, "
		    "not with %s", s->opt.prefix, text);
	if (is_address) {
		address_unmap(&s->opt.address);
		if (s->opt.family == AF_INET6 &&
		    s->opt.address.sa.sa_family == AF_INET)
			return misused(s, "target %s: not an IPv6 address, as "
			    "-6 wants", text);
		s->opt.family = s->opt.address.sa.sa_family;
		return 0;
	}
	if (!is_host_name(text))
		return misused(s, "target %s: neither an address nor a host "
		    "name", text);
	if (s->opt.numeric)
		return misused(s, "target %s: a name, and -n looks none up",
		    text);
	s->opt.is_name = 1;
	return 0;
}

/*
 * Parse the value of -s: an address of the target's family, or an IPv4 network
 * whose prefix length is at least 8.
 */
static int
source(struct session *s, const char *text)
{
	union address *a;

	a = &s->opt.source;
	if (strchr(text, '/') != NULL) {
		a->in.sin_family = AF_INET;
		if (parse_network(s, "-s", text, 8, &a->in.sin_addr,
		    &s->opt.source_len) == -1)
			return -1;
	} else if (parse_address(text, a) == -1) {
		return misused(s, "-s %s: not an address", text);
	}
	if (a->sa.sa_family != s->opt.family)
		return misused(s, "-s %s: not an %s address, as the target's",
		    text, s->opt.family == AF_INET ? "IPv4" : "IPv6");
	return 0;
}

static int
prefix(struct session *s, const char *text)
{
	long n;

	n = number(text, 16, 96);
	if (n % 8 != 0 || n == 24 || (n > 64 && n != 96))
		return misused(s, "-x %s: not 16, 32, 40, 48, 56, 64 or 96",
		    text);
	s->opt.prefix = (int)n;
	return 0;
}

/*
 * Handle one option.  `word' is the word of the command line that holds the
 * option, and optarg is the option's value.  The value of -s is kept in *from
 * until the target is known.
 */
static int
option(struct session *s, int c, const char *word, const char **from)
{
	struct options *o;

	o = &s->opt;
	switch (c) {
	case '6':
		o->family = AF_INET6;
		return 0;
	case 'h':
		return shown(s, usage);
	case 'k':
		return seconds(s, c, 0, LONGEST_KEEPALIVE, &o->keepalive);
	case 'n':
		o->numeric = 1;
		return 0;
	case 'p':
		return value(s, c, "a version of the PROXY protocol", 1, 2,
		    &o->proxy);
	case 'q':
		o->loudness = -1;
		return 0;
	case 's':
		*from = optarg;
		return 0;
	case 'T':
		return seconds(s, c, 0, LONGEST, &o->idle);
	case 't':
		return seconds(s, c, 0, LONGEST, &o->half_closed);
	case 'V':
		return shown(s, version);
	case 'v':
		o->loudness = 1;
		return 0;
	case 'w':
		return seconds(s, c, 1, LONGEST, &o->wait);
	case 'x':
		return prefix(s, optarg);
	case ':':
		return misused(s, "-%c: needs a value", optopt);
	default:
		if (optopt == '?' || strcmp(word, "--help") == 0)
			return shown(s, usage);
		if (strcmp(word, "--version") == 0)
			return shown(s, version);
		return strncmp(word, "--", 2) == 0 ?
		    misused(s, "%s: unknown option", word) :
		    misused(s, "-%c: unknown option", optopt);
	}
}

/* True if this is a host and a port, such as 127.0.0.1:80, but not a path. */
static int
has_port(const char *word)
{
	const char *colon;

	colon = strchr(word, ':');
	return colon != NULL && strchr(word, '/') == NULL &&
	    number(colon + 1, 1, 65535) != -1;
}

/*
 * True if argv[0] is not the program's name, but something that belongs after
 * that name: an address, a network, a host and a port, or an option with or
 * without its value.
 */
static int
misplaced(const char *name)
{
	union address a;
	size_t letters;

	if (*name == '-') {
		letters = strspn(name + 1, options);
		return name[1] == '-' || (letters > 0 && strspn(name + 1 +
		    letters, "0123456789./") == strlen(name + 1 + letters));
	}
	return parse_address(name, &a) == 0 || has_port(name) ||
	    (*name != '.' && strchr(name, '.') != NULL &&
	    strspn(name, "0123456789./") == strlen(name));
}

/* True if the first word after the options repeats the program's name. */
static int
doubled(int argc, char *argv[])
{
	const char *name;

	name = strrchr(argv[0], '/');
	name = name != NULL ? name + 1 : argv[0];
	return strcmp(name, "stfl-relay") == 0 && (argc > 2 ||
	    (argc == 2 && strpbrk(argv[1], ".:") != NULL));
}

/*
 * Read the command line into s->opt.  A mistake ends the session (END_USAGE).
 */
int
options_parse(struct session *s, int argc, char *argv[])
{
	const char *from, *word;
	int c, i;

	if (argc > 0 && misplaced(argv[0]))
		return misused(s, "%.100s: stands where the program's name "
		    "belongs; in inetd.conf that comes before the target, as "
		    "in stfl-relay 127.0.0.1 80", argv[0]);
	from = NULL;
	s->opt.family = AF_INET;
	s->opt.keepalive = 60;
	s->opt.wait = 10;
	opterr = 0;
	for (;;) {
		word = optind < argc ? argv[optind] : "";
		c = getopt(argc, argv, options);
		if (c == -1)
			break;
		if (option(s, c, word, &from) == -1)
			return -1;
	}
	argc -= optind;
	argv += optind;
	if (argc <= 0)
		return misused(s, "no target given (in inetd.conf, the "
		    "program's name comes before it)");
	if (doubled(argc, argv))
		return misused(s, "%.100s: stands where the target belongs; "
		    "only inetd.conf has the program's name before it",
		    argv[0]);
	for (i = 1; i < argc; i++)
		if (argv[i][0] == '-' && argv[i][1] != '\0')
			return misused(s, "%s: options come before the target",
			    argv[i]);
	if (argc > 2)
		return misused(s, "%s: only a target and a port are expected",
		    argv[2]);
	if (target(s, argv[0]) == -1 ||
	    (argc == 2 && port(s, argv[1]) == -1))
		return -1;
	return from == NULL ? 0 : source(s, from);
}
