/* Relay processes, sessions through them, and their lines in the log. */

#ifndef RELAY_TEST_H
#define RELAY_TEST_H

#include "peers.h"

struct relay {
	pid_t pid;
	int client;	/* the client's socket; -1 once it is closed */
	int target;	/* the target's socket; -1 if there is none yet */
	int err;	/* read end of descriptor 2; -1 unless `separate' */
};

/*
 * need_relay: exits if there is no program to test.
 * relay_start: passes a client connection of this family to a relay, as inetd
 * does.  The arguments end with NULL.  With `separate', the relay's descriptor
 * 2 is a pipe; without it, descriptor 2 is the client's socket.
 * relay_on: does the same with this accepted socket, and closes the test's copy
 * of the socket.
 * relay_setup: a function that the relay's process calls before it executes the
 * relay.
 * relay_session: calls relay_start with -v and `separate'.  The target is a
 * listener of the test, which accepts the relay's connection.
 * stop_relay: sends SIGSTOP and waits until the relay has stopped.  To continue
 * it, send SIGCONT.
 * relay_status: waits for the relay's end, for about this many milliseconds at
 * most.  Returns the exit status, or 128 + the signal if a signal killed the
 * relay.
 * relay_stderr: reads all that the relay writes to descriptor 2, until it
 * closes this descriptor.
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
	char addresses[300];	/* as the lines must give them */
};

/*
 * begin: begins a session, with this option and value if they are not NULL.
 * begin_as_inetd: begins a session as inetd does: descriptor 2 is the client's
 * socket.
 * begin_on: begins a session on a client connection that exists already.  Puts
 * the first n of these words before the relay's own arguments.
 * begin_without: starts a relay that may find no target.  `target' is what its
 * line must say of the target.
 * connected: waits until a relay that was started with -v and `separate' has
 * connected to its target.  The session is then complete.
 * expect_dialing: waits until somebody has sent a SYN to this listener and has
 * got no answer.
 * let_go: closes the test's ends of a session.
 * session_after: runs a whole session.  Before the relay is executed, `mess'
 * runs in its process.
 * delay: prepares a command with which strace(1) delays some of the relay's
 * calls, or makes them fail.  `calls' and `how' are in strace's syntax.  Puts
 * the words of this command into `words', and returns their number.  The words
 * must come before the relay's own arguments: see begin_on.
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
 * that they must give for the target if it was not reached, or NULL if it was.
 * syslog_line: puts the next datagram that comes to syslogd's socket into
 * `line', as a string.
 * expect_line: expects a line with these values of end=, up= and down=.
 * Returns the value of its secs=, in milliseconds.  A * at the end of `end'
 * matches any text.
 * expect_exit: expects that the relay ends with this status, and that its last
 * line has these values of end=, up= and down=.
 * expect_over: expects that the relay ends with status 0, and that its last
 * line counts `sent' bytes from this side and `back' bytes to it.
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
 * Expect a session that fails: the relay ends with this status and this value
 * of end=, and its client gets RST without a byte.  Two sessions run at the
 * same time: in one, the relay has a separate descriptor 2; in the other,
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
