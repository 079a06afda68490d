/*
 * Which addresses this session goes to.
 */

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

/* What the child that looks a name up tells us. */
struct answer {
	int error;			/* of getaddrinfo(3) */
	size_t n;
	struct in_addr address[MOST_TARGETS];
};

static void
add(struct session *s, struct in_addr address)
{
	union address *a;

	a = &s->targets[s->ntargets++];
	a->in.sin_family = AF_INET;
	a->in.sin_addr = address;
	a->in.sin_port = htons(s->opt.port != 0 ? s->opt.port :
	    address_port(&s->local));
}

/* The child's whole life.  The resolver gets nothing from our environment. */
static void
look_up(const char *name, int out)
{
	static char *empty[] = { NULL };
	struct addrinfo hints, *found, *a;
	struct answer answer;

	environ = empty;
	memset(&answer, 0, sizeof answer);
	memset(&hints, 0, sizeof hints);
	hints.ai_family = AF_INET;
	hints.ai_socktype = SOCK_STREAM;
	answer.error = getaddrinfo(name, NULL, &hints, &found);
	if (answer.error == 0)
		for (a = found; a != NULL && answer.n < MOST_TARGETS;
		    a = a->ai_next)
			memcpy(&answer.address[answer.n++],
			    &((struct sockaddr_in *)(void *)a->ai_addr)
			    ->sin_addr, sizeof answer.address[0]);
	(void)!write(out, &answer, sizeof answer);
	_exit(0);
}

/*
 * Wait for the answer, for as long as -w allows and the client stays.  0 when
 * all of it has come.
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
		ready = wait_for(s, fds, 2, s->began + s->opt.wait * 1000LL);
		if (ready == -1)
			return -1;
		if (ready == 0)
			return over(s, END_TIMEOUT, ETIMEDOUT);
		if (fds[0].revents != 0)
			return over(s, END_CLIENT_RESET, 0);
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
 * getaddrinfo(3) can neither be given a limit nor be told that the client has
 * left, so a child makes the call.
 */
static int
resolve(struct session *s)
{
	struct answer answer;
	pid_t child;
	size_t i;
	int result, end[2];

	memset(&answer, 0, sizeof answer);
	if (pipe(end) == -1)
		return over(s, END_SYSTEM, errno);
	child = fork();
	if (child == 0) {
		/* A reset only leaves with the last descriptor. */
		close(s->fd[CLIENT]);
		close(end[0]);
		look_up(s->opt.target, end[1]);
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
	if (answer.error != 0) {
		snprintf(s->words, sizeof s->words, "%s",
		    answer.error == EAI_SYSTEM ? "look-up failed" :
		    gai_strerror(answer.error));
		return over(s, END_RESOLVE, 0);
	}
	for (i = 0; i < answer.n; i++)
		add(s, answer.address[i]);
	return 0;
}

/*
 * Fill s->targets, in the order in which they are to be tried: the address
 * given, or every A record of the name.  END_RESOLVE if there is none,
 * END_LOOP if one is the very address and port that the client dialled: a
 * listener for both protocols would hand our connection to another of us, and
 * so on.
 */
int
target_find(struct session *s)
{
	size_t i;

	if (!s->opt.is_name)
		add(s, s->opt.address);
	else if (resolve(s) == -1)
		return -1;
	for (i = 0; i < s->ntargets; i++)
		if (address_equal(&s->targets[i], &s->local)) {
			s->target = s->targets[i];
			snprintf(s->words, sizeof s->words,
			    "the target is this service itself");
			return over(s, END_LOOP, 0);
		}
	return 0;
}
