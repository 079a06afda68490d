/*
 * What the parts of the load generator share, and the launcher (raise_limit).
 * Linux only, because of /proc and epoll(7).  All times are nanoseconds of the
 * monotonic clock, which is the same in every process.
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
	MOST_HELD = 20000,	/* sessions */
	PARTS = 16,		/* of a measurement */
	PATIENCE = 10,		/* seconds without any progress */
	CHUNK = 262144,		/* bytes, sent again and again in a stream */
	LETTER = 65536,		/* bytes of a request, or of its reply */
	ASK = 100, ANSWER = 1000	/* bytes */
};

/*
 * Memory that the client's end (client.c) and the target's end (server.c, a
 * separate process) share, for what they must not send through the relay.
 */
struct shared {
	int64_t duration;	/* how long to measure: -d */
	int64_t began, ended;	/* streams: first send, last receipt */
	int streams;		/* how many at once */
	uint64_t total[MOST_STREAMS];	/* bytes of each; 0: not known yet */
	double fair;		/* the slowest stream by the mean */
	uint64_t received;	/* bytes, by the target */
	int damaged;		/* the target received wrong bytes */
};
extern struct shared *shared;

/* What the target does.  The first five also echo the client's first byte. */
enum mode {
	ECHO,		/* any number of sessions: echo */
	REPLIES,	/* the same; then a reply to each ASK bytes */
	BOUNCE,		/* one session: echo, with the fewest system calls */
	DOWN,		/* streams, when a byte comes in the first session */
	UP,		/* receive streams, then send a byte in the first */
	REPLY,		/* receive a letter and FIN; reply 1.2 s later */
	HASTY,		/* send a letter and close at once */
	SINK		/* receive a letter and FIN */
};

/* server: the target's end */
pid_t	server_start(int, enum mode);
void	server_stop(pid_t);

/* stream: bytes */
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

/* tree: what the processes of a relay use */
double	tree_cpu(pid_t);
double	tree_private(pid_t);
double	tree_root_private(pid_t);
int	tree_size(pid_t);
void	tree_pin(pid_t);

/* limit: the maximum number of descriptors */
void	raise_limit(void);

#endif
