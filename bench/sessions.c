/* Measures what a session costs: time, and memory while the session is idle. */

#include "client.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	MOST_SESSIONS = 8000,	/* per measurement: ports are limited */
	MOST_TRIPS = 100000,
	IDLE = 200
};

int
compare(const void *a, const void *b)
{
	const double *x, *y;

	x = a;
	y = b;
	return (*x > *y) - (*x < *y);
}

/*
 * Measure PARTS figures, one after another.  Print their median and the lowest
 * of them.
 */
static void
parts(double (*part)(int), int argument)
{
	double figure[PARTS];
	int i;

	for (i = 0; i < PARTS; i++)
		figure[i] = part(argument);
	qsort(figure, PARTS, sizeof figure[0], compare);
	result("", (figure[PARTS / 2 - 1] + figure[PARTS / 2]) / 2);
	result("-best", figure[0]);
}

/* Returns the milliseconds per session. */
static double
setup(int width)
{
	int64_t began;
	int n;

	began = now();
	n = sessions(MOST_SESSIONS / PARTS, width,
	    began + shared->duration / PARTS, 0);
	return (double)(now() - began) / 1e6 / n;
}

void
row_setup(int width)
{
	if (width < 1 || width > MOST_WIDTH)
		errx(1, "from 1 to %d at a time", MOST_WIDTH);
	serve(ECHO);
	parts(setup, width);
	serve_no_more();
}

void
row_held(int n)
{
	int size;

	serve(ECHO);
	size = relay == 0 ? 0 : tree_size(relay);
	hold(n);
	nap(SECOND / 5);
	parts(setup, 1);
	let_go();
	calm(size);
	serve_no_more();
}

/* Returns the median round trip, in microseconds. */
static double
trips(int fd)
{
	static double us[MOST_TRIPS];
	int64_t duration, began, before, last;
	size_t n;

	duration = shared->duration / PARTS;
	began = last = now();
	for (n = 0; n < MOST_TRIPS && last - began < duration; n++) {
		before = last;
		if (!trip(fd))
			fail("drops a session");
		last = now();
		us[n] = (double)(last - before) / 1e3;
	}
	qsort(us, n, sizeof us[0], compare);
	return us[n / 2];
}

void
row_rtt(int n)
{
	int fd;

	(void)n;
	tree_pin(relay);
	serve(BOUNCE);
	fd = begin();
	parts(trips, fd);
	close(fd);
	serve_no_more();
}

/*
 * Returns the KiB that the kernel charges to the relay's memory cgroup (see
 * run.sh), or -1 if the relay has none.
 */
static double
charged(void)
{
	const char *name;
	FILE *f;
	double bytes;
	int n;

	name = getenv("MEMORY");
	if (name == NULL || (f = fopen(name, "r")) == NULL)
		return -1;
	n = fscanf(f, "%lf", &bytes);
	fclose(f);
	return n == 1 ? bytes / 1024 : -1;
}

void
row_idle(int n)
{
	double all[2], below[2], own[2];
	int size;

	(void)n;
	serve(ECHO);
	calm(1);
	size = tree_size(relay);
	below[0] = tree_private(relay);
	own[0] = tree_root_private(relay);
	all[0] = charged();
	hold(IDLE);
	nap(SECOND / 10);
	below[1] = tree_private(relay);
	own[1] = tree_root_private(relay);
	all[1] = charged();
	if (below[0] < 0 || below[1] < 0 || own[0] < 0 || own[1] < 0)
		fail("only root may know");
	/*
	 * A process that forks seems to shrink, because it then shares its
	 * pages with the child.  The process has not freed these pages, so the
	 * difference does not count.
	 */
	if (own[1] < own[0])
		own[1] = own[0];
	result("", (below[1] - below[0] + own[1] - own[0]) / IDLE);
	if (all[0] >= 0 && all[1] >= 0)
		result("-all", (all[1] - all[0]) / IDLE);
	let_go();
	calm(size);
	serve_no_more();
}

void
row_one(int n)
{
	int fd;

	(void)n;
	serve(ECHO);
	fd = begin();
	if (!ends(fd))
		fail("a session stalls");
	close(fd);
	serve_no_more();
}
