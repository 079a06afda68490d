/*
 * The load generator is both the client at one end of a relay (client.c) and
 * the target at the other end (server.c).  It measures one property of what is
 * between the two ends.
 *
 * usage: load [-d seconds] row front target root
 *        load ports n
 *
 * front: the port on [::1] on which the relay accepts clients; 0: connect to
 * the target directly.
 * target: the port on 127.0.0.1 on which the load generator is the target.
 * root: the process ID of the relay's root process; 0: there is no relay.
 *
 * The measurement begins once a session gets through.  The second form prints n
 * free ports.
 *
 * In a session here, the client connects, sends one byte, receives it back,
 * sends FIN, and receives FIN.  Each row is printed as "name value" or "name -
 * reason".  If a row has several figures, a suffix after the name tells them
 * apart.  The rows are:
 *
 *   faults   What the relay does wrong, in words, or "none".  The client sends
 *            a letter and FIN, and the target sends a letter 1.2 s later.  Both
 *            letters must arrive.  Then the target or the client sends a letter
 *            and closes at once.  Every byte must arrive unchanged.
 *   down up  The rate of one stream in GB/s (1 GB is 10^9 bytes).  The stream
 *            is sent for the time that -d sets.  The rate is the number of
 *            received bytes, divided by the time from the first send(2) to the
 *            last recv(2).  The row fails if bytes are missing.  -cpu: the CPU
 *            seconds that the relay's processes use per GB
 *            (/proc/PID/schedstat).
 *   downN    N streams at once, each of which is sent for the time that -d
 *   upN      sets: the sum of their rates.  -cpu: as for one stream.  -fair:
 *            the bytes that had arrived from the slowest stream when the first
 *            stream ended, divided by the mean of all streams.
 *   askN     N clients at once, each of which sends 100 bytes, waits for a
 *            reply of 1,000 bytes, and begins again: the replies per second.
 *            -50, -99 and -99.9: these percentiles of the latency, in us.
 *   setupN   Whole sessions, N at a time: the ms that pass, divided by the
 *            number of sessions.  The measurement has sixteen parts, and the
 *            figure is the median of the parts.  -best: the fastest part.  (A
 *            shared machine can run at half its speed for some tenths of a
 *            second, whatever it runs.)
 *   rtt      The us that one byte takes to the target and back in an open
 *            session.  The measurement has sixteen parts, and each part has a
 *            median.  The figure is the median of these medians.  -best: the
 *            lowest of these medians.  Everything runs on one CPU, because the
 *            figure would otherwise include the wake-up of a sleeping CPU.
 *   idle     The private memory (Private_* in /proc/PID/smaps_rollup) that 200
 *            idle sessions add to the relay's processes, in KiB per session.
 *            One byte has been echoed in each session.  -all: all the memory
 *            that the kernel charges to these sessions, including its own.
 *            This is measured if the environment has MEMORY, the name of a file
 *            with the bytes that are charged to the relay's processes.
 *   heldN    The same as setup1, while N idle sessions stay open.
 *   one      Runs one session and measures nothing.
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
 * On the command line, a number can follow a row's name: how many sessions,
 * streams or clients there are at once.
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
 * Print n ports that are free on 127.0.0.1 and [::1], and are below the range
 * from which the system chooses clients' ports.
 */
static void
ports(int n)
{
	FILE *f;
	int first, four, i, port, six;

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
		if ((six = listen_six(port)) == -1)
			continue;
		if ((four = listen_on(port)) != -1) {
			printf("%d\n", port);
			close(four);
			i++;
		}
		close(six);
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
