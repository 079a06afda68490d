/*
 * For tests/system: questions to the system, and its answers.
 */

#ifndef ASK_H
#define ASK_H

#include <sys/types.h>

enum { PEER, OWN };	/* of a pair: the other end, and the one asked */
enum { ANSWER = 200 };

/*
 * awhile: milliseconds in which loopback surely carries what was sent.
 * answer: what has been put so far.  failed: src/ relies on what is not true.
 */
extern int awhile, failed;
extern char answer[ANSWER];

/*
 * put: adds to the answer.  put_events: adds events of poll(2).  put_result:
 * adds what a call returned.  relied, told: print the answer to this question,
 * on which src/ relies, or which is only good to know.
 */
void	put(const char *, ...) __attribute__((format(printf, 1, 2)));
void	put_events(int);
void	put_result(const char *call, ssize_t);
void	relied(const char *question, int true);
void	told(const char *question);

/*
 * connection: over IPv4 loopback, which every system has; OWN does not block.
 * reset_peer: PEER sends RST.  polled: what poll(2) reports within ms if asked
 * for these events.  give_up: exits, because no test is possible.
 */
void	connection(int fd[2]);
void	reset_peer(int fd[2]);
int	polled(int fd, int events, int ms);
void	wait_awhile(void);
void	give_up(const char *what);

#endif
