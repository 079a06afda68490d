/*
 * Declarations that the parts of the load generator share.  The launcher also
 * uses common.c.  The load generator needs Linux, because of /proc and
 * epoll(7).  All times are in nanoseconds of the monotonic clock, which is the
 * same in every process.
 */

#ifndef BENCH_H
#define BENCH_H

#define _GNU_SOURCE

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#define SECOND INT64_C(1000000000)

enum {
	MOST_STREAMS = 1000,	/* at once */
	MOST_HELD = 20000,	/* sessions that stay open */
	PARTS = 16,		/* of a measurement */
	PATIENCE = 10,		/* seconds without any progress */
	CHUNK = 262144,		/* bytes that a stream sends repeatedly */
	LETTER = 65536,		/* bytes that the row `faults' sends */
	ASK = 100, ANSWER = 1000	/* bytes */
};

/*
 * The client's end (client.c) and the target's end (server.c) are separate
 * processes.  They share this memory, so that they can exchange data without
 * the relay.
 */
struct shared {
	int64_t duration;	/* how long to measure: -d */
	int64_t began, ended;	/* streams: first send, last receipt */
	int streams;		/* how many at once */
	uint64_t total[MOST_STREAMS];	/* bytes of each stream; 0: unknown */
	double fair;		/* the slowest stream, divided by the mean */
	uint64_t received;	/* bytes that the target received */
	int damaged;		/* the target received wrong bytes */
};
extern struct shared *shared;

/*
 * What the target does.  In the first five modes, the target echoes the first
 * byte of a session.
 */
enum mode {
	ECHO,		/* any number of sessions: echo */
	REPLIES,	/* any number of sessions: reply to ASK bytes */
	BOUNCE,		/* one session: echo, with the fewest system calls */
	DOWN,		/* send streams, once the first session brings a byte */
	UP,		/* receive streams; then send a byte in the first */
	REPLY,		/* receive a letter and FIN; reply 1.2 s later */
	HASTY,		/* send a letter and close at once */
	SINK		/* receive a letter and FIN */
};

/* server.c: the target's end */
pid_t	server_start(int, enum mode);
void	server_stop(pid_t);

/* stream.c: bytes and times */
void	stream_send(int, uint64_t *);
uint64_t stream_receive(int, const uint64_t *);
void	many_send(const int *, int);
uint64_t many_receive(const int *, int);
void	letter_write(char *);
int	letter_check(const char *, size_t);
size_t	letter_receive(int, int *);
int	send_all(int, const char *, size_t);
int64_t	now(void);
void	nap(int64_t);

/* tree.c: what the processes of a relay use */
double	tree_cpu(pid_t);
double	tree_private(pid_t);
double	tree_root_private(pid_t);
int	tree_size(pid_t);
void	tree_pin(pid_t);

/* common.c */
void	raise_limit(void);
int	listen_six(int port);

#endif
