/*
 * What only carry.c and carry_*.c use.
 *
 * On Linux bulk has a fast path: carry_linux.c.  Elsewhere it is copied, as
 * talk is (carry_other.c).
 */

#ifndef CARRY_H
#define CARRY_H

/*
 * Each read adds its bytes to a flow's weight, which stays between 0 and BULK,
 * and takes TALK away.  A flow whose weight has reached BULK is bulk, until the
 * weight is less than TALK.  So the mean size of the reads decides, and not one
 * small read.  The tests also build with -DALL_BULK.
 */
#ifndef ALL_BULK
enum { BULK = 262144, TALK = 4096 };
#else
enum { BULK = 0, TALK = 0 };
#endif

enum { FLOW_BUFFER = 65536 };	/* bytes; one recv(2) */

struct flow;

struct carry {
	int urgent;		/* the buffer holds only the urgent byte */
	int early;		/* tcp_*.c's: an urgent byte that came early */
	size_t start, end;	/* the part of buffer yet to be sent */
	int weight;		/* bytes, from 0 to BULK */
	int pipe[2];		/* Linux: for bulk; 0: not open */
	int room;		/* Linux: the pipe's size, bytes */
	int most;		/* Linux: how far it may grow now */
	int filled;		/* Linux: too small since the last look */
	uint64_t before;	/* Linux: bytes sent until the last look */
	int segment;		/* Linux: the other side's TCP_MAXSEG */
	size_t piped;		/* Linux: bytes in the pipe, yet to be sent */
	char *buffer;		/* FLOW_BUFFER bytes */
};

/*
 * fast_fill returns the number of bytes taken, which fast_drain sends; 0 if
 * bytes are to be copied instead; or -1 with an errno.  Its second argument
 * says that nobody has waited since the last bytes were taken.
 * fast_drain returns the number of bytes sent, or -1 with an errno.
 * fast_end frees what only bulk needs, if anything is held.
 * carry_holds and carry_rest are in relay.h, because pump.c calls them.
 */
ssize_t	fast_fill(struct flow *, int);
ssize_t	fast_drain(struct flow *);
void	fast_end(struct flow *);

#endif
