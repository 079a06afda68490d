#!/bin/sh
# sh bench/markdown.sh results.tsv: prints all results, for bench/RESULTS.md.
# If there is an ordinary.tsv of the same machine in the same folder, it is
# printed as well: it has rows that an ordinary user measured, in another run.

[ $# -eq 1 ] || { echo 'usage: sh markdown.sh results.tsv' >&2; exit 2; }

# table TITLE ROW ...
table() {
	printf '\n## %s\n\n' "$1"
	shift
	awk -v rows="$*" -f "${0%/*}/tables.awk" "$results"
}

results=$1
ordinary=$(dirname "$1")/ordinary.tsv
cat <<'END'
# Results

`make bench` wrote this page from one run on this machine:

END
sed -n 's/^# /- /p' "$results"
cat <<'END'

Each figure is a median. The number in brackets is the value of `stfl-relay` (static) divided by that of the other
program: the median of the ratios of all turns, which can differ from the ratio of the medians. `bench/load.c` says what
each row measures: *down* and *up* are streams (the number is how many there are at once), *fair* is the slowest stream
divided by the mean, *ask* is clients that wait for replies, with the latencies that 50, 99 and 99.9 % of the replies
did not exceed, *setup* is a whole session, *held* is one while others are idle.
END
table 'Streams' down up down10 down100 down300 up10 up100 up300
table 'CPU of the relay, for each GB' down-cpu up-cpu down10-cpu down100-cpu \
    down300-cpu up10-cpu up100-cpu up300-cpu
table 'The slowest of many streams' down10-fair down100-fair down300-fair \
    up10-fair up100-fair up300-fair
table 'Requests and replies' ask1 ask8 ask50 rtt rtt-best
table 'Latencies of replies' ask1-50 ask1-99 ask8-50 ask8-99 ask8-99.9 \
    ask50-50 ask50-99 ask50-99.9
table 'Sessions' setup1 setup1-best setup4 setup4-best held0 held1000 held5000 \
    idle idle-all size
[ "$(sed 2q "$results")" = "$(sed 2q "$ordinary" 2>/dev/null)" ] || exit 0
results=$ordinary
table "Another run, as an ordinary user ($(sed -n 's/^# \(.* rounds of .*\)/\1/p' \
    "$ordinary"))" down10 down100 down300 up100 ask50
