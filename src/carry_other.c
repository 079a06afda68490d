/*
 * Bulk on other systems: it is copied, as talk is.
 *
 * OpenBSD and FreeBSD 15 have SO_SPLICE, with which the kernel moves the bytes.
 * FreeBSD's kernel moves the urgent byte without its mark.  If other bytes are
 * queued ahead of the urgent byte, OpenBSD's kernel sends the wrong byte
 * instead: somove() in sys/kern/uipc_socket.c reads it from the first mbuf
 * after m_split(), which may be empty.  With a slow reader bytes may be queued
 * at any time, and while sockets are spliced nothing announces an urgent byte.
 */

#include "relay.h"

#ifndef __linux__

ssize_t
fast_fill(struct flow *f, int again)
{
	(void)f;
	(void)again;
	return 0;
}

ssize_t
fast_drain(struct flow *f)
{
	(void)f;
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
carry_rest(struct flow *f)
{
	(void)f;
}

#endif
