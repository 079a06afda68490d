/* Relay processes, sessions through them, and their lines in the log. */

#ifndef RELAY_TEST_H
#define RELAY_TEST_H

#include "peers.h"

struct relay {
	pid_t pid;
	int client;	/* the client's socket; -1 once it is closed */
	int target;	/* the target's socket; -1 if there is none yet */
	int err;	/* reads the relay's descriptor 2; -1: see `separate' */
};

/*
 * need_relay: exits if there is no program to test.
 * relay_start: passes a client connection of this family to a relay, as inetd
 * does.  The arguments end with NULL.  With `separate', the relay's descriptor
 * 2 is a pipe; otherwise it is the client's socket.
 * relay_on: the same with this accepted socket.  The test's own copy of the
 * socket is closed.
 * relay_setup: is called in the relay's process before the relay is executed.
 * relay_session: relay_start with -v and `separate'.  The target is a listener
 * of ours, which has accepted the relay's connection.
 * stop_relay: sends SIGSTOP and waits until the relay has stopped.  SIGCONT
 * lets it go on.
 * relay_status: waits at most this many ms for the relay's end.  Returns its
 * exit status, or 128 + signal if a signal killed it.
 * relay_stderr: everything that the relay wrote to descriptor 2 until it closed
 * 2.
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
	pid_t pid;		/* the relay's process ID, even after its end */
	int fd[2];		/* the peers' own sockets */
	char addresses[300];	/* as the log line must give them */
};

/*
 * begin: begins a session, with an option and its value if they are not NULL.
 * begin_as_inetd: the same, with the client's socket on descriptor 2.
 * begin_on: the same on an existing client connection.  Puts the first n of
 * these words before the relay's own arguments.
 * begin_without: starts a relay that may find no target; its line must have
 * these words for the target.
 * connected: waits until a started relay (-v, separate) has connected, which
 * completes the session.
 * expect_dialing: waits until somebody has sent SYN to this listener and got no
 * answer.
 * let_go: closes the test's ends of a session.
 * session_after: runs a whole session.  The relay is executed after `mess' has
 * run in the relay's process.
 * delay: makes strace(1) delay some of the relay's calls; both texts are in
 * strace's syntax.  Puts strace's words into `words' and returns their number.
 * They must come before the relay's own arguments: see begin_on.
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
 * put_names: sets the addresses that the lines must give.  `target' is the text
 * for a target that was not reached, or NULL.
 * syslog_line: gives the next datagram that comes to syslogd's socket, as a
 * string.
 * expect_line: expects a line with this end, up and down; returns its secs in
 * milliseconds.  An end may finish with a *, which matches anything.
 * expect_exit: expects that the relay ends with this status, and that its last
 * line has this end, up and down.
 * expect_over: expects status 0, `sent' bytes from this side, and `back' bytes
 * to it.
 * signals_work: expects that this session, which has just begun, logs a line on
 * SIGUSR1, and ends on SIGTERM.
 */
void	put_names(struct session *, const char *target);
int	cut_warning(char *line);
int64_t	check_line(char *line, const struct session *, const char *end,
	    uint64_t up, uint64_t down);
void	read_line(int fd, char *line, size_t);
void	syslog_line(int fd, char *line, size_t);
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
 * Expect that the relay ends with this status and end, because its target
 * cannot be reached, and that its client gets RST without a byte.  Two sessions
 * run at once: in one, the relay has a separate descriptor 2; in the other,
 * descriptor 2 is the client's socket.
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
#define syslog_line(...) HERE(syslog_line(__VA_ARGS__))
#define expect_line(...) HERE(expect_line(__VA_ARGS__))
#define expect_status(...) HERE(expect_status(__VA_ARGS__))
#define expect_exit(...) HERE(expect_exit(__VA_ARGS__))
#define expect_over(...) HERE(expect_over(__VA_ARGS__))
#define signals_work(...) HERE(signals_work(__VA_ARGS__))
#define sockets_of(...) HERE(sockets_of(__VA_ARGS__))
#define fails(...) HERE(fails(__VA_ARGS__))
#endif

#endif
