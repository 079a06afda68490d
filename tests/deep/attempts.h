/*
 * The intruder in a session: probe.c starts it, and attempts.c makes its
 * attempts.  attempts.c is for Linux only.
 */

enum { LOG = 1, OPERATOR = 2, TARGET = 3 };	/* a session's descriptors */

/* How many attempts have been made. */
extern unsigned tried;

/* Send a report to the target.  The arguments are those of printf(3). */
void	tell(const char *, ...);

/*
 * Count an attempt.  The arguments are the expected errno, the result of the
 * attempt, and its name, formatted as for printf(3).  If the attempt did not
 * fail with that errno, report the name and the result.
 */
void	expect(int, long, const char *, ...);

/* Try every system call by its number, with useless arguments. */
void	every_number(void);

/*
 * Try the machine's other interfaces for system calls: that of x32, and
 * socketcall(2).
 */
void	old_doors(void);

/*
 * Try calls that would lead out of the confinement.  Most are made through the
 * libc, which may make different system calls for them.
 */
void	break_out(void);

/* Try calls that a session makes, but with arguments that no session needs. */
void	wrong_arguments(void);
