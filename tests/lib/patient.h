/*
 * Sessions in which time matters, in a network of their own where the system's
 * own timeouts are short.
 */

#ifndef PATIENT_H
#define PATIENT_H

#include "relay.h"

/* Milliseconds: the value of -T and -t here. */
enum { LIMIT = 2000 };
#define LIMIT_TEXT "2"

/* On a slow machine a session may end later than it should, by this factor. */
#define SLOW_MACHINE (3 * test_slow())

/* And after a peer has vanished: at -k 1 TCP probes ever more rarely. */
#define MISSED (6000 * test_slow())

struct patient {
	struct relay relay;
	pid_t pid;		/* the relay's, also when it is over */
	int fd[2];		/* the peers' own sockets */
	int port[2];		/* theirs, also when they are closed */
	int relay_port[2];	/* and the relay's, towards them */
};

/*
 * own_network: an ordinary one, with packets no larger than a window: a closed
 * connection is forgotten after a second, receivers have `receive' bytes of
 * buffer, and senders 4 MiB.  patient_begin: a session with up to two options.
 * patient_over: the relay ends with status 0, and its line has these numbers of
 * bytes from this side and back to it, and this end.
 * finish_both: both sides have everything: FIN from each side that has not
 * finished yet.  peer_state, relay_state: tcp(7), of either end of a side's
 * connection;
 * 0: the system knows of none.  expect_forgotten: wait until that is so.
 * arrived: bytes that wait to be read.  settle: wait until nothing comes any
 * more.
 * broken: the connection is over.
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
