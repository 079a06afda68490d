#!/bin/sh
# Build the program for other machines and other C libraries, without a warning.
# Test it as far as that is possible on this machine.
#
#	sh tests/build/machines.sh [builds] [i386] [musl] [arm64] [armhf] [riscv64]
#	    [s390x]
#
#	PARTS="run scripts"	parts of test.sh; default: all that are useful
#	SCRIPTS=300		the number of scripts on each byte path
#
# With musl, and for i386 if this kernel runs i386 programs, the program is
# tested as it is, with its filter.  For the other machines, the tests are
# native, and qemu-user runs the program: qemu translates the program's system
# calls for this kernel.  The deep tests are left out, because qemu has neither
# seccomp nor Landlock, and because tests that limit or trace the relay would
# limit or trace qemu.  Tests of other things that qemu cannot do are skipped by
# name (beyond_qemu).

cd "$(dirname "$0")/../.." || exit 2
CC=${CC:-cc}
INETDS=${INETDS:-$PWD/../stfl-relay-inetds}
export INETDS

dir=$(mktemp -d "${TMPDIR:-/tmp}/stfl-relay.XXXXXX") || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
# Some relays run as the user nobody, who must be able to enter $dir.
chmod 711 "$dir"
failed=0

# With this header the program builds with dietlibc, but without the filter,
# because dietlibc does not name system calls.  Where the program makes a system
# call by its number, this header calls dietlibc's function of that name.  This
# build is not tested, because dietlibc's getaddrinfo(3) returns only one
# address, and its inet_pton(3) accepts 127.0.
cat >"$dir/diet.h" <<'END'
#define _GNU_SOURCE
#include <sys/ioctl.h>
#include <asm/sockios.h>
#include <linux/socket.h>
#include <sched.h>
#include <sys/syscall.h>
#define SCHED_BATCH 3
#define SYS_sched_getscheduler sched_getscheduler
#define SYS_sched_setscheduler sched_setscheduler
#define syscall(call, ...) call(__VA_ARGS__)
static inline int
sockatmark(int fd)
{
	int n;

	return ioctl(fd, SIOCATMARK, &n) == -1 ? -1 : n != 0;
}
END

ok() { echo "ok - $1"; }
not_ok() { echo "not ok - $1: $2"; failed=1; }
have() { command -v "$1" >/dev/null 2>&1; }

# With CI=true, a skip is a failure.
skip() {
	if [ "${CI:-}" = true ]; then
		not_ok "$@"
	else
		echo "ok - $1 # SKIP $2"
	fi
}

# shellcheck disable=SC2016	# make's
flags=$(printf 'include Makefile\nshow:\n\t@echo $(COMPILE)\n' |
    make -s -f - show CPPFLAGS= CFLAGS='-O2 -Werror') || exit 2

# True if this kernel runs i386 programs without an emulator.
echo 'int main(void) { return 0; }' >"$dir/probe.c"
runs_i386() {
	$CC -m32 -o "$dir/probe" "$dir/probe.c" && "$dir/probe"
} >/dev/null 2>&1

# The compiler for a machine, and the flags that it needs.
compiler() {
	case $1 in
	arm64) echo aarch64-linux-gnu-gcc -static ;;
	armhf) echo arm-linux-gnueabihf-gcc -static ;;
	riscv64) echo riscv64-linux-gnu-gcc -static ;;
	s390x) echo s390x-linux-gnu-gcc -static ;;
	# -idirafter adds headers that only the native compiler finds by itself.
	i386) echo "$CC -m32 $(runs_i386 || echo -static)" \
	    -idirafter "/usr/include/$(multiarch)" ;;
	musl) echo musl-gcc -static -idirafter /usr/include \
	    -idirafter "/usr/include/$(multiarch)" ;;
	clang) echo clang ;;
	diet) echo diet gcc -DNO_CONFINE -idirafter "/usr/include/$(multiarch)" \
	    -include "$dir/diet.h" ;;
	*) return 1 ;;
	esac
}

multiarch() { $CC -print-multiarch 2>/dev/null; }

# build MACHINE FILE FLAG...: makes FILE; FILE.log has the compiler's messages.
build() {
	# shellcheck disable=SC2046,SC2086	# words
	(
		out=$2
		compiler=$(compiler "$1")
		shift 2
		$compiler $flags "$@" -o "$out" stfl-relay.c src/*.c
	) >"$2.log" 2>&1
}

# can MACHINE: true if a compiler for that machine works.
can() {
	command=$(compiler "$1") || return 1
	echo '#include <linux/filter.h>
	int main(void) { return 0; }' >"$dir/empty.c"
	# shellcheck disable=SC2086
	have "${command%% *}" &&
	    $command -o "$dir/empty" "$dir/empty.c" >/dev/null 2>&1
}

builds() {
	for machine in arm64 armhf riscv64 s390x i386 musl clang diet; do
		said="for $machine it is built without a warning"
		if ! can "$machine"; then
			skip "$said" "no $(compiler "$machine")"
		elif build "$machine" "$dir/built"; then
			ok "$said"
		else
			not_ok "$said" "$(grep -m 1 -e error: -e undefined \
			    "$dir/built.log")"
		fi
	done
}

# qemu passes on only four bytes of TCP_INFO.  The other bytes show whether FIN
# came before a reset.  EPIPE shows it, too, except while the relay's FIN is
# unacknowledged.
cat >"$dir/qemu.h" <<'END'
#define _GNU_SOURCE
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <linux/tcp.h>
#include <errno.h>
#include <stdint.h>
__attribute__((weak)) unsigned char had_epipe[1024];
static inline ssize_t
send_of_qemu(int fd, const void *data, size_t size, int flags)
{
	ssize_t n;

	n = send(fd, data, size, flags);
	if (n == -1 && errno == EPIPE)
		had_epipe[fd] = 1;
	return n;
}
static inline int
getsockopt_of_qemu(int fd, int level, int option, void *value, socklen_t *len)
{
	struct tcp_info *info = value;
	int n, result;

	result = getsockopt(fd, level, option, value, len);
	if (level == SOL_SOCKET && option == SO_ERROR && *(int *)value == EPIPE)
		had_epipe[fd] = 1;
	if (level == IPPROTO_TCP && option == TCP_INFO) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		/* qemu has swapped the four bytes as one number. */
		n = (int)__builtin_bswap32(*(uint32_t *)value);
		*(int *)value = n;
#endif
		n = 0;
		(void)ioctl(fd, FIONREAD, &n);
		info->tcpi_bytes_received = had_epipe[fd] ? UINT64_MAX :
		    (unsigned)n + (info->tcpi_state == 8);
	}
	return result;
}
#define send send_of_qemu
#define getsockopt getsockopt_of_qemu
END

# The tests that fail only because of the emulator, each with the reason.
beyond_qemu="
a client that vanishes before it has read everything becomes a reset at the target|qemu hands on four bytes of TCP_INFO
a target that vanishes before it has read everything becomes a reset at the client|qemu hands on four bytes of TCP_INFO
a client that has finished and then vanishes becomes a reset at the target|qemu hands on four bytes of TCP_INFO
a target that has finished and then vanishes becomes a reset at the client|qemu hands on four bytes of TCP_INFO
a client's FIN that crosses the target's and the reset after it both arrive|qemu hands on four bytes of TCP_INFO
a target's FIN that crosses the client's and the reset after it both arrive|qemu hands on four bytes of TCP_INFO
a client's FIN arrives even if the client is lost before it is seen|qemu hands on four bytes of TCP_INFO
a target's FIN arrives even if the target is lost before it is seen|qemu hands on four bytes of TCP_INFO
a target that stood still and vanishes counts as lost|qemu hands on four bytes of TCP_INFO
a client that stood still and vanishes counts as lost|qemu hands on four bytes of TCP_INFO
a target that stood still and vanishes after the client's FIN counts as lost|qemu hands on four bytes of TCP_INFO
a client that stood still and vanishes after the target's FIN counts as lost|qemu hands on four bytes of TCP_INFO
a target that stood still and vanishes after the client's reset counts as lost|qemu hands on four bytes of TCP_INFO
a client that stood still and vanishes after the target's reset counts as lost|qemu hands on four bytes of TCP_INFO
what is set on the client's socket does no harm, and an idle session sleeps|qemu does not know SO_TIMESTAMPING and SO_ATTACH_FILTER
-6 reaches a link-local target by its scope|qemu does not turn the bytes of a scope round
-p 1 leaves out the scope of link-local addresses|qemu does not turn the bytes of a scope round
-s uses a port for several targets; when none is left that is said, with -s and without|qemu does not know IP_BIND_ADDRESS_NO_PORT
"

emulator() {
	case $1 in
	i386) runs_i386 || echo qemu-i386-static ;;
	arm64) echo qemu-aarch64-static ;;
	armhf) echo qemu-arm-static ;;
	riscv64 | s390x) echo "qemu-$1-static" ;;
	esac
}

# This is not a shell script, because shells complain about odd surroundings.
cat >"$dir/emulate.c" <<'END'
#include <unistd.h>

int
main(int argc, char *argv[])
{
	char *all[64] = { QEMU, "-0", argc > 0 ? argv[0] : "", RELAY };
	int i;

	for (i = 1; i < argc && i < 60; i++)
		all[i + 3] = argv[i];
	execv(QEMU, all);
	return 127;
}
END

# install MACHINE FILE FLAG...: makes FILE the relay, or a program that runs the
# relay in the emulator.
install() {
	machine=$1 file=$2
	shift 2
	emulator=$(emulator "$machine")
	[ -z "$emulator" ] || set -- "$@" -include "$dir/qemu.h"
	build "$machine" "$file.$machine" "$@" || return
	if [ -z "$emulator" ]; then
		mv "$file.$machine" "$file"
	else
		$CC -DQEMU="\"$(command -v "$emulator")\"" \
		    -DRELAY="\"$PWD/$file.$machine\"" -o "$file" \
		    "$dir/emulate.c"
	fi
}

# prepare MACHINE: copies the whole tree; builds it with the relay for MACHINE.
prepare() (
	umask 022
	mkdir "$dir/$1" && tar cf - --exclude=.git . | tar xf - -C "$dir/$1" &&
	    cd "$dir/$1" || exit
	cc=$CC
	if [ "$1" = i386 ] && runs_i386; then
		cc=$(compiler i386)
	fi
	make -s clean
	make -s tools CC="$cc" || exit
	install "$1" stfl-relay &&
	    install "$1" tests/stfl-relay-bulk -DALL_BULK
)

suite() {
	said="the tests pass on $1"
	emulator=$(emulator "$1")
	if ! can "$1"; then
		skip "$said" "no $(compiler "$1")"
	elif [ -n "$emulator" ] && ! have "$emulator"; then
		skip "$said" "no $emulator"
	elif ! prepare "$1" >"$dir/$1.log" 2>&1; then
		not_ok "$said" "it is not built: $(tail -n 1 "$dir/$1.log")"
	else
		run "$1"
	fi
}

# parts_for MACHINE: prints the parts of test.sh that are useful there.
parts_for() {
	for part in ${PARTS:-run scripts bulk ipv6-targets deep \
	    load networks receivers manual demo superservers protocols}; do
		case $(emulator "$1")$part in
		qemu*deep) ;;
		*) echo "$part" ;;
		esac
	done
}

run() {
	# shellcheck disable=SC2046	# words
	(cd "$dir/$1" && CI='' ONE_BY_ONE=yes sh test.sh $(parts_for "$1")) \
	    2>&1 | sed "\$d; /^1\.\./d; s/^\(.*ok\) [0-9]* - /\1 - on $1: /
	    " >"$dir/$1.out"
	# shellcheck disable=SC2016
	awk -v list="${emulator:+$beyond_qemu}" '
	BEGIN {
		n = split(list, line, "\n")
		for (i = 1; i <= n; i++)
			if (split(line[i], word, "|") == 2)
				beyond[word[1]] = word[2]
	}
	/^not ok - / {
		for (sentence in beyond)
			if (index($0, ": " sentence ": ") != 0)
				$0 = "ok" substr($0, 7) " # SKIP " beyond[sentence]
	}
	{ print }' "$dir/$1.out" | tee "$dir/$1.end"
	printf '# %s: %d passed, %d failed, %d skipped\n' "$1" \
	    "$(grep '^ok - ' "$dir/$1.end" | grep -vc '# SKIP')" \
	    "$(grep -c '^not ok - ' "$dir/$1.end")" \
	    "$(grep -c '# SKIP' "$dir/$1.end")"
	! grep -q '^not ok - ' "$dir/$1.end" || failed=1
	rm -rf "${dir:?}/$1"
}

[ $# -gt 0 ] || set -- builds i386 musl arm64 s390x
for what; do
	case $what in
	builds) builds ;;
	*) suite "$what" ;;
	esac
done
exit $failed
