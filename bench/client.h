/* The client's end (client.c), and the rows that use it. */

#ifndef CLIENT_H
#define CLIENT_H

#include "bench.h"

enum { MOST_WIDTH = 8 };	/* sessions at the same time */

extern const char *row;		/* its name on the command line */
extern int front, target;	/* ports; if front is 0, connect directly */
extern int listener;
extern pid_t relay;		/* its root process; 0: no relay */
extern int held[], nheld;	/* sessions that stay open */
void	fail(const char *) __attribute__((noreturn));
void	result(const char *, double);
int	listen_on(int);
void	limit(int, int);
int	dial(void);
int	trip(int);
int	begin(void);
int	ends(int);
void	ready(void);
void	serve(enum mode);
void	serve_no_more(void);
void	calm(int);
int	sessions(int, int, int64_t, int);
void	hold(int);
void	let_go(void);

/* sessions.c: compares doubles, for qsort(3) */
int	compare(const void *, const void *);

/* The rows: load.c says what each measures. */
void	row_ask(int);
void	row_down(int);
void	row_faults(int);
void	row_held(int);
void	row_idle(int);
void	row_one(int);
void	row_rtt(int);
void	row_setup(int);
void	row_up(int);

#endif
