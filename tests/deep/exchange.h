/*
 * A session whose relay may break off at any call: what both of its peers do
 * and see.
 */

#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "../lib/traced.h"

/* Milliseconds that it may take; the options of its relay say 5 s. */
#define EXCHANGE_LIMIT (12000 * test_slow())

/* Who does what. */
struct exchange {
	const char *options[8];
	size_t bytes[2];	/* of the client, of the target */
	size_t urgent;		/* which of them, from 1, is urgent; 0: none */
	size_t tail;		/* how many wait until the rest has arrived */
	int last[2];		/* finishes when the other one has */
	int resets[2];		/* when all its bytes are at the relay */
	int signal;		/* to the relay, when the client's are there */
	int named;		/* the target is a name */
	int refuses;		/* the target does not listen */
	int is_header;		/* a PROXY header comes first */
	int shared;		/* descriptor 2 is the client's socket */
	int slow;		/* the target reads when the client is gone */
	int bulk;		/* through a relay that takes all for bulk */
};

/* One end of a session. */
struct side {
	int fd;			/* -1: not there, or let go */
	size_t to_send, sent, received;
	size_t expected, skip;	/* of received, and what comes before */
	int finished;		/* it sent FIN */
	int dead;		/* it got RST */
	int got_fin;
	int wrong;		/* a byte that nobody sent */
};

/*
 * play_exchange: at this listener, if it is not one that refuses, and this
 * client's socket.  Gives what is wrong, or NULL; LOSS is its first word where
 * FIN hides that bytes were lost.
 */
const char *play_exchange(const struct exchange *, struct tracing *,
	    int listener, int client, struct side *);

#endif
