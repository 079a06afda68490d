/*
 * The load generator: it is the client on one end of a relay, the target on the
 * other (server.c), and measures one property of what is between them.
 *
 * usage: load [-d seconds] row front target root
 *        load ports n
 *
 * front is the port on [::1] where the relay's clients connect, 0 to connect to
 * the target directly; target the port on 127.0.0.1 where the load generator
 * listens; root the process whose tree does the relaying, 0 for none.  It
 * waits until a session gets through.  The second form prints free ports.
 *
 * A session here is: connect, send one byte, receive it back, send FIN, receive
 * FIN.  The rows, each printed as "name value" or "name - reason"; a suffix
 * after the name tells several figures apart:
 *
 *   faults   what the relay does wrong, in words, or "none".  A letter up, FIN,
 *            and 1.2 s later a letter down: it must arrive.  A letter and close
 *            at once, down and up: no byte may be missing or wrong.
 *   down up  one stream for -d seconds: bytes received (all that were sent, or
 *            it fails) divided by the time from the first send(2) to the last
 *            recv(2), GB/s; with it -cpu, CPU seconds of the relay's processes
 *            for each GB, as the scheduler counts them (/proc/PID/schedstat).
 *            1 GB is 10^9 bytes.
 *   downN    N streams at once, each for -d seconds, together: the same
 *   upN      figures, and -fair, the bytes of the slowest stream by the mean.
 *   askN     N clients at once, each of which sends 100 bytes and waits for a
 *            reply of 1,000: replies a second, and the latencies, us, that 50,
 *            99 and 99.9 % of the replies did not exceed.
 *   setupN   whole sessions, N at a time: ms by the clock for each, the median
 *            of sixteen parts of the time; -best is the fastest of them.  (A
 *            machine that others use too slows down by half for tenths of a
 *            second at a time, whatever runs.)
 *   rtt      one byte there and back in an open session: the median of each of
 *            sixteen parts of the time, and of these the median and the -best,
 *            us.  Everything runs on one CPU, so that the relay's path is
 *            measured and not the time that a sleeping CPU takes to wake up.
 *   idle     private memory (Private_* in /proc/PID/smaps_rollup) that 200 idle
 *            sessions, each of which has echoed a byte, add to the relay's
 *            processes: KiB a session; with it -all, how much less memory the
 *            system then has (MemAvailable), its sockets included.
 *   heldN    setup1 while N idle sessions are held.
 *   one      one session, nothing measured.
 *
 * Exit status 1 is a row without a value.
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

/* Ports below those that the system gives to clients, free on both families. */
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
