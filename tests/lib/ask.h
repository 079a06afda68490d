/* Questions that tests/system asks the system, and the system's answers. */

#ifndef ASK_H
#define ASK_H

#include <sys/types.h>

enum { PEER, OWN };	/* the two ends; OWN is the one asked */
enum { ANSWER = 200 };

/*
 * awhile: the number of milliseconds in which loopback surely carries what was
 * sent.
 * answer: the answer that put has written so far.
 * failed: true if src/ relies on something that is not true.
 */
extern int awhile, failed;
extern char answer[ANSWER];

/*
 * put: adds to the answer.
 * put_events: adds events of poll(2).
 * put_result: adds what a call returned.
 * relied: prints the answer to this question; src/ relies on that answer.
 * told: prints the answer to this question; src/ does not rely on it.
 */
void	put(const char *, ...) __attribute__((format(printf, 1, 2)));
void	put_events(int);
void	put_result(const char *call, ssize_t);
void	relied(const char *question, int true);
void	told(const char *question);

/*
 * connection: makes a connection over IPv4 loopback, which every system has;
 * OWN is non-blocking.
 * reset_peer: PEER sends RST.
 * polled: what poll(2) reports within ms, if these events are requested.
 * give_up: exits, because no test is possible.
 */
void	connection(int fd[2]);
void	reset_peer(int fd[2]);
int	polled(int fd, int events, int ms);
void	wait_awhile(void);
void	give_up(const char *what);

#endif
