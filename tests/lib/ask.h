/* Questions that tests/system puts to the system, and the system's answers. */

#ifndef ASK_H
#define ASK_H

#include <sys/types.h>

enum { PEER, OWN };	/* the two ends; questions are about OWN */
enum { ANSWER = 200 };

/*
 * awhile: after this number of milliseconds, loopback has surely carried what
 * was sent.
 * answer: what put has written so far.
 * failed: true if something that src/ relies on has turned out to be false.
 */
extern int awhile, failed;
extern char answer[ANSWER];

/*
 * put: adds this text to the answer.
 * put_events: adds the names of these events of poll(2).
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
 * polled: requests these events, and returns what poll(2) reports within `ms'
 * milliseconds.
 * give_up: exits, because nothing can be tested.
 */
void	connection(int fd[2]);
void	reset_peer(int fd[2]);
int	polled(int fd, int events, int ms);
void	wait_awhile(void);
void	give_up(const char *what);

#endif
