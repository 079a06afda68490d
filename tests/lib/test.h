/*
 * The runner.  A test is an id, the sentence that it proves, and a body:
 *
 *	TEST(bare_reset, "a reset without a byte becomes a reset")
 *	{
 *		...
 *	}
 *
 * A test that is made for each of the two sides is written once, with `near' as
 * the side that acts.  Such a test has two sentences, and two ids (client_NAME
 * and target_NAME):
 *
 *	EACH_WAY(bare_reset, "a client's reset becomes a reset at the target",
 *	    "a target's reset becomes a reset at the client")
 *	{
 *		... near, !near ...
 *	}
 *
 * Every test runs in a separate process.  All tests have the same time limit.
 * Several tests run at the same time.  A function that cannot do its work calls
 * fail or skip, which end the test.  The message of fail begins with the place
 * of the failure.  If a function of this library fails, that place is the line
 * of the test that called the function.  To make this work, the function has a
 * macro of the same name, which contains HERE.
 */

#ifndef TEST_H
#define TEST_H

#define _GNU_SOURCE
#define __EXTENSIONS__

#include <sys/types.h>
#include <sys/socket.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __sun
#include <sys/filio.h>
#include <sys/sockio.h>
#endif
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0	/* the relays' peers ignore SIGPIPE */
#endif

enum { CLIENT, TARGET, NOBODY };	/* the sides of a session */

struct test {
	const char *id, *sentence, *file;
	int line;
	void (*run)(void);
	struct test *next;
};

void	test_add(struct test *);

#define TEST_NAMED(name, sentence_, function) \
static struct test test_##name = { \
	#name, sentence_, __FILE__, __LINE__, function, NULL \
}; \
__attribute__((constructor)) static void \
add_##name(void) \
{ \
	test_add(&test_##name); \
}

#define TEST(name, sentence) \
static void name(void); \
TEST_NAMED(name, sentence, name) \
static void \
name(void)

#define EACH_WAY(name, of_client, of_target) \
static void name(int); \
static void client_##name(void) { name(CLIENT); } \
static void target_##name(void) { name(TARGET); } \
TEST_NAMED(client_##name, of_client, client_##name) \
TEST_NAMED(target_##name, of_target, target_##name) \
static void \
name(int near)

/*
 * test_at: from now on, failures name this place.
 * test_from: from now on, failures inside `callee' also name the place that
 * called `callee'.  A function that several tests share needs this, so the
 * following line comes after such a function:
 *
 *	#define expect_this(...) FROM(expect_this, __VA_ARGS__)
 */
void	test_at(const char *file, int line, const char *function);
void	test_from(const char *file, int line, const char *function,
	    const char *callee);
void	test_words_to(int fd);	/* where to write messages; at first, 2 */
void	test_about(const char *);	/* goes before each message */
#define HERE(call) (test_at(__FILE__, __LINE__, __func__), call)
#define FROM(callee, ...) (test_from(__FILE__, __LINE__, __func__, #callee), \
	callee(__VA_ARGS__))

enum { SKIPPED = 77 };		/* the exit status of a skipped test */
void	test_fail(const char *, ...)
	    __attribute__((noreturn, format(printf, 1, 2)));
void	test_skip(const char *, ...)
	    __attribute__((noreturn, format(printf, 1, 2)));
#ifndef TEST_LIBRARY
#define fail(...) HERE(test_fail(__VA_ARGS__))
#define skip(...) HERE(test_skip(__VA_ARGS__))
#else
#define fail test_fail
#define skip test_skip
#endif

/*
 * Time, in milliseconds.  Wherever a slow machine could be too late, a test
 * uses one of the limits below.  With TEST_SLOW=4 in the environment, each of
 * these limits is four times as long.
 */
int	test_slow(void);

/*
 * While a machine stands still, the relay's time limits keep running.  If a
 * test fails, and one of its pauses lasted more than LATE milliseconds too
 * long, the runner runs the test again.
 * should_take: call this after a pause that began at this time and should have
 * lasted `ms' milliseconds.  The function notes whether the pause lasted more
 * than LATE milliseconds too long.
 */
enum { LATE = 300 };
void	should_take(int64_t, int ms);
#define STOOD_STILL " (the machine stood still)"

#define SOON (10000 * test_slow())	/* anything slower has failed */
#define PROMPTLY (3000 * test_slow())	/* shorter than the relay's limits */
#define LATER (2000 * test_slow())	/* how late things are allowed to be */
#define VANISHED (5000 * test_slow())	/* -k 1 notices a lost peer by then */
#define STILL (300 * test_slow())	/* expect nothing for this long */
/* Seconds for a test until its first session, and from each to the next. */
#define TEST_LIMIT ((unsigned)(120 * test_slow()))
#define FULL (500 * test_slow())	/* a buffer takes nothing: it is full */

/*
 * Pauses whose length depends on a time limit of the relay or of the system.
 * On a slow machine, neither these pauses nor those limits become longer.
 */
enum {
	SECOND = 1000,		/* the unit of the options */
	DELAYED_ACK = 40,	/* how long TCP delays an acknowledgement */
	SETTLED = 100,		/* by then, nothing is in flight any more */
	PACE = 100,		/* between two small steps of a slow peer */
	READER_LATE = 500,	/* one side has left; the other reads later */
	READER_PAUSES = 5000,	/* as long as the relay waits for a log */
	READER_RETURNS = 9000,	/* longer than the limits in inherited.c */
	SLOWLY = 21000,		/* more than the 20 s in a test's sentence */
	PIPE_UNUSED = 2500,	/* longer than the relay waits between looks */
	IDLE_LONG = 10000,	/* ten seconds, as the test's sentence says */
	WITHIN_LIMIT = 800,	/* one is shorter than -T 2; three are longer */
	PART_OF_LIMIT = 500,	/* shorter than -t 2 */
	BEYOND_LIMIT = 2500,	/* longer than -t 2 */
	PROBES_LOST = 4000,	/* -k 1 notices a lost peer by then */
	WINDOW_CLOSED = 7000,	/* longer than PROBES_LOST */
	ALARM_PAST = 1500,	/* by then, an alarm set to 1 s has come */
	NAME_LATE = 3000,	/* shorter than -w 4 */
	TIMER_PAST = 200,	/* a timer fires several times in this pause */
	LOG_STUCK = 1000,	/* shorter than the relay's 5 s for a log */
	UNEVEN = 1234		/* its digits are easy to find in secs= */
};
void	pause_for(int ms);
int64_t	milliseconds(void);
const char *seconds(int);	/* an option's value, times test_slow() */

/*
 * private_socket, private_pipe: make descriptors that no other program
 * inherits.
 * unsent: the number of bytes that the peer's system has not acknowledged; -1
 * if unknown.
 * terminal: returns a new terminal that is no process's controlling terminal.
 * Skips the test if the system provides no terminal.
 * processors: fills the list with the processors that this process can use, and
 * returns their number.  On systems other than Linux, the list always has one
 * entry.
 * stay_on: from now on, this process runs only on this processor, if the system
 * allows that.
 */
int	terminal(void);
int	processors(int list[], int most);
void	stay_on(int processor);
int	private_socket(int domain, int type, int protocol);
int	private_pipe(int end[2]);
int	unsent(int fd);

#endif
