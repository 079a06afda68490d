/*
 * Reads from /proc how much memory and CPU time a relay uses.  A relay is a
 * tree of processes: its root process and all descendants of the root process.
 */

#include "bench.h"

#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 65536 };

static struct process {
	pid_t pid, parent;
	int in;			/* belongs to the tree */
} processes[MOST];

/*
 * Open the file with this name in the /proc directory of a process or thread.
 * Returns NULL if that is impossible.
 */
static FILE *
proc(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	return fopen(path, "r");
}

/*
 * Returns the parent of a process, or -1 if the process has ended or is a
 * zombie.
 */
static pid_t
parent_of(pid_t pid)
{
	char text[512];
	const char *after;
	FILE *f;
	int parent;
	char state;

	if ((f = proc(pid, "stat")) == NULL)
		return -1;
	after = fgets(text, sizeof text, f) ? strrchr(text, ')') : NULL;
	fclose(f);
	if (after == NULL || sscanf(after, ") %c %d", &state, &parent) != 2 ||
	    state == 'Z' || state == 'X')
		return -1;
	return parent;
}

/*
 * List all processes, and mark those that belong to the tree.  Returns the
 * length of the list.
 */
static int
look(pid_t root)
{
	struct process *p;
	struct dirent *entry;
	DIR *d;
	int again, i, j, n;

	if ((d = opendir("/proc")) == NULL)
		err(1, "/proc");
	n = 0;
	while (n < MOST && (entry = readdir(d)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		p = &processes[n];
		p->pid = atoi(entry->d_name);
		if ((p->parent = parent_of(p->pid)) == -1)
			continue;
		p->in = p->pid == root;
		n++;
	}
	closedir(d);
	do {
		again = 0;
		for (i = 0; i < n; i++) {
			if (!processes[i].in)
				continue;
			for (j = 0; j < n; j++)
				if (!processes[j].in && processes[j].parent ==
				    processes[i].pid)
					again = processes[j].in = 1;
		}
	} while (again);
	return n;
}

/* Returns the CPU time of all threads of a process, in nanoseconds. */
static double
cpu_of(pid_t pid)
{
	char path[64];
	struct dirent *entry;
	FILE *f;
	DIR *d;
	double sum, one;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	if ((d = opendir(path)) == NULL)
		return 0;
	sum = 0;
	while ((entry = readdir(d)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		/*
		 * A listing of /proc shows no threads, but each thread has a
		 * directory in /proc.
		 */
		if ((f = proc(atoi(entry->d_name), "schedstat")) == NULL)
			continue;
		if (fscanf(f, "%lf", &one) == 1)
			sum += one;
		fclose(f);
	}
	closedir(d);
	return sum;
}

/*
 * Returns the private memory of a process in KiB, or -1 if the caller cannot
 * read it in /proc.  If the process has made itself undumpable, only root can
 * read it.  If `files' is false, unchanged pages of files do not count, because
 * such pages are private only while no other process runs the program.
 */
static double
private_of(pid_t pid, int files)
{
	char line[256], kind[16];
	FILE *f;
	double sum, one;
	int lines;

	if ((f = proc(pid, "smaps_rollup")) == NULL)
		return -1;
	sum = 0;
	for (lines = 0; fgets(line, sizeof line, f) != NULL; lines++)
		if (sscanf(line, "Private_%15[^:]: %lf", kind, &one) == 2 &&
		    (files || strcmp(kind, "Clean") != 0))
			sum += one;
	fclose(f);
	return lines > 0 ? sum : -1;
}

/*
 * Returns the CPU seconds that the tree's threads have used.  Threads that have
 * ended do not count.
 */
double
tree_cpu(pid_t root)
{
	double sum;
	int i, n;

	n = look(root);
	for (sum = 0, i = 0; i < n; i++)
		if (processes[i].in)
			sum += cpu_of(processes[i].pid);
	return sum / 1e9;
}

/*
 * tree_root_private() returns the private memory of the root, in KiB.
 * tree_private() returns the private memory of all processes below the root.
 * Both functions return -1 if the memory is unknown.
 */
double
tree_root_private(pid_t root)
{
	return private_of(root, 0);
}

double
tree_private(pid_t root)
{
	double sum, one;
	int i, n;

	n = look(root);
	for (sum = 0, i = 0; i < n; i++) {
		if (!processes[i].in || processes[i].pid == root)
			continue;
		if ((one = private_of(processes[i].pid, 1)) == -1)
			return -1;
		sum += one;
	}
	return sum;
}

/* Returns the number of processes in the tree, without zombies. */
int
tree_size(pid_t root)
{
	int i, n, size;

	n = look(root);
	for (size = 0, i = 0; i < n; i++)
		size += processes[i].in;
	return size;
}

/*
 * Pin this process, and every thread of the tree, to the CPU on which this
 * process runs.
 */
void
tree_pin(pid_t root)
{
	char path[64];
	struct dirent *entry;
	cpu_set_t cpu;
	DIR *d;
	int i, n;

	CPU_ZERO(&cpu);
	CPU_SET((size_t)sched_getcpu(), &cpu);
	if (sched_setaffinity(0, sizeof cpu, &cpu) == -1)
		err(1, "sched_setaffinity");
	n = root == 0 ? 0 : look(root);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof path, "/proc/%d/task",
		    (int)processes[i].pid);
		if (!processes[i].in || (d = opendir(path)) == NULL)
			continue;
		while ((entry = readdir(d)) != NULL)
			if (isdigit((unsigned char)entry->d_name[0]))
				(void)sched_setaffinity(atoi(entry->d_name),
				    sizeof cpu, &cpu);
		closedir(d);
	}
}
