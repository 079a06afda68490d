/*
 * Random scripts.  A script lists what two peers do.  script.c makes a script,
 * and play.c plays it, over a direct connection or through a relay.
 */

#ifndef SCRIPT_H
#define SCRIPT_H

#include "../lib/places.h"
#include "../lib/relay.h"

#include <poll.h>

enum {
	MOST_OPS = 48,
	MOST_BYTES = 4 << 20,	/* maximum that one end sends */
	REPORT = 4096		/* writes up to PIPE_BUF are atomic */
};

enum { ENDS = 2 };
enum { DIRECT, RELAYED, WAYS };
enum { ABRUPT, ACKED, QUIET };

/*
 * A PATIENT script takes seconds, long enough for the system to forget a closed
 * connection.  A LOSSY script is patient, too, and its network loses packets.
 */
enum kind { QUICK, PATIENT, LOSSY };

enum what {
	WINDOW,		/* set a small receive buffer and small segments */
	SEND,
	URGENT,
	STALL,		/* read nothing */
	PAUSE,		/* start no new op; the ends still read and write */
	HALF_CLOSE,
	RESET,
	BUFFER,		/* set a small receive buffer */
	RATE,		/* from now on, read this many bytes per second */
	CLOSE,		/* call close(2) */
	LOSE,		/* this end gets no segments of this size or larger */
	HEAL,		/* this end gets all segments again */
	TRICKLE,	/* for this long, send a byte every DRIP ms */
	SETTLE,		/* wait until each end has seen all that was sent */
	AWAIT		/* wait until the relay has ended */
};

enum { DRIP = 100 };	/* milliseconds */

struct op {
	int end;
	enum what what;
	unsigned arg;	/* bytes, bytes/s, milliseconds, or kind of reset */
};

struct script {
	uint64_t seed;
	enum kind kind;
	/* The values of -k, -T and -t in seconds; 0: off.  Unused in QUICK. */
	unsigned keepalive, idle, half_closed;
	size_t n;
	struct op op[MOST_OPS];
};

/* What an end has received from the other end. */
struct seen {
	size_t bytes;
	size_t marks, mark[MOST_OPS];
	int wrong;	/* it saw a byte or a mark that was not sent */
	int fin;
	int error;	/* ECONNRESET is RST */
};

struct peer {
	int fd;			/* -1: not open yet, or already closed */
	size_t queued, sent;	/* bytes to send; bytes that send(2) took */
	size_t urgent;		/* place of the last urgent byte; first is 1 */
	int half_closed, closed, reset;
	int healed;		/* HEAL has ended the loss of segments */
	int error;		/* reported by send(2), so not by recv(2) */
	int64_t stalled;	/* before this time, the end reads nothing */
	int64_t rate;		/* bytes/s that this end reads; 0: no limit */
	int64_t allowed;	/* 1000 times the bytes its rate allows now */
	int64_t counted;	/* when `allowed' was last updated */
	struct seen seen;
};

/* A script that is being played. */
struct play {
	int way;
	size_t next;		/* the next op */
	int64_t paused;		/* no op starts before this time */
	int64_t moved;		/* when something last moved */
	unsigned drips;		/* bytes that the current trickle has sent */
	int64_t drip;		/* when the trickle's next byte is due */
	int front;		/* listener for the client; -1: not needed */
	int listener;		/* listener for the target; -1: not needed */
	int over;		/* script over; relay may still be running */
	pid_t relay;		/* 0: there is none, or it has ended */
	struct peer peer[ENDS];
	char trouble[80];
};

struct text {
	size_t n;
	char s[REPORT];
};

extern const char *const end_name[], *const way_name[];

void	make_script(struct script *, uint64_t seed, enum kind);
/* True if nothing that this end sees depends on chance. */
int	is_certain(const struct script *, int end);
void	put(struct text *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
void	put_script(struct text *, const struct script *);
void	put_seen(struct text *, const struct seen *, int certain);

/*
 * These functions make the ends of a script's connections.  The ends have the
 * buffers that the script sets.
 *
 * make_listener: the script is NULL if the relay's client connects to this
 *     listener.
 * start_relay: starts the relay as inetd does, with the client's socket as
 *     descriptors 0, 1 and 2.
 */
int	make_listener(int domain, const struct script *);
int	take_connection(int listener);
int	as_peer(int);
int	dial(int listener, const struct script *);
pid_t	start_relay(int client, const struct script *, int port);

/*
 * play_begin: begins to play a script, directly or through the relay.
 * play_interest: fills in the ENDS + 1 descriptors for poll(2).
 * play_step: handles the events from poll(2), and does all ops that are due.
 * play_ended: returns true when both ends have seen everything and the relay
 *     has ended.
 */
extern int64_t present;		/* the time now, from milliseconds() */
extern int64_t soon;		/* ms; anything slower has failed */
void	play_prepare(void);
void	play_begin(struct play *, const struct script *, int way);
void	play_interest(const struct play *, struct pollfd *);
void	play_step(struct play *, const struct script *, const struct pollfd *);
int	play_ended(const struct play *);
void	play_stop(struct play *);

#endif
