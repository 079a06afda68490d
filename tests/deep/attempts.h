/* The intruder: probe.c starts it, attempts.c tries.  Linux only. */

enum { LOG = 1, OPERATOR = 2, TARGET = 3 };	/* a session's descriptors */

/* The number of attempts made. */
extern unsigned tried;

/* Report to the target, like printf(3). */
void	tell(const char *, ...);

/*
 * Count an attempt that had this result.  Unless it failed with the expected
 * errno, report the result and the attempt's name, a format of printf(3).
 */
void	expect(int, long, const char *, ...);

/* Every call by its number, with useless arguments. */
void	every_number(void);

/*
 * The same calls, through the interfaces that a machine has for programs of
 * other architectures.
 */
void	old_doors(void);

/*
 * Calls that would lead out of the confinement, made through libc, which may
 * choose different system calls.
 */
void	break_out(void);

/* Calls that a session makes, with requests that it never makes. */
void	wrong_arguments(void);
