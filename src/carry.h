/*
 * What only carry.c and carry_*.c use.
 *
 * On Linux bulk has a fast path: carry_linux.c.  Elsewhere it is copied, as
 * talk is (carry_other.c).
 */

#ifndef CARRY_H
#define CARRY_H

/*
 * A read of more than TALK bytes is a large one.  BULK bytes in consecutive
 * large reads make the flow bulk; TALK_READS small reads in a row make it talk
 * again.  The tests also build with -DALL_BULK.
 */
#ifndef ALL_BULK
enum { BULK = 262144, TALK = 4096, TALK_READS = 16 };
#else
enum { BULK = 0, TALK = 0, TALK_READS = 16 };
#endif

enum { FLOW_BUFFER = 65536 };	/* bytes; one recv(2) */

struct flow;

struct carry {
	int urgent;		/* the buffer holds only the urgent byte */
	int early;		/* tcp_*.c's: an urgent byte that came early */
	size_t start, end;	/* the part of buffer yet to be sent */
	size_t backlog;		/* bytes since the last small read */
	int small;		/* small reads since the last large one */
	int pipe[2];		/* Linux: for bulk; 0: not open */
	int segment;		/* Linux: the other side's TCP_MAXSEG */
	size_t piped;		/* Linux: bytes in the pipe, yet to be sent */
	char *buffer;		/* FLOW_BUFFER bytes */
};

/*
 * fast_fill returns the number of bytes taken, which fast_drain sends; 0 if
 * bytes are to be copied instead; or -1 with an errno.
 * fast_drain returns the number of bytes sent, or -1 with an errno.
 * fast_end frees what only bulk needs, if anything is held.
 * The fourth function, carry_holds, is in relay.h, because pump.c calls it,
 * too.
 */
ssize_t	fast_fill(struct flow *);
ssize_t	fast_drain(struct flow *);
void	fast_end(struct flow *);

#endif
