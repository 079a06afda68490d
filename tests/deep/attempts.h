/* Of the intruder: probe.c begins, attempts.c tries.  Linux alone. */

enum { LOG = 1, OPERATOR = 2, TARGET = 3 };	/* a session's descriptors */

/* How many attempts were made. */
extern unsigned tried;

/* Tell the target, as printf(3). */
void	tell(const char *, ...);

/*
 * An attempt and its result, errno where that is -1: any other errno than this
 * is told, with the attempt's name as printf(3) has it.
 */
void	expect(int, long, const char *, ...);

/* Every call by its number, without arguments that are of any use. */
void	every_number(void);

/* The same by the doors that a machine has for programs of others. */
void	old_doors(void);

/* What would lead out, through libc, whose way may be another. */
void	break_out(void);

/* Of the calls that a session makes, what it never asks of them. */
void	wrong_arguments(void);
