/*
 * A session whose relay may break off at any call: what its two peers do and
 * see.
 */

#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "../lib/traced.h"

/* Maximum duration in milliseconds; the relay's options allow 5 s. */
#define EXCHANGE_LIMIT (12000 * test_slow())

/* What each side does. */
struct exchange {
	const char *options[8];
	size_t bytes[2];	/* from the client, from the target */
	size_t urgent;		/* number of the urgent byte, from 1; 0: none */
	size_t tail;		/* last bytes, held until the rest arrived */
	int last[2];		/* this side finishes after the other */
	int resets[2];		/* as soon as the relay has all its bytes */
	int signal;		/* to the relay, when the target has all */
	int named;		/* the target is a name */
	int refuses;		/* the target does not listen */
	int is_header;		/* a PROXY header comes first */
	int shared;		/* descriptor 2 is the client's socket */
	int slow;		/* target reads on once the client is gone */
	int bulk;		/* through a relay that treats all as bulk */
};

/* One end of a session. */
struct side {
	int fd;			/* -1: not there, or closed */
	size_t to_send, sent, received;
	size_t expected, skip;	/* bytes to receive; the first to ignore */
	int finished;		/* it sent FIN */
	int dead;		/* it got RST */
	int got_fin;
	int wrong;		/* a byte that nobody sent */
};

/*
 * play_exchange: plays it with this client's socket and, unless the target
 * refuses, with this listener.  Returns what is wrong, or NULL.  The first word
 * is "LOSS:" if FIN hides that bytes were lost.
 */
const char *play_exchange(const struct exchange *, struct tracing *,
	    int listener, int client, struct side *);

#endif
