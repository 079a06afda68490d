/*
 * Bulk on systems other than Linux: it is copied, as talk is.
 *
 * OpenBSD and FreeBSD 15 have SO_SPLICE, with which the kernel moves the bytes.
 * But SO_SPLICE does not keep urgent data intact.  FreeBSD's kernel moves the
 * urgent byte without its mark.  OpenBSD's kernel sends a wrong byte in place
 * of the urgent one if other bytes are queued ahead of it.  The reason is that
 * somove() in sys/kern/uipc_socket.c reads the urgent byte from the first mbuf
 * after m_split(), and that mbuf may be empty.  If the reader is slow, bytes
 * may be queued at any time.  While sockets are spliced, nothing announces an
 * urgent byte, so the relay could not stop splicing in time.
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
carry_rest(struct flow *f, int64_t now)
{
	(void)f;
	(void)now;
}

#endif
