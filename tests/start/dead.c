/*
 * Connections that are reset before the relay calls getsockname(2) on them.  On
 * the BSDs and macOS, getsockname(2) then fails with EINVAL or ECONNRESET.  In
 * these tests, strace(1) injects these errors.
 */

#include "../lib/places.h"
#include "../lib/relay.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const answers[] = { "EINVAL", "ECONNRESET" };

/*
 * Put together a command that runs strace(1) and makes the nth getsockname(2)
 * fail with `error'.  Returns the number of words in the command.
 */
static int
answering(const char *words[], const char *error, int nth)
{
	static char how[64];

	snprintf(how, sizeof how, "inject=getsockname:error=%s:when=%d", error,
	    nth);
	return delay(words, "trace=getsockname", how);
}

TEST(dead_client, "a client that the system no longer knows has left: 0, "
    "without a word")
{
	const char *args[MOST_WORDS + 3];
	const char *path;
	char text[200];
	struct relay r;
	size_t i;
	int n, ours, theirs;

	path = relay_path;
	for (i = 0; i < 2; i++) {
		relay_path = path;
		n = answering(args, answers[i], 1);
		args[n] = target_host();
		args[n + 1] = "9";
		args[n + 2] = NULL;
		socket_pair(client_family(), &ours, &theirs);
		reset_now(&ours);
		expect_reset(theirs);
		relay_on(&r, theirs, 1, args);
		if (relay_status(&r, SOON) != 0)
			fail("exit status is not 0");
		relay_stderr(&r, text, sizeof text);
		if (text[0] != '\0')
			fail("it says %s", text);
	}
}

TEST(dead_target, "a target whose address the system no longer knows has its "
    "bytes carried")
{
	const char *args[MOST_WORDS + 3];
	struct session t;
	int fd, listener, n;

	n = answering(args, answers[0], 2);
	listener = listen_on(target_family());
	args[n] = target_host();
	args[n + 1] = port_text(listener);
	args[n + 2] = NULL;
	begin_without(&t, 0, target_text(listener), args);
	fd = accept_from(listener);
	send_stream(fd, 1, 0, 500);
	wait_acked(fd);
	reset_now(&fd);
	expect_stream(t.fd[CLIENT], 1, 0, 500);
	expect_end(t.fd[CLIENT], RST);
	expect_status(&t, 0);
}
