#!/bin/sh
# The system calls of a session from exec to the first forwarded byte, and up to
# the wait for the next, held against bench/syscalls.txt: those of the static
# build (musl), for a numeric target, run by a user without privileges, on Linux
# and x86-64.  The list says what each call is for.
#
# "sh tests/build/syscalls.sh update" writes what they are now into the list, with the
# words that it has for calls of the same name.

sentence='From exec to the first forwarded byte it makes the listed system calls'
skip() { echo "ok - $sentence # SKIP $1"; exit 0; }
fail() { echo "not ok - $sentence: $1"; exit 1; }

update=${1:-}
cd "$(dirname "$0")/../.." || exit 1
[ "$(uname -sm)" = 'Linux x86_64' ] || skip 'the list is for Linux on x86-64'
command -v strace >/dev/null 2>&1 || skip 'no strace'
strace -o /dev/null true 2>/dev/null || skip 'strace may not trace here'
command -v musl-gcc >/dev/null 2>&1 || skip 'no musl-gcc'
grep -q ' lo$' /proc/net/if_inet6 2>/dev/null || skip 'no IPv6 loopback'

# Not in test.sh's directory, which nobody else can enter.
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

# The static build as it ships, whatever is under test beside it.
(
	unset MAKEFLAGS MFLAGS MAKEOVERRIDES CC CFLAGS CPPFLAGS LDFLAGS
	make -s static bench/launch bench/load &&
	cp stfl-relay-static "$work/relay" &&
	cp bench/launch bench/load "$work"
) >"$work/make" 2>&1 || fail "it does not build: $(tail -n 1 "$work/make")"

# root's relay has more to give up.
as=
if [ "$(id -u)" -eq 0 ]; then
	chmod 711 "$work"
	as='-u nobody'
fi

# A session through a traced relay.  Descriptor 9 is kept open by strace, so the
# reader ends when all that was traced has been written.
mkfifo "$work/open"
timeout 30 cat "$work/open" &
reader=$!
# shellcheck disable=SC2046	# two ports
set -- $("$work/load" ports 2)
# shellcheck disable=SC2086	# -u nobody, or nothing
"$work/launch" "$1" "$(command -v strace)" $as -ff -o "$work/trace" \
    "$work/relay" 127.0.0.1 "$2" 9>"$work/open" &
launcher=$!
said=$("$work/load" one "$1" "$2" 0) || fail "no session: $said"
kill "$launcher"
wait "$launcher" 2>/dev/null
launcher=
wait "$reader" || fail 'the relay does not end'
reader=

# Names, with the one argument that tells calls of the same name apart.
cat >"$work/names.awk" <<'END'
BEGIN {
	at["rt_sigaction"] = at["prctl"] = at["arch_prctl"] = at["socket"] = 1
	at["fcntl"] = at["ioctl"] = at["prlimit64"] = 2
	at["setsockopt"] = at["getsockopt"] = 3
}
/^(---|\+\+\+|execve\()/ { next }
{
	name = $0
	sub(/\(.*/, "", name)
	list = substr($0, length(name) + 2)
	split(list, argument, /[,)] */)
	if (name in at)
		print name " " argument[at[name]]
	else if (match(list, /sa_family=[A-Z0-9_]+/) && name == "connect")
		print name " " substr(list, RSTART + 10, RLENGTH - 10)
	else
		print name
	if (name == "connect" && list ~ /AF_INET/)
		dialled = 1
	if (sent && name == "poll")
		exit
	if (dialled && name ~ /^(send|write)/ && $NF > 0)
		sent = 1
}
END
names() { awk -f "$work/names.awk" "$1"; }

# There was one session to see whether the server is up, and one more.
: >"$work/now"
for trace in "$work"/trace.*; do
	grep -q '^connect(.*AF_INET' "$trace" || continue
	names "$trace" >"$work/one"
	[ -s "$work/now" ] || cp "$work/one" "$work/now"
	cmp -s "$work/one" "$work/now" || fail 'two sessions differ'
done
[ -s "$work/now" ] || fail 'nothing was traced'

if [ "$update" = update ]; then
	awk 'FILENAME == ARGV[2] {
		words = said[$0, ++again[$0]]
		print words == "" ? $0 : words
		next
	}
	/^(#|$)/ { print; next }
	{
		name = $0
		sub(/[ \t]*#.*/, "", name)
		said[name, ++count[name]] = $0
	}' bench/syscalls.txt "$work/now" >"$work/list" &&
	cp "$work/list" bench/syscalls.txt
	exit
fi
sed 's/[[:space:]]*#.*//; /^$/d' bench/syscalls.txt >"$work/listed"
if ! diff "$work/listed" "$work/now" >"$work/diff"; then
	! grep -q '^landlock_create_ruleset(.* = -1' "$work"/trace.* ||
		skip 'this kernel has no Landlock'
	cat "$work/diff"
	fail "$(wc -l <"$work/listed") are listed (<), it makes \
$(wc -l <"$work/now") (>)"
fi
echo "ok - $sentence"
