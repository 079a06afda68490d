/* Relay processes, sessions through them, and their lines in the log. */

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
 * relay_start: passes a client connection of this family to a relay as inetd
 * does; the arguments end with NULL.  With `separate' descriptor 2 is a pipe,
 * otherwise it is the client's socket.
 * relay_on: the same with this accepted socket, which it closes in the test.
 * relay_setup: called in the relay's process before the relay is executed.
 * relay_session: relay_start with -v and a pipe, and with our target, accepted.
 * stop_relay: sends SIGSTOP and waits until it has stopped; SIGCONT resumes it.
 * relay_status: the exit status, within this many ms; 128 + signal if killed.
 * relay_stderr: everything that the relay wrote to its 2, until it closed 2.
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

/* A session with both of its peers, and what its lines must say. */
struct session {
	struct relay relay;
	pid_t pid;		/* the relay's, even after its end */
	int fd[2];		/* the peers' own sockets */
	char addresses[300];	/* as the log line must give them */
};

/*
 * begin: a session, with an option and its value if they are not NULL.
 * begin_as_inetd: the same with the client's socket on descriptor 2.
 * begin_on: the same on an existing client connection, with this number of
 * words before the relay's own.
 * begin_without: a relay that may find no target; its line must have these
 * words for the target.
 * connected: a started relay (-v, separate) connects, and the session is
 * complete.
 * expect_dialing: waits until somebody has sent SYN to this listener without an
 * answer.
 * let_go: closes the test's ends of a session.
 * session_after: a whole session, whose relay is executed after this function
 * has run in its process.
 * delay: has strace(1) delay some of the relay's calls; both texts are in
 * strace's syntax.  Returns how many words this puts before the relay's.
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
 * Lines.
 * put_names: sets the addresses that the lines must give; `target' is the text
 * for a target that was not reached, else NULL.
 * expect_line: a line with this end, up and down; returns its secs in
 * milliseconds.  An end may finish with a *, which matches anything.
 * expect_exit: the relay ends with this status, and such a line is its last.
 * expect_over: status 0, and these numbers of bytes from a side and back to it.
 * signals_work: this session, which has just begun, logs a line on SIGUSR1, and
 * ends on SIGTERM.
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
 * The relay ends with this status and end, because its target cannot be
 * reached, and its client gets RST without a byte.  Two sessions run at once:
 * one has a separate descriptor 2, the other has the client's socket there.
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
