/* Relay processes, sessions through them, and their lines in the log. */

#ifndef RELAY_TEST_H
#define RELAY_TEST_H

#include "peers.h"

struct relay {
	pid_t pid;
	int client;	/* the client's socket; -1 once it is closed */
	int target;	/* the target's socket; -1 if there is none yet */
	int err;	/* a pipe from descriptor 2; -1 unless `separate' */
};

/*
 * need_relay: exits if there is no program to test.
 * relay_start: makes a client connection of this family, and starts a relay on
 * the accepted socket, as inetd does.  NULL ends the list of arguments.  If
 * `separate' is true, the relay's descriptor 2 is a pipe; otherwise it is the
 * accepted socket.
 * relay_on: starts a relay in the same way on this accepted socket, and closes
 * the test's copy of the socket.
 * relay_setup: unless this is NULL, the relay's process calls this function
 * before it executes the relay.
 * relay_session: makes a listener to be the target, calls relay_start with -v
 * and `separate', and accepts the relay's connection to the listener.
 * stop_relay: sends SIGSTOP and waits until the relay has stopped.  To let the
 * relay continue, send SIGCONT.
 * relay_status: waits until the relay has ended, but not much longer than this
 * number of milliseconds.  Returns the exit status, or 128 + the signal's
 * number if a signal killed the relay.
 * relay_stderr: reads everything that the relay writes to descriptor 2 before
 * closing this descriptor.
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

/* A session, its two peers, and what its log lines must say. */
struct session {
	struct relay relay;
	pid_t pid;		/* the relay's process ID; kept after its end */
	int fd[2];		/* the peers' sockets */
	char addresses[300];	/* as the log lines must give them */
};

/*
 * begin: begins a session, with this option and value if they are not NULL.
 * begin_as_inetd: begins a session as inetd does, so descriptor 2 is the
 * accepted socket.
 * begin_on: begins a session on an existing client connection.  The first n of
 * these words come before the relay's usual arguments.
 * begin_without: starts a relay that does not have to reach a target.  `target'
 * is what the relay's line must say about the target.
 * connected: waits until a relay that was started with -v and `separate' has
 * connected to its target.  The function then fills in the rest of the session,
 * and returns how long the relay says that it has run, in milliseconds.
 * expect_dialing: waits until somebody has sent this listener a SYN that is
 * still unanswered.
 * let_go: closes the peers' sockets, and the pipe from descriptor 2.
 * session_after: runs a whole session with `mess' as relay_setup.
 * delay: prepares a command with which strace(1) delays some of the relay's
 * system calls, or makes them fail.  `calls' and `how' are in strace's syntax.
 * The function puts the words of this command into `words', and returns their
 * number.  Pass the words to begin_on, which puts them before the relay's
 * arguments.
 */
enum { MOST_WORDS = 16 };
void	begin(struct session *, const char *option, const char *value);
void	begin_as_inetd(struct session *, const char *option);
void	begin_on(struct session *, int ours, int theirs,
	    const char *const *words, int n);
void	begin_without(struct session *, int separate, const char *target,
	    const char *const *args);
int64_t	connected(struct session *, int listener);
void	expect_dialing(int listener);
void	let_go(struct session *);
void	session_after(void (*mess)(void));
int	delay(const char *words[], const char *calls, const char *how);
const char *port_text(int listener);
const char *target_text(int listener);

/*
 * Log lines.
 * put_names: sets the addresses that the lines must give.  `target' is NULL if
 * the relay has reached the target.  Otherwise `target' is the text that the
 * lines must have for the target.
 * syslog_line: receives a datagram on syslogd's socket, and puts it into `line'
 * as a string.
 * expect_line: expects a line with these values of end=, up= and down=.
 * Returns the line's value of secs=, in milliseconds.  A * at the end of `end'
 * matches any text.
 * expect_exit: expects that the relay ends with this status, and that its last
 * line has these values of end=, up= and down=.
 * expect_over: expects that the relay ends with status 0, and that its last
 * line counts `sent' bytes from this side and `back' bytes to this side.
 * signals_work: expects that the relay of this session, which has just begun,
 * logs a line on SIGUSR1 and ends on SIGTERM.
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
 * Expect that a session fails: the client gets RST and no byte, and the relay
 * ends with this status and logs this value of end=.  The function runs two
 * such sessions at the same time.  In one session, the relay's descriptor 2 is
 * a pipe; in the other session, it is the accepted socket.
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
