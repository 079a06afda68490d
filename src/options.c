/*
 * The command line, checked to its end.
 */

#include "relay.h"

#include <arpa/inet.h>

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LONGEST = 31536000,	/* seconds, a year */
	LONGEST_KEEPALIVE = 32767	/* what Linux takes, tcp(7) */
};

/* A decimal number from least to most and nothing else; -1 if it is not. */
static long
number(const char *text, long least, long most)
{
	char *end;
	long n;

	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || *end != '\0' || n < least || n > most)
		return -1;
	return n;
}

static int
seconds(struct session *s, int option, int least, int most, int *to)
{
	long n;

	n = number(optarg, least, most);
	if (n == -1)
		return misused(s, "-%c %s: not a number of seconds from %d "
		    "to %d", option, optarg, least, most);
	*to = (int)n;
	return 0;
}

/* A port by number or, unless -n, by its name in services(5). */
static int
port(struct session *s, const char *text)
{
	const struct servent *service;
	long n;

	n = number(text, 1, 65535);
	if (n == -1 && !s->opt.numeric && *text != '\0' &&
	    (*text < '0' || *text > '9') &&
	    (service = getservbyname(text, "tcp")) != NULL)
		n = ntohs((in_port_t)service->s_port);
	if (n == -1)
		return misused(s, "port %s: neither a number from 1 to 65535 "
		    "nor a service%s", *text == '\0' ? "\"\"" : text,
		    s->opt.numeric ? ", for -n looks none up" : "");
	s->opt.port = (in_port_t)n;
	return 0;
}

/*
 * An address, or a name of the shape that RFC 1123 2.1 gives to those of hosts:
 * what is a mistyped address is not looked up.
 */
static int
target(struct session *s, const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	const char *last;
	size_t len;

	s->opt.target = text;
	len = strlen(text);
	if (len == 0)
		return misused(s, "target \"\": empty");
	if (inet_pton(AF_INET, text, &s->opt.address) == 1)
		return 0;
	if (strchr(text, ':') != NULL)
		return misused(s, "target %s: not an IPv4 address", text);
	last = strrchr(text, '.');
	last = last == NULL ? text : last + 1;
	if (len > 255 || strspn(text, letters) != len || text[0] == '-' ||
	    text[0] == '.' || strspn(last, "0123456789") == strlen(last))
		return misused(s, "target %.255s: neither an IPv4 address nor "
		    "a host name", text);
	if (s->opt.numeric)
		return misused(s, "target %s: a name, and -n looks none up",
		    text);
	s->opt.is_name = 1;
	return 0;
}

/* Read the command line into s->opt; what is wrong with it ends in usage. */
int
options_parse(struct session *s, int argc, char *argv[])
{
	int c, bad;

	s->opt.keepalive = 60;
	s->opt.wait = 10;
	opterr = 0;
	bad = 0;
	while (bad == 0 && (c = getopt(argc, argv,
	    GETOPT_IN_ORDER ":k:nqT:t:Vvw:")) != -1) {
		switch (c) {
		case 'k':
			bad = seconds(s, c, 0, LONGEST_KEEPALIVE,
			    &s->opt.keepalive);
			break;
		case 'n':
			s->opt.numeric = 1;
			break;
		case 'q':
			s->opt.loudness = -1;
			break;
		case 'T':
			bad = seconds(s, c, 0, LONGEST, &s->opt.idle);
			break;
		case 't':
			bad = seconds(s, c, 0, LONGEST, &s->opt.half_closed);
			break;
		case 'V':
			if (s->out)
				(void)!write(STDOUT_FILENO,
				    "stfl-relay " VERSION "\n",
				    sizeof "stfl-relay " VERSION);
			return over(s, END_VERSION, 0);
		case 'v':
			s->opt.loudness = 1;
			break;
		case 'w':
			bad = seconds(s, c, 1, LONGEST, &s->opt.wait);
			break;
		case ':':
			bad = misused(s, "-%c: needs a value", optopt);
			break;
		default:
			bad = misused(s, "-%c: unknown option", optopt);
		}
	}
	if (bad != 0)
		return bad;
	argc -= optind;
	argv += optind;
	if (argc == 0)
		return misused(s, "no target given");
	if (argc > 2)
		return misused(s, "%s: one target and one port is all it takes",
		    argv[2]);
	if (target(s, argv[0]) == -1)
		return -1;
	return argc == 2 ? port(s, argv[1]) : 0;
}
