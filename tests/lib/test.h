/*
 * The runner.  A test is an id, the sentence that it proves, and a body:
 *
 *	TEST(bare_reset, "a reset without a byte becomes a reset")
 *	{
 *		...
 *	}
 *
 * A test that holds in both directions is written once, for the side that acts
 * (`near'), but has two sentences.  Its ids are client_NAME and target_NAME:
 *
 *	EACH_WAY(bare_reset, "a client's reset becomes a reset at the target",
 *	    "a target's reset becomes a reset at the client")
 *	{
 *		... near, !near ...
 *	}
 *
 * Every test runs in a separate process, within the same time limit.  Several
 * tests run at a time.  A function that cannot do its work ends the test (fail,
 * skip) and names the place of the failure.  If the function is in this
 * library, that place is the line of the test that called it.  For this, the
 * function has a macro of the same name, with HERE in it.
 */

#ifndef TEST_H
#define TEST_H

#define _GNU_SOURCE

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
 * From now on, failures name this place (test_at).  In a function that several
 * tests share, they name the function's caller, too (test_from).  For this, the
 * function is followed by
 *
 *	#define expect_this(...) FROM(expect_this, __VA_ARGS__)
 */
void	test_at(const char *file, int line, const char *function);
void	test_from(const char *file, int line, const char *function,
	    const char *callee);
void	test_words_to(int fd);	/* where failures are written; at first, 2 */
void	test_about(const char *);	/* the row of a table; printed first */
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
 * Time, in milliseconds.  No test has a limit of its own that a slow machine
 * could exceed.  All tests use these limits, and TEST_SLOW=4 in the environment
 * makes each of them four times as long.
 */
int	test_slow(void);

/*
 * While a machine stands still, the relay's own limits run on.  If a test fails
 * after a pause that was more than LATE too long, the runner runs it again.
 * should_take: notes such a pause, which began at this time and should have
 * taken this number of ms.
 */
enum { LATE = 300 };
void	should_take(int64_t, int ms);
#define STOOD_STILL " (the machine stood still)"

#define SOON (10000 * test_slow())	/* anything slower has failed */
#define PROMPTLY (3000 * test_slow())	/* less than any limit of a test */
#define LATER (2000 * test_slow())	/* something may be late by this much */
#define VANISHED (5000 * test_slow())	/* by then, -k 1 has lost a peer */
#define STILL (300 * test_slow())	/* time in which nothing may happen */
#define FULL (500 * test_slow())	/* no byte taken: buffers are full */

/*
 * Pauses that a rule demands.  They do not grow on a slow machine, because they
 * are compared with times of the relay or the system.
 */
enum {
	SECOND = 1000,		/* the unit of the options */
	DELAYED_ACK = 40,	/* TCP may delay an acknowledgement */
	SETTLED = 100,		/* longer than DELAYED_ACK: nothing in flight */
	PACE = 100,		/* between two small steps of a slow peer */
	READER_LATE = 500,	/* one side is gone before the other reads */
	READER_PAUSES = 5000,	/* as long as the relay waits for a log */
	READER_RETURNS = 9000,	/* longer than the limits of inherited.c */
	SLOWLY = 21000,		/* more than the 20 s of the sentences */
	PIPE_UNUSED = 2500,	/* longer than between two looks */
	IDLE_LONG = 10000,	/* ten seconds, as the sentence says */
	WITHIN_LIMIT = 800,	/* below -T 2; three of them exceed it */
	PART_OF_LIMIT = 500,	/* below -t 2, which starts only later */
	BEYOND_LIMIT = 2500,	/* longer than -t 2 */
	PROBES_LOST = 4000,	/* by then, -k 1 has lost a peer */
	WINDOW_CLOSED = 7000,	/* longer than PROBES_LOST */
	ALARM_PAST = 1500,	/* the signal of alarm(1) has come */
	TIMER_PAST = 200,	/* some of a timer's signals have come */
	LOG_STUCK = 1000,	/* part of the 5 s that a log may take */
	UNEVEN = 1234		/* its digits are recognized in secs= */
};
void	pause_for(int ms);
int64_t	milliseconds(void);
const char *seconds(int);	/* an option's value, times test_slow() */

/*
 * private_socket, private_pipe: descriptors that no other program inherits.
 * unsent: the number of bytes that the peer's system has not acknowledged; -1
 * if unknown.
 * terminal: a new terminal that is nobody's controlling terminal.  Skips the
 * test if there is none.
 * processors: fills the list with the processors that we may use, and returns
 * their number.  If the system does not tell them apart, the list has one.
 * stay_on: from now on, this process runs only on this processor, if the system
 * allows it.
 */
int	terminal(void);
int	processors(int list[], int most);
void	stay_on(int processor);
int	private_socket(int domain, int type, int protocol);
int	private_pipe(int end[2]);
int	unsent(int fd);

#endif
