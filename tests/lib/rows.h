/*
 * Tests with a table that has one row per case; and sessions whose client dials
 * a listener with an unusual option or protocol.
 */

#ifndef ROWS_H
#define ROWS_H

#include "relay.h"

/* One case of a test, passed to the function that runs it. */
struct row {
	const char *name;
	int level, option;
	const void *value;
	socklen_t size;
	int late;		/* not set on the listener (see dual_stack) */
	void (*setup)(void);
};

/* Run each row in a separate process, all of them at the same time. */
void	each_row(void (*)(const struct row *), const struct row *, size_t);
#define EACH(run, rows) each_row(run, rows, sizeof rows / sizeof rows[0])

/*
 * dual_stack: returns a listener for this protocol (0 means TCP) over IPv6 and
 * IPv4.  The listener has the option of this row, unless the row is NULL or
 * late.
 * row_dial: returns a connection to the listener's port at this IPv6 address,
 * which may be a mapped one.
 * dialled: calls dual_stack and row_dial, and returns the client's socket.
 * *theirs is the accepted socket, which gets the option even if the row is
 * late.
 * row_start: starts a relay on `theirs', with this option and value unless they
 * are NULL, and accepts its connection to the target.
 * row_begin: calls dialled and row_start.
 */
int	dual_stack(int protocol, const struct row *);
int	row_dial(const char *address, int protocol, int listener);
int	dialled(const char *address, int protocol, const struct row *,
	    int *theirs);
void	row_start(struct relay *, int ours, int theirs, const char *option,
	    const char *value);
void	row_begin(struct relay *, const struct row *, const char *option,
	    const char *value);

/*
 * whole_session: sends single bytes both ways, pauses, sends bulk both ways,
 * then half-closes both ways.  Expects that the relay then ends.
 */
void	whole_session(struct relay *);
void	relay_ends(struct relay *, int);
void	carry_stream(int from, int to, unsigned stream, size_t);

#ifndef TEST_LIBRARY
#define dual_stack(...) HERE(dual_stack(__VA_ARGS__))
#define row_dial(...) HERE(row_dial(__VA_ARGS__))
#define dialled(...) HERE(dialled(__VA_ARGS__))
#define row_start(...) HERE(row_start(__VA_ARGS__))
#define row_begin(...) HERE(row_begin(__VA_ARGS__))
#define whole_session(...) HERE(whole_session(__VA_ARGS__))
#define relay_ends(...) HERE(relay_ends(__VA_ARGS__))
#define carry_stream(...) HERE(carry_stream(__VA_ARGS__))
#endif

#endif
