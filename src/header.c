/*
 * The PROXY protocol header tells the target who the client is.  HAProxy's
 * proxy-protocol.txt specifies versions 1 and 2 of this header.
 */

#include "relay.h"

#include <arpa/inet.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 107 };	/* bytes of a version 1 header */

/* Write the 4 or 16 bytes of the address, and return their number. */
static size_t
raw(const union address *a, unsigned char *to)
{
	if (a->sa.sa_family == AF_INET) {
		memcpy(to, &a->in.sin_addr, 4);
		return 4;
	}
	memcpy(to, &a->in6.sin6_addr, 16);
	return 16;
}

static size_t
version_1(const union address *from, const union address *to, char *header)
{
	char a[ADDRESS_WIDTH], b[ADDRESS_WIDTH];

	address_host(a, sizeof a, from);
	address_host(b, sizeof b, to);
	return (size_t)snprintf(header, LONGEST + 1,
	    "PROXY TCP%c %s %s %u %u\r\n",
	    from->sa.sa_family == AF_INET ? '4' : '6', a, b,
	    (unsigned)address_port(from), (unsigned)address_port(to));
}

static size_t
version_2(const union address *from, const union address *to, char *header)
{
	static const unsigned char start[] = {
		'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n',
		0x21		/* version 2, PROXY */
	};
	unsigned char *p;
	in_port_t port;
	size_t n;

	p = (unsigned char *)header;
	memcpy(p, start, sizeof start);
	n = sizeof start + 3;
	n += raw(from, p + n);
	n += raw(to, p + n);
	port = htons(address_port(from));
	memcpy(p + n, &port, 2);
	port = htons(address_port(to));
	memcpy(p + n + 2, &port, 2);
	n += 4;
	p[13] = from->sa.sa_family == AF_INET ? 0x11 : 0x21;	/* TCP */
	p[14] = 0;
	p[15] = (unsigned char)(n - 16);
	return n;
}

/*
 * With -p, send the header before anything else.  The header holds the client's
 * address and the address that the client dialled.  Both addresses are of the
 * same family.
 *
 * A new connection has room for the header.  So if the header cannot be sent,
 * the target is gone.  In that case, the pump still passes on the bytes that
 * the target had sent.
 */
int
header(struct session *s)
{
	char text[LONGEST + 1];
	ssize_t n;
	size_t size;

	if (s->opt.proxy == 0 || s->gone_early != 0)
		return 0;
	size = s->opt.proxy == 1 ?
	    version_1(&s->client, &s->local, text) :
	    version_2(&s->client, &s->local, text);
	n = send(s->fd[TARGET], text, size, MSG_NOSIGNAL);
	if (n != (ssize_t)size)
		s->gone_early = n == -1 ? errno : ECONNRESET;
	return 0;
}
