/*
 * For inherited.c, parents.c and chosen.c: sessions of clients that dialled a
 * listener of some kind, and tests that are a table with a row for each case.
 */

#ifndef ROWS_H
#define ROWS_H

#include "peers.h"

/* One case of a test; what it runs knows by it what to do. */
struct row {
	const char *name;
	int level, option;
	const void *value;
	socklen_t size;
	int late;		/* no listener can have it, or not all of it */
	void (*setup)(void);
};

/* Run each row in a process of its own, all at once. */
void	each(void (*)(const struct row *), const struct row *, size_t);
#define EACH(run, rows) each(run, rows, sizeof rows / sizeof rows[0])

/*
 * dual_stack: a listener of this protocol (0: TCP) for IPv6 and IPv4, with the
 * option of a row, or NULL, unless that is late.
 * dial: a connection to that port of this address, mapped or not.
 * dialled: both, and theirs is what it accepts, with the option also late.
 * start: a relay of theirs, with an option and its value, or NULL; it has its
 * target.  begin: dialled, and start.
 */
int	dual_stack(int protocol, const struct row *);
int	dial(const char *address, int protocol, int listener);
int	dialled(const char *address, int protocol, const struct row *,
	    int *theirs);
void	start(struct relay *, int ours, int theirs, const char *option,
	    const char *value);
void	begin(struct relay *, const struct row *, const char *option,
	    const char *value);

/*
 * whole: all of a session: single bytes, rest, bulk, and each half-close.
 * expect_idle: it comes to rest, and does not wake up.
 */
void	whole(struct relay *);
void	expect_idle(pid_t);
void	expect_status(struct relay *, int);
void	carry(int from, int to, unsigned stream, size_t);

#endif
