/*
 * The runner (see test.h).
 *
 *	tests/run [--list] [WORDS...]
 *	tests/run --unlogged COMMAND...
 *
 * Each of the WORDS is a directory or file (session/fin), an id, or a part of a
 * sentence, and selects the tests that it names.  Without WORDS, all tests run.
 * Neither the tests nor COMMAND can write into the system's log.
 */

#define TEST_LIBRARY
#include "places.h"
#include "relay.h"
#include "still.h"

#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JOBS = 12, TRIES = 5 };
enum { TOO_LONG = 1000 };	/* milliseconds of pauses during a test */

struct job {
	pid_t pid;
	int why;
	int tries;		/* tries in which the machine stood still */
	int64_t still;		/* still_so_far() when the test began */
	const struct test *test;
};

static struct test *first, **last = &first;

void
test_add(struct test *test)
{
	*last = test;
	last = &test->next;
}

static void
start(struct job *job, const struct test *test)
{
	int end[2];

	fflush(stdout);
	if (pipe(end) == -1 || (job->pid = fork()) == -1) {
		perror("tests/run");
		exit(2);
	}
	/* Keep the runner's descriptors out of the relays. */
	fcntl(end[0], F_SETFD, FD_CLOEXEC);
	fcntl(end[1], F_SETFD, FD_CLOEXEC);
	job->test = test;
	job->why = end[0];
	job->still = still_so_far();
	if (job->pid == 0) {
		close(end[0]);
		test_words_to(end[1]);
		test_at(test->file, test->line, "");
		setpgid(0, 0);
		alarm(TEST_LIMIT);
		signal(SIGPIPE, SIG_IGN);
		test->run();
		_exit(0);
	}
	close(end[1]);
}

/*
 * Print the command that builds what this test needs and runs this test alone.
 */
static void
print_again(const struct test *test)
{
	const char *value;

	printf("# again: make stfl-relay tools && ");
	if ((value = getenv("RELAY")) != NULL)
		printf("RELAY='%s' ", value);
	if ((value = getenv("TARGET6")) != NULL)
		printf("TARGET6=%s ", value);
	printf("tests/run %s\n", test->id);
}

/*
 * Print what a test has said, as a single line.  If the test has a table, each
 * of its rows may have said something.
 */
static void
print_why(const char *front, const char *text)
{
	printf("%s", front);
	for (; *text != '\0'; text++)
		if (*text != '\n')
			putchar(*text);
		else if (text[1] != '\0')
			printf("; ");
	printf("\n");
}

/*
 * Print the verdict, or run the test again.  Returns 1 if the test failed, 0 if
 * it did not, and -1 if it runs again.
 */
static int
verdict(struct job *job, int status)
{
	char text[700];
	ssize_t n;
	int code;

	n = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		n = read(job->why, text, sizeof text - sizeof STOOD_STILL);
	text[n > 0 ? n : 0] = '\0';
	close(job->why);
	/* Kill every process that is left in the test's process group. */
	kill(-job->pid, SIGKILL);
	job->pid = 0;
	code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	if (WIFSIGNALED(status))
		snprintf(text, sizeof text, "%s:%d: killed by signal %d%s",
		    job->test->file, job->test->line, WTERMSIG(status),
		    WTERMSIG(status) == SIGALRM ? " (took too long)" : "");
	if (code != 0 && code != SKIPPED &&
	    still_so_far() - job->still > TOO_LONG &&
	    strstr(text, STOOD_STILL) == NULL)
		strncat(text, STOOD_STILL, sizeof text - strlen(text) - 1);
	if (strstr(text, STOOD_STILL) != NULL && ++job->tries < TRIES) {
		print_why("# tried again: ", text);
		start(job, job->test);
		return -1;
	}
	job->tries = 0;
	printf("%s - %s", code == 0 || code == SKIPPED ? "ok" : "not ok",
	    job->test->sentence);
	if (code == SKIPPED) {
		print_why(" # SKIP ", text);
	} else if (code == 0) {
		printf("\n");
	} else {
		print_why(": ", text);
		print_again(job->test);
	}
	fflush(stdout);
	return code != 0 && code != SKIPPED;
}

static int
reap(struct job *jobs)
{
	pid_t pid;
	int failed, i, status;

	for (failed = -1; failed == -1; ) {
		pid = wait(&status);
		if (pid == -1) {
			perror("tests/run: wait");
			exit(2);
		}
		for (i = 0; i < JOBS; i++)
			if (jobs[i].pid == pid) {
				failed = verdict(&jobs[i], status);
				break;
			}
	}
	return failed;
}

static int
is_id(const char *words)
{
	const struct test *test;

	for (test = first; test != NULL; test = test->next)
		if (strcmp(test->id, words) == 0)
			return 1;
	return 0;
}

/*
 * If these words are the id of a test, they match only that test.  Otherwise
 * they match every test whose file name or sentence contains them.
 */
static int
matches(const struct test *test, const char *words)
{
	if (is_id(words))
		return strcmp(test->id, words) == 0;
	return strstr(test->file, words) != NULL ||
	    strstr(test->sentence, words) != NULL;
}

static int
wanted(const struct test *test, char *words[])
{
	for (; *words != NULL; words++)
		if (matches(test, *words))
			return 1;
	return 0;
}

/* If one of the WORDS matches no test, say so and exit. */
static void
check_words(char *words[])
{
	const struct test *test;

	for (; *words != NULL; words++) {
		for (test = first; test != NULL; test = test->next)
			if (matches(test, *words))
				break;
		if (test == NULL) {
			fprintf(stderr, "no test matches: %s (tests/run "
			    "--list has them all)\n", *words);
			exit(2);
		}
	}
}

int
main(int argc, char *argv[])
{
	static struct job jobs[JOBS];
	const struct test *test;
	int failed, free_job, list, running;

	if (argc > 2 && strcmp(argv[1], "--unlogged") == 0) {
		hide_log(argv + 2);
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		return 2;
	}
	list = argc > 1 && strcmp(argv[1], "--list") == 0;
	if (!list) {
		hide_log(argv);
		need_relay();
		still_watch(relay_path);
	}
	argv += list ? 2 : 1;
	check_words(argv);
	failed = running = 0;
	for (test = first; test != NULL; test = test->next) {
		if (*argv != NULL && !wanted(test, argv))
			continue;
		if (list) {
			printf("%s:%d %s - %s\n", test->file, test->line,
			    test->id, test->sentence);
			continue;
		}
		if (running == JOBS) {
			failed |= reap(jobs);
			running--;
		}
		for (free_job = 0; jobs[free_job].pid != 0; free_job++)
			;
		start(&jobs[free_job], test);
		running++;
	}
	for (; running > 0; running--)
		failed |= reap(jobs);
	return failed;
}
