/*
 * The load generator is both the client at one end of a relay (client.c) and
 * the target at the other (server.c).  It measures one property of what is
 * between them.
 *
 * usage: load [-d seconds] row front target root
 *        load ports n
 *
 * front: the port on [::1] to which the relay's clients connect; 0: connect to
 * the target directly.  target: the port on 127.0.0.1 on which to listen as the
 * target.  root: the root of the relay's processes; 0: there is none.  The
 * measurement begins once a session gets through.  The second form prints n
 * free ports.
 *
 * A session here is: connect, send one byte, receive it back, send FIN, receive
 * FIN.  Each row is printed as "name value" or "name - reason".  If a row has
 * several figures, a suffix after the name tells them apart.  The rows are:
 *
 *   faults   What the relay does wrong, in words, or "none".  The client sends
 *            a letter and FIN, and the target sends a letter 1.2 s later: both
 *            must arrive.  Then the target or the client sends a letter and
 *            closes at once: every byte must arrive unchanged.
 *   down up  The rate of one stream in GB/s (1 GB is 10^9 bytes).  It sends for
 *            the time that -d sets.  The rate is the bytes received, divided by
 *            the time from the first send(2) to the last recv(2).  The row
 *            fails if bytes are missing.  -cpu: the CPU seconds that the
 *            relay's processes take per GB (/proc/PID/schedstat).
 *   downN    The sum of the rates of N streams at once, each of which sends for
 *   upN      the time that -d sets, and -cpu.  -fair: the bytes that the
 *            slowest stream had brought when the first one ended, divided by
 *            the mean.
 *   askN     N clients at once, each of which sends 100 bytes, waits for a
 *            reply of 1,000 bytes, and begins again: the replies per second.
 *            -50, -99 and -99.9: the latency in us that this percentage of the
 *            replies did not exceed.
 *   setupN   Whole sessions, N at a time: the elapsed ms, divided by the number
 *            of sessions.  The time has sixteen parts, and the figure is the
 *            median of the parts.  -best: the fastest part.  (A machine that
 *            others also use slows down by half for tenths of a second at a
 *            time, whatever it runs.)
 *   rtt      One byte there and back in an open session, in us.  The time has
 *            sixteen parts, and the figure is the median of the medians of the
 *            parts.  -best: the lowest of these medians.  Everything runs on
 *            one CPU, so as not to measure how long a sleeping CPU takes to
 *            wake up.
 *   idle     The private memory (Private_* in /proc/PID/smaps_rollup) that 200
 *            idle sessions add to the relay's processes, in KiB per session.
 *            In each session, a byte has been echoed.
 *   heldN    The same as setup1, while N idle sessions stay open.
 *   one      One session; nothing is measured.
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

/*
 * A row's name may end in the number of sessions, streams or clients that there
 * are at once.
 */
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

/*
 * Print n ports that are free on 127.0.0.1, and are below the range from which
 * the system chooses clients' ports.
 */
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
