/*
 * Sessions in which time matters.  They run in a separate network, where the
 * system's timeouts are short.
 */

#ifndef PATIENT_H
#define PATIENT_H

#include "relay.h"

/* The value of -T and -t in these tests, in milliseconds. */
enum { LIMIT = 2000 };
#define LIMIT_TEXT "2"

/* On a slow machine, a session is allowed to last this many times as long. */
#define SLOW_MACHINE (3 * test_slow())

/*
 * After this number of milliseconds, a relay with -k 1 has noticed that a peer
 * vanished.  It takes that long because TCP probes at growing intervals.
 */
#define MISSED (6000 * test_slow())

struct patient {
	struct relay relay;
	pid_t pid;		/* the relay's process ID, even after its end */
	int fd[2];		/* the peers' own sockets */
	int port[2];		/* the peers' ports, even after closing */
	int relay_port[2];	/* the relay's ports towards them */
};

/*
 * own_network: gives the test an ordinary network.  Its MTU is 1500, so that a
 * full packet fits into the smallest receive window.  It forgets a closed
 * connection after a second.  A socket has `receive' bytes of receive buffer
 * and 4 MiB of send buffer.
 * patient_begin: begins a session with up to two options.
 * patient_over: expects that the relay ends with status 0.  Its line must have
 * this end, and count `sent' bytes from this side and `back' bytes to it.
 * finish_both: expects that both sides have received everything.  `finished' is
 * the side that has already sent FIN, or NOBODY.  The function sends FIN from
 * each side that has not sent it, and expects it at the other side.
 * peer_state: the state of the peer's end of this side's connection, as in
 * /proc/net/tcp; 0 if the system knows no such connection.
 * relay_state: the same for the relay's end of this connection.
 * expect_forgotten: waits until `state', which is peer_state or relay_state,
 * returns 0.
 * arrived: the number of bytes that are waiting to be read.
 * settle: waits until bytes have arrived and no more are coming.
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
