/* How a test ends, and how it measures time: see test.h. */

#define TEST_LIBRARY
#include "test.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The place in the test's source that the message about a failure names. */
static const char *file;
static int line;
static const char *function = "";

/* The calls that led to that place, beginning with the call in the test. */
static struct call {
	const char *file, *callee;
	int line;
} calls[8];
static int depth;

static const char *about = "";
static int why = STDERR_FILENO;
static int late;		/* a pause was much too long */

void
test_at(const char *at, int number, const char *in)
{
	file = at;
	line = number;
	function = in;
}

/*
 * `in' is the function that is running now.  Forget the calls that were made
 * after the call of `in', because those functions have returned.
 */
static void
forget_all_but_callers_of(const char *in)
{
	while (depth > 0 && strcmp(calls[depth - 1].callee, in) != 0)
		depth--;
}

void
test_from(const char *at, int number, const char *in, const char *callee)
{
	forget_all_but_callers_of(in);
	if (depth == sizeof calls / sizeof calls[0])
		return;
	calls[depth].file = at;
	calls[depth].line = number;
	calls[depth++].callee = callee;
}

/*
 * Write the place: first the line in the test, then the lines in the functions
 * that the test has called.
 */
static size_t
put_place(char *text, size_t size)
{
	size_t n;
	int i;

	forget_all_but_callers_of(function);
	for (i = 0, n = 0; i < depth && n < size; i++)
		n += (size_t)snprintf(text + n, size - n, "%s:%d: %s, ",
		    calls[i].file, calls[i].line, calls[i].callee);
	if (n < size)
		n += (size_t)snprintf(text + n, size - n, "%s:%d: ", file,
		    line);
	return n < size ? n : size - 1;
}

void
test_words_to(int fd)
{
	why = fd;
}

void
test_about(const char *what)
{
	about = what;
}

/*
 * Print the place and the text as one line.  A program that is not a test has
 * no place, so it prints only the text.
 */
static void
say(int with_place, const char *format, va_list ap)
{
	char text[700];
	size_t n;

	n = line != 0 && with_place ? put_place(text, sizeof text) : 0;
	snprintf(text + n, sizeof text - n, "%s", about);
	n = strlen(text);
	vsnprintf(text + n, sizeof text - n - sizeof STOOD_STILL - 1, format,
	    ap);
	if (late && with_place)
		strcat(text, STOOD_STILL);
	if (line != 0)
		strcat(text, "\n");
	(void)!write(why, text, strlen(text));
}

void
test_fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(1, format, ap);
	va_end(ap);
	_exit(1);
}

void
test_skip(const char *format, ...)
{
	va_list ap;

	/* Print no place: it does not matter where a test is skipped. */
	va_start(ap, format);
	say(0, format, ap);
	va_end(ap);
	_exit(SKIPPED);
}

int
test_slow(void)
{
	static int factor;
	const char *text;

	if (factor == 0) {
		text = getenv("TEST_SLOW");
		factor = text == NULL ? 1 : atoi(text);
		if (factor < 1 || factor > 100) {
			fprintf(stderr, "TEST_SLOW=%s: not 1 to 100\n", text);
			exit(2);
		}
	}
	return factor;
}

void
should_take(int64_t then, int ms)
{
	late |= milliseconds() - then > ms + LATE;
}

void
pause_for(int ms)
{
	int64_t before;

	before = milliseconds();
	(void)poll(NULL, 0, ms);
	should_take(before, ms);
}

const char *
seconds(int n)
{
	static char text[12];

	snprintf(text, sizeof text, "%d", n * test_slow());
	return text;
}

int64_t
milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
