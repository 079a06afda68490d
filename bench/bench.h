/*
 * The load generator: what its parts share.  Linux only, because it reads
 * /proc.  All times are nanoseconds of the monotonic clock, which is the same
 * in every process.
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
	CHUNK = 262144,		/* bytes of a stream, sent again and again */
	LETTER = 65536,		/* bytes of a reply, and of what it answers */
	ASK = 100, ANSWER = 1000	/* bytes */
};

/*
 * Both ends of the relay: the client's is in load.c, the target's in server.c,
 * in a process of its own.  What they must tell each other without using the
 * relay is here, in shared memory.
 */
struct shared {
	int64_t duration;	/* how long a stream is sent */
	int64_t began, ended;	/* streams: first byte sent, last received */
	int streams;		/* how many at once */
	uint64_t total[MOST_STREAMS];	/* bytes of one; 0: not decided yet */
	uint64_t received;	/* by the target */
	int damaged;		/* the target received something else */
};
extern struct shared *shared;

/* What the target does.  The client's first byte is echoed in the first six. */
enum mode {
	ECHO,		/* any number of sessions: echo */
	REPLIES,	/* the same; then a reply to each ASK bytes */
	BOUNCE,		/* one session: echo, with the fewest system calls */
	DOWN,		/* streams, when a byte comes in the first session */
	UP,		/* receive streams, then send a byte in the first */
	REPLY,		/* receive a letter and FIN; much later send one */
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

/* tree: what a peer's processes use */
double	tree_cpu(pid_t);
double	tree_private(pid_t);
double	tree_root_private(pid_t);
int	tree_size(pid_t);
void	tree_pin(pid_t);
double	memory_available(void);

/* limit: how many descriptors we may have */
void	raise_limit(void);

#endif
