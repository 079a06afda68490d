#!/bin/sh
# Compare statements of the manual page with the program and its tests.

cd "$(dirname "$0")/../.." || exit 1
status=0

said='the examples of -s in the manual are those that the tests compute'
wrong=$(sed -n 's/^	{ "\([0-9a-f:.]*\)", { "\([0-9.]*\)", "\([0-9.]*\)" } },*$/\1 \2 \3/p' \
	tests/start/source.c |
	while read -r client loopback other; do
		grep -q "^$client  *$loopback  *$other\$" man/stfl-relay.8 ||
			echo "$client"
	done)
listed=$(grep -c '^[0-9a-f.:]*  *127\.[0-9.]*  *192\.0\.2\.[0-9]*$' man/stfl-relay.8)
if [ -n "$wrong" ]; then
	echo "not ok - $said: not $wrong" | tr '\n' ' '; echo; status=1
elif [ "$listed" -lt 6 ]; then
	echo "not ok - $said: only $listed are there"; status=1
else
	echo "ok - $said"
fi

said='the usage message names the options of the manual'
options() { tr -s '[:space:]' '\n' | sed -n 's/^\[*-\([0-9A-Za-z]*\).*/\1/p' | fold -w 1 | sort -u | tr -d '\n'; }
usage=$("${RELAY:-./stfl-relay}" 2>&1 </dev/null | sed 1d | options)
manual=$(sed -n '/^\.Bl -tag -width Ds/,/^\.El/s/^\.It Fl \([0-9A-Za-z]\).*/\1/p' \
	man/stfl-relay.8 | sort -u | tr -d '\n')
if [ "$usage" = "$manual" ]; then
	echo "ok - $said"
else
	echo "not ok - $said: $usage, not $manual"; status=1
fi

# The lines for other inetds differ from the first line only in the third and
# the fourth field, which are "tcp6" and "nowait" there.
said='the lines for other inetds are the first one, but for protocol and limits'
wrong=$(awk -F '\t' '/^#?http\t/ {
	sub(/^#/, "")
	if (NF != 7 || $3 !~ /^tcp6(only)?$/ || $4 !~ /^nowait/) print
	$3 = $4 = ""
	if (n++ == 0) first = $0
	if ($0 != first) print
} END { if (n < 5) print n }' inetd.conf.sample)
if [ -z "$wrong" ]; then
	echo "ok - $said"
else
	echo "not ok - $said: $wrong"; status=1
fi

said='the figures of doc/comparison.md and bench/RESULTS.md are those of bench/results.tsv'
if [ "$(sed -n '/^<!-- bench.tables.awk/,/^<!-- end/p' doc/comparison.md | grep '^|')" = \
	"$(awk -v rows="setup1 idle down down-cpu rtt down100" \
	    -f bench/tables.awk bench/results.tsv)" ] &&
    sh bench/markdown.sh bench/results.tsv | cmp -s bench/RESULTS.md -; then
	echo "ok - $said"
else
	echo "not ok - $said"; status=1
fi
exit $status
