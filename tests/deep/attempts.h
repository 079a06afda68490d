/*
 * The intruder in a session: probe.c starts it, and attempts.c makes its
 * attempts.  attempts.c is for Linux only.
 */

enum { LOG = 1, OPERATOR = 2, TARGET = 3 };	/* a session's descriptors */

/* How many attempts have been made. */
extern unsigned tried;

/* Send the target a report, formatted as by printf(3). */
void	tell(const char *, ...);

/*
 * Count an attempt.  expect() takes the expected errno, the result of the
 * attempt, and a format of printf(3) for its name.  If the attempt did not fail
 * with that errno, report the name and the result.
 */
void	expect(int, long, const char *, ...);

/* Try every system call by its number, with useless arguments. */
void	every_number(void);

/*
 * Try the same calls by the interfaces that the machine offers to programs of
 * other architectures.
 */
void	old_doors(void);

/*
 * Try calls that would lead out of the confinement.  They are made through the
 * libc, which may make different system calls for them.
 */
void	break_out(void);

/* Try calls that a session makes, but with requests that no session needs. */
void	wrong_arguments(void);
