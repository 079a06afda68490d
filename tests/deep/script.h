/*
 * Random scripts: what two peers do to each other (script.c), played over a
 * direct connection or through a relay (play.c).
 */

#ifndef SCRIPT_H
#define SCRIPT_H

#include "../lib/places.h"
#include "../lib/relay.h"

#include <poll.h>

enum {
	MOST_OPS = 48,
	MOST_BYTES = 4 << 20,	/* maximum that an end sends */
	REPORT = 4096		/* not above PIPE_BUF: written in one piece */
};

enum { ENDS = 2 };
enum { DIRECT, RELAYED, WAYS };
enum { ABRUPT, ACKED, QUIET };

/*
 * PATIENT: seconds pass, and systems forget connections.  LOSSY: packets are
 * lost, too.
 */
enum kind { QUICK, PATIENT, LOSSY };

enum what {
	WINDOW,		/* a small receive buffer, small segments */
	SEND,
	URGENT,
	STALL,		/* read nothing */
	PAUSE,		/* nobody acts, except to read and write */
	HALF_CLOSE,
	RESET,
	BUFFER,		/* a small receive buffer */
	RATE,		/* read this many bytes a second */
	CLOSE,		/* close(2), for good */
	LOSE,		/* lose segments to this end, from this size on */
	HEAL,		/* segments arrive again */
	TRICKLE,	/* send a byte every DRIP, for this time */
	SETTLE,		/* wait until both ends have seen everything */
	AWAIT		/* wait until the relay has ended */
};

enum { DRIP = 100 };	/* milliseconds */

struct op {
	int end;
	enum what what;
	unsigned arg;	/* bytes, milliseconds, or the kind of reset */
};

struct script {
	uint64_t seed;
	enum kind kind;
	/* The relay's -k, -T and -t, in seconds, except in QUICK; 0: off. */
	unsigned keepalive, idle, half_closed;
	size_t n;
	struct op op[MOST_OPS];
};

/* What an end has seen of the other. */
struct seen {
	size_t bytes;
	size_t marks, mark[MOST_OPS];
	int wrong;	/* a byte or a mark that was not sent */
	int fin;
	int error;	/* ECONNRESET is RST */
};

struct peer {
	int fd;			/* -1: not yet or no longer open */
	size_t queued, sent;	/* bytes to be sent; taken by the socket */
	size_t urgent;		/* bytes up to the last urgent one, inclusive */
	int half_closed, closed, reset;
	int healed;		/* segments were lost until recently */
	int error;		/* send(2)'s; recv(2) will not report it */
	int64_t stalled;	/* reads nothing until that time */
	int64_t rate;		/* bytes/s that it reads; 0: no limit */
	int64_t allowed;	/* thousandths of a byte, at this rate, */
	int64_t counted;	/* until that time */
	struct seen seen;
};

/* A script being played. */
struct play {
	int way;
	size_t next;		/* op */
	int64_t paused;		/* until that time */
	int64_t moved;		/* when something last moved */
	unsigned drips;		/* bytes that a trickle has sent, */
	int64_t drip;		/* and when the next is due */
	int front;		/* listener for the client; -1: accepted */
	int listener;		/* listener for the target; -1: accepted */
	int over;		/* the script is over; its relay may not be */
	pid_t relay;		/* 0: none, or ended */
	struct peer peer[ENDS];
	char trouble[80];
};

struct text {
	size_t n;
	char s[REPORT];
};

extern const char *const end_name[], *const way_name[];

void	make_script(struct script *, uint64_t seed, enum kind);
/* True if TCP determines all that this end sees. */
int	is_certain(const struct script *, int end);
void	put(struct text *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
void	put_script(struct text *, const struct script *);
void	put_seen(struct text *, const struct seen *, int certain);

/*
 * The ends of a script's connections, with the buffers that it asks for.
 * make_listener: the script is NULL for a listener for the relay's client.
 * start_relay: starts it as inetd does: 0, 1 and 2 are the client's socket.
 */
int	make_listener(int domain, const struct script *);
int	take_connection(int listener);
int	as_peer(int);
int	dial(int listener, const struct script *);
pid_t	start_relay(int client, const struct script *, int port);

/*
 * play_begin: starts to play a script, directly or through the relay.
 * play_interest: the poll set, of ENDS + 1 descriptors.
 * play_step: handles the events from poll(2), and does all ops that are due.
 * play_ended: true when everything is seen, and the relay has ended.
 */
extern int64_t present;		/* milliseconds() */
extern int64_t soon;		/* anything slower has failed */
void	play_prepare(void);
void	play_begin(struct play *, const struct script *, int way);
void	play_interest(const struct play *, struct pollfd *);
void	play_step(struct play *, const struct script *, const struct pollfd *);
int	play_ended(const struct play *);
void	play_stop(struct play *);

#endif
