/*
 * How long the machine has stood still: see still.h.
 */

#define TEST_LIBRARY
#include "test.h"
#include "still.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOOK = 100 };		/* milliseconds between two looks */
enum { MOST = 256 };
struct watch {
	volatile int64_t looked;	/* the time of the last look */
	volatile int64_t stood;		/* the sum of all pauses until then */
};

static struct watch *watches;	/* shared by all watching processes */
static int n;

/*
 * The length of the pause since the last look.  A pause of up to LATE does not
 * count, because the machine may simply be busy.
 */
static int64_t
late(const struct watch *w, int64_t now)
{
	int64_t ms;

	ms = now - w->looked - LOOK;
	return ms > LATE ? ms : 0;
}

static void
watch(struct watch *w, int processor, pid_t parent, const char *relay)
{
	int64_t now, ms;
	pid_t child;
	int fd;

	fd = open(relay, O_RDONLY);
	if (fd != -1) {
		(void)mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0);
		close(fd);
	}
	stay_on(processor);
	while (getppid() == parent) {
		(void)poll(NULL, 0, LOOK);
		child = fork();
		if (child == 0)
			_exit(0);
		if (child != -1)
			(void)waitpid(child, NULL, 0);
		now = milliseconds();
		ms = late(w, now);
		w->looked = now;
		w->stood += ms;
	}
	_exit(0);
}

void
still_watch(const char *relay)
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
			watch(&watches[i], list[i], parent, relay);
	}
}

int64_t
still_so_far(void)
{
	int64_t ms;
	int i;

	ms = 0;
	for (i = 0; i < n; i++)
		ms += watches[i].stood + late(&watches[i], milliseconds());
	return ms;
}
