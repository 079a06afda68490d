/*
 * Tests in which time matters.  Their sessions run in a separate network, in
 * which the system soon forgets closed connections.
 */

#ifndef PATIENT_H
#define PATIENT_H

#include "relay.h"

/* The value of -T and -t in these tests, in milliseconds. */
enum { LIMIT = 2000 };
#define LIMIT_TEXT "2"

/*
 * Where a slow machine could make a test fail, the test multiplies its time
 * limit by this factor.
 */
#define SLOW_MACHINE (3 * test_slow())

/*
 * Within this number of milliseconds, a relay with -k 1 notices that a peer has
 * vanished.  The relay needs this time because TCP sends its probes at growing
 * intervals.
 */
#define MISSED (6000 * test_slow())

struct patient {
	struct relay relay;
	pid_t pid;		/* the relay's process ID; kept after its end */
	int fd[2];		/* the peers' sockets */
	int port[2];		/* the peers' ports; kept after closing */
	int relay_port[2];	/* the relay's port on each connection */
};

/*
 * own_network: gives the test a separate network.  The MTU is 1500, so that a
 * full packet fits into the smallest receive window.  After a socket is closed,
 * the system waits one second for the other side's FIN, and then forgets the
 * connection.  Each socket has a receive buffer of `receive' bytes and a send
 * buffer of 4 MiB.
 * patient_begin: begins a session with up to two options.
 * patient_over: expects that the relay ends with status 0, and that its line
 * has this value of end= and counts `sent' bytes from this side and `back'
 * bytes to this side.
 * finish_both: sends FIN from each side that has not sent FIN yet, and expects
 * that the other side gets FIN, and no byte before it.  `finished' is the side
 * that has already sent FIN, or NOBODY.
 * peer_state: the TCP state of the peer's socket on this side, as a number from
 * /proc/net/tcp.  The state is 0 if the system does not list the socket.
 * relay_state: the same for the relay's socket on this side.
 * expect_forgotten: waits until `state', which is peer_state or relay_state,
 * returns 0.
 * arrived: the number of bytes that are waiting to be read.
 * settle: waits until some bytes have arrived and no more are coming.
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
