/*
 * Both peers of a session, for the tests: real sockets on loopback, and a real
 * stfl-relay process between them.  What cannot be done ends the test that
 * asked for it (fail); every wait is bounded.
 */

#ifndef PEERS_H
#define PEERS_H

#define _GNU_SOURCE

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <stdint.h>
#include <stddef.h>

enum { SOON = 10000 };	/* milliseconds; what takes longer has failed */
enum { SKIPPED = 77 };	/* status of a test that cannot be made */

/* How a peer's stream ends. */
enum ending { FIN, RST, NOTHING };

struct relay {
	pid_t pid;
	int client;	/* the client's socket; -1 once closed */
	int target;	/* the target's socket; -1: none yet */
	int err;	/* reads the relay's 2; -1: that is the client's socket */
};

/* A test is a sentence and the function that proves it. */
struct test {
	const char *sentence;
	void (*run)(void);
};

/*
 * Run the tests whose sentences contain one of argv (all without argv), each in
 * a process of its own, some at a time, and print "ok - ", "not ok - " or
 * "ok - " with a reason after "# SKIP", and the sentence.  Gives the exit status: 1 if one failed.
 */
int	run_tests(const struct test *, size_t, int, char *[]);
void	fail(const char *, ...) __attribute__((noreturn, format(printf, 1, 2)));
void	skip(const char *, ...) __attribute__((noreturn, format(printf, 1, 2)));
extern const char *about;	/* what is tried: fail says it first */

/*
 * Clients are at ::1 and targets at 127.0.0.1; with TARGET6 in the environment
 * it is the other way round.  target_host is what the relay is given.
 */
int	client_family(void);
int	target_family(void);
const char *target_host(void);

/* Sockets.  family is AF_INET (127.0.0.1) or AF_INET6 (::1). */
int	listen_on(int family);
int	refuse_on(int family);	/* a port that is ours and does not listen */
int	port_of(int fd);
int	connect_to(int family, int port);
int	accept_from(int listener);
void	socket_pair(int family, int *ours, int *theirs);

/*
 * relay_start: a client connection of this family, handed to a relay as an
 * inetd does; the arguments end with NULL.  With `separate` descriptor 2 is a
 * pipe, else it is the client's socket.
 * relay_on: the same with this accepted socket, which is closed here.
 * relay_setup: called in the relay's process before the relay is executed.
 * relay_session: the same with -v and a pipe, to a target of ours, accepted.
 * relay_status: the exit status within ms, 128 + signal if killed.
 * relay_stderr: all that the relay wrote to its 2, until it closed it.
 */
extern const char *relay_path;	/* $RELAY, or ./stfl-relay */
extern void (*relay_setup)(void);
void	relay_on(struct relay *, int theirs, int separate, const char *const *);
void	relay_start(struct relay *, int family, int separate, ...);
void	relay_startv(struct relay *, int family, int separate,
	    const char *const *);
void	relay_session(struct relay *, ...);
int	relay_status(struct relay *, int ms);
void	relay_stderr(struct relay *, char *, size_t);

/* Bytes.  Byte i of stream n is stream_byte(n, i). */
unsigned char stream_byte(unsigned, uint64_t);
void	send_all(int fd, const void *, size_t);
void	send_stream(int fd, unsigned stream, uint64_t from, size_t);
void	recv_exactly(int fd, void *, size_t);
void	expect_stream(int fd, unsigned stream, uint64_t from, size_t);
void	expect_end(int fd, enum ending);
enum ending ending(int fd, int ms);
void	finish(int fd);		/* shutdown(2) for writing */
/* f(fd, stream, 0, size), beside what we do ourselves. */
pid_t	aside(void (*)(int, unsigned, uint64_t, size_t), int, unsigned, size_t);
void	expect_done(pid_t);
void	converse(int, int);	/* bytes each way, and FIN from both */
void	reset_now(int *fd);	/* SO_LINGER 0 and close */
void	wait_acked(int fd);	/* until the peer's kernel has it all */
void	vanish(int fd);		/* answer nothing any more */
void	lose(int fd, unsigned);	/* what comes in packets of that size or more */
void	lose_nothing(int fd);
int	readable(int fd, int ms);
int64_t	milliseconds(void);

/*
 * Surroundings of its own for a test; a skip where that cannot be.
 * apart: from here on it has its own mounts and network, loopback up.
 * mount_over: an empty directory there, once apart.
 * put_file: these are the contents of that file.
 * syslog_socket: apart, in an empty /dev with a syslogd's socket, given here.
 */
void	apart(void);
void	mount_over(const char *path);
void	put_file(const char *path, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));
int	syslog_socket(void);

#endif
