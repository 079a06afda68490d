#!/bin/sh
# What tests cannot show: spin tries every order of events in a model of the
# pump, libFuzzer gives parsers input that nobody would write, and valgrind
# watches memory while sessions run.
#
#	sh tests/proof/proof.sh [spin] [fuzzers] [valgrind]
#
#	FUZZ_SECONDS=10		how long each fuzzer runs
#	CI=true			a skip is a failure
#	SPIN_BYTES=2		the maximum that each peer of the model sends.
#				2 means two searches at the same time, each of
#				2 GB, for some minutes.  3
#				means ten times as many states, and 20 GB

cd "$(dirname "$0")/../.." || exit 2
CC=${CC:-cc}
FUZZ_SECONDS=${FUZZ_SECONDS:-10}
SPIN_BYTES=${SPIN_BYTES:-2}

own=
[ -n "${scratch:-}" ] || own=$(mktemp -d "${TMPDIR:-/tmp}/stfl-relay.XXXXXX")
scratch=${scratch:-$own}
dir=$scratch/proof
mkdir "$dir" || exit 2
failed=0
jobs=
# shellcheck disable=SC2086
trap '[ -z "$jobs" ] || kill $jobs 2>/dev/null; rm -rf "$dir" ${own:+"$own"}' EXIT
trap 'exit 1' HUP INT TERM

ok() { echo "ok - $1"; }
not_ok() { echo "not ok - $1: $2"; failed=1; }
skip() {
	echo "ok - $1 # SKIP $2"
	[ "${CI:-}" != true ] || failed=1
}
have() { command -v "$1" >/dev/null 2>&1; }

# The model.

# search DIRECTORY CFLAGS SPIN-OPTION...: puts pan's report in DIRECTORY/report.
search() {
	mkdir "$dir/$1"
	cp tests/proof/pump.pml "$dir/$1"
	(
		cd "$dir/$1" || exit
		flags=$2
		shift 2
		spin -a "$@" pump.pml >report 2>&1 &&
		    $CC -w "$flags" -DSAFETY -DCOLLAPSE -o pan pan.c \
		    >>report 2>&1 &&
		    ./pan -w24 >>report 2>&1
	)
}

# figure DIRECTORY PATTERN: prints what \(...\) matches in the report.
figure() { sed -n "s/.*$2/\\1/p" "$dir/$1/report" | tail -n 1; }

# model DIRECTORY SENTENCE: says what a search of the pump as it is has found.
model() {
	if grep -q 'errors: 0$' "$dir/$1/report" &&
	    ! grep -q -e 'not completed' -e 'too small' "$dir/$1/report"
	then
		ok "$2"
		echo "# $(figure "$1" ' \([0-9][0-9]*\) states, stored.*') states," \
		    "depth $(figure "$1" 'depth reached \([0-9]*\).*')"
	else
		not_ok "$2" "$(grep -e violated -e rror -e small \
		    "$dir/$1/report" | head -n 1)"
	fi
}

models() {
	sentence="spin finds no order of events in which the pump loses, \
reorders or invents a byte, FIN, RST or urgent mark, or stays"
	model sound "$sentence"
	model quiet "$sentence, with -k 0"
}

pumps=$(sed -n '/^#define FIN_BEFORE/,/^$/s/^#define \([A-Z_]*\).*/\1/p' \
    tests/proof/pump.pml)

# break_pumps 0|1: searches every second broken pump.
break_pumps() {
	echo "$pumps" | awk "NR % 2 == $1" | while read -r pump; do
		search "$pump" -O0 "-DBROKEN=$pump" </dev/null
	done
}

# In each broken pump, an assertion must fail: a model that does not compile
# shows nothing.
broken_pumps() {
	sentence="spin finds each of $(echo "$pumps" | wc -l) broken pumps"
	sound=
	for pump in $pumps; do
		grep -q 'pan:1: assertion violated' "$dir/$pump/report" ||
		    sound="$sound $pump"
	done
	if [ -z "$sound" ] && [ -n "$pumps" ]; then
		ok "$sentence"
	else
		not_ok "$sentence" "not$sound"
	fi
}

# The fuzzers.

sentence_of() {
	case $1 in
	options) echo "whatever the command line is, it is refused in words" \
	    "or read as it was meant" ;;
	target) echo "the target of a dialled address is the one that" \
	    "RFC 6052's table gives, or is denied" ;;
	source) echo "every client's source address is a host's in the" \
	    "network, one for its whole /64" ;;
	header) echo "what is written of an address, in a PROXY header or the" \
	    "log, is read as that address" ;;
	esac
}

# build_fuzzer NAME: builds tests/proof/fuzz/NAME.c, which includes src/NAME.c.
build_fuzzer() {
	name=$1
	set --
	for file in src/*.c; do
		[ "$file" = "src/$name.c" ] || set -- "$@" "$file"
	done
	clang -std=c99 -g -O1 -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=all -o "$dir/fuzz-$name" \
	    "tests/proof/fuzz/$name.c" "$@" >"$dir/$name.log" 2>&1
}

# Valid input, for the fuzzer to change.
seed() {
	mkdir "$dir/$1"
	[ "$1" = options ] || return 0
	printf '192.0.2.1\0080' >"$dir/options/1"
	printf -- '-x\00064\000-s10.0.0.0/8\000-p\0002\000192.0.2.0/24' \
	    >"$dir/options/2"
	printf -- '-6qk60\000-T\0001\000-t9\000-w\0003\000fe80::1%%lo\000http' \
	    >"$dir/options/3"
	printf -- '-nv\000--\000::1\0000443' >"$dir/options/4"
	printf -- '-6\000-s\000::ffff:192.0.2.1\000a-1.example.' \
	    >"$dir/options/5"
}

fuzz() {
	seed "$1"
	"$dir/fuzz-$1" -max_total_time="$FUZZ_SECONDS" -max_len=256 \
	    -print_final_stats=1 -artifact_prefix="$dir/" "$dir/$1" \
	    >"$dir/$1.log" 2>&1
	echo $? >"$dir/$1.status"
}

fuzzed() {
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$dir/$1.log")
	if [ "$(cat "$dir/$1.status")" = 0 ] && [ "${runs:-0}" -gt 0 ]; then
		ok "$(sentence_of "$1")"
		echo "# $runs executions"
	else
		not_ok "$(sentence_of "$1")" "$(grep -e '^tests/proof/fuzz' \
		    -e 'rror:' -e '^Base64' "$dir/$1.log" | tr '\n' ' ')"
	fi
}

# Memory.

# The first tests together run every step of a session.  The others move bytes.
EVERY_ROOM="FIN from both ends
sent comes before its reset
the target may be a name
an unknown name is RST
that refuses is RST
the header of -p
SIGTERM, SIGINT and SIGHUP reset
SIGUSR1 logs
syslogd gets
ten urgent bytes of a client"
MOVING="in 8 MiB from a target
ten urgent bytes of a target
128 MiB"

# watch NAME RULES CFLAGS...: runs tests on a relay under valgrind.  The build
# has no seccomp filter, because that would stop valgrind.  valgrind's log goes
# through a pipe, because a session cannot write to files.  Only a few sessions
# run at once, because valgrind is slow.
watch() {
	name=$1
	rules=$2
	shift 2
	$CC -std=c99 -g -O1 -DNO_CONFINE "$@" -o "$dir/$name" stfl-relay.c \
	    src/*.c || return
	mkfifo "$dir/$name.pipe"
	cat <<-EOF >"$dir/$name.sh"
	#!/bin/sh
	exec 9>"$dir/$name.pipe" valgrind --error-exitcode=99 \
	    --leak-check=full --show-leak-kinds=all --errors-for-leak-kinds=all \
	    --suppressions="$dir/supp" --log-fd=9 "$dir/$name" "\$@"
	EOF
	chmod +x "$dir/$name.sh"
	cat "$dir/$name.pipe" >"$dir/$name.valgrind" &
	reader=$!
	exec 8>"$dir/$name.pipe"
	(
		exec 8>&-
		RELAY=$dir/$name.sh
		export RELAY
		echo "$rules" | while read -r rule; do
			TEST_SLOW=6 tests/run "$rule"
		done
		for seed in 1 4 7; do
			tests/scripts -j 1 -n 3 -s $seed
		done
	) >"$dir/$name.out" 2>&1
	exec 8>&-
	wait "$reader"
}

watched() {
	sentence="valgrind finds no error and no leak in sessions that are $1"
	n=$(grep -c 'ERROR SUMMARY: 0' "$dir/$1.valgrind")
	bad=$(grep -e 'ERROR SUMMARY: [1-9]' "$dir/$1.valgrind" | head -n 1)
	if [ "$n" -ge 12 ] && [ -z "$bad" ] &&
	    ! grep -q '^not ok' "$dir/$1.out"; then
		ok "$sentence"
		echo "# $n sessions"
	else
		not_ok "$sentence" "$n were clean; $bad $(grep '^not ok' \
		    "$dir/$1.out" | tr '\n' ' ')"
	fi
}

# sockatmark(3)'s ioctl(2) writes an int.  valgrind thinks that it reads one.
cat <<EOF >"$dir/supp"
{
	SIOCATMARK
	Memcheck:Param
	ioctl(SIOCATMARK)
	fun:ioctl
	fun:sockatmark
}
EOF

try_spin() {
	if ! have spin; then
		skip "spin finds nothing wrong with the pump" \
		    "spin is not installed"
		return
	fi
	search sound -O1 "-DBYTES=$SPIN_BYTES" -DKEEPALIVE=1 &
	jobs="$jobs $!"
	search quiet -O1 "-DBYTES=$SPIN_BYTES" -DKEEPALIVE=0 &
	jobs="$jobs $!"
	break_pumps 0 &
	jobs="$jobs $!"
	break_pumps 1 &
	jobs="$jobs $!"
	# shellcheck disable=SC2086
	wait $jobs
	jobs=
	models
	broken_pumps
}

try_fuzzers() {
	fuzzers='options target source header'
	if ! have clang; then
		for name in $fuzzers; do
			skip "$(sentence_of "$name")" "clang is not installed"
		done
		return
	fi
	for name in $fuzzers; do
		build_fuzzer "$name" &
		jobs="$jobs $!"
	done
	# shellcheck disable=SC2086
	wait $jobs
	jobs=
	for name in $fuzzers; do
		fuzz "$name" &
		jobs="$jobs $!"
	done
	# shellcheck disable=SC2086
	wait $jobs
	jobs=
	for name in $fuzzers; do
		fuzzed "$name"
	done
}

try_valgrind() {
	if ! have valgrind; then
		skip "valgrind finds no error and no leak" "it is not installed"
		return
	fi
	watch copied "$EVERY_ROOM" &
	jobs="$jobs $!"
	watch spliced "$MOVING" -DALL_BULK
	# shellcheck disable=SC2086
	wait $jobs
	jobs=
	watched copied
	watched spliced
}

[ $# -gt 0 ] || set -- spin fuzzers valgrind
for what; do
	case $what in
	spin) try_spin ;;
	fuzzers) try_fuzzers ;;
	valgrind) try_valgrind ;;
	*) not_ok "$what" "spin, fuzzers or valgrind?" ;;
	esac
done
exit $failed
