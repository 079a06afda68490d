#!/bin/sh
# make demo: fetches a page over IPv6 from a web server that speaks only IPv4.
#
# make demo TARGET=192.0.2.10:80 PORT=8080: does the same with a server of
# yours, through port 8080 of ::1, and then serves that port until it is
# interrupted.  TARGET='192.0.2.10 80' works as well.  If TARGET has no port,
# the relay connects to the port that the client dials.  Without PORT, the
# system chooses the port of ::1.

cd "$(dirname "$0")/../.." || exit 1
RELAY=${RELAY:-./stfl-relay} TARGET=${TARGET:-} PORT=${PORT:-0}
web='' listener=''

# Signals end the demo, except while there is a process or a file that finish()
# does not know of yet.
heed() {
	trap 'finish; exit 129' HUP
	trap 'finish; exit 130' INT
	trap 'finish; exit 143' TERM
}
ignore() { trap '' HUP INT TERM; }

# Children get SIGUSR1, because a child that is still a shell would lose a
# signal that this script traps.
finish() {
	ignore
	for pid in $web $listener; do
		kill -s USR1 "$pid" 2>/dev/null
	done
	wait 2>/dev/null
	web='' listener=''
	rm -rf "$dir"
}

stop() {
	printf '%s\n' "$@"
	exit 1
}

# Make what a server has sent safe for a terminal.
show() { LC_ALL=C tr -cd '\12\40-\176' | sed 's/^/    /'; }

# Start the super-server, with these additional options, and learn its port.
listen() {
	ignore
	# shellcheck disable=SC2086 # without a port there is no word for it
	tests/servers/superserver -e -p "$PORT" "$@" \
		"$RELAY" -v "$host" $port >"$dir/port" &
	listener=$!
	heed
	read -r PORT <"$dir/port"
}

ignore
dir=$(mktemp -d "${TMPDIR:-/tmp}/stfl-demo.XXXXXX") || exit 1
trap finish EXIT
heed

# If there is no IPv6, this prints an error.
tests/servers/superserver -n 0 true >"$dir/none" 2>"$dir/log" || stop "$(cat "$dir/log")"
mkfifo "$dir/port" "$dir/web" || exit 1

if [ -n "$TARGET" ]; then
	host=$TARGET port=''
	case $TARGET in
	*' '*) host=${TARGET%% *} port=${TARGET##* } ;;
	*:*:*) ;;
	*:*) host=${TARGET%:*} port=${TARGET##*:} ;;
	esac
	echo "Your server      $TARGET"
else
	ignore
	tests/servers/webserver -n 1 >"$dir/web" 2>&1 &
	web=$!
	exec 3<"$dir/web"
	heed
	host=127.0.0.1
	read -r port <&3
	echo "A web server     $host:$port, IPv4 only"
fi
listen -n 1 2>"$dir/log" || stop "$(cat "$dir/log")"
echo "A super-server   [::1]:$PORT, starts for each connection:"
echo "                 stfl-relay -v $host${port:+ $port}"

# The super-server ends by itself after one session.  If there was no session,
# this script ends it.  If the target is silent, the relay gives up (-w) before
# the client does.
tests/servers/webserver -f "$PORT" 12 >"$dir/page" 2>"$dir/why"
status=$?
[ $status -le 1 ] || kill -s USR1 "$listener"
wait "$listener"
listener=''
line=$(grep ' end=' "$dir/log" | tail -n 1)
via=$(expr "$line" : '.* via=\([^ ]*\)')

echo
echo "A client fetches http://[::1]:$PORT/ over IPv6 and gets"
if [ ! -s "$dir/page" ]; then
	echo "    nothing: $(cat "$dir/why")"
elif [ -n "$TARGET" ]; then
	echo "    $(($(wc -c <"$dir/page"))) bytes, the first line of which is"
	sed 1q "$dir/page" | cut -c 1-72 | show
else
	# Leave out the lines between the status line and the page.
	sed '2,/^.\{0,1\}$/d' "$dir/page" | show
fi
if [ -s "$dir/page" ] && [ $status -ne 0 ]; then
	echo "    but then: $(cat "$dir/why")"
fi
[ -n "$line" ] || stop 'The relay did not even try:' "$(show <"$dir/log")"

if [ -z "$TARGET" ]; then
	kill -s USR1 "$web" 2>/dev/null
	wait "$web" 2>/dev/null
	web='' seen=''
	read -r seen <&3
	echo 'The server saw the client at'
	echo "    ${seen:-no address at all}"
elif [ -n "$via" ]; then
	echo 'The server saw the client at'
	echo "    $via"
fi
echo 'The log line of the session:'
echo "    $line"
case $line in
*warning=*) echo '    (You are root here; a super-server starts it as nobody.)' ;;
esac

if [ -z "$TARGET" ]; then
	[ "$status $seen" = "0 $via" ] || stop '' 'That is not as it should be.'
	exit 0
fi
listen 2>&1 || exit 1
echo
echo "[::1]:$PORT stays open until you press Ctrl-C.  The log:"
wait
