/*
 * Functions with which tests/system asks the system questions and prints the
 * system's answers.
 */

#ifndef ASK_H
#define ASK_H

#include <sys/types.h>

enum { PEER, OWN };	/* a connection's ends; OWN is the one asked about */
enum { ANSWER = 200 };

/*
 * awhile: the number of milliseconds after which loopback has certainly
 * delivered what was sent.
 * answer: the text that put has added since the last answer was printed.
 * failed: true if something that src/ relies on has turned out to be false.
 */
extern int awhile, failed;
extern char answer[ANSWER];

/*
 * put: adds this text to the answer.
 * put_events: adds the names of these poll(2) events.
 * put_result: adds the name of this call and what the call returned.
 * relied: prints this question and the answer.  src/ relies on the answer, and
 * `true' says whether the answer is as src/ expects.
 * told: prints this question and the answer, on which src/ does not rely.
 */
void	put(const char *, ...) __attribute__((format(printf, 1, 2)));
void	put_events(int);
void	put_result(const char *call, ssize_t);
void	relied(const char *question, int true);
void	told(const char *question);

/*
 * connection: makes a connection over IPv4 loopback, because every system has
 * IPv4 loopback.  OWN is non-blocking.
 * reset_peer: makes PEER send RST.
 * polled: calls poll(2) for these events, and returns the events that poll(2)
 * reports within `ms' milliseconds.
 * give_up: prints what failed, and exits, because nothing can be tested.
 */
void	connection(int fd[2]);
void	reset_peer(int fd[2]);
int	polled(int fd, int events, int ms);
void	wait_awhile(void);
void	give_up(const char *what);

#endif
