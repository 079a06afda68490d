#!/bin/sh
# Count the system calls that a session makes, and compare the number with the
# maximums in bench/syscalls.txt.  This is done for the shared build with glibc
# and for the static one with musl, run by a user without privileges.  Only the
# number matters; if it is too high, the calls are printed.

row_set_up='set-up takes no more system calls than its budget'
row_session='a whole session takes no more system calls than its budget'
row_message='a message there and back takes no more system calls than its budget'
row_bulk='a turn of bulk takes no more system calls than its budget'
verdict() {
	for sentence in "$row_set_up" "$row_session" "$row_message" "$row_bulk"; do
		echo "$1 - $sentence$2"
	done
}
skip() { verdict ok " # SKIP $1"; exit 0; }
fail() { verdict 'not ok' ": $1"; exit 1; }

cd "$(dirname "$0")/../.." || exit 1
[ "$(uname -sm)" = 'Linux x86_64' ] || skip 'the budgets are for Linux on x86-64'
command -v strace >/dev/null 2>&1 || skip 'no strace'
strace -o /dev/null true 2>/dev/null || skip 'strace may not trace here'
command -v musl-gcc >/dev/null 2>&1 || skip 'no musl-gcc'
getconf GNU_LIBC_VERSION >/dev/null 2>&1 || skip 'the C library is not glibc'
grep -q ' lo$' /proc/net/if_inet6 2>/dev/null || skip 'no IPv6 loopback'

# The files are not in test.sh's directory, because other users cannot enter it.
work=$(mktemp -d "${TMPDIR:-/tmp}/stfl-relay.XXXXXX") || exit 1
launcher='' reader=''
finish() {
	for process in $launcher $reader; do
		kill "$process" 2>/dev/null
	done
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

# build NAME FILE...: makes both builds as released, whichever is under test.
top=$PWD
build() {
	mkdir "$work/$1" && ln -s "$top/src" "$work/$1/src" &&
	    cd "$work/$1" || return
	shift
	make -s -f "$top/Makefile" all static SRC="$*" HDR= &&
	    mv stfl-relay shared && mv stfl-relay-static static
}
# A program that does nothing shows the C library's own calls.
echo 'int main(void) { return 0; }' >"$work/nothing.c"
(
	unset MAKEFLAGS MFLAGS MAKEOVERRIDES CC CFLAGS CPPFLAGS LDFLAGS
	make -s bench/launch bench/load &&
	    cp bench/launch bench/load "$work" &&
	    build nothing "$work/nothing.c" &&
	    build relay "$top"/stfl-relay.c "$top"/src/*.c
) >"$work/make" 2>&1 || fail "it does not build: $(tail -n 1 "$work/make")"

# A relay that root starts makes more calls, because it has more to give up.
as=
if [ "$(id -u)" -eq 0 ]; then
	chmod 711 "$work"
	as='-u nobody'
fi

# calls TRACE: prints one line for each call after execve(2).
calls() { sed '/^execve(/d; /^[-+][-+][-+] /d' "$1"; }

# session LOAD-OPTION... ROW: traces this build during a row of bench/load.
# Puts the calls, without those of the C library, into $work/calls.  strace
# keeps descriptor 9 open, so the reader ends when the traces are complete.
session() {
	rm -f "$work"/trace.* "$work/open"
	mkfifo "$work/open"
	timeout 30 cat "$work/open" &
	reader=$!
	# shellcheck disable=SC2046	# two ports
	set -- $("$work/load" ports 2) "$@"
	front=$1 target=$2
	shift 2
	# shellcheck disable=SC2086	# -u nobody, or nothing
	"$work/launch" "$front" "$(command -v strace)" $as -ff \
	    -o "$work/trace" "$work/relay/$build" -q 127.0.0.1 "$target" \
	    9>"$work/open" &
	launcher=$!
	said=$("$work/load" "$@" "$front" "$target" 0) ||
	    fail "no session: $said"
	kill "$launcher"
	wait "$launcher" 2>/dev/null
	launcher=
	wait "$reader" || fail 'the relay does not end'
	reader=
	# The longest trace counts.  The others only show that the relay is up.
	: >"$work/calls"
	for trace in "$work"/trace.*; do
		calls "$trace" | tail -n "+$((libc + 1))" >"$work/one"
		[ "$(wc -l <"$work/one")" -lt "$(wc -l <"$work/calls")" ] ||
			cp "$work/one" "$work/calls"
	done
	[ -s "$work/calls" ] || fail 'nothing was traced'
}

# Set-up ends with the first byte that is sent after connect(2).
cat >"$work/set-up.awk" <<'EOF'
{ print }
/^connect\(.*AF_INET/ { called = 1 }
called && /^(send|write|splice)/ && $NF > 0 { exit }
EOF

# A one-byte message is sent by one call.  Count from the middle of the session
# to its last message.  This leaves out the start and the end of the session,
# and the first readings of the clock (now() in src/wait.c).
cat >"$work/message.awk" <<'EOF'
{ call[NR] = $0 }
/^(send|write|splice)/ && $NF == 1 { sent[++n] = NR }
END {
	half = int(n / 2)
	if (half < 100)
		exit 1
	printf "%.0f\n", 2 * (sent[n] - sent[half]) / (n - half)
	for (i = sent[n - 2] + 1; i <= sent[n]; i++)
		print call[i] >shown
}
EOF

# A turn takes bytes in with one call and sends them with another.  How many
# bytes a turn moves, and how often the relay then waits or finds nothing,
# depends on the speed of the machine.  So calls that wait or find nothing do
# not count.  As above, count from the middle of the session to its last turn.
cat >"$work/bulk.awk" <<'EOF'
/^(poll|ppoll|sched_yield)\(/ || / = -1 EAGAIN / { next }
{
	name[++all] = $0
	sub(/\(.*/, "", name[all])
}
/^(recv|read|splice|send|write)/ && $NF > 0 { moved[++n] = all }
END {
	half = int(n / 2)
	if (half < 200)
		exit 1
	turns = (n - half) / 2
	printf "%.1f\n", (moved[n] - moved[half]) / turns
	for (i = moved[half] + 1; i <= moved[n]; i++)
		count[name[i]]++
	for (i in count)
		printf "%5.2f %s\n", count[i] / turns, i >shown
}
EOF

# weigh ROW COUNT: if COUNT exceeds the maximum of the row, prints both numbers,
# and the calls in $work/shown.
weigh() {
	column=2
	[ "$build" = shared ] || column=3
	most=$(awk -v row="$1" -v at=$column '$1 == row { print $at }' \
	    bench/syscalls.txt)
	[ -n "$most" ] || fail "bench/syscalls.txt has no $1"
	awk "BEGIN { exit !($2 > $most) }" || return 0
	echo "# $1, $build: $2, and $most at most"
	sed 's/^/#	/' "$work/shown"
	echo "$build takes $2, and $most at most" >>"$work/over.$1"
}

# steady ROW LOAD-ROW: count in a session that is long enough.  On a busy
# machine, it takes longer to make that many calls.
steady() {
	for seconds in 0.3 3 20; do
		session -d $seconds "$2"
		count=$(awk -v shown="$work/shown" -f "$work/$1.awk" \
		    "$work/calls") && break
	done
	[ -n "$count" ] || fail "too little was traced for the row $1"
	weigh "$1" "$count"
}

for build in shared static; do
	strace -o "$work/nothing/trace" "$work/nothing/$build"
	libc=$(($(calls "$work/nothing/trace" | wc -l) - 1))	# all but exit

	session one
	awk -f "$work/set-up.awk" "$work/calls" >"$work/shown"
	weigh set-up "$(wc -l <"$work/shown")"
	cp "$work/calls" "$work/shown"
	weigh session "$(wc -l <"$work/calls")"

	steady message rtt
	steady bulk down
done

status=0
# judge ROW SENTENCE
judge() {
	if [ -s "$work/over.$1" ]; then
		echo "not ok - $2: $(paste -s -d ';' "$work/over.$1")"
		status=1
	else
		echo "ok - $2"
	fi
}
judge set-up "$row_set_up"
judge session "$row_session"
judge message "$row_message"
judge bulk "$row_bulk"
[ $status -eq 0 ]
