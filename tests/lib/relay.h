/* Relay processes, and sessions through them with their lines in the log. */

#ifndef RELAY_TEST_H
#define RELAY_TEST_H

#include "peers.h"

struct relay {
	pid_t pid;
	int client;	/* the client's socket; -1 once closed */
	int target;	/* the target's socket; -1: none yet */
	int err;	/* reads the relay's 2; -1: 2 is the client's socket */
};

/*
 * need_relay: exits if there is no program to test.
 * relay_start: a client connection of this family, handed to a relay as inetd
 * does it; the arguments end with NULL.  With `separate' descriptor 2 is a
 * pipe, else it is the client's socket.
 * relay_on: the same with this accepted socket, which is closed in the test.
 * relay_setup: called in the relay's process before the relay is executed.
 * relay_session: the same with -v and a pipe, to a target of ours, accepted.
 * stop_relay: SIGSTOP, and wait until it has stopped; SIGCONT lets it go on.
 * relay_status: the exit status within ms, 128 + signal if killed.
 * relay_stderr: everything that the relay wrote to its 2, until it closed it.
 */
extern const char *relay_path;	/* $RELAY, or ./stfl-relay */
extern void (*relay_setup)(void);
void	need_relay(void);
void	relay_on(struct relay *, int theirs, int separate, const char *const *);
void	relay_start(struct relay *, int family, int separate, ...);
void	relay_startv(struct relay *, int family, int separate,
	    const char *const *);
void	relay_session(struct relay *, ...);
void	stop_relay(pid_t);
int	relay_status(struct relay *, int ms);
void	relay_stderr(struct relay *, char *, size_t);

/* A session with both of its peers, and what its lines are to say. */
struct session {
	struct relay relay;
	pid_t pid;		/* the relay's, also when it is over */
	int fd[2];		/* the peers' own sockets */
	char addresses[300];	/* as the log line is to give them */
};

/*
 * begin: a session, with an option and its value if they are not NULL.
 * begin_as_inetd: descriptor 2 is the client's socket.  begin_on: on a client
 * connection that exists already, with this number of words in front of the
 * relay's own.  begin_without: a relay that may find no target; its line will
 * have these words for the target.  connected: a started relay (-v, separate)
 * connects, and the session is complete.  expect_dialing: wait until somebody
 * has sent SYN to this listener, in vain.  let_go: close the test's ends of it.
 * session_after: a whole session whose relay is started after this function has
 * run in its process.  delay: have strace(1) delay some of the relay's calls,
 * in strace's own words: returns how many words that puts in front of the
 * relay's.
 */
enum { MOST_WORDS = 16 };
void	begin(struct session *, const char *option, const char *value);
void	begin_as_inetd(struct session *, const char *option);
void	begin_on(struct session *, int ours, int theirs,
	    const char *const *words, int n);
void	begin_without(struct session *, int separate, const char *target,
	    const char *const *args);
void	connected(struct session *, int listener);
void	expect_dialing(int listener);
void	let_go(struct session *);
void	session_after(void (*mess)(void));
int	delay(const char *words[], const char *calls, const char *how);
const char *port_text(int listener);
const char *target_text(int listener);

/*
 * Lines.  put_names: what they say of the addresses; without a target: these
 * words for it.  expect_line: one with this end, up and down; returns its secs
 * in milliseconds.  An end may finish with a *, which stands for anything.
 * expect_exit: the relay ends with this status, and such a line as its last.
 * expect_over: status 0, for a session that carried these amounts from a side
 * and back to it.
 * signals_work: this session, just begun, logs a line on SIGUSR1, and ends on
 * SIGTERM.
 */
void	put_names(struct session *, const char *target);
int	cut_warning(char *line);
int64_t	check_line(char *line, const struct session *, const char *end,
	    uint64_t up, uint64_t down);
void	read_line(int fd, char *line, size_t);
int64_t	expect_line(const struct session *, const char *end, uint64_t up,
	    uint64_t down);
void	expect_status(struct session *, int status);
void	expect_exit(struct session *, int status, const char *end, uint64_t up,
	    uint64_t down);
void	expect_over(struct session *, int side, const char *end, uint64_t sent,
	    uint64_t back);
void	signals_work(struct session *);
const char *sockets_of(int family);
extern const char *const reset_of[], *const timeout_of[];	/* by side */

/*
 * The relay ends with this status and end, for a target that cannot be reached,
 * and its client sees RST and no byte.  Two sessions at the same time: one with
 * a descriptor 2 of its own, one with the client's socket there.
 */
void	fails(int status, const char *target, const char *end,
	    const char *const *args);

#ifndef TEST_LIBRARY
#define relay_on(...) HERE(relay_on(__VA_ARGS__))
#define relay_start(...) HERE(relay_start(__VA_ARGS__))
#define relay_startv(...) HERE(relay_startv(__VA_ARGS__))
#define relay_session(...) HERE(relay_session(__VA_ARGS__))
#define stop_relay(...) HERE(stop_relay(__VA_ARGS__))
#define relay_status(...) HERE(relay_status(__VA_ARGS__))
#define relay_stderr(...) HERE(relay_stderr(__VA_ARGS__))
#define begin(...) HERE(begin(__VA_ARGS__))
#define begin_as_inetd(...) HERE(begin_as_inetd(__VA_ARGS__))
#define begin_on(...) HERE(begin_on(__VA_ARGS__))
#define begin_without(...) HERE(begin_without(__VA_ARGS__))
#define connected(...) HERE(connected(__VA_ARGS__))
#define expect_dialing(...) HERE(expect_dialing(__VA_ARGS__))
#define let_go(...) HERE(let_go(__VA_ARGS__))
#define session_after(...) HERE(session_after(__VA_ARGS__))
#define delay(...) HERE(delay(__VA_ARGS__))
#define port_text(...) HERE(port_text(__VA_ARGS__))
#define target_text(...) HERE(target_text(__VA_ARGS__))
#define put_names(...) HERE(put_names(__VA_ARGS__))
#define check_line(...) HERE(check_line(__VA_ARGS__))
#define read_line(...) HERE(read_line(__VA_ARGS__))
#define expect_line(...) HERE(expect_line(__VA_ARGS__))
#define expect_status(...) HERE(expect_status(__VA_ARGS__))
#define expect_exit(...) HERE(expect_exit(__VA_ARGS__))
#define expect_over(...) HERE(expect_over(__VA_ARGS__))
#define signals_work(...) HERE(signals_work(__VA_ARGS__))
#define sockets_of(...) HERE(sockets_of(__VA_ARGS__))
#define fails(...) HERE(fails(__VA_ARGS__))
#endif

#endif
