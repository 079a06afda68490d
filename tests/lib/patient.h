/*
 * Sessions in which time matters.  They run in a separate network, where the
 * system's timeouts are short.
 */

#ifndef PATIENT_H
#define PATIENT_H

#include "relay.h"

/* Milliseconds: the value of -T and -t here. */
enum { LIMIT = 2000 };
#define LIMIT_TEXT "2"

/* On a slow machine, a session may last this many times as long. */
#define SLOW_MACHINE (3 * test_slow())

/*
 * In milliseconds: by then, a relay with -k 1 has noticed that a peer vanished.
 * TCP probes at growing intervals.
 */
#define MISSED (6000 * test_slow())

struct patient {
	struct relay relay;
	pid_t pid;		/* the relay's process ID, even after its end */
	int fd[2];		/* the peers' own sockets */
	int port[2];		/* the peers' ports, even after they closed */
	int relay_port[2];	/* the relay's ports, towards the peers */
};

/*
 * own_network: gives the test an ordinary network.  Its MTU is 1500, so that a
 * full packet fits into the smallest receive window.  A closed connection is
 * forgotten after a second.  A receiver
 * has `receive' bytes of buffer, and a sender has 4 MiB.
 * patient_begin: begins a session with up to two options.
 * patient_over: expects that the relay ends with status 0, and that its line
 * has this end and these byte counts: `sent' from this side, `back' to it.
 * finish_both: expects that both sides have received everything.  Each side
 * that has not yet finished does so, and the other side must receive FIN.
 * peer_state, relay_state: the state, as in tcp(7), of the peer's or the
 * relay's end of a side's connection; 0 if the system knows no such connection.
 * expect_forgotten: waits until this function, one of those two, returns 0.
 * arrived: the number of bytes that are waiting to be read.
 * settle: waits until bytes have come and no more follow.
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
