#define TEST_LIBRARY
#include "test.h"
#include "lack.h"

#ifdef __linux__

#include <sys/prctl.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

/*
 * Returns the offset of this argument's low half in the data that the filter
 * gets.
 */
static unsigned
place_of(int argument)
{
	size_t at;

	at = offsetof(struct seccomp_data, args) +
	    (size_t)argument * sizeof(uint64_t);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	at += sizeof(uint32_t);
#endif
	return (unsigned)at;
}

void
lack_calls(const struct lack *lack, size_t n)
{
	enum { MOST = 16 };
	struct sock_filter code[5 * MOST + 1];
	struct sock_fprog program;
	unsigned short at;
	size_t i;

#define ADD(...) code[at++] = (struct sock_filter)__VA_ARGS__
	for (i = 0, at = 0; i < n && i < MOST; i++) {
		ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)));
		ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
		    (unsigned)lack[i].call, 0,
		    lack[i].argument == ANY_ARGUMENT ? 1 : 3));
		if (lack[i].argument != ANY_ARGUMENT) {
			ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			    place_of(lack[i].argument)));
			ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, lack[i].value,
			    0, 1));
		}
		ADD(BPF_STMT(BPF_RET | BPF_K,
		    SECCOMP_RET_ERRNO | (unsigned)lack[i].error));
	}
	ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	program.len = at;
	program.filter = code;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1)
		_exit(126);
}

#else

void
lack_calls(const struct lack *lack, size_t n)
{
	(void)lack;
	(void)n;
	skip("this system has no filter of system calls");
}

#endif
