/*
 * Descriptors 0, 1 and 2 can each be the client's socket, a file or closed.
 * This file tests all combinations.
 */

#include "../lib/places.h"
#include "../lib/relay.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/*
 * Each descriptor is in one of these states.  `combination' is a number in base
 * 3, with one digit per descriptor.
 */
enum { SOCKET, A_FILE, CLOSED };
static int combination, files[3];

static int
what_is(int fd)
{
	return fd == 0 ? combination % 3 : fd == 1 ? combination / 3 % 3 :
	    combination / 9;
}

static void
combine(void)
{
	int fd, keep;

	keep = fcntl(0, F_DUPFD_CLOEXEC, 100);
	for (fd = 0; fd < 3; fd++)
		if (what_is(fd) == CLOSED)
			close(fd);
		else
			dup2(what_is(fd) == SOCKET ? keep : files[fd], fd);
}

/*
 * Expect that the relay serves a whole session.  In a second session, expect
 * that the target's reset reaches the client.
 */
static void
expect_served(void)
{
	struct session t;

	begin_as_inetd(&t, NULL);
	converse(t.fd[CLIENT], t.fd[TARGET]);
	expect_status(&t, 0);
	let_go(&t);

	begin_as_inetd(&t, NULL);
	send_stream(t.fd[CLIENT], 1, 0, 1000);
	expect_stream(t.fd[TARGET], 1, 0, 1000);
	reset_now(&t.fd[TARGET]);
	expect_end(t.fd[CLIENT], RST);
	expect_status(&t, 0);
	let_go(&t);
}

/*
 * Expect that the relay refuses the session and sends nothing to the client.
 * If descriptor 2 is a file, the relay must write the reason there.
 */
static void
expect_refused(void)
{
	static const char *const args[] = { "127.0.0.1", "9", NULL };
	struct session t;
	struct stat st;
	char c;

	begin_without(&t, 0, "", args);
	expect_status(&t, 64);
	if (recv(t.fd[CLIENT], &c, 1, MSG_DONTWAIT) == 1)
		fail("a byte to the client");
	if (what_is(2) == A_FILE &&
	    (fstat(files[2], &st) == -1 || st.st_size == 0))
		fail("no word on 2");
	(void)!ftruncate(files[2], 0);
	let_go(&t);
}

static void
expect_nothing_written(int fd)
{
	struct stat st;

	if (fstat(files[fd], &st) == -1 || st.st_size != 0)
		fail("something is written to %d", fd);
}

TEST(every_combination, "descriptors 0, 1 and 2 may be the client's socket, a "
    "file or closed: served, or refused in words")
{
	static const char *const words[] = { "socket", "file", "closed" };
	static char about[64];
	int fd;

	for (fd = 0; fd < 3; fd++)
		files[fd] = empty_file();
	relay_setup = combine;
	for (combination = 0; combination < 27; combination++) {
		snprintf(about, sizeof about, "(%s, %s, %s) ",
		    words[what_is(0)], words[what_is(1)], words[what_is(2)]);
		test_about(about);
		if (what_is(0) == SOCKET)
			expect_served();
		else
			expect_refused();
		for (fd = 0; fd < 3; fd++)
			expect_nothing_written(fd);
	}
}
