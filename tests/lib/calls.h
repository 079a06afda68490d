/*
 * Sessions of clients that call from one address to another, and what their
 * lines say of the addresses.
 */

#ifndef CALLS_H
#define CALLS_H

#include "address.h"
#include "relay.h"

/*
 * call: a client at one address and port calls another; port 0 is any.  Gives
 * the relay's socket; the client's own is the session's.
 * serve: a relay of it, with -v and these arguments, which end with NULL.
 * serve_to: the same, and it gets its target of this listener, which is closed.
 * expect_named: the line says this of the addresses, from one space to another.
 * expect_whole: FIN both ways, and the line at the end with these bytes.
 * expect_failure: the client gets RST without a byte, and the operator a line
 * with this end, for a target of these words: put_names first.
 */
int	call(struct session *, const char *from, int from_port, const char *to,
	    int to_port);
void	serve(struct session *, int theirs, ...);
void	serve_to(struct session *, int theirs, int listener, ...);
void	expect_named(const struct session *, const char *words);
void	expect_whole(struct session *, uint64_t up, uint64_t down);
void	expect_failure(struct session *, int status, const char *end);

#ifndef TEST_LIBRARY
#define call(...) HERE(call(__VA_ARGS__))
#define serve(...) HERE(serve(__VA_ARGS__))
#define serve_to(...) HERE(serve_to(__VA_ARGS__))
#define expect_named(...) HERE(expect_named(__VA_ARGS__))
#define expect_whole(...) HERE(expect_whole(__VA_ARGS__))
#define expect_failure(...) HERE(expect_failure(__VA_ARGS__))
#endif

#endif
