/*
 * The floor is the least that a relay can cost if one is started per session.
 * This program uses no libc and checks nothing.  It connects to the target,
 * copies both ways, passes FIN on, and exits.
 *
 * With -DFILTER, it also sets the shortest system call filter: one that allows
 * everything.  This is the least that a relay with a filter can cost, because
 * the kernel needs almost the same time for a filter of 2 and of 120
 * instructions.
 *
 * usage: floor a.b.c.d port, with the client's socket on descriptor 0.
 */

#ifdef FILTER
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#endif

enum { AF_INET = 2, SOCK_STREAM = 1, SHUT_WR = 1, POLLIN = 1 };

#if defined(__x86_64__)
enum { READ = 0, WRITE = 1, POLL = 7, SOCKET = 41, CONNECT = 42,
    SHUTDOWN = 48, EXIT = 60, PRCTL = 157, FOREVER = -1 };

/* Any further arguments are 0. */
static long
call(long n, long a, long b, long c)
{
	register long r10 __asm__("r10") = 0;
	register long r8 __asm__("r8") = 0;
	long r;

	__asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c),
	    "r"(r10), "r"(r8) : "rcx", "r11", "memory");
	return r;
}

__asm__(".globl _start\n_start:\n\txor %ebp,%ebp\n\tmov %rsp,%rdi\n"
    "\tand $-16,%rsp\n\tcall begin\n");
#elif defined(__aarch64__)
/* POLL is ppoll(2) here. */
enum { READ = 63, WRITE = 64, POLL = 73, SOCKET = 198, CONNECT = 203,
    SHUTDOWN = 210, EXIT = 93, PRCTL = 167, FOREVER = 0 };

static long
call(long n, long a, long b, long c)
{
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = 0;	/* ppoll(2): no mask */
	register long x4 __asm__("x4") = 0;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2),
	    "r"(x3), "r"(x4) : "memory");
	return x0;
}

__asm__(".globl _start\n_start:\n\tmov x29,#0\n\tmov x0,sp\n\tbl begin\n");
#else
#error "no system calls for this machine here"
#endif

struct pollfd {
	int fd;
	short events, revents;
};

struct address {
	unsigned short family, port;
	unsigned char host[4], zero[8];
};

static char buffer[2][65536];	/* one per direction, as in other relays */

/*
 * Returns the number at *s.  Moves *s past the number, and past a dot that
 * follows the number.
 */
static unsigned
number(const char **s)
{
	unsigned n;

	for (n = 0; **s >= '0' && **s <= '9'; ++*s)
		n = n * 10 + (unsigned)(**s - '0');
	if (**s != '\0')
		++*s;
	return n;
}

#ifdef FILTER
/*
 * The first instruction keeps the kernel from simulating the filter for every
 * system call, as in src/confine_linux.c.
 */
static void
set_filter(void)
{
	static struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_IMM, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
	};
	struct sock_fprog program = { 2, filter };

	if (call(PRCTL, PR_SET_NO_NEW_PRIVS, 1, 0) != 0 ||
	    call(PRCTL, PR_SET_SECCOMP, SECCOMP_MODE_FILTER,
	    (long)&program) != 0)
		(void)call(EXIT, 1, 0, 0);
}
#endif

void begin(char **) __attribute__((noreturn));

void
begin(char **stack)
{
	struct pollfd p[2];
	struct address a;
	const char *s;
	unsigned port;
	long fd, done, n, out;
	int i, open;

	s = stack[2];
	a.family = AF_INET;
	for (i = 0; i < 4; i++)
		a.host[i] = (unsigned char)number(&s);
	s = stack[3];
	port = number(&s);
	a.port = (unsigned short)((port >> 8 & 255) | (port & 255) << 8);

	fd = call(SOCKET, AF_INET, SOCK_STREAM, 0);
	open = call(CONNECT, fd, (long)&a, sizeof a) == 0 ? 2 : 0;
#ifdef FILTER
	set_filter();
#endif
	p[0].fd = 0;
	p[1].fd = (int)fd;
	p[0].events = p[1].events = POLLIN;
	while (open > 0) {
		(void)call(POLL, (long)p, 2, FOREVER);
		for (i = 0; i < 2; i++) {
			if (p[i].fd == -1 || p[i].revents == 0)
				continue;
			out = i == 0 ? fd : 0;
			n = call(READ, p[i].fd, (long)buffer[i],
			    sizeof buffer[i]);
			if (n <= 0) {
				(void)call(SHUTDOWN, out, SHUT_WR, 0);
				p[i].fd = -1;
				open--;
			}
			for (; n > 0; n -= done)
				if ((done = call(WRITE, out, (long)buffer[i],
				    n)) <= 0)
					(void)call(EXIT, 1, 0, 0);
		}
	}
	for (;;)
		(void)call(EXIT, 0, 0, 0);
}
