/* Find the addresses that this session will try to connect to. */

#include "relay.h"

#include <sys/wait.h>

#include <arpa/inet.h>

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* The answer of the child process that looks up a name. */
struct answer {
	int error;			/* what getaddrinfo(3) returned */
	size_t n;
	union address address[MOST_TARGETS];
};

static void
add(struct session *s, const union address *address)
{
	union address *a;
	in_port_t port;

	port = htons(s->opt.port != 0 ? s->opt.port :
	    address_port(&s->local));
	a = &s->targets[s->ntargets++];
	*a = *address;
	if (a->sa.sa_family == AF_INET)
		a->in.sin_port = port;
	else
		a->in6.sin6_port = port;
}

/*
 * Add an address to the list of targets, in a form that can be compared and
 * logged.  The unspecified address becomes the loopback address, and an
 * IPv4-mapped address becomes the IPv4 address in it.  This is also how
 * connect(2) understands these addresses.
 */
static void
add_written(struct session *s, union address *a)
{
	address_unmap(a);
	if (a->sa.sa_family == AF_INET &&
	    a->in.sin_addr.s_addr == htonl(INADDR_ANY))
		a->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (a->sa.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr))
		a->in6.sin6_addr = in6addr_loopback;
	add(s, a);
}

/*
 * Look up the name, write the answer to `out', and exit.  Only the child
 * process calls this function.  The resolver sees an empty environment.
 */
static void
look_up(const struct options *opt, int out)
{
	static char *empty[] = { NULL };
	struct addrinfo hints, *found, *a;
	struct answer answer;

	environ = empty;
	memset(&answer, 0, sizeof answer);
	memset(&hints, 0, sizeof hints);
	hints.ai_family = opt->family;
	hints.ai_socktype = SOCK_STREAM;
	answer.error = getaddrinfo(opt->target, NULL, &hints, &found);
	if (answer.error == 0)
		for (a = found; a != NULL && answer.n < MOST_TARGETS;
		    a = a->ai_next)
			memcpy(&answer.address[answer.n++], a->ai_addr,
			    a->ai_addrlen);
	(void)!write(out, &answer, sizeof answer);
	_exit(0);
}

/*
 * Wait until the child has answered, the deadline that -w sets has passed, or
 * the client has left.  Returns 0 if the answer is complete, or -1 if the
 * session is over.
 */
static int
take(struct session *s, int in, struct answer *answer)
{
	struct pollfd fds[2];
	ssize_t n;
	size_t got;
	int ready;

	fds[0].fd = s->fd[CLIENT];
	fds[0].events = 0;
	fds[1].fd = in;
	fds[1].events = POLLIN;
	for (got = 0; got < sizeof *answer; got += (size_t)n) {
		ready = wait_for(s, fds, 2, s->deadline);
		if (ready == -1)
			return -1;
		if (ready == 0)
			return over(s, END_TIMEOUT, ETIMEDOUT);
		if (client_left(&fds[0]))
			return over(s, END_CLIENT_RESET, 0);
		n = 0;
		if (fds[1].revents == 0)
			continue;
		n = read(in, (char *)answer + got, sizeof *answer - got);
		if (n == -1)
			return over(s, END_SYSTEM, errno);
		if (n == 0) {
			snprintf(s->words, sizeof s->words,
			    "the look-up broke off");
			return over(s, END_RESOLVE, 0);
		}
	}
	return 0;
}

/*
 * A child process calls getaddrinfo(3), because that function has no time limit
 * and does not notice when the client leaves.
 */
static int
resolve(struct session *s)
{
	struct answer answer;
	pid_t child;
	size_t i;
	int result, end[2];

	memset(&answer, 0, sizeof answer);
	/* If SIGCHLD were ignored, waitpid(2) would find no child. */
	signal(SIGCHLD, SIG_DFL);
	if (pipe(end) == -1)
		return over(s, END_SYSTEM, errno);
	child = fork();
	if (child == 0) {
		/*
		 * The kernel sends RST only when the last descriptor of a
		 * connection is closed.  So the child must not keep the
		 * client's socket open.
		 */
		close(s->fd[CLIENT]);
		close(end[0]);
		look_up(&s->opt, end[1]);
	}
	result = child == -1 ? over(s, END_SYSTEM, errno) : 0;
	close(end[1]);
	if (result == 0)
		result = take(s, end[0], &answer);
	close(end[0]);
	if (child != -1) {
		kill(child, SIGKILL);
		while (waitpid(child, NULL, 0) == -1 && errno == EINTR)
			;
	}
	if (result == -1)
		return -1;
	if (answer.error != 0 || answer.n > MOST_TARGETS) {
		snprintf(s->words, sizeof s->words, "%s",
		    answer.error == EAI_SYSTEM ? "look-up failed" :
		    gai_strerror(answer.error));
		return over(s, END_RESOLVE, 0);
	}
	for (i = 0; i < answer.n; i++)
		add_written(s, &answer.address[i]);
	return 0;
}

/*
 * End the session, because the client is not allowed to reach this target.
 * Returns -1.
 */
static int
deny(struct session *s, const char *why)
{
	snprintf(s->words, sizeof s->words, "%s", why);
	return over(s, END_DENIED, 0);
}

/*
 * Extract the target from the address that the client dialled.  The target is
 * the IPv4 address that follows the prefix.  The prefix is 32 to 96 bits long
 * (RFC 6052, 2.2), or 16 bits long for 6to4 (RFC 3056).
 */
static int
extract(struct session *s)
{
	const unsigned char *dialled;
	union address a;
	unsigned char bytes[4];
	uint32_t address, mask;
	int at, i;

	if (s->local.sa.sa_family != AF_INET6)
		return deny(s, "the client did not dial an IPv6 address");
	dialled = s->local.in6.sin6_addr.s6_addr;
	/* Except in 6to4, bits 64 to 71 are reserved and must be zero. */
	if (s->opt.prefix != 16 && dialled[8] != 0)
		return deny(s, "bits 64 to 71 of the address are not zero");
	for (i = 0, at = s->opt.prefix / 8; i < 4; i++, at++) {
		if (at == 8 && s->opt.prefix != 16)
			at++;
		bytes[i] = dialled[at];
	}

	memset(&a, 0, sizeof a);
	a.in.sin_family = AF_INET;
	memcpy(&a.in.sin_addr, bytes, 4);
	add(s, &a);
	s->target = s->targets[0];
	address = ntohl(a.in.sin_addr.s_addr);
	mask = ~(uint32_t)0 << (32 - s->opt.network_len);
	if ((address & mask) != ntohl(s->opt.network.s_addr))
		return deny(s, "not in the network that is served");
	/*
	 * Addresses in 0/8, multicast addresses and reserved addresses do not
	 * belong to any host.
	 */
	if (bytes[0] == 0 || bytes[0] >= 224)
		return deny(s, "not the address of a host");
	return 0;
}

/*
 * Fill s->targets with addresses, in the order in which dial() will try them.
 * If the operator has given an address, store that address.  If the operator
 * has given a name, store at most MOST_TARGETS addresses of that name.  If the
 * operator has given a network, store the address that extract() finds.
 *
 * Ends the session with END_RESOLVE if the look-up finds no address, and with
 * END_DENIED if the client is not allowed to reach the target.  Ends the
 * session with END_LOOP if a target is the very address and port that the
 * client dialled.  If the relay connected there, the super-server would start
 * another relay for that connection.  The other relay would also connect there,
 * and so on.
 */
int
target_find(struct session *s)
{
	size_t i;

	(void)now(s);
	s->deadline = s->began + s->opt.wait * 1000LL;
	if (s->opt.network_len != 0) {
		if (extract(s) == -1)
			return -1;
	} else if (s->opt.is_name) {
		if (resolve(s) == -1)
			return -1;
	} else {
		add_written(s, &s->opt.address);
	}
	for (i = 0; i < s->ntargets; i++)
		if (address_equal(&s->targets[i], &s->local)) {
			s->target = s->targets[i];
			snprintf(s->words, sizeof s->words,
			    "the target is this service itself");
			return over(s, END_LOOP, 0);
		}
	return 0;
}
