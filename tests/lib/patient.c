#define TEST_LIBRARY
#include "patient.h"
#include "places.h"

#include <sys/ioctl.h>

#include <net/if.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Give the test a separate network: see patient.h. */
void
own_network(int receive)
{
	struct ifreq ifr;
	int fd;

	apart();
	memset(&ifr, 0, sizeof ifr);
	memcpy(ifr.ifr_name, "lo", 3);
	ifr.ifr_mtu = 1500;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd == -1 || ioctl(fd, SIOCSIFMTU, &ifr) == -1)
		fail("SIOCSIFMTU: %s", strerror(errno));
	close(fd);
	put_file("/proc/sys/net/ipv4/tcp_fin_timeout", "1");
	put_file("/proc/sys/net/ipv4/tcp_rmem", "4096 %d %d", receive, receive);
	put_file("/proc/sys/net/ipv4/tcp_wmem", "4096 %d %d", 4 * MIB, 4 * MIB);
}

void
patient_begin(struct patient *t, const char *option, const char *value,
    const char *option2, const char *value2)
{
	int side;
	char c;

	relay_session(&t->relay, option, value, option2, value2, NULL);
	do			/* skip the line that -v logs at the start */
		if (!readable(t->relay.err, SOON) ||
		    read(t->relay.err, &c, 1) != 1)
			fail("no line is logged");
	while (c != '\n');
	t->pid = t->relay.pid;
	t->fd[CLIENT] = t->relay.client;
	t->fd[TARGET] = t->relay.target;
	for (side = CLIENT; side <= TARGET; side++) {
		t->port[side] = port_of(t->fd[side]);
		t->relay_port[side] = peer_port(t->fd[side]);
	}
}

/*
 * Expect that the relay ends with status 0, and that its line has this value of
 * end= and counts `sent' bytes from this side and `back' bytes to this side.
 */
void
patient_over(struct patient *t, int side, const char *end, size_t sent,
    size_t back)
{
	char text[2048], want[128];
	const char *p;
	int status;

	status = relay_status(&t->relay, SOON);
	if (status != 0)
		fail("exit status %d", status);
	relay_stderr(&t->relay, text, sizeof text);
	snprintf(want, sizeof want, " up=%zu down=%zu ",
	    side == CLIENT ? sent : back, side == CLIENT ? back : sent);
	if (strstr(text, want) == NULL)
		fail("logged \"%s\" and not%s", text, want);
	snprintf(want, sizeof want, " end=%s", end);
	p = strstr(text, want);
	if (p == NULL || strchr(" \n", p[strlen(want)]) == NULL)
		fail("logged \"%s\" and not%s", text, want);
}

/* Send FIN from each side that has not sent FIN yet: see patient.h. */
void
finish_both(struct patient *t, int near, int finished)
{
	if (finished != near)
		finish(t->fd[near]);
	expect_end(t->fd[!near], FIN);
	if (finished == !near)
		return;
	finish(t->fd[!near]);
	expect_end(t->fd[near], FIN);
}

/* The system's list of sockets. */

/*
 * The TCP state of the socket that has these two ports, as a number from
 * /proc/net/tcp.  The state is 0 if the system does not list such a socket.
 */
static int
state_at(int side, int local, int remote)
{
	char line[256];
	FILE *f;
	unsigned here, there, state, found;
	int family;

	family = side == CLIENT ? client_family() : target_family();
	f = fopen(family == AF_INET ? "/proc/self/net/tcp" :
	    "/proc/self/net/tcp6", "r");
	if (f == NULL)
		skip("no list of sockets in /proc");
	found = 0;
	while (fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "%*d: %*[0-9A-F]:%x %*[0-9A-F]:%x %x", &here,
		    &there, &state) == 3 && here == (unsigned)local &&
		    there == (unsigned)remote)
			found = state;
	fclose(f);
	return (int)found;
}

int
peer_state(const struct patient *t, int side)
{
	return state_at(side, t->port[side], t->relay_port[side]);
}

int
relay_state(const struct patient *t, int side)
{
	return state_at(side, t->relay_port[side], t->port[side]);
}

/* Wait until the system has forgotten one end of a connection. */
void
expect_forgotten(const struct patient *t, int side,
    int state(const struct patient *, int))
{
	int64_t end;

	end = milliseconds() + SOON;
	while (state(t, side) != 0) {
		if (milliseconds() > end)
			fail("a connection that is over stays known");
		pause_for(10);
	}
}

/* The number of bytes that are waiting to be read. */
int
arrived(int fd)
{
	int n;

	if (ioctl(fd, FIONREAD, &n) == -1)
		fail("FIONREAD: %s", strerror(errno));
	return n;
}

/* Wait until some bytes have arrived and no more are coming. */
void
settle(int fd)
{
	int before;

	do {
		before = arrived(fd);
		pause_for(SETTLED);
	} while (before == 0 || arrived(fd) != before);
}

int
broken(int fd)
{
	struct pollfd p;
	socklen_t len;
	int error;

	p.fd = fd;
	p.events = 0;
	error = 0;
	len = sizeof error;
	/* Not every system's poll(2) reports RST if no event is requested. */
	return poll(&p, 1, 0) == 1 || getsockopt(fd, SOL_SOCKET, SO_ERROR,
	    &error, &len) == -1 || error != 0;
}
