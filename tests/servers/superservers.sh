#!/bin/sh
# Real super-servers.  Through them, a real client fetches files from a real web
# server.

# shellcheck source=tests/servers/servers.lib.sh
. "$(dirname "$0")/../servers/servers.lib.sh"

# This is more than openbsd-inetd's default limit of 256 new sessions a minute.
SESSIONS=300

# sentences NAME: sets the sentences to be proved of this super-server.
sentences() {
	disabled="$1 starts nothing from its sample until that is enabled"
	samples="$1 runs every line of its sample, beside servers on the same ports"
	whole="$1 serves a whole file of 20 MB from Apache"
	sessions="$1 has nothing left over from $SESSIONS sessions in a row"
}

# all skip|not_ok NAME WHY
all() {
	sentences "$2"
	case $2 in xinetd) $1 "$disabled" "$3" ;; esac
	case $2 in *inetd) $1 "$samples" "$3" ;; esac
	$1 "$whole" "$3"
	$1 "$sessions" "$3"
}

# missing NAME: prints why the super-server cannot be started.
missing() {
	have apache2 || { echo "apache2 is not installed"; return; }
	have curl || { echo "curl is not installed"; return; }
	have_ipv6 || { echo "there is no ::1 here"; return; }
	case $1 in
	openbsd-inetd) find_inetd "$1" inetd ;;
	inetutils-inetd) find_inetd "$1" "$1" ;;
	*) command -v "$1" ;;
	esac >/dev/null || echo "it is not installed"
}

# begin NAME PORT
begin() {
	case $1 in
	xinetd)
		sed 's,/usr/local/sbin/stfl-relay,/bin/true,' xinetd.d/* \
		    >"$dir/shipped.conf"
		start_xinetd shipped
		until_true grep -q Started "$dir/shipped.log"
		kill "$pid" && wait "$pid"
		running=${running% *}
		# The sample's limit per second would slow down many sessions.
		superserver "$1" "$2" '/^service http$/,/}/s/cps.*/cps = 9999 1/'
		;;
	*inetd)
		superserver "$1" "$2"
		;;
	systemd-socket-activate)
		relay_for "$1"
		start "$1" "$1" --inetd -a -l "[::1]:$2" \
		    "$dir/$1/stfl-relay" 127.0.0.1 "$2"
		up "$1" 6 "$2"
		;;
	tcpserver)
		relay_for "$1"
		nobody=
		! $root || nobody="-u $(id -u nobody) -g $(id -g nobody)"
		# With -H, -R and -l, tcpserver looks up no name and no ident.
		# shellcheck disable=SC2086
		start "$1" "$1" -H -R -l 0 $nobody ::1 "$2" \
		    "$dir/$1/stfl-relay" 127.0.0.1 "$2"
		up "$1" 6 "$2"
		;;
	esac
}

fetch() { curl -s -S -6 --noproxy '*' -m 60 -H 'Connection: close' "$@"; }

# As shipped, every service has disable = yes.
none_enabled() {
	why=$(sed -n 's/.*Started working: //p' "$dir/shipped.log")
	[ "$why" = '0 available services' ]
}

# lines FIRST: true if each of the six ports leads to the right server.
lines() {
	seq "$1" $(($1 + 5)) >"$dir/$1.ports"
	set -- "$dir/$1.ports"
	# shellcheck disable=SC2046
	fetch -Z $(sed 's,.*,http://\\[::1\\]:&/port,' "$1") 2>/dev/null |
	    sort >"$1.seen"
	why="answered, one a line: $(tr '\n' ' ' <"$1.seen")"
	cmp -s "$1" "$1.seen"
}

# file PORT
file() {
	why=$(fetch -o "$dir/$1.bin" "http://\[::1\]:$1/www/file" 2>&1) &&
	    why=$(cmp "$dir/$1.bin" "$dir/www/file" 2>&1)
}

# wake PID: sends SIGCHLD again and again.  When the end of a session interrupts
# select(2), inetutils-inetd sleeps for a second, or until it gets SIGCHLD.
wake() { while sleep 0.01 && kill -CHLD "$1"; do :; done; }

# in_a_row PORT PID NAME
in_a_row() {
	waker=
	[ "$3" != inetutils-inetd ] || { wake "$2" & waker=$!; }
	count=$(fetch "http://\[::1\]:$1/port?[1-$SESSIONS]" 2>/dev/null |
	    grep -c "^$1\$")
	[ -z "$waker" ] || kill $waker
	why="$count sessions of $SESSIONS came off"
	[ "$count" -eq $SESSIONS ] || return 1
	until_true nothing_left "$2" "$3"
	why="left: $(left "$2" "$3" | tr '\n' ' ')"
	nothing_left "$2" "$3"
}

# left PID NAME: prints the super-server's children, even dead ones, and its
# relays.
left() {
	grep -ls "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status
	find /proc/[0-9]*/exe -lname "$dir/$2/stfl-relay" 2>/dev/null
}
nothing_left() { [ -z "$(left "$@")" ]; }

# try NAME PORT PID
try() {
	sentences "$1"
	case $1 in xinetd) verdict "$disabled" none_enabled ;; esac
	case $1 in *inetd) verdict "$samples" lines "$2" ;; esac
	verdict "$whole" file "$2"
	verdict "$sessions" in_a_row "$2" "$3" "$1"
}

names='openbsd-inetd inetutils-inetd xinetd systemd-socket-activate tcpserver'
servers=
for name in $names; do
	why=$(missing "$name")
	if [ -z "$why" ]; then
		servers="$servers $name"
	else
		all skip "$name" "$why"
	fi
done
[ -n "$servers" ] || exit 0

# Apache has six ports for each super-server.
first=$(ports 30)
ports=$(seq "$first" $((first + 29)))
# shellcheck disable=SC2086
if ! { apache $ports && up apache 4 $ports; }; then
	for name in $servers; do
		all not_ok "$name" "$why"
	done
	exit 1
fi
head -c 20000000 /dev/urandom >"$dir/www/file"

# Start one super-server after another, and try all at the same time.
jobs=
for server in $servers; do
	if begin "$server" "$first"; then
		try "$server" "$first" "$pid" >"$dir/$server.out" &
		jobs="$jobs $!"
	else
		all not_ok "$server" "$why" >"$dir/$server.out"
	fi
	first=$((first + 6))
done
# shellcheck disable=SC2086
[ -z "$jobs" ] || wait $jobs
for server in $servers; do
	cat "$dir/$server.out"
done
! grep -q '^not ok' "$dir"/*.out
