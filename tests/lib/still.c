/*
 * Whether a processor has stood still: see still.h.
 */

#define TEST_LIBRARY
#include "test.h"
#include "still.h"

#include <sys/mman.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Milliseconds: between two looks, and what is too much of it. */
enum { LOOK = 100, TOO_LONG = 1000 };

enum { MOST = 256 };
struct watch {
	volatile int64_t looked, stood;	/* the last time that it did */
};

static struct watch *watches;	/* shared by all of these processes */
static int n;

static void
watch(struct watch *w, int processor, pid_t parent)
{
	int64_t now;

	stay_on(processor);
	while (getppid() == parent) {
		(void)poll(NULL, 0, LOOK);
		now = milliseconds();
		if (now - w->looked > TOO_LONG)
			w->stood = now;
		w->looked = now;
	}
	_exit(0);
}

void
still_watch(void)
{
	int list[MOST];
	pid_t parent, pid;
	int i;

	parent = getpid();
	watches = mmap(NULL, MOST * sizeof *watches, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANON, -1, 0);
	if (watches == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	n = processors(list, MOST);
	for (i = 0; i < n; i++) {
		watches[i].looked = milliseconds();
		pid = fork();
		if (pid == -1) {
			perror("fork");
			exit(2);
		}
		if (pid == 0)
			watch(&watches[i], list[i], parent);
	}
}

int
still_since(int64_t then)
{
	int i;

	for (i = 0; i < n; i++)
		if (watches[i].stood >= then ||
		    milliseconds() - watches[i].looked > TOO_LONG)
			return 1;
	return 0;
}
