/*
 * For the fuzz targets, which include the file under test to reach its static
 * functions.
 */

#ifndef FUZZ_H
#define FUZZ_H

#include "../../../src/relay.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(truth) do { \
	if (!(truth)) { \
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #truth); \
		abort(); \
	} \
} while (0)

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Make this a session that has not begun; its buffers stay as they are. */
static inline void
clear(struct session *s)
{
	memset(s, 0, offsetof(struct session, buffer));
}

/* Copy the next n bytes of the input, or zeros once the input is used up. */
static inline void
draw(void *to, size_t n, const uint8_t **data, size_t *size)
{
	size_t got;

	got = n < *size ? n : *size;
	memset(to, 0, n);
	memcpy(to, *data, got);
	*data += got;
	*size -= got;
}

static inline unsigned
draw_below(unsigned limit, const uint8_t **data, size_t *size)
{
	unsigned char c;

	draw(&c, 1, data, size);
	return c % limit;
}

#endif
