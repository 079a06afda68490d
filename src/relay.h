/*
 * This header declares the state of a session and the steps that a session
 * takes.
 *
 * Each step gets the session as an argument.  If a step returns 0, the session
 * goes on.  If a step returns -1, the session is over.  s->end is then the
 * reason, and s->error (an errno) or s->words gives details (see over() and
 * misused() in report.c).  Every source file includes this header first.
 */

#ifndef RELAY_H
#define RELAY_H

#include "system.h"

#include <netinet/in.h>

#include <stdint.h>

#include "carry.h"

#define VERSION "0.2.0"

enum { MOST_TARGETS = 32 };	/* further addresses of a name are ignored */

/*
 * Descriptor 0 is the client's socket, 1 leads to syslogd, 2 leads to syslogd
 * or to the operator, and 3 is the target's socket.  On Linux, descriptors 4 to
 * 7 can be the ends of the pipes for bulk.
 */

/*
 * The sides of a session.  flow[i] carries bytes from side i to the other side.
 */
enum { CLIENT, TARGET, SIDES };

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* Why a session is over.  report.c has a table of names and exit statuses. */
enum end {
	END_OPEN,		/* the session is not over */
	END_EOF,
	END_CLIENT_RESET,
	END_TARGET_RESET,
	END_CLIENT_TIMEOUT,
	END_TARGET_TIMEOUT,
	END_IDLE,
	END_HALF_CLOSED,
	END_SIGNAL,
	END_REFUSED,
	END_UNREACHABLE,
	END_TIMEOUT,
	END_RESOLVE,
	END_LOOP,
	END_DENIED,
	END_SYSTEM,		/* a system call failed unexpectedly */
	END_USAGE,		/* the operator's mistake; no session began */
	END_GONE,		/* the client left before the session began */
	END_SHOWN		/* -V or -h: the text was shown */
};

struct options {
	const char *target;	/* as given: address, name or network */
	union address address;	/* the target, if given as an address */
	in_port_t port;		/* host order; 0: the port that was dialled */
	int family;		/* the target's: AF_INET or AF_INET6 */
	int is_name;
	struct in_addr network;	/* target/len: contains every target */
	int network_len;	/* prefix length; 0: no network */
	int prefix;		/* -x: prefix length; 0: not given */
	int proxy;		/* -p: 1 or 2; 0: no header */
	union address source;	/* -s: AF_UNSPEC if not given */
	int source_len;		/* prefix length; 0: one address */
	int numeric;		/* -n: never look anything up */
	int loudness;		/* 1 with -v, -1 with -q, otherwise 0 */
	int keepalive;		/* -k, seconds; 0: off */
	int wait;		/* -w, seconds */
	int idle;		/* -T, seconds; 0: never */
	int half_closed;	/* -t, seconds; 0: never */
};

/* A flow is one of the two directions of a session. */
struct flow {
	int from, to;		/* descriptors */
	uint64_t bytes;		/* sent so far */
	uint64_t missed;	/* bytes that are never read: tcp_missed() */
	struct carry carry;	/* for carry.c only */
	/* for pump.c and look.c only: */
	int fin;		/* FIN has come, whether read or not */
	int eof;		/* nothing more will be read */
	int done;		/* nothing more will be sent, not even FIN */
	int hung;		/* POLLHUP came, but no error: see interest() */
};

/* Values of s->log that are not descriptors. */
enum { LOG_UNOPENED = -1, LOG_USELESS = -2 };

/* Each field is listed under the step that sets it. */
struct session {
	/* main, for every step: */
	struct options opt;
	int fd[SIDES];		/* -1: not open */
	struct flow flow[SIDES];
	enum end end;
	int error;		/* errno, or 0 */
	char words[256];	/* used instead of strerror(3) if not empty */
	/* client: */
	union address client, local;	/* the client's address; ours */
	int copy;		/* 2 is not the client's, so it gets errors */
	int out;		/* 1 is not the client's, so -h and -V print */
	int root;		/* started as root, which is not needed */
	int64_t began;
	/* target: */
	union address targets[MOST_TARGETS];
	size_t ntargets;
	int64_t deadline;	/* the end of the time that -w allows */
	/* dial: */
	union address target, via;	/* the target's address; ours */
	int gone_early;		/* errno if the target is gone already, or 0 */
	/* pump: */
	int64_t settling;	/* when a flow last became done */
	int gone;		/* the side that is gone; SIDES: none */
	enum end gone_end;	/* how that side ended */
	int reset;		/* close the remaining side's socket with RST */
	/* pump, look: */
	int64_t moved[SIDES];	/* when a side last sent or acked something */
	int64_t check;		/* time of the next look, or NEVER */
	int64_t acked[SIDES];	/* bytes and FIN acked before the last look */
	int64_t came[SIDES];	/* bytes known to have come, read or not */
	int64_t asked[SIDES];	/* see look_for_silence() */
	int64_t repeats[SIDES];	/* tcp_repeats() at the time of `asked' */
	uint64_t dropped;	/* bytes, since their sender last acked data */
	/* wait: */
	int64_t now;		/* milliseconds, as last read by now() */
	int readings;		/* system calls that now() has made */
	/* report: */
	int log;		/* the socket to syslogd */
	/* The buffers of the flows come last: see SESSION_LAST. */
	char buffer[SIDES][FLOW_BUFFER];
};

/* client: what the super-server passed on */
void	inherit(struct session *);
int	client_take(struct session *);
int	client_left(const struct pollfd *);

/* options: the command line */
int	options_parse(struct session *, int, char *[]);

/* target: the addresses that this session will try to connect to */
int	target_find(struct session *);

/* dial: connect to one of the targets; source: choose our address */
int	dial(struct session *);
struct in_addr source_of(const union address *, struct in_addr, int);

/* header: send the PROXY protocol header */
int	header(struct session *);

/* confine: give up what a session does not need */
void	close_strays(void);
int	confine(struct session *);

/* pump: the rules of a session */
void	pump(struct session *);

/* look: what no event reports */
int	all_done(const struct session *);
void	look_soon(struct session *);
void	look_next(struct session *, int);
void	look_for_movement(struct session *, int);
int	look_for_silence(struct session *, int);
int	limit_reached(const struct session *, enum end *);
int64_t	look_deadline(const struct session *);

/* carry: how the bytes of a flow move */
size_t	carry_pending(const struct flow *);
int	carry_bulk(const struct flow *);
short	carry_events(const struct flow *);
int	carry_due(const struct flow *);
ssize_t	carry_fill(struct flow *, int, int64_t);
ssize_t	carry_drain(struct flow *, int64_t);
int	carry_holds(const struct flow *);
void	carry_rest(struct flow *, int64_t);
void	carry_drop(struct flow *);

/* tcp: queries and options of TCP sockets */
int	tcp_prepare(int, int);
void	tcp_inherit(int);
int	tcp_calm(int);
void	tcp_abort(int, int);
void	tcp_let_go(int);
int	tcp_events(int);
int	tcp_error(int, int);
int	tcp_take_error(int);
int	tcp_early(int);
short	tcp_awaited(int);
int	tcp_due(int, int);
int	tcp_at_mark(int, int, int *);
ssize_t	tcp_take_urgent(int, char *, int *);
int	tcp_unread(int);
int	tcp_unsent(int);
int64_t	tcp_repeats(int, int64_t *);
uint64_t tcp_missed(int);
int	tcp_had_fin(int, uint64_t);
int	tcp_forgotten(int, int);

/* wait: wait for descriptors, signals and deadlines */
#define NEVER INT64_MAX
void	wait_begin(void);
int	wait_for(struct session *, struct pollfd *, nfds_t, int64_t);
void	wait_alarm(unsigned);
int64_t	now(struct session *);
int	kqueue_poll(struct pollfd *, nfds_t, int);

/* report: the log lines and the end of a session */
extern const char usage[];
int	over(struct session *, enum end, int);
int	misused(struct session *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
int	shown(struct session *, const char *);
int	report_open(struct session *);
void	report_line(struct session *);
int	report_exit(struct session *);

/* log: lines to syslogd */
int	log_open(void);
int	log_connect(int);
void	log_send(int, const char *, size_t);

/* address: comparing, unmapping and writing addresses */
socklen_t address_size(const union address *);
int	address_equal(const union address *, const union address *);
in_port_t address_port(const union address *);
void	address_unmap(union address *);
void	address_host(char *, size_t, const union address *);
void	address_print(char *, size_t, const union address *);
#define ADDRESS_WIDTH 64

#endif
