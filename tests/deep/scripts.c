/*
 * Random scripts.  A script is made from a seed, and lists what two peers do.
 * Each script is played twice: over a direct TCP connection, and through a
 * relay.  Each end must see the same both times: the same bytes, urgent marks
 * at the same places, and the same FIN or RST.
 *
 *	tests/scripts [-p | -l] [-av] [-j jobs] [-n count] [-s first-seed]
 *
 * With -p, the scripts are patient: each takes seconds.  Patient scripts run in
 * a network namespace in which the system forgets closed connections early,
 * while a script is still being played.  With -l, the scripts are patient, too,
 * but the network namespace also loses some packets and duplicates others.
 * Without -n, an environment variable sets the number of scripts: PATIENT with
 * -p or -l, otherwise SCRIPTS.  With -a, the program does not stop at the first
 * difference.  With -v, the program shows each script and what each end saw.
 */

#include "../lib/places.h"
#include "script.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	QUICK_SLOTS = 24,	/* scripts that a process plays at once */
	MOST_SLOTS = 300,	/* the same for patient scripts */
	AT_ONCE = 3,		/* maximum patient scripts started per turn */
	MOST_JOBS = 64,
	TRIES = 5		/* maximum plays of a script; see proceed */
};

struct slot {
	int busy;
	int begun;		/* plays begun so far: 0 to WAYS */
	int late;		/* the machine stalled during a play */
	int tries;
	struct script script;
	struct play play[WAYS];
};

static enum kind kind;
static int reports;		/* the pipe for reports to the parent */
static int all;			/* -a: go on after a difference */
static int verbose;
static volatile sig_atomic_t stop;

/*
 * True if an end did not see the same through the relay as directly, or if a
 * play had trouble.  If so, `why' says what was wrong.
 */
static int
differs(const struct slot *slot, struct text *why)
{
	struct text seen[WAYS];
	int end, way;

	why->n = 0;
	put(why, "%s%s", slot->play[DIRECT].trouble,
	    slot->play[RELAYED].trouble);
	for (end = 0; end < ENDS; end++) {
		for (way = 0; way < WAYS; way++) {
			seen[way].n = 0;
			put_seen(&seen[way], &slot->play[way].peer[end].seen,
			    is_certain(&slot->script, end));
		}
		if (strcmp(seen[DIRECT].s, seen[RELAYED].s) != 0)
			put(why, "%sthrough the relay the %s saw %s; directly, "
			    "%s", why->n == 0 ? "" : "; ", end_name[end],
			    seen[RELAYED].s, seen[DIRECT].s);
	}
	return why->n != 0;
}

/*
 * The script has been played both ways.  If there is a difference, report it to
 * the parent.  Without -a, stop after a difference.
 */
static void
compare(const struct slot *slot)
{
	static const char *const options[] = {
		[QUICK] = "", [PATIENT] = " -p", [LOSSY] = " -l"
	};
	struct text t, why;
	unsigned long long seed;
	int differ, end, way;

	seed = slot->script.seed;
	t.n = 0;
	differ = differs(slot, &why);
	if (!differ && !verbose)
		return;
	if (differ)
		put(&t, "not ok - seed %llu: %s\n", seed, why.s);
	else
		put(&t, "# seed %llu\n", seed);
	put_script(&t, &slot->script);
	for (way = 0; way < WAYS; way++)
		for (end = 0; end < ENDS; end++) {
			put(&t, "# %s the %s saw ", way_name[way],
			    end_name[end]);
			put_seen(&t, &slot->play[way].peer[end].seen, 1);
			put(&t, "\n");
		}
	if (!differ) {
		(void)!write(STDOUT_FILENO, t.s, t.n);
		return;
	}
	put(&t, "# again: %sRELAY=%s tests/scripts%s -s %llu -n 1 -v\n",
	    target_family() == AF_INET6 ? "TARGET6=yes " : "", relay_path,
	    options[slot->script.kind], seed);
	/*
	 * Write the final NUL, too.  The NUL separates this report from the
	 * next one, which can come from another process.
	 */
	(void)!write(reports, t.s, t.n + 1);
	stop = !all;
}

static void
begin_next(struct slot *slot)
{
	play_begin(&slot->play[slot->begun], &slot->script, slot->begun);
	slot->begun++;
}

static void
start(struct slot *slot)
{
	slot->busy = 1;
	slot->begun = 0;
	slot->late = 0;
	begin_next(slot);
	/* A patient script mostly waits, so play it both ways at once. */
	if (slot->script.kind != QUICK)
		begin_next(slot);
}

/*
 * Go on with the script in this slot.  When it has been played both ways, the
 * slot is free for the next script.  If the machine has stood still for long,
 * the session might have reached one of its limits.  In that case, a difference
 * does not count, and the script is played again, up to TRIES times in all.
 */
static void
proceed(struct slot *slot, const struct pollfd *fds)
{
	struct text t, why;
	int way;

	for (way = 0; way < slot->begun; way++)
		play_step(&slot->play[way], &slot->script,
		    fds + way * (ENDS + 1));
	for (way = 0; way < slot->begun; way++)
		if (!play_ended(&slot->play[way]))
			return;
	if (slot->begun < WAYS) {
		begin_next(slot);
		return;
	}
	slot->busy = 0;
	if (slot->late && ++slot->tries < TRIES && differs(slot, &why)) {
		t.n = 0;
		put(&t, "# seed %llu again, for the machine stood still: %s\n",
		    (unsigned long long)slot->script.seed, why.s);
		(void)!write(STDOUT_FILENO, t.s, t.n);
		start(slot);
		return;
	}
	compare(slot);
}

static void
caught(int sig)
{
	(void)sig;
	stop = 1;
}

/*
 * Returns how many scripts to play at the same time.  If the limit on
 * descriptors is low, this number is low, too.  A script needs up to seven
 * descriptors: two ends and a listener for each way, and one more listener for
 * the relay's client.
 */
static unsigned
most_slots(void)
{
	struct rlimit files;
	unsigned most;

	most = kind == QUICK ? QUICK_SLOTS : MOST_SLOTS;
	if (getrlimit(RLIMIT_NOFILE, &files) == -1)
		fail("getrlimit: %s", strerror(errno));
	if (files.rlim_cur >= most * 7 + 32)
		return most;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
	return files.rlim_max >= most * 7 + 32 ? most :
	    files.rlim_max < 7 + 32 ? 1 : (unsigned)(files.rlim_max - 32) / 7;
}

/*
 * Play the scripts with the seeds `seed', `seed' + `stride' and so on, up to
 * `last'.
 */
static void
play(uint64_t seed, uint64_t last, uint64_t stride)
{
	static struct slot slots[MOST_SLOTS];
	static struct pollfd fds[MOST_SLOTS * WAYS * (ENDS + 1)];
	struct pollfd *fd;
	struct slot *slot, *end;
	int64_t before;
	pid_t parent;
	int way, started;

	parent = getppid();
	end = slots + most_slots();
	present = milliseconds();
	/* Stop if the parent has been killed. */
	while (!stop && getppid() == parent) {
		fd = fds;
		started = 0;
		for (slot = slots; slot < end; slot++) {
			if (!slot->busy && seed <= last &&
			    (kind == QUICK || started < AT_ONCE)) {
				make_script(&slot->script, seed, kind);
				seed += stride;
				slot->tries = 0;
				start(slot);
				started++;
			}
			for (way = 0; slot->busy && way < slot->begun; way++) {
				play_interest(&slot->play[way], fd);
				fd += ENDS + 1;
			}
		}
		if (fd == fds)
			break;
		/*
		 * Wait only briefly, because no event reports the last
		 * acknowledgement or the end of a stall.
		 */
		if (poll(fds, (nfds_t)(fd - fds), kind == QUICK ? 1 : 5) == -1
		    && errno != EINTR)
			fail("poll: %s", strerror(errno));
		before = present;
		present = milliseconds();
		fd = fds;
		for (slot = slots; slot < end; slot++)
			if (slot->busy) {
				slot->late |= kind != QUICK &&
				    present - before > LATE;
				way = slot->begun;
				proceed(slot, fd);
				fd += way * (ENDS + 1);
			}
	}
	for (slot = slots; slot < end; slot++)
		if (slot->busy)
			play_stop(&slot->play[RELAYED]);
}

static pid_t
start_worker(uint64_t first, uint64_t last, uint64_t stride)
{
	pid_t pid;

	pid = fork();
	if (pid == -1)
		fail("fork: %s", strerror(errno));
	if (pid > 0)
		return pid;
	signal(SIGTERM, caught);
	play(first, last, stride);
	_exit(0);
}

/*
 * Enter a separate network, in which the system soon forgets closed
 * connections.  If the scripts are LOSSY, the network also loses and duplicates
 * packets.
 */
static void
set_apart(void)
{
	static const char rules[] =
	    "table inet lossy {\n"
	    "chain input {\n"
	    "type filter hook input priority 0\n"
	    "tcp flags & (rst | syn) == 0 numgen random mod 1000 < 10 drop\n"
	    "}\n"
	    "}\n"
	    "table netdev double {\n"
	    "chain ingress {\n"
	    "type filter hook ingress device lo priority 0\n"
	    "tcp flags & (rst | syn) == 0 numgen random mod 1000 < 5 "
	    "dup to lo\n"
	    "}\n"
	    "}\n";
	FILE *nft;

	apart();
	put_file("/proc/sys/net/ipv4/ip_local_port_range", "1024 65535");
	put_file("/proc/sys/net/ipv4/tcp_fin_timeout", "1");
	put_file("/proc/sys/net/ipv4/tcp_keepalive_time", "1");
	put_file("/proc/sys/net/ipv4/tcp_keepalive_intvl", "1");
	/*
	 * Let TCP go on retransmitting for longer than any script loses
	 * segments.  The first retransmission comes after 0.2 s.
	 */
	put_file("/proc/sys/net/ipv4/tcp_retries2", "7");
	if (kind != LOSSY)
		return;
	nft = popen("nft -f - 2>&1", "w");
	if (nft == NULL || fputs(rules, nft) == EOF || pclose(nft) != 0)
		skip("nft cannot lose packets here");
}

static void
take_place(void)
{
	if (kind != QUICK)
		set_apart();
	need_ipv6();
}

/* True if take_place() succeeds.  Otherwise, `why' gets the reason. */
static int
can_take_place(char *why, size_t size)
{
	ssize_t n;
	pid_t pid;
	int end[2], status;

	if (private_pipe(end) == -1 || (pid = fork()) == -1)
		fail("fork: %s", strerror(errno));
	if (pid == 0) {
		dup2(end[1], STDOUT_FILENO);
		dup2(end[1], STDERR_FILENO);
		take_place();
		_exit(0);
	}
	close(end[1]);
	n = read(end[0], why, size - 1);
	why[n > 0 ? n : 0] = '\0';
	why[strcspn(why, "\n")] = '\0';
	close(end[0]);
	return waitpid(pid, &status, 0) == pid && status == 0;
}

/* Play these scripts.  Returns the exit status. */
static int
run(uint64_t first, uint64_t count, unsigned jobs)
{
	static const char *const sentence[] = {
		[QUICK] = "random scripts are the same through the relay as "
		    "over a direct connection",
		[PATIENT] = "patient random scripts are the same through the "
		    "relay as over a direct connection",
		[LOSSY] = "patient random scripts are the same through the "
		    "relay where packets get lost"
	};
	unsigned long long n;
	char report[REPORT];
	pid_t pid[MOST_JOBS];
	ssize_t got;
	unsigned i;
	int broken, differences, end[2], status;

	n = count;
	if (!can_take_place(report, sizeof report)) {
		printf("ok - %llu %s # SKIP %s\n", n, sentence[kind], report);
		return 0;
	}
	take_place();
	if (private_pipe(end) == -1)
		fail("pipe: %s", strerror(errno));
	reports = end[1];
	fflush(stdout);
	for (i = 0; i < jobs; i++)
		pid[i] = start_worker(first + i, first + count - 1, jobs);
	close(end[1]);
	/*
	 * Read reports until all processes have ended.  Without -a, read only
	 * the first report.
	 */
	differences = 0;
	while ((differences == 0 || all) &&
	    (got = read(end[0], report, sizeof report)) > 0) {
		for (i = 0; i < (size_t)got && (differences == 0 || all); i++)
			if (report[i] == '\0')
				differences++;
			else
				putchar(report[i]);
		fflush(stdout);
	}
	broken = 0;
	for (i = 0; i < jobs; i++) {
		if (differences > 0 && !all)
			kill(pid[i], SIGTERM);
		waitpid(pid[i], &status, 0);
		broken |= status;
	}
	if (differences > 0) {
		if (all)
			printf("# %d of %llu differ\n", differences, n);
		return 1;
	}
	printf("%s - %llu %s%s\n", broken ? "not ok" : "ok", n, sentence[kind],
	    broken ? ": a process of the test broke off" : "");
	return broken != 0;
}

static uint64_t
number(const char *what, const char *text, uint64_t least, uint64_t most)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 ||
	    n < least || n > most) {
		fprintf(stderr, "scripts: %s: %s\n", what, text);
		exit(1);
	}
	return n;
}

int
main(int argc, char *argv[])
{
	const char *variable;
	uint64_t count, first;
	long processors;
	unsigned jobs;
	int c;

	hide_log(argv);
	count = jobs = 0;
	first = 1;
	processors = sysconf(_SC_NPROCESSORS_ONLN);
	while ((c = getopt(argc, argv, "aj:ln:ps:v")) != -1)
		switch (c) {
		case 'a':
			all = 1;
			break;
		case 'j':
			jobs = (unsigned)number("-j", optarg, 1, MOST_JOBS);
			break;
		case 'l':
			kind = LOSSY;
			break;
		case 'n':
			count = number("-n", optarg, 1, UINT32_MAX);
			break;
		case 'p':
			kind = PATIENT;
			break;
		case 's':
			first = number("-s", optarg, 0, UINT64_MAX / 2);
			break;
		case 'v':
			verbose = 1;
			break;
		default:
			fprintf(stderr, "usage: scripts [-p | -l] [-av] "
			    "[-j jobs] [-n count] [-s first-seed]\n");
			return 1;
		}
	variable = kind == QUICK ? "SCRIPTS" : "PATIENT";
	if (count == 0 && getenv(variable) != NULL)
		count = number(variable, getenv(variable), 1, UINT32_MAX);
	if (count == 0)
		count = kind == QUICK ? 3000 : 300;
	if (jobs == 0)
		jobs = processors < 1 ? 1 : processors > 8 ? 8 :
		    (unsigned)processors;
	soon = kind == QUICK ? SOON : 4 * SOON;
	if (getenv("RELAY") != NULL)
		relay_path = getenv("RELAY");
	need_relay();
	play_prepare();
	return run(first, count, jobs);
}
