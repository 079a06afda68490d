/*
 * Definitions that only carry.c and carry_*.c use.
 *
 * A flow carries talk (small messages) or bulk (much data).  Talk is copied
 * through a buffer.  On Linux, bulk takes a fast path (carry_linux.c).  On
 * other systems, bulk is also copied (carry_other.c).
 */

#ifndef CARRY_H
#define CARRY_H

/*
 * Each read increases the flow's weight by the number of bytes read, and
 * decreases it by TALK.  The weight stays between 0 and BULK.  When the weight
 * reaches BULK, the flow becomes bulk.  It stays bulk until the weight is less
 * than TALK.  So the mean size of the reads decides, not a single small read.
 * A look (see look.c) can also turn bulk into talk.  Such a look sets the
 * weight to -1, and the flow becomes talk once the pipe is empty.  The tests
 * also build the relay with -DALL_BULK, which makes every flow bulk.
 */
#ifndef ALL_BULK
enum { BULK = 262144, TALK = 4096 };
#else
enum { BULK = 0, TALK = 0 };
#endif

enum { FLOW_BUFFER = 65536 };	/* bytes; one recv(2) takes no more */

struct flow;

struct carry {
	int urgent;		/* the buffer holds only the urgent byte */
	int early;		/* for tcp_*.c only: see tcp_at_mark() */
	size_t start, end;	/* the unsent bytes in the buffer */
	int weight;		/* 0 to BULK; -1: the pipe will be closed */
	int pipe[2];		/* Linux: the pipe's two ends; 0: not open */
	int room;		/* Linux: the pipe's size, bytes */
	int most;		/* Linux: limit of `room' until the next look */
	uint64_t before;	/* Linux: bytes sent before the last look */
	int64_t since;		/* Linux: the time of the last look */
	int segment;		/* Linux: TCP_MAXSEG of the receiving side */
	size_t piped;		/* Linux: unsent bytes in the pipe */
	int batch;		/* Linux: this flow has set SCHED_BATCH */
	char *buffer;		/* FLOW_BUFFER bytes */
};

/*
 * fast_fill takes bytes that have come, and fast_drain sends them.
 * fast_fill returns the number of bytes taken, or 0 if the caller must use
 * recv(2) instead, or -1 with an errno.  Its second argument is true if the
 * flow has just been drained and poll(2) has not been called since.  Its third
 * argument is the time.
 * fast_drain returns the number of bytes sent, or -1 with an errno.  Its second
 * argument is the time.
 * fast_end frees what the flow uses only for bulk, if anything.
 * relay.h declares carry_holds and carry_rest, because other files call them.
 */
ssize_t	fast_fill(struct flow *, int, int64_t);
ssize_t	fast_drain(struct flow *, int64_t);
void	fast_end(struct flow *);

#endif
