/* The intruder: probe.c begins, attempts.c tries.  Linux only. */

enum { LOG = 1, OPERATOR = 2, TARGET = 3 };	/* a session's descriptors */

/* How many attempts were made. */
extern unsigned tried;

/* Report to the target, as printf(3). */
void	tell(const char *, ...);

/*
 * An attempt and its result, with errno if that is -1: any errno other than
 * this is reported, with the attempt's name, which is a format of printf(3).
 */
void	expect(int, long, const char *, ...);

/* Every call by its number, with useless arguments. */
void	every_number(void);

/*
 * The same through a machine's interfaces for programs of other architectures.
 */
void	old_doors(void);

/* What would lead out, called through libc, which may choose another call. */
void	break_out(void);

/* Calls that a session makes, with requests that it never makes. */
void	wrong_arguments(void);
