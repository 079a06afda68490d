/*
 * What two peers do, and what they see, in a session in which any system call
 * of the relay can fail.
 */

#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "../lib/traced.h"

/*
 * The maximum duration of a session in milliseconds.  The relay's -w and -T add
 * up to 5 s.
 */
#define EXCHANGE_LIMIT (12000 * test_slow())

/* What the two sides do.  In each array, the client comes first. */
struct exchange {
	const char *options[8];
	size_t bytes[2];	/* sent by the client and by the target */
	size_t urgent;		/* urgent byte's place; first is 1, none is 0 */
	size_t tail;		/* last bytes, sent when the rest has arrived */
	int last[2];		/* this side sends FIN only after the other */
	int resets[2];		/* this side resets after its last byte */
	int signal;		/* sent when the target has all its bytes */
	int named;		/* the target is given by name */
	int refuses;		/* the target does not listen */
	int is_header;		/* a PROXY header comes first */
	int shared;		/* descriptor 2 is the client's socket */
	int slow;		/* the target pauses until the client resets */
	int bulk;		/* the relay treats everything as bulk */
};

/* One end of a session. */
struct side {
	int fd;			/* -1: not open yet, or closed */
	size_t to_send, sent, received;
	size_t expected, skip;	/* bytes to receive; initial bytes to ignore */
	int finished;		/* it has sent FIN */
	int dead;		/* RST or an error ended its connection */
	int got_fin;
	int wrong;		/* it got a byte that nobody sent */
};

/*
 * play_exchange() plays the exchange.  `client' is the client's socket, and
 * `listener' is the target's listening socket.  If the target refuses,
 * `listener' is not used.  Returns NULL, or a text that says what is wrong.  If
 * a peer saw FIN although bytes were lost, the text begins with "LOSS:".
 */
const char *play_exchange(const struct exchange *, struct tracing *,
	    int listener, int client, struct side *);

#endif
