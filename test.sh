#!/bin/sh
# Run the tests: all parts, or those named, as in: sh test.sh rules scripts
# A part is an executable tests/NAME (from C) or tests/NAME.sh.  It prints
# "ok - ", "not ok - " or "skip - " and a sentence, one line each.
# RELAY names the binary under test; ONE_BY_ONE=yes is for one that is slow.

cd "$(dirname "$0")" || exit 1
RELAY=${RELAY:-./stfl-relay}
case $RELAY in /*) ;; *) RELAY=$PWD/$RELAY ;; esac
scratch=$(mktemp -d "${TMPDIR:-/tmp}/stfl-relay.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
export RELAY scratch

# The verdicts of a part appear when it is over, for others run beside it.
run() {
	for part; do
		{
			printf '# %s\n' "$part"
			if [ -f "tests/$part.sh" ]; then
				sh "tests/$part.sh"
			else
				"tests/$part"
			fi
			status=$?
			# What breaks off has not passed, whatever it printed.
			[ $status -le 1 ] ||
			    echo "not ok - tests/$part ended with status $status"
		} >"$scratch/$part.log" 2>&1 </dev/null
		cat "$scratch/$part.log"
	done
}

[ $# -gt 0 ] || set -- rules scripts patience patient bulk ipv6-targets \
	confined hostile inherited parents chosen faults links load identity \
	networks receivers manual examples syscalls demo-check superservers \
	systemd protocols

# Two at a time: some do little but wait.  Load measures the machine's memory.
# With ONE_BY_ONE no name matches, and all are in one list.
waiting='' working='' alone=''
for part; do
	case ${ONE_BY_ONE:-}$part in
	rules | patience | patient | bulk | ipv6-targets | inherited | parents | links)
		waiting="$waiting $part" ;;
	load) alone=load ;;
	*) working="$working $part" ;;
	esac
done
# No "&", for what is started so ignores SIGINT.
# shellcheck disable=SC2086
{
	run $waiting >&3 3>&- | run $working >&3 3>&-
	run $alone 3>&-
} 3>&1 | tee "$scratch/log"

count() { grep -c "^$1 - " "$scratch/log"; }
passed=$(count ok) failed=$(count 'not ok') skipped=$(count skip)
[ "${CI:-}" != true ] || failed=$((failed + skipped))
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
