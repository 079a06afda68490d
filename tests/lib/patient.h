/*
 * Sessions in which time matters, in a separate network where the system's
 * timeouts are short.
 */

#ifndef PATIENT_H
#define PATIENT_H

#include "relay.h"

/* Milliseconds: the value of -T and -t here. */
enum { LIMIT = 2000 };
#define LIMIT_TEXT "2"

/* On a slow machine, a session may last this many times as long. */
#define SLOW_MACHINE (3 * test_slow())

/* By then, -k 1 has lost a vanished peer: TCP probes at growing intervals. */
#define MISSED (6000 * test_slow())

struct patient {
	struct relay relay;
	pid_t pid;		/* the relay's, even after its end */
	int fd[2];		/* the peers' own sockets */
	int port[2];		/* the peers', even once closed */
	int relay_port[2];	/* the relay's, towards the peers */
};

/*
 * own_network: an ordinary network, with packets no larger than a window, in
 * which a closed connection is forgotten after a second.  Receivers have
 * `receive' bytes of buffer, and senders 4 MiB.
 * patient_begin: a session with up to two options.
 * patient_over: the relay ends with status 0; its line has this end, and these
 * numbers of bytes from this side and back to it.
 * finish_both: both sides have received everything; each side that has not yet
 * finished does so, and the other receives FIN.
 * peer_state, relay_state: the tcp(7) state of either end of a side's
 * connection; 0 if the system knows no such connection.
 * expect_forgotten: waits until that state is 0.
 * arrived: the number of bytes that are waiting to be read.
 * settle: waits until no more bytes come.
 * broken: true if the connection is over.
 */
void	own_network(int receive);
void	patient_begin(struct patient *, const char *option, const char *value,
	    const char *option2, const char *value2);
void	patient_over(struct patient *, int side, const char *end, size_t sent,
	    size_t back);
void	finish_both(struct patient *, int near, int finished);
enum { ESTABLISHED = 1, FIN_WAIT1 = 4, CLOSE_WAIT = 8 };	/* Linux's */
int	peer_state(const struct patient *, int side);
int	relay_state(const struct patient *, int side);
void	expect_forgotten(const struct patient *, int side,
	    int state(const struct patient *, int));
int	arrived(int fd);
void	settle(int fd);
int	broken(int fd);

#ifndef TEST_LIBRARY
#define own_network(...) HERE(own_network(__VA_ARGS__))
#define patient_begin(...) HERE(patient_begin(__VA_ARGS__))
#define patient_over(...) HERE(patient_over(__VA_ARGS__))
#define finish_both(...) HERE(finish_both(__VA_ARGS__))
#define expect_forgotten(...) HERE(expect_forgotten(__VA_ARGS__))
#define settle(...) HERE(settle(__VA_ARGS__))
#endif

#endif
