/* Finds those faults of a relay that a client and a target can see. */

#include "client.h"

#include <sys/socket.h>

#include <stdio.h>
#include <unistd.h>

/*
 * True if the target says within three seconds that a whole letter has arrived.
 */
static int
target_has_letter(void)
{
	int64_t deadline;
	uint64_t got;

	deadline = now() + 3 * SECOND;
	do {
		got = __atomic_load_n(&shared->received, __ATOMIC_SEQ_CST);
		if (got != UINT64_MAX)
			return got == LETTER && !shared->damaged;
		nap(SECOND / 1000);
	} while (now() < deadline);
	return 0;
}

static int
send_letter(int fd)
{
	static char letter[LETTER];

	letter_write(letter);
	return send_all(fd, letter, sizeof letter) == 0;
}

/*
 * Returns a connection on which no call waits longer than this number of
 * seconds.
 */
static int
dial_within(int seconds)
{
	int fd;

	if ((fd = dial()) == -1)
		fail("refuses a session");
	limit(fd, seconds);
	return fd;
}

/*
 * Look for the faults of a relay.  Once the relay has lost data or has hung, do
 * not try again.
 */
void
row_faults(int n)
{
	const char *comma;
	int ended, fd, i, loses_data, loses_reply, never_ends;

	(void)n;
	/* Does a reply arrive after the client's FIN? */
	serve(REPLY);
	fd = dial_within(3);
	loses_data = !send_letter(fd);
	(void)shutdown(fd, SHUT_WR);
	loses_reply = letter_receive(fd, &ended) != LETTER;
	never_ends = !ended;
	loses_data |= !target_has_letter();
	close(fd);
	serve_no_more();

	/* Do the last bytes before an ordinary close arrive, down and up? */
	for (i = 0; i < 20 && !loses_data && !never_ends; i++) {
		serve(i % 2 == 0 ? HASTY : SINK);
		fd = dial_within(3);
		if (i % 2 == 0) {
			loses_data = letter_receive(fd, &ended) != LETTER;
			never_ends = !ended;
		} else {
			(void)send_letter(fd);
		}
		close(fd);
		if (i % 2 != 0)
			loses_data = !target_has_letter();
		serve_no_more();
	}

	printf("%s", row);
	comma = "";
	if (loses_reply) {
		printf(" loses the reply");
		comma = ",";
	}
	if (loses_data) {
		printf("%s loses data", comma);
		comma = ",";
	}
	if (never_ends) {
		printf("%s does not pass FIN on", comma);
		comma = ",";
	}
	printf("%s\n", *comma == '\0' ? " none" : "");
}
