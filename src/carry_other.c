/*
 * Bulk on other systems: it is copied, as talk is.
 */

#include "relay.h"

#if !defined(__linux__) && !defined(__OpenBSD__)

ssize_t
fast_fill(struct flow *f)
{
	(void)f;
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
carry_count(struct flow *f)
{
	(void)f;
	return 0;
}

int
carry_holds(const struct flow *f)
{
	(void)f;
	return 0;
}

#endif
