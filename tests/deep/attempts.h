/*
 * The intruder in a session.  probe.c starts the intruder.  On Linux,
 * attempts.c contains the intruder's attempts; on other systems, attempts.c is
 * empty.
 */

enum { LOG = 1, OPERATOR = 2, TARGET = 3 };	/* a session's descriptors */

/* How many attempts have been made. */
extern unsigned tried;

/* Send a report to the target.  The arguments are those of printf(3). */
void	tell(const char *, ...);

/*
 * Count an attempt.  The arguments are the expected errno, the result of the
 * attempt and, as for printf(3), the attempt's name.  If the attempt did not
 * fail with the expected errno, report its name and what happened.
 */
void	expect(int, long, const char *, ...);

/* Try every system call by its number, with useless arguments. */
void	every_number(void);

/*
 * Try the machine's other ways to make system calls: those of x32, and
 * socketcall(2).
 */
void	old_doors(void);

/*
 * Try calls that would break out of the confinement.  Most of these calls are
 * made through the libc, which does not always make the system call of the same
 * name.
 */
void	break_out(void);

/* Try calls that a session makes, but with arguments that no session needs. */
void	wrong_arguments(void);
