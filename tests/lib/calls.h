/*
 * Sessions in which a test chooses the client's address and the address that
 * the client dials.  The test then checks the addresses in the log lines.
 */

#ifndef CALLS_H
#define CALLS_H

#include "address.h"
#include "relay.h"

/*
 * call: connects a client from the first address and port to the second address
 * and port.  Port 0 means any port.  The function puts the client's socket into
 * the session, and returns the accepted socket, which the relay will get.
 * serve: starts a relay on that accepted socket, with -v and these arguments.
 * NULL ends the list of arguments.
 * serve_to: does the same as serve, then accepts the relay's connection to this
 * listener, and closes the listener.
 * expect_named: expects these words among the addresses that the log lines must
 * give.
 * expect_whole: sends FIN both ways, and expects that FIN arrives, that the
 * relay ends with status 0, and that its last line has these byte counts.
 * expect_failure: expects that the client gets RST and no byte, that the relay
 * ends with this status, and that its line has this value of end=.  Call
 * put_names first, with the words that the line must have for the target.
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
