/*
 * What only carry.c and its systems touch.
 *
 * Bulk has a fast way on Linux: carry_linux.c.  On others it is copied like talk
 * (carry_other.c).
 */

#ifndef CARRY_H
#define CARRY_H

/*
 * A read of more than TALK bytes is of bulk.  This number of bytes of nothing
 * else makes the flow bulk, and this number of reads of less makes it talk
 * again.  The tests build with -DALL_BULK too.
 */
#ifndef ALL_BULK
enum { BULK = 262144, TALK = 4096, TALK_READS = 16 };
#else
enum { BULK = 0, TALK = 0, TALK_READS = 16 };
#endif

enum { FLOW_BUFFER = 65536 };	/* bytes; one recv(2) */

struct flow;

struct carry {
	int urgent;		/* the buffer holds the urgent byte alone */
	int early;		/* tcp's own: one that came before its place */
	size_t start, end;	/* what of buffer is still to be sent */
	size_t backlog;		/* bytes since the last small read */
	int small;		/* small reads since the last large one */
	int pipe[2];		/* Linux: for bulk; 0: there is none */
	int segment;		/* Linux: bytes, of the other side; for bulk */
	size_t piped;		/* Linux: in the pipe, to be sent as well */
	char *buffer;		/* FLOW_BUFFER bytes */
};

/*
 * fast_fill: the bytes taken, to be sent by fast_drain; 0 when they are to be
 * copied; -1 with an errno.
 * fast_drain: the bytes sent, or -1 with an errno.
 * fast_end: let go of what only bulk needs, if it is held.
 * The fourth is carry_holds, which the pump asks as well.
 */
ssize_t	fast_fill(struct flow *);
ssize_t	fast_drain(struct flow *);
void	fast_end(struct flow *);

#endif
