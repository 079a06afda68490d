/*
 * The load generator: the client at one end of a relay (client.c), and the
 * target at the other (server.c).  It measures one property of what is between
 * them.
 *
 * usage: load [-d seconds] row front target root
 *        load ports n
 *
 * front: the port on [::1] to which the relay's clients connect; 0: connect to
 * the target directly.  target: the port on 127.0.0.1 on which to listen as the
 * target.  root: the process that, with its descendants, is the relay; 0: none.
 * Measuring begins once a session gets through.  The second form prints n free
 * ports.
 *
 * A session here is: connect, send one byte, receive it back, send FIN, receive
 * FIN.  The rows, each printed as "name value" or "name - reason"; a suffix
 * after the name tells several figures apart:
 *
 *   faults   what the relay does wrong, in words, or "none".  A letter up and
 *            FIN, then 1.2 s later a letter down: both must arrive.  A letter
 *            and an immediate close, down and up: no byte may be missing or
 *            wrong.
 *   down up  one stream for -d seconds, GB/s (1 GB is 10^9 bytes): the bytes
 *            received, divided by the time from the first send(2) to the last
 *            recv(2).  The row fails if bytes are missing.  -cpu: for each GB,
 *            the CPU seconds of the relay's processes (/proc/PID/schedstat).
 *   downN    N streams at once, each for -d seconds: the sum, GB/s, and -cpu.
 *   upN      Also -fair: the bytes that the slowest stream had brought when the
 *            first one ended, divided by the mean.
 *   askN     N clients at once, each of which sends 100 bytes and waits for a
 *            reply of 1,000: replies a second.  -50, -99 and -99.9: the latency
 *            that this percentage of the replies did not exceed, us.
 *   setupN   whole sessions, N at a time: the elapsed ms, divided by the
 *            sessions; the median of sixteen parts of the time.  -best: the
 *            fastest of them.  (A machine that others use, too, slows down by
 *            half for tenths of a second at a time, whatever it runs.)
 *   rtt      one byte there and back in an open session, us: the median of the
 *            medians of sixteen parts of the time.  -best: the lowest of them.
 *            Everything runs on one CPU, so as not to measure how long a
 *            sleeping CPU takes to wake up.
 *   idle     private memory (Private_* in /proc/PID/smaps_rollup) that 200 idle
 *            sessions add to the relay's processes, KiB a session.  A byte has
 *            been echoed through each of them.
 *   heldN    setup1 while N idle sessions are held open.
 *   one      one session, nothing measured.
 *
 * The exit status is 1 if a row has no value.
 */

#include "client.h"

#include <sys/mman.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct shared *shared;

/* A row's name may end in a number: sessions, streams or clients at once. */
static const struct {
	const char *name;
	void (*run)(int);
} rows[] = {
	{ "ask", row_ask },
	{ "down", row_down },
	{ "faults", row_faults },
	{ "held", row_held },
	{ "idle", row_idle },
	{ "one", row_one },
	{ "rtt", row_rtt },
	{ "setup", row_setup },
	{ "up", row_up },
};

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
	fprintf(stderr, "usage: load [-d seconds] row front target root\n"
	    "       load ports n\n");
	exit(2);
}

static void
measure(void)
{
	size_t i, len;

	len = strcspn(row, "0123456789");
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strlen(rows[i].name) == len &&
		    strncmp(rows[i].name, row, len) == 0) {
			rows[i].run(atoi(row + len));
			return;
		}
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
	if (argc != 4)
		usage();
	row = argv[0];
	front = atoi(argv[1]);
	target = atoi(argv[2]);
	relay = atoi(argv[3]);

	raise_limit();
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		err(1, "mmap");
	shared->duration = (int64_t)(seconds * 1e9);
	if ((listener = listen_on(target)) == -1)
		err(1, "port %d", target);
	ready();
	measure();
	return 0;
}
