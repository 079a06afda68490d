#!/bin/sh
# Run all parts of the tests, or those named, as in: sh test.sh run protocols
# A part is one of the words below, or NAME for tests/FOLDER/NAME.sh.  For each
# test, a part prints one line: "ok - " or "not ok - ", and a sentence.  If the
# test could not be run, "# SKIP" and a reason follow.  The output of test.sh is
# TAP, and its last line has the totals.
# RELAY names the binary under test.  ONE_BY_ONE=yes is for a slow machine, and
# TEST_SLOW=4 makes every wait four times as long.

cd "$(dirname "$0")" || exit 1
[ -x tests/run ] || { echo "no tests/run: run make tools" >&2; exit 2; }
# What is started here must not write into the system's log.
[ ! -S /dev/log ] || [ -n "${HOST_LOG+set}" ] ||
    exec tests/run --unlogged sh test.sh "$@"
# ip, nft and xinetd are in sbin, which root's PATH may lack.
PATH=$PATH:/usr/sbin:/sbin
export PATH
RELAY=${RELAY:-./stfl-relay}
case $RELAY in /*) ;; *) RELAY=$PWD/$RELAY ;; esac
[ -x "$RELAY" ] ||
    { echo "RELAY=$RELAY cannot be executed: run make" >&2; exit 2; }
# In the configuration of some servers, a path cannot contain a space.
tmp=${TMPDIR:-/tmp}
case $tmp in *' '*) tmp=/tmp ;; esac
scratch=$(mktemp -d "$tmp/stfl-relay.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
export RELAY scratch

part() {
	case $1 in
	run) tests/run session/ start/ ;;
	deep) tests/run deep/confined deep/faults deep/filter deep/icmp \
	    deep/inside deep/links ;;
	demo) tests/run docs/ ;;
	load) tests/run deep/load ;;
	scripts) tests/scripts ;;
	system) tests/system ;;
	*)
		set -- "tests/"*"/$1.sh"
		[ -f "$1" ] || {
			echo "not ok - there is no part $part; there are $all"
			return 1
		}
		sh "$1" ;;
	esac
}

# The verdicts of a part appear when that part has ended, because other parts
# run at the same time.
run() {
	for part; do
		{
			printf '# %s\n' "$part"
			part "$part"
			status=$?
			# A part that breaks off has failed, whatever it has
			# printed.
			[ $status -le 1 ] ||
			    echo "not ok - $part ended with status $status"
		} >"$scratch/$part.log" 2>&1 </dev/null
		# Print a line at a time, so that the lines of several parts do
		# not mix.
		awk '{ print; fflush() }' "$scratch/$part.log"
	done
}

all="system run bulk ipv6-targets patient deep scripts networks receivers manual \
examples syscalls demo superservers systemd recipes protocols load"
# shellcheck disable=SC2086	# words
[ $# -gt 0 ] || set -- $all

# Three parts run at a time, because most parts mainly wait.  The part "load"
# runs alone, because it measures the machine's memory.  With ONE_BY_ONE, no
# name matches, so all parts are in one list.
first='' second='' rest='' alone=''
for part; do
	case ${ONE_BY_ONE:-}$part in
	run | patient) first="$first $part" ;;
	bulk | ipv6-targets) second="$second $part" ;;
	load) alone=load ;;
	*) rest="$rest $part" ;;
	esac
done
# This is a pipeline, because a command that is started with "&" ignores SIGINT.
# shellcheck disable=SC2086
{
	run $first >&3 3>&- | run $second >&3 3>&- | run $rest >&3 3>&-
	run $alone 3>&-
} 3>&1 | awk '
	/^(not )?ok - / { sub(/ok - /, "ok " ++n " - ") }
	{ print; fflush() }
	END { print "1.." n + 0 }' | tee "$scratch/log"

# In CI, a skipped test counts as failed, unless this build lacks what it tests.
count() { grep -c "$@" "$scratch/log"; }
skipped=$(count '^ok [0-9]* - .* # SKIP')
passed=$(($(count '^ok ') - skipped)) failed=$(count '^not ok ')
[ "${CI:-}" != true ] ||
    failed=$((failed + skipped - $(count '# SKIP this build')))
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
