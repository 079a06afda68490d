/*
 * Check the descriptors that the super-server passed on, and prepare the
 * client's socket for a session.
 */

#include "relay.h"

#include <sys/stat.h>

#include <errno.h>
#include <unistd.h>

/*
 * True if this descriptor is open, but cannot be the client's connection:
 * either it is not a socket, or it is a Unix socket other than the one on
 * descriptor 0.  On some BSDs, sockets have no inode numbers to compare.
 * There, every socket is taken for the client's, because losing a message is
 * better than putting it into the client's stream.
 */
static int
is_another(int fd, const struct stat *zero)
{
	union address a;
	struct stat st;
	socklen_t len;

	if (fstat(fd, &st) == -1)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return 1;
	if (zero != NULL && st.st_dev == zero->st_dev &&
	    st.st_ino == zero->st_ino)
		return 0;
	len = sizeof a;
	a.sa.sa_family = AF_UNSPEC;
	return getsockname(fd, &a.sa, &len) == 0 && a.sa.sa_family == AF_UNIX;
}

/*
 * The very first step: set up signals, close stray descriptors, and find out
 * whether it is safe to write messages to descriptors 1 and 2.
 */
void
inherit(struct session *s)
{
	struct stat st;
	const struct stat *zero;
	socklen_t len;

	s->began = now(s);
	s->root = geteuid() == 0;
	s->fd[CLIENT] = s->fd[TARGET] = -1;
	s->log = LOG_UNOPENED;
	wait_begin();
	close_strays();
	zero = fstat(STDIN_FILENO, &st) == 0 ? &st : NULL;
	s->out = is_another(STDOUT_FILENO, zero);
	s->copy = is_another(STDERR_FILENO, zero);
	len = sizeof s->client;
	if (getpeername(STDIN_FILENO, &s->client.sa, &len) == 0) {
		s->fd[CLIENT] = STDIN_FILENO;
		tcp_abort(STDIN_FILENO, 1);
	}
}

/*
 * Called if descriptor 0 is a socket, but not a TCP connection.  Returns the
 * kind of this socket, or NULL if the socket looks like a TCP socket that is
 * not connected.  After a reset, the BSDs and Darwin no longer know the local
 * address of the socket, and report AF_UNSPEC as the family of that address.
 */
static const char *
socket_kind(const struct session *s)
{
	socklen_t len;
	int n;

	len = sizeof n;
	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &n, &len) == 0 &&
	    n != SOCK_STREAM)
		return "a datagram socket";
	len = sizeof n;
	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &n, &len) == 0
	    && n != 0)
		return "a listening socket (is the service set to wait, "
		    "or is systemd-socket-activate without -a?)";
	if (s->local.sa.sa_family != AF_UNSPEC &&
	    s->local.sa.sa_family != AF_INET &&
	    s->local.sa.sa_family != AF_INET6)
		return "a socket that is not TCP";
	return NULL;
}

static int
refuse(struct session *s, const char *what)
{
	return misused(s, "standard input is %s; it must be a connected TCP "
	    "socket, as inetd gives it", what);
}

/*
 * Called if descriptor 0 is not a connected socket.  Reports what descriptor 0
 * is, unless it is a TCP socket whose client has left.
 */
static int
no_client(struct session *s)
{
	const char *kind;
	struct stat st;

	if (fstat(STDIN_FILENO, &st) == -1)
		return refuse(s, "closed");
	if (S_ISSOCK(st.st_mode)) {
		kind = socket_kind(s);
		return kind != NULL ? refuse(s, kind) : over(s, END_GONE, 0);
	}
	if (S_ISFIFO(st.st_mode))
		return refuse(s, "a pipe");
	if (S_ISREG(st.st_mode))
		return refuse(s, "a file");
	if (S_ISDIR(st.st_mode))
		return refuse(s, "a directory");
	if (isatty(STDIN_FILENO))
		return refuse(s, "a terminal");
	return refuse(s, "a device (does the service of systemd lack "
	    "StandardInput=socket?)");
}

/*
 * Take the client's connection: note the client's address, note the address
 * that the client dialled, and prepare the socket.  The kernel sends RST only
 * when the last descriptor of a connection is closed.  So report_open first
 * makes sure that descriptors 1 and 2 do not lead to the client.
 *
 * If the client has already left, the session ends quietly.  If descriptor 0 is
 * anything other than a TCP connection, the operator has made a mistake.
 */
int
client_take(struct session *s)
{
	const char *kind;
	socklen_t len;

	if (report_open(s) == -1)
		return -1;
	len = sizeof s->local;
	if (getsockname(STDIN_FILENO, &s->local.sa, &len) == -1 ||
	    s->fd[CLIENT] == -1)
		return no_client(s);
	if (tcp_prepare(STDIN_FILENO, s->opt.keepalive) == -1) {
		/*
		 * If the socket is not TCP, setting TCP_NODELAY fails with one
		 * of these errors.
		 */
		if (errno == EOPNOTSUPP || errno == ENOPROTOOPT) {
			kind = socket_kind(s);
			return refuse(s, kind != NULL ? kind :
			    "a socket that is not TCP");
		}
		/*
		 * After a reset, the BSDs and Darwin report one of these
		 * errors.
		 */
		if (errno == ECONNRESET || errno == EINVAL)
			return over(s, END_GONE, 0);
		return over(s, END_SYSTEM, errno);
	}
	tcp_inherit(STDIN_FILENO);
	s->flow[CLIENT].missed = tcp_missed(STDIN_FILENO);
	s->flow[CLIENT].carry.early = tcp_early(STDIN_FILENO);
	address_unmap(&s->client);
	address_unmap(&s->local);
	return 0;
}

/*
 * True if the client is gone.  The caller has polled the client's socket
 * without requesting any event.  Bytes and FIN from the client do not matter
 * here, because the pump will read them.
 */
int
client_left(const struct pollfd *p)
{
	return (p->revents & ~POLLERR) != 0 ||
	    (p->revents != 0 && tcp_error(p->fd, p->revents) != 0);
}
