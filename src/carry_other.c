/*
 * On systems other than Linux, bulk is copied in the same way as talk (see
 * carry.h).
 *
 * OpenBSD and FreeBSD 15 have SO_SPLICE, which lets the kernel move the bytes.
 * But SO_SPLICE does not keep urgent data intact.  FreeBSD's kernel moves the
 * urgent byte without its mark.  OpenBSD's kernel sends a wrong byte instead of
 * the urgent byte if other bytes are queued ahead of the urgent byte.  The
 * reason is in somove() (sys/kern/uipc_socket.c): after m_split(), this
 * function reads the urgent byte from the first mbuf, which can be empty.
 * Bytes are queued whenever the reader is slow.  While two sockets are spliced,
 * nothing tells the relay that an urgent byte has come, so the relay could not
 * stop splicing in time.
 */

#include "relay.h"

#ifndef __linux__

ssize_t
fast_fill(struct flow *f, int again, int64_t now)
{
	(void)f;
	(void)again;
	(void)now;
	return 0;
}

ssize_t
fast_drain(struct flow *f, int64_t now)
{
	(void)f;
	(void)now;
	return 0;
}

void
fast_end(struct flow *f)
{
	(void)f;
}

int
carry_holds(const struct flow *f)
{
	(void)f;
	return 0;
}

void
carry_rest(struct flow *f, int64_t now)
{
	(void)f;
	(void)now;
}

#endif
