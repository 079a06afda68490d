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
	STREAMS = 100,		/* at once, in MANY */
	CHUNK = 262144,		/* bytes, sent again and again in a stream */
	LETTER = 65536		/* bytes of a request, or of its reply */
};

/*
 * Memory that the client's end (load.c) and the target's end (server.c, a
 * separate process) share, for what they must not send through the relay.
 */
struct shared {
	int64_t duration;	/* how long to measure: -d */
	int64_t began, ended;	/* a stream's first send, last receipt */
	uint64_t total[STREAMS];/* bytes of each stream; 0: not known yet */
	uint64_t received;	/* bytes, by the target */
	int damaged;		/* the target received wrong bytes */
};
extern struct shared *shared;

/*
 * What the target does.  In all modes except the last three, it echoes the
 * client's first byte.
 */
enum mode {
	ECHO,		/* any number of sessions: echo */
	BOUNCE,		/* one session: echo, with the fewest system calls */
	DOWN,		/* one session: send a stream after a second byte */
	MANY,		/* STREAMS of these, numbered by the first byte */
	UP,		/* one session: receive a stream, then send a byte */
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
