/*
 * Tests that run once for each row of a table.  Sessions whose client dials a
 * listener that has an unusual option or protocol.
 */

#ifndef ROWS_H
#define ROWS_H

#include "relay.h"

/*
 * One case of a test.  each_row passes it to the function that runs the case.
 */
struct row {
	const char *name;
	int level, option;
	const void *value;
	socklen_t size;
	int late;		/* set it on the accepted socket only */
	void (*setup)(void);
};

/* A row for an option, named after it.  `value' is a variable. */
#define ROW(level, name, value, late) \
	{ #name, level, name, &value, sizeof value, late, NULL }
#define SOCKET_ROW(name, value) \
	{ #name, SOL_SOCKET, name, &value, sizeof value, 0, NULL }
#define IP_ROW(name, value) \
	{ #name, IPPROTO_IP, name, &value, sizeof value, 0, NULL }
#define IPV6_ROW(name, value) \
	{ #name, IPPROTO_IPV6, name, &value, sizeof value, 0, NULL }
#define TCP_ROW(name, value) \
	{ #name, IPPROTO_TCP, name, &value, sizeof value, 0, NULL }

/* Run all rows at the same time, each in a separate process. */
void	each_row(void (*)(const struct row *), const struct row *, size_t);
#define EACH(run, rows) each_row(run, rows, sizeof rows / sizeof rows[0])

/*
 * dual_stack: returns a listener for this protocol (0 means TCP) over IPv6 and
 * IPv4.  The function sets this row's option on the listener, unless the row is
 * NULL or has `late'.
 * row_dial: returns a connection to the listener's port at this IPv6 address,
 * which can be a mapped address.
 * dialled: calls dual_stack and row_dial, and returns the client's socket.
 * *theirs is the accepted socket, on which the function sets the row's option
 * even if the row has `late'.
 * row_start: starts a relay on `theirs', with this option and value unless they
 * are NULL, and accepts the relay's connection to the target.
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
 * whole_session: sends single bytes both ways, pauses, sends a long stream each
 * way, and sends FIN both ways.  Expects that the relay then ends.
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
