/*
 * The load generator: the client at one end of a relay, and the target
 * (server.c) at the other.  It measures one property of what is between them.
 *
 * usage: load [-d seconds] row front target root [held ...]
 *        load ports n
 *
 * front: the port on [::1] to which the relay's clients connect; 0: connect to
 * the target directly.  target: the port on 127.0.0.1 on which to listen as the
 * target.  root: the process that, with its descendants, is the relay; 0: none.
 * Measuring begins once a session gets through.  The second form prints n free
 * ports.
 *
 * A session here is: connect, send one byte, receive it back, send FIN, receive
 * FIN.  The rows, each printed as "name value" or "name - reason":
 *
 *   faults   what the relay does wrong, in words, or "none".  A letter up and
 *            FIN, then 1.2 s later a letter down: both must arrive.  A letter
 *            and an immediate close, down and up: no byte may be missing or
 *            wrong.
 *   down up  one stream for -d seconds, GB/s (1 GB is 10^9 bytes): the bytes
 *            received, divided by the time from the first send(2) to the last
 *            recv(2).  The row fails if bytes are missing.  Also cpu-down and
 *            cpu-up: for each GB, the CPU seconds of the relay's processes
 *            (/proc/PID/schedstat).
 *   setup1   whole sessions, one after another: ms a session, in the fastest
 *            sixteenth of the time.  (A machine that others use, too, slows
 *            down by half for tenths of a second at a time, whatever it runs.)
 *   setup4   the same, four at a time: elapsed ms, divided by the sessions.
 *   rtt      one byte there and back in an open session, us: the median in the
 *            fastest sixteenth of the time.  Everything runs on one CPU, so as
 *            not to measure how long a sleeping CPU takes to wake up.
 *   idle     private memory (Private_* in /proc/PID/smaps_rollup) that 200 idle
 *            sessions add to the relay's processes, KiB a session.  A byte has
 *            been echoed through each of them.
 *   held     setup1 while N idle sessions are held open, printed as held-N.
 *   hundred  100 streams down at once: the sum, GB/s.
 *   one      one session, nothing measured.
 *
 * The exit status is 1 if a row has no value.
 */

#include "bench.h"

#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PARTS = 16,		/* of a measurement; the lowest figure counts */
	MOST_HELD = 20000,
	MOST_SESSIONS = 8000,	/* in a measurement: ports are finite */
	MOST_WIDTH = 8,
	MOST_TRIPS = 100000,
	IDLE = 200,
	PATIENCE = 10		/* seconds without any progress */
};

struct shared *shared;

static const char *row;
static int front, target, listener;
static pid_t root, server;
static int held[MOST_HELD], nheld;

/* The row has no value, for this reason. */
static void
fail(const char *reason)
{
	printf("%s - %s\n", row, reason);
	if (server > 0)
		server_stop(server);
	exit(1);
}

static void
result(const char *name, double value)
{
	printf("%s %.4g\n", name, value);
}

static void
set(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof value) == -1)
		err(1, "setsockopt");
}

static struct sockaddr_in
ipv4(int port)
{
	struct sockaddr_in in;

	memset(&in, 0, sizeof in);
	in.sin_family = AF_INET;
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons((in_port_t)port);
	return in;
}

/* A listening socket on 127.0.0.1; -1 if the port is taken. */
static int
listen_on(int port)
{
	struct sockaddr_in in;
	int fd;

	in = ipv4(port);
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
		err(1, "socket");
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, (struct sockaddr *)&in, sizeof in) == -1 ||
	    listen(fd, 4096) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

/* No call on the socket waits longer than this number of seconds. */
static void
limit(int fd, int seconds)
{
	struct timeval t;

	t.tv_sec = seconds;
	t.tv_usec = 0;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t) == -1)
		err(1, "setsockopt");
}

/* A new client connection; -1 if it was refused. */
static int
dial(void)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;
	int error, fd;

	if ((fd = socket(front == 0 ? AF_INET : AF_INET6, SOCK_STREAM, 0)) ==
	    -1)
		err(1, "socket");
	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	limit(fd, PATIENCE);
	if (front == 0) {
		in = ipv4(target);
		error = connect(fd, (struct sockaddr *)&in, sizeof in);
	} else {
		memset(&in6, 0, sizeof in6);
		in6.sin6_family = AF_INET6;
		in6.sin6_addr = in6addr_loopback;
		in6.sin6_port = htons((in_port_t)front);
		error = connect(fd, (struct sockaddr *)&in6, sizeof in6);
	}
	if (error == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
trip(int fd)
{
	char byte;

	return send(fd, "", 1, MSG_NOSIGNAL) == 1 &&
	    recv(fd, &byte, 1, 0) == 1;
}

/* An open session, in which one byte (a stream's number, or 0) was echoed. */
static int
begin(int name)
{
	char byte;
	int fd;

	byte = (char)name;
	if ((fd = dial()) == -1)
		fail("refuses a session");
	if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1 ||
	    recv(fd, &byte, 1, 0) != 1)
		fail("drops a session");
	return fd;
}

/* Send FIN; true if the connection then ends within three seconds. */
static int
ends(int fd)
{
	struct pollfd p;
	char byte;

	(void)shutdown(fd, SHUT_WR);
	p.fd = fd;
	p.events = POLLIN;
	return poll(&p, 1, 3000) == 1 && recv(fd, &byte, 1, 0) <= 0;
}

/* Wait until a session gets through. */
static void
ready(void)
{
	int64_t deadline;
	int fd, up;

	deadline = now() + PATIENCE * SECOND;
	server = server_start(listener, ECHO);
	for (;;) {
		up = 0;
		if ((fd = dial()) != -1) {
			up = trip(fd) && (ends(fd) || 1);
			close(fd);
		}
		if (up)
			break;
		if (now() > deadline)
			fail("no session gets through");
		nap(SECOND / 500);
	}
	server_stop(server);
	server = 0;
}

static void
serve(enum mode mode)
{
	shared->total[0] = 0;
	shared->received = UINT64_MAX;
	shared->damaged = 0;
	server = server_start(listener, mode);
}

static void
serve_no_more(void)
{
	server_stop(server);
	server = 0;
}

/*
 * Wait until the processes of earlier sessions have ended, so that they do not
 * disturb the next measurement.
 */
static void
calm(int size)
{
	int64_t deadline;

	deadline = now() + 3 * PATIENCE * SECOND;
	while (root != 0 && tree_size(root) > size && now() < deadline)
		nap(SECOND / 50);
}

/* A session failed.  If it was to be held, the relay can hold no more. */
static void
fail_session(const char *how, int keep)
{
	char reason[64];

	snprintf(reason, sizeof reason, "holds %d at most here", nheld);
	fail(keep ? reason : how);
}

/*
 * Something came in a session: first the echo, later FIN (or, from some relays,
 * RST).  True if there is nothing more to wait for.
 */
static int
proceed(int fd, int *finishing, int keep)
{
	ssize_t n;
	char byte;

	n = recv(fd, &byte, 1, 0);
	if (*finishing) {
		close(fd);
		return 1;
	}
	if (n != 1)
		fail_session("drops a session", keep);
	if (keep) {
		held[nheld++] = fd;
		return 1;
	}
	(void)shutdown(fd, SHUT_WR);
	*finishing = 1;
	return 0;
}

/*
 * Run sessions, `width' at a time, until the deadline or until there have been
 * n.  With `keep', they are not ended, but held.  Returns their number.
 */
static int
sessions(int n, int width, int64_t deadline, int keep)
{
	struct pollfd p[MOST_WIDTH];
	int finishing[MOST_WIDTH];
	int begun, done, i, more;

	begun = done = 0;
	for (i = 0; i < width; i++)
		p[i].fd = -1;
	for (;;) {
		more = begun == 0 || now() < deadline;
		if (done == begun && (!more || begun == n))
			return done;
		for (i = 0; i < width; i++) {
			if (p[i].fd != -1 || !more || begun == n)
				continue;
			if ((p[i].fd = dial()) == -1)
				fail_session("refuses a session", keep);
			p[i].events = POLLIN;
			finishing[i] = 0;
			(void)send(p[i].fd, "", 1, MSG_NOSIGNAL);
			begun++;
		}
		if (poll(p, (nfds_t)width, PATIENCE * 1000) <= 0)
			fail_session("a session stalls", keep);
		for (i = 0; i < width; i++)
			if (p[i].fd != -1 && p[i].revents != 0 &&
			    proceed(p[i].fd, &finishing[i], keep)) {
				p[i].fd = -1;
				done++;
			}
	}
}

static void
hold(int n)
{
	if (n > MOST_HELD)
		errx(1, "%d sessions are too many", n);
	if (n > nheld)
		(void)sessions(n - nheld, 4, INT64_MAX, 1);
}

static void
let_go(void)
{
	while (nheld > 0)
		close(held[--nheld]);
}

/* Milliseconds a session. */
static double
setup_part(int width)
{
	int64_t began;
	int n;

	began = now();
	n = sessions(MOST_SESSIONS / PARTS, width,
	    began + shared->duration / PARTS, 0);
	return (double)(now() - began) / 1e6 / n;
}

/* The lowest of PARTS figures, taken one after another. */
static double
least(double (*part)(int), int argument)
{
	double best, one;
	int i;

	best = part(argument);
	for (i = 1; i < PARTS; i++)
		if ((one = part(argument)) < best)
			best = one;
	return best;
}

static double
setup(int width)
{
	return least(setup_part, width);
}

static void
row_setup(int width)
{
	serve(ECHO);
	result(row, setup(width));
	serve_no_more();
}

/* A stream of `got' bytes was received: print its figures. */
static void
stream_result(uint64_t got, double cpu)
{
	char name[16];

	if (got != shared->total[0])
		fail(got < shared->total[0] ? "loses data" : "adds data");
	result(row, (double)got / (double)(shared->ended - shared->began));
	if (root == 0)
		return;
	nap(SECOND / 200);
	snprintf(name, sizeof name, "cpu-%s", row);
	result(name, (tree_cpu(root) - cpu) / ((double)got / 1e9));
}

static void
row_down(void)
{
	double cpu;
	int fd;

	serve(DOWN);
	fd = begin(0);
	nap(SECOND / 200);
	cpu = tree_cpu(root);
	if (send(fd, "", 1, MSG_NOSIGNAL) != 1)
		fail("drops a session");
	stream_result(stream_receive(fd, &shared->total[0]), cpu);
	close(fd);
	serve_no_more();
}

static void
row_up(void)
{
	double cpu;
	int fd;
	char byte;

	serve(UP);
	fd = begin(0);
	nap(SECOND / 200);
	cpu = tree_cpu(root);
	stream_send(fd, &shared->total[0]);
	if (recv(fd, &byte, 1, 0) != 1)
		fail("loses data");
	stream_result(shared->received, cpu);
	close(fd);
	serve_no_more();
}

static int
compare(const void *a, const void *b)
{
	const int64_t *x, *y;

	x = a;
	y = b;
	return (*x > *y) - (*x < *y);
}

/* The median, in microseconds. */
static double
trip_part(int fd)
{
	static int64_t trips[MOST_TRIPS];
	int64_t duration, began, last;
	size_t n;

	duration = shared->duration / PARTS;
	began = last = now();
	for (n = 0; n < MOST_TRIPS && last - began < duration; n++) {
		trips[n] = last;
		if (!trip(fd))
			fail("drops a session");
		last = now();
		trips[n] = last - trips[n];
	}
	qsort(trips, n, sizeof trips[0], compare);
	return (double)trips[n / 2] / 1e3;
}

static void
row_rtt(void)
{
	int fd;

	tree_pin(root);
	serve(BOUNCE);
	fd = begin(0);
	result(row, least(trip_part, fd));
	close(fd);
	serve_no_more();
}

static void
row_idle(void)
{
	double below[2], own[2];
	int size;

	serve(ECHO);
	calm(1);
	size = tree_size(root);
	below[0] = tree_private(root);
	own[0] = tree_root_private(root);
	hold(IDLE);
	nap(SECOND / 10);
	below[1] = tree_private(root);
	own[1] = tree_root_private(root);
	if (below[0] < 0 || below[1] < 0 || own[0] < 0 || own[1] < 0)
		fail("only root may know");
	/*
	 * A parent that forks seems to shrink, because it now shares its pages:
	 * sessions do not free that memory.
	 */
	if (own[1] < own[0])
		own[1] = own[0];
	result(row, (below[1] - below[0] + own[1] - own[0]) / IDLE);
	let_go();
	calm(size);
	serve_no_more();
}

static void
row_held(char *counts[])
{
	static char name[32];
	int size;

	serve(ECHO);
	size = root == 0 ? 0 : tree_size(root);
	for (; *counts != NULL; counts++) {
		snprintf(name, sizeof name, "held-%s", *counts);
		row = name;
		hold(atoi(*counts));
		nap(SECOND / 5);
		result(name, setup(1));
		fflush(stdout);
	}
	let_go();
	calm(size);
	serve_no_more();
}

/* Receive until each stream has reached its total. */
static void
receive_many(int epoll, uint64_t *got)
{
	struct epoll_event e[64];
	uint64_t all;
	ssize_t bytes;
	int i, left, n, name;

	for (left = STREAMS; left > 0;) {
		n = epoll_wait(epoll, e, 64, PATIENCE * 1000);
		if (n <= 0)
			fail("loses data, or stalls");
		for (i = 0; i < n; i++) {
			name = e[i].data.fd;
			bytes = recv(held[name], NULL, CHUNK * 4,
			    MSG_TRUNC | MSG_DONTWAIT);
			if (bytes == -1 && errno == EAGAIN)
				continue;
			if (bytes <= 0)
				fail("loses data");
			got[name] += (uint64_t)bytes;
			all = __atomic_load_n(&shared->total[name],
			    __ATOMIC_SEQ_CST);
			if (all != 0 && got[name] > all)
				fail("adds data");
			if (all != 0 && got[name] == all)
				left--;
		}
	}
}

static void
row_hundred(void)
{
	static uint64_t got[STREAMS];
	struct epoll_event e;
	uint64_t sum;
	int64_t began;
	int epoll, i;

	serve(MANY);
	if ((epoll = epoll_create1(0)) == -1)
		err(1, "epoll_create1");
	for (i = 0; i < STREAMS; i++) {
		shared->total[i] = 0;
		held[nheld++] = begin(i);
		e.events = EPOLLIN;
		e.data.fd = i;
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, held[i], &e) == -1)
			err(1, "epoll_ctl");
	}
	began = now();
	for (i = 0; i < STREAMS; i++)
		if (send(held[i], "", 1, MSG_NOSIGNAL) != 1)
			fail("drops a session");
	receive_many(epoll, got);
	began = now() - began;
	for (sum = 0, i = 0; i < STREAMS; i++)
		sum += got[i];
	result(row, (double)sum / (double)began);
	let_go();
	calm(1);
	serve_no_more();
}

/* True if the target says, within three seconds, that a letter arrived. */
static int
target_has_letter(void)
{
	int64_t deadline;
	uint64_t got;

	deadline = now() + 3 * SECOND;
	do {
		got = __atomic_load_n(&shared->received, __ATOMIC_SEQ_CST);
		if (got != UINT64_MAX)
			return got == LETTER && !shared->damaged;
		nap(SECOND / 1000);
	} while (now() < deadline);
	return 0;
}

static int
send_letter(int fd)
{
	static char letter[LETTER];

	letter_write(letter);
	return send_all(fd, letter, sizeof letter) == 0;
}

/* A connection on which no call waits longer than this number of seconds. */
static int
dial_within(int seconds)
{
	int fd;

	if ((fd = dial()) == -1)
		fail("refuses a session");
	limit(fd, seconds);
	return fd;
}

/*
 * Look for all faults that can be seen here.  Stop looking for one once it
 * shows, and do not wait again for a relay that hangs.
 */
static void
row_faults(void)
{
	const char *comma;
	int ended, fd, i, loses_data, loses_reply, never_ends;

	/* A reply after FIN. */
	serve(REPLY);
	fd = dial_within(3);
	loses_data = !send_letter(fd);
	(void)shutdown(fd, SHUT_WR);
	loses_reply = letter_receive(fd, &ended) != LETTER;
	never_ends = !ended;
	loses_data |= !target_has_letter();
	close(fd);
	serve_no_more();

	/* The last bytes before an ordinary close, down and up. */
	for (i = 0; i < 20 && !loses_data && !never_ends; i++) {
		serve(i % 2 == 0 ? HASTY : SINK);
		fd = dial_within(3);
		if (i % 2 == 0) {
			loses_data = letter_receive(fd, &ended) != LETTER;
			never_ends = !ended;
		} else {
			(void)send_letter(fd);
		}
		close(fd);
		if (i % 2 != 0)
			loses_data = !target_has_letter();
		serve_no_more();
	}

	printf("%s", row);
	comma = "";
	if (loses_reply) {
		printf(" loses the reply");
		comma = ",";
	}
	if (loses_data) {
		printf("%s loses data", comma);
		comma = ",";
	}
	if (never_ends) {
		printf("%s does not pass FIN on", comma);
		comma = ",";
	}
	printf("%s\n", *comma == '\0' ? " none" : "");
}

static void
row_one(void)
{
	int fd;

	serve(ECHO);
	fd = begin(0);
	if (!ends(fd))
		fail("a session stalls");
	close(fd);
	serve_no_more();
}

/* Ports free on 127.0.0.1, below the range that the system gives to clients. */
static void
ports(int n)
{
	FILE *f;
	int fd, first, i, port;

	first = 32768;
	f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
	if (f != NULL) {
		(void)!fscanf(f, "%d", &first);
		fclose(f);
	}
	if (first < 4096)
		errx(1, "no ports below ip_local_port_range");
	srand((unsigned)(now() / 1000) + (unsigned)getpid());
	for (i = 0; i < n;) {
		port = 2048 + rand() % (first - 2048);
		if ((fd = listen_on(port)) == -1)
			continue;
		printf("%d\n", port);
		close(fd);
		i++;
	}
}

static void
usage(void)
{
	fprintf(stderr, "usage: load [-d seconds] row front target root "
	    "[held ...]\n       load ports n\n");
	exit(2);
}

static void
measure(char *argv[])
{
	if (strcmp(row, "faults") == 0)
		row_faults();
	else if (strcmp(row, "down") == 0)
		row_down();
	else if (strcmp(row, "up") == 0)
		row_up();
	else if (strcmp(row, "setup1") == 0)
		row_setup(1);
	else if (strcmp(row, "setup4") == 0)
		row_setup(4);
	else if (strcmp(row, "rtt") == 0)
		row_rtt();
	else if (strcmp(row, "idle") == 0)
		row_idle();
	else if (strcmp(row, "held") == 0)
		row_held(argv);
	else if (strcmp(row, "hundred") == 0)
		row_hundred();
	else if (strcmp(row, "one") == 0)
		row_one();
	else
		usage();
}

int
main(int argc, char *argv[])
{
	double seconds;
	int c;

	seconds = 1;
	while ((c = getopt(argc, argv, "d:")) != -1)
		if (c != 'd' || (seconds = atof(optarg)) <= 0)
			usage();
	argc -= optind;
	argv += optind;
	if (argc == 2 && strcmp(argv[0], "ports") == 0) {
		ports(atoi(argv[1]));
		return 0;
	}
	if (argc < 4)
		usage();
	row = argv[0];
	front = atoi(argv[1]);
	target = atoi(argv[2]);
	root = atoi(argv[3]);

	raise_limit();
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		err(1, "mmap");
	shared->duration = (int64_t)(seconds * 1e9);
	if ((listener = listen_on(target)) == -1)
		err(1, "port %d", target);
	ready();
	measure(argv + 4);
	return 0;
}
