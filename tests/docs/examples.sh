#!/bin/sh
# Extract the commands and services of README.md, and the examples of the manual
# page.  Run each of them in front of a real web server.  Only what cannot be
# used here is replaced in them: paths, ports, addresses, users and logs.

# Its functions are called by name.
# shellcheck disable=SC2317
[ "${1:-}" != boot ] || {
	# The systemd here is process 1 of new namespaces, and knows no unit
	# except those in $2.  Writing to /proc/sys would affect the whole
	# machine.
	mount --bind /proc/sys /proc/sys &&
	    mount -o remount,bind,ro /proc/sys &&
	    mount -t tmpfs none /sys/fs/cgroup &&
	    mount -t cgroup2 none /sys/fs/cgroup &&
	    mount -t tmpfs none /run && mount -t tmpfs none /usr/local/sbin &&
	    mount -t tmpfs none /etc/systemd/system &&
	    cp "$RELAY" /usr/local/sbin/stfl-relay || exit
	exec setpriv --bounding-set=-sys_module,-sys_time,-sys_rawio \
	    env -i container=test PATH="$PATH" \
	    SYSTEMD_UNIT_PATH="$2:/etc/systemd/system" \
	    /lib/systemd/systemd --show-status=no --log-target=null \
	    --unit=basic.target
}

# shellcheck source=tests/servers/servers.lib.sh
. "$(dirname "$0")/../servers/servers.lib.sh"

# Each example becomes a file in $dir: readme.N or manual.N.  An example is one
# line, or several lines that belong together.  Continued lines are joined.
awk -v file="$dir/readme." '
	/^#/ { on = /^## (A service|Who was)/ }
	! sub(/^    /, "") { whole = 0; next }
	! on || /^(stfl-relay\[| )/ && ! whole { next }
	! whole { n++ }
	/^(service|cp) / { whole = 1 }
	{ print >(file n) }' README.md
sed -n '/^    defaults$/,/^[^ ]/s/^    //p' doc/growing.md >"$dir/haproxy"
awk -v name="$dir/manual." '
	/^\.Sh/ { on = /EXAMPLES/ }
	/^\.Ed/ { file = "" }
	file != "" { if (sub(/\\e$/, "")) printf "%s", $0 >file
		else print >file }
	on && /^\.Bd/ { file = name (++n) }' man/stfl-relay.8

# here FILE FRONT TARGET: prints the example as it can run here.  The program
# under test replaces the installed one.  Instead of 80, 8080 or http, the
# listener's port is FRONT, and the target's port is TARGET.  ::1 replaces
# 2001:db8::1, and 127.0.0.1 replaces 192.0.2.10.
here() {
	script="s,\(/usr/local/sbin\|\.\)/stfl-relay,stfl-relay,g
	s,stfl-relay,$relay,g
	s/192\.0\.2\.10 8080/127.0.0.1 $3/
	s/127\.0\.0\.1 80/127.0.0.1 $3/
	s/^http /$2 /
	s/\([] :=]\)80\(80\)\{0,1\}\([ ,']\|\$\)/\1$2\3/
	s/2001:db8::1/::1/"
	# Only root can become the user nobody.
	$root || script="$script
	s/,su=nobody//; s/-u [^ ]*\( -g [^ ]*\)\{0,1\}//; s/nobody/$user/"
	sed "$script" "$dir/$1"
}

# fetch PORT: true if the file arrives complete.
fetch() {
	why=$(curl -s -S -6 --noproxy '*' -m 60 -o "$dir/got" \
	    "http://\[::1\]:$1/www/file" 2>&1) &&
	    why=$(cmp "$dir/got" "$dir/www/file" 2>&1)
}

# run NAME COMMAND FRONT: true if COMMAND listens and two clients get the file.
run() {
	start "$1" sh -c "exec $2"
	up "$1" 6 "$3" && fetch "$3" && fetch "$3"
	set -- $?
	kill "$pid" && wait "$pid" 2>/dev/null
	running=${running% *}
	return "$1"
}

# conf FILE FRONT TARGET: the same for an example that is a configuration file.
conf() {
	here "$@" >"$dir/$1.conf"
	case $(head -n 1 "$dir/$1.conf") in
	*tcp6only*)
		detach "$1" "$(find_inetd inetutils-inetd inetutils-inetd)" \
		    -p"$dir/$1.pid" "$dir/$1.conf"
		;;
	*tcp6*)
		start "$1" "$(find_inetd openbsd-inetd inetd)" -d \
		    -i "$dir/$1.conf"
		;;
	service*)
		sed -i "s/^{/{ \\
		type = UNLISTED\\
		port = $2/" "$dir/$1.conf"
		start_xinetd "$1"
		;;
	esac
	up "$1" 6 "$2" && fetch "$2" && fetch "$2"
}

# session FILE PORT: true if a command for any super-server leads to the web
# server.  Our super-server listens on PORT of ::1, and the web server on PORT
# of 127.0.0.1.  A PROXY header is not HTTP, so if the command sends one, a
# session without a file is enough.
session() {
	command=$(here "$1" "$2" "$2" | sed "s,$relay,& -v,")
	# shellcheck disable=SC2086
	start "$1" tests/servers/superserver -e -p "$2" $command
	up "$1" 6 "$2" || return
	case $command in
	*-p\ 2*)
		curl -s -6 --noproxy '*' -m 60 "http://\[::1\]:$2/" >/dev/null
		;;
	*)
		fetch "$2" || return
		;;
	esac
	why=$(grep -v end=open "$dir/$1.log" | tail -n 1)
	until_true grep -q 'end=eof' "$dir/$1.log"
}

# search FILE: true if the command finds the line of a port, and does not find
# that of a longer port with the same first digits.
search() {
	port=$(sed 's/.*via=127.0.0.1:\([0-9]*\) .*/\1/' "$dir/$1")
	printf '%s\n' "via=127.0.0.1:${port}3" "via=127.0.0.1:$port up=1" >"$dir/log"
	why=$(sed "s,/var/log/syslog,$dir/log,
	    s,journalctl -t stfl-relay,cat $dir/log," "$dir/$1" | sh)
	[ "$why" = "via=127.0.0.1:$port up=1" ]
}

# boot: starts a systemd for the examples that need one.  It reads $dir/units.
boot() {
	for unit in sysinit basic shutdown; do
		printf '[Unit]\nDefaultDependencies=no\n' \
		    >"$dir/units/$unit.target"
	done
	mkdir "$dir/cgroup"
	group=$dir/cgroup/stfl-relay-examples.$$
	# In a separate cgroup, it sees none of the machine's processes.
	# shellcheck disable=SC2016
	mount -t cgroup2 none "$dir/cgroup" && mkdir "$group" || return
	sh -c 'echo $$ >"$1/cgroup.procs" && exec unshare -C -f -m -p -u \
	    --mount-proc --propagation private sh tests/docs/examples.sh \
	    boot "$2"' sh "$group" "$dir/units" >"$dir/boot.log" 2>&1 </dev/null &
	booting=$!
	until_true booted
}
booted() {
	[ -n "${booting:-}" ] &&
	    one=$(cat "/proc/$booting/task/$booting/children") &&
	    [ -n "$one" ] && one=${one% } && inside test -S /run/systemd/private
} 2>/dev/null
inside() { nsenter -t "$one" -m -p -C "$@"; }
halt() {
	[ -n "${booting:-}" ] || return
	! booted || kill -9 "$one"
	until_true find "$group" -depth -type d -delete 2>/dev/null
	umount "$dir/cgroup"
}
trap 'halt; stop' EXIT

# as_unit FILE FRONT TARGET: runs systemd-run's example, then stops the unit.
as_unit() {
	booted || boot || { why="systemd does not start"; return 1; }
	relay=/usr/local/sbin/stfl-relay
	command=$(here "$@")
	relay=$dir/examples/stfl-relay
	why=$(inside sh -c "exec $command" 2>&1) || return
	until_true listening 6 "$2" && fetch "$2" && fetch "$2" || return
	name=$(expr "$command" : '.*--unit=\([^ ]*\)')
	why=$(inside systemctl stop "$name" 2>&1) || return
	why="$name still listens"
	! listening 6 "$2"
}

# units FILE FRONT TARGET: tries an example that consists of two units, which
# are FILE and the next file.
units() {
	booted || boot || { why="systemd does not start"; return 1; }
	relay=/usr/local/sbin/stfl-relay
	here "$1" "$2" "$3" >"$dir/units/http-ipv6.socket"
	here "manual.$((${1#*.} + 1))" "$2" "$3" \
	    >"$dir/units/http-ipv6@.service"
	relay=$dir/examples/stfl-relay
	why=$(inside systemctl daemon-reload 2>&1 &&
	    inside systemctl start http-ipv6.socket 2>&1) &&
	    fetch "$2" && fetch "$2"
}

# by_hand FILE PORT: runs the commands that set up the units, for a service on
# PORT.  systemd listens on PORT of [::], and Apache on PORT of 127.0.0.1.
by_hand() {
	booted || boot || { why="systemd does not start"; return 1; }
	commands=$(sed "s/@80\./@$2./" "$dir/$1")
	why=$(inside sh -ec "cd '$PWD'; $commands" 2>&1) &&
	    until_true listening 6 "$2" && fetch "$2" && fetch "$2"
}

# refused SAYING FRONT COMMAND: COMMAND starts the relay without a TCP
# connection on descriptor 0.  True if the relay refuses, with SAYING in its
# message.
refused() {
	saying=$1 front=$2
	shift 2
	start refused "$@"
	up refused 6 "$front" || return
	curl -s -6 --noproxy '*' -m 60 "http://\[::1\]:$front/" >/dev/null
	why=$(cat "$dir/refused.log")
	until_true grep -q "standard input is $saying" "$dir/refused.log"
}

# tell PORT: prints the reply that comes through the listener on PORT.  Then it
# prints the header that the server got, without the two ports at its end.
tell() {
	curl -s -S -6 --noproxy '*' -m 60 "http://\[::1\]:$1/" 2>&1
	od -A n -t x1 -v -N 48 "$dir/header"
}

# compared FRONT TARGET: true if HAProxy, with the configuration in
# doc/growing.md, does the same as the relay.  Each is tried in front of a
# server that stores the header.
compared() {
	# The server reads everything, because with bytes unread it would send
	# RST instead of FIN.
	cat >"$dir/receive" <<-END
		dd bs=52 count=1 iflag=fullblock of=$dir/header
		while read -r line && [ \${#line} -gt 1 ]; do :; done
		printf 'HTTP/1.0 200 OK\r\n\r\nreply'
	END
	start receiver socat "TCP4-LISTEN:$2,bind=127.0.0.1,fork,reuseaddr" \
	    "EXEC:sh $dir/receive"
	up receiver 4 "$2" || return
	start line tests/servers/superserver -p $(($1 + 1)) "$relay" -p 2 127.0.0.1 "$2"
	up line 6 $(($1 + 1)) || return
	sed "s/:::80/:::$1/; s/127.0.0.1:80/127.0.0.1:$2/" "$dir/haproxy" \
	    >"$dir/haproxy.conf"
	start haproxy haproxy -db -f "$dir/haproxy.conf"
	up haproxy 6 "$1" || return
	ours=$(tell $(($1 + 1))) theirs=$(tell "$1")
	why="$theirs, not $ours"
	[ "$theirs" = "$ours" ] && [ "${ours%%[!a-z]*}" = reply ]
}

# sentence FILE: prints what this example must prove.
sentence() {
	from="the manual's example of"
	case $1 in readme*) from="README's example of" ;; esac
	words=$(head -n 1 "$dir/$1")
	case $words in
	*tcp6only*) what="a line for GNU inetutils' inetd" ;;
	*tcp6*) what="a line for OpenBSD's inetd" ;;
	service*) what='xinetd' ;;
	'[Socket]') what='systemd units' ;;
	cp*) what='the units for systemd' ;;
	stfl-relay*) what="\"$words\"" ;;
	*) what=${words%% *} ;;
	esac
	case $words in
	grep* | journalctl*) echo "$from $what finds the line of a session" ;;
	stfl-relay*) echo "$from $what leads to Apache" ;;
	*) echo "$from $what serves a file from Apache" ;;
	esac
}

# missing FILE: prints why the example cannot be run.
missing() {
	have apache2 || { echo "apache2 is not installed"; return; }
	have curl || { echo "curl is not installed"; return; }
	have_ipv6 || { echo "there is no ::1 here"; return; }
	case $(head -n 1 "$dir/$1") in
	systemd-run* | '[Socket]'* | cp*)
		$root || { echo "only root can start systemd"; return; }
		;;
	esac
	case $(head -n 1 "$dir/$1") in
	*tcp6only*) find_inetd inetutils-inetd inetutils-inetd ;;
	*tcp6*) find_inetd openbsd-inetd inetd ;;
	service*) command -v xinetd ;;
	systemd-run* | '[Socket]'* | cp*)
		[ ! -x /lib/systemd/systemd ] || echo it
		;;
	stfl-relay* | grep* | journalctl*) echo it ;;
	*) command -v "$(sed 's/ .*//;q' "$dir/$1")" ;;
	esac | grep -q . || echo "it is not installed"
}

# elsewhere FILE: true if this example is not tried here.  Debian's busybox has
# no tcpsvd, and Debian has no s6-tcpserver, so these two are tried only where
# they exist.  The second file of units is tried together with the first.
elsewhere() {
	case $(head -n 1 "$dir/$1") in
	busybox*) ! busybox --list 2>/dev/null | grep -q tcpsvd ;;
	s6-*) ! have s6-tcpserver ;;
	'[Unit]') ;;
	*) false ;;
	esac
}

examples=
for file in "$dir"/readme.* "$dir"/manual.*; do
	file=${file##*/}
	elsewhere "$file" || examples="$examples $file"
done
pipes='the pipes of ncat --exec are refused in words'
pair="the socket pair of socat's EXEC without nofork is refused in words"
said='README and the manual have the examples that are to be tested'
found=$(cat "$dir"/readme.* "$dir"/manual.* | grep -c -e systemd-run -e socat \
    -e tcpserver -e systemd-socket-activate -e tcpsvd -e '^\[Socket' \
    -e ' tcp6' -e '^service' -e '^cp ' -e 'grep')
why="only $found are there"
verdict "$said" test "$found" -ge 19

first=$(ports 47)
# shellcheck disable=SC2046
apache $(seq "$first" $((first + 19)))
number=$((first - 1))
head -c 2000000 /dev/urandom >"$dir/www/file"
chmod 644 "$dir/www/file"
relay_for examples
mkdir "$dir/units"

for file in $examples; do
	said=$(sentence "$file") number=$((number + 1))
	why=$(missing "$file")
	[ -z "$why" ] || { skip "$said" "$why"; continue; }
	up apache 4 "$number" || { not_ok "$said" "$why"; continue; }
	# The listener's port differs from the target's, unless one word stands
	# for both.
	front=$((number + 20))
	case $(head -n 1 "$dir/$file") in
	http* | service*) verdict "$said" conf "$file" $front "$number" ;;
	stfl-relay*) verdict "$said" session "$file" "$number" ;;
	grep* | journalctl*) verdict "$said" search "$file" ;;
	cp*) verdict "$said" by_hand "$file" "$number" ;;
	systemd-run*) verdict "$said" as_unit "$file" $front "$number" ;;
	'[Socket]') verdict "$said" units "$file" $front "$number" ;;
	*)
		verdict "$said" run "$file" "$(here "$file" $front "$number")" $front
		;;
	esac
done
number=$((first + 40))
for name in ncat socat; do
	number=$((number + 1))
	said=$pair
	[ $name = socat ] || said=$pipes
	have $name || { skip "$said" "$name is not installed"; continue; }
	have_ipv6 || { skip "$said" "there is no ::1 here"; continue; }
	if [ $name = ncat ]; then
		verdict "$said" refused 'a pipe' $number \
		    ncat -6 -l -k ::1 $number --exec "$relay 127.0.0.1 9"
	else
		verdict "$said" refused 'a socket that is not TCP' $number \
		    socat "TCP6-LISTEN:$number,bind=[::1],fork,reuseaddr" \
		    "EXEC:$relay 127.0.0.1 9"
	fi
done

said="HAProxy with doc/growing.md's configuration does what stfl-relay -p 2 does: header and reply"
if have haproxy && have socat && have_ipv6; then
	verdict "$said" compared $((first + 45)) $((first + 44))
else
	skip "$said" "haproxy or socat is not installed, or there is no ::1"
fi
exit "$failed"
