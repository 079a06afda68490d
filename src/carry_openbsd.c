/*
 * Bulk on OpenBSD: SO_SPLICE.
 */

#include "relay.h"

#ifdef __OpenBSD__

#include <errno.h>
#include <string.h>

/*
 * SO_SPLICE, setsockopt(2): the kernel moves the bytes, urgent mark included
 * (sosplice(9), with SO_OOBINLINE), and poll(2) is silent until that is over:
 * for FIN, which is not forwarded, or for an error.  FreeBSD's moves the urgent
 * byte without its mark, so there bytes are copied.
 */
static int
splice_to(struct flow *f, int to)
{
	struct splice splice;

	memset(&splice, 0, sizeof splice);
	splice.sp_fd = to;
	return setsockopt(f->from, SOL_SOCKET, SO_SPLICE, &splice,
	    sizeof splice);
}

/* Bytes moved since this was asked last go to f->bytes; true if any. */
int
carry_count(struct flow *f)
{
	struct carry *c;
	socklen_t len;
	off_t n;
	uint64_t before;

	c = &f->carry;
	len = sizeof n;
	if (!c->splicing ||
	    getsockopt(f->from, SOL_SOCKET, SO_SPLICE, &n, &len) == -1)
		return 0;
	before = c->spliced;
	c->spliced = (uint64_t)n;
	f->bytes += c->spliced - before;
	return c->spliced != before;
}

void
fast_end(struct flow *f)
{
	struct carry *c;

	c = &f->carry;
	if (!c->splicing)
		return;
	/* EPROTO if it had ended by itself, as it mostly has. */
	(void)splice_to(f, -1);
	(void)carry_count(f);
	c->splicing = 0;
}

ssize_t
fast_fill(struct flow *f)
{
	struct carry *c;
	socklen_t len;
	int error;

	c = &f->carry;
	if (c->splicing) {
		fast_end(f);
		len = sizeof error;
		if (getsockopt(f->from, SOL_SOCKET, SO_ERROR, &error, &len)
		    == -1 || error == 0)
			return 0;
		/* EPIPE is of the other side, which poll(2) will tell of. */
		errno = error == EPIPE ? EAGAIN : error;
		return -1;
	}
	if (c->backlog + 1 <= BULK)
		return 0;
	c->backlog = 0;
	c->spliced = 0;
	if (splice_to(f, f->to) == -1)
		return 0;
	c->splicing = 1;
	errno = EAGAIN;
	return -1;
}

/* Nothing is taken: the system moves it. */
ssize_t
fast_drain(struct flow *f)
{
	(void)f;
	return 0;
}

int
carry_holds(const struct flow *f)
{
	return f->carry.splicing;
}

#endif
