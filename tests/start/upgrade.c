/* The program file is replaced while sessions run. */

#include "../lib/relay.h"
#include "../lib/traced.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char place[256];

/*
 * Run make(1) with this makefile target, as an operator would.  Returns the
 * inode number of the installed program.
 */
static ino_t
install_as(const char *target)
{
	struct stat st;
	char command[512], program[300];

	snprintf(command, sizeof command,
	    "umask 077; make -s %s DESTDIR='%s' PREFIX=/p >/dev/null", target,
	    place);
	if (system(command) != 0)
		fail("%s fails", command);
	snprintf(program, sizeof program, "%s/p/sbin", place);
	if (stat(program, &st) == -1 || (st.st_mode & 07777) != 0755)
		fail("%s has mode %o", program, (unsigned)st.st_mode);
	strcat(program, "/stfl-relay");
	if (stat(program, &st) == -1 || (st.st_mode & 07777) != 0755)
		fail("%s has mode %o", program, (unsigned)st.st_mode);
	return st.st_ino;
}
#define install_as(...) FROM(install_as, __VA_ARGS__)

static void
cleaned(void)
{
	char command[300];

	snprintf(command, sizeof command, "rm -rf '%s'", place);
	(void)!system(command);
}

TEST(upgrade, "make install under 100 live sessions ends none of them, and the "
    "next has what was installed")
{
	enum { SESSIONS = 100 };
	static struct session t[SESSIONS];
	static char program[300];
	ino_t first;
	int i;

	/* Skip if make(1) would have to build the program. */
	if (system("make -q stfl-relay >/dev/null 2>&1") != 0)
		skip("no make(1), or stfl-relay is not built");
	snprintf(place, sizeof place, "%s/a place XXXXXX",
	    getenv("scratch") != NULL ? getenv("scratch") : "/tmp");
	if (mkdtemp(place) == NULL || chmod(place, 0755) == -1)
		fail("%s: %s", place, strerror(errno));
	first = install_as("install");
	snprintf(program, sizeof program, "%s/p/sbin/stfl-relay", place);
	relay_path = program;
	for (i = 0; i < SESSIONS; i++) {
		begin(&t[i], NULL, NULL);
		carry_on(&t[i]);
	}
	if (install_as("install") == first)
		fail("the program was written over");
	for (i = 0; i < SESSIONS; i++)
		conclude(&t[i]);
	begin(&t[0], NULL, NULL);
	carry_on(&t[0]);
	conclude(&t[0]);
	cleaned();
}
