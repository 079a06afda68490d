#!/bin/sh
# The target is a network.  Each host is a network namespace: a client that has
# only IPv6, two servers that have only IPv4, and the relay's host between them.
#
#	client -- 2001:db8:1::/64 -- relay -- 192.0.2.1 --+-- one 192.0.2.10
#	                                                  +-- two 192.0.2.20

# Its functions are called by name.
# shellcheck disable=SC2317
# shellcheck source=tests/servers/servers.lib.sh
. "$(dirname "$0")/../servers/servers.lib.sh"

reached='one service line leads an IPv6-only client to two IPv4-only servers'
logged='the log has the address dialled, the server in it, and what the server saw'
denied='an address outside the network is reset, and logged as denied'
sixto4='6to4 addresses lead to the servers in them, with -x 16'
link='the same link-local address on another link is no loop'
# all skip|not_ok WHY
all() {
	for sentence in "$reached" "$logged" "$denied" "$sixto4" "$link"; do
		"$1" "$sentence" "$2"
	done
}

missing() {
	for program in unshare nsenter ip curl apache2; do
		have $program || { echo "$program is not installed"; return; }
	done
	inetd=$(find_inetd openbsd-inetd inetd) || inetd=
	[ -n "$inetd" ] || have systemd-socket-activate ||
	    { echo "neither openbsd-inetd nor systemd is installed"; return; }
	apart true 2>/dev/null || echo "no leave for network namespaces"
}
apart() {
	if $root; then
		unshare -n "$@"
	else
		unshare --map-current-user --keep-caps -n "$@"
	fi
}

# Run this script again, in the namespace of the relay's host.
if [ -z "${APART:-}" ]; then
	why=$(missing)
	if [ -n "$why" ]; then
		all skip "$why"
		exit 0
	fi
	APART=yes scratch=$dir apart sh "tests/servers/$(basename "$0")"
	exit
fi

# host NAME: adds a host, which stays until the end.
# on NAME COMMAND...: runs a command on that host.
host() {
	start "$1" unshare -n sleep 300
	until_true not_here "$pid"
}
not_here() {
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}
on() {
	where=$(cat "$dir/$1.pid")
	shift
	nsenter -t "$where" -n "$@"
}

# cable NAME: connects the host NAME to the relay's host.  The end at NAME is
# called eth, and the end at the relay's host is called NAME.
cable() {
	ip link add "$1" type veth peer name eth netns "$(cat "$dir/$1.pid")" &&
	    ip link set "$1" up && on "$1" ip link set eth up
}
server() {
	# shellcheck disable=SC2016
	host "$1" && on "$1" sh -c \
	    'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6' &&
	    cable "$1" && ip address add 192.0.2.1 peer "$2" dev "$1" &&
	    on "$1" ip address add "$2" peer 192.0.2.1 dev eth
}
connect() {
	ip link set lo up && host client && cable client &&
	    ip address add 2001:db8:1::1/64 dev client nodad &&
	    on client ip address add 2001:db8:1::7/64 dev eth nodad &&
	    server one 192.0.2.10 && server two 192.0.2.20 &&
	    on two ip address add 198.51.100.20 dev eth &&
	    ip route add 198.51.100.20 dev two &&
	    # The first command is the manual's; the second is for 6to4.
	    ip -6 route add local 2001:db8:64::/96 dev lo &&
	    ip -6 route add local 2002:c000:200::/40 dev lo &&
	    on client ip -6 route add 2001:db8:64::/96 via 2001:db8:1::1 &&
	    on client ip -6 route add 2002::/16 via 2001:db8:1::1 &&
	    # A second cable connects the client to the relay's host.  The
	    # client's end of it has the same address, fe80::1, as the relay's
	    # end of the first cable.  The client dials fe80::1 over the first
	    # cable, and the relay connects to fe80::1 over the second.
	    ip link add other type veth peer name other netns \
		"$(cat "$dir/client.pid")" &&
	    ip link set other up && on client ip link set other up &&
	    ip address add fe80::1/64 dev client nodad &&
	    on client ip address add fe80::7/64 dev eth nodad &&
	    ip address add fe80::7/64 dev other nodad &&
	    on client ip address add fe80::1/64 dev other nodad
}

# web NAME: starts a web server on the host NAME.  Its only page says NAME.
web() {
	modules=/usr/lib/apache2/modules
	mkdir "$dir/web-$1"
	echo "$1" >"$dir/web-$1/name"
	{
		echo "ServerName $1
		Listen 8080
		PidFile $dir/web-$1/pid
		ErrorLog $dir/web-$1.log
		DefaultRuntimeDir $dir/web-$1
		DocumentRoot $dir/web-$1
		LoadModule mpm_event_module $modules/mod_mpm_event.so
		LoadModule authz_core_module $modules/mod_authz_core.so
		LogFormat \"%a:%{remote}p\" peer
		CustomLog $dir/web-$1/seen peer"
		! $root || echo 'User www-data
		Group www-data'
	} >"$dir/web-$1.conf"
	start "web-$1" nsenter -t "$(cat "$dir/$1.pid")" -n \
	    apache2 -f "$dir/web-$1.conf" -DFOREGROUND
}

# service NAME PORT WORD...: adds a service.  Its log lines go to NAME.line.
service() {
	log=$dir/$1.line port=$2
	shift 2
	printf '#!/bin/sh\nexec "%s" "$@" 2>>%s\n' "$RELAY" "$log" >"$log.sh"
	: >"$log"
	chmod 755 "$log.sh"
	chmod 666 "$log"
	if [ -n "$inetd" ]; then
		echo "$port stream tcp6 nowait.6000 $user $log.sh stfl-relay $*" \
		    >>"$dir/inetd.conf"
	else
		start "inetd-$port" systemd-socket-activate --inetd -a \
		    -l "[::]:$port" "$log.sh" "$@"
	fi
}
services() {
	inetd=$(find_inetd openbsd-inetd inetd) || inetd=
	service embedded 8080 -v 192.0.2.0/24
	service 6to4 8081 -v -x 16 192.0.2.0/24 8080
	service link 8082 -v fe80::1%other 8082
	[ -z "$inetd" ] || start inetd "$inetd" -d -i "$dir/inetd.conf"
}
ready() {
	for port in 8080 8081 8082; do
		listening 6 "$port" || return
	done
	for name in one two; do
		on "$name" grep -q ':1F90 [0-9A-F]*:0000 0A' /proc/net/tcp ||
		    return
	done
}

# fetch URL: runs curl on the client.  $got is curl's output.
fetch() {
	got=$(on client curl -gsS --noproxy '*' -m 10 "http://$1" 2>&1)
}
# line NAME TEXT: true if the last line that the service logged contains TEXT.
line() {
	until_true line_has "$@" && return
	why="logged: $(tail -n 1 "$dir/$1.line")"
	return 1
}
line_has() { tail -n 1 "$dir/$1.line" | grep -qF "$2"; }

no_other_way() {
	why="the client has IPv4: $(on client ip -4 address)"
	[ -z "$(on client ip -4 address)" ] || return
	for name in one two; do
		why="server $name has IPv6: $(on "$name" ip -6 address)"
		[ -z "$(on "$name" ip -6 address)" ] || return
	done
}
reaches() {
	no_other_way || return
	for name in one:192.0.2.10 two:192.0.2.20; do
		fetch "[2001:db8:64::${name#*:}]:8080/name"
		why="from ${name#*:} the client got $got"
		[ "$got" = "${name%:*}" ] || return
	done
}
# Apache can answer a moment before it logs.
logs() {
	fetch '[2001:db8:64::192.0.2.10]:8080/name'
	until_true joined && line embedded 'client=[2001:db8:1::7]:' &&
	    line embedded ' end=eof' && return
	why="logged: $(tail -qn 1 "$dir/embedded.line" "$dir/web-one/seen")"
	return 1
}
joined() {
	tail -n 1 "$dir/embedded.line" | grep -qF " \
local=[2001:db8:64::c000:20a]:8080 target=192.0.2.10:8080 \
via=$(tail -n 1 "$dir/web-one/seen") up="
}

# resets URL: true if curl's status is 56 (a reset) or 7 (a refusal).  curl also
# reports a refusal if RST comes before curl has seen that it is connected.  So
# callers check the log line, too.
resets() {
	fetch "$1"
	set -- $?
	why="curl ended with status $1: $got"
	[ "$1" -eq 56 ] || [ "$1" -eq 7 ]
}

# The relay's host can reach this server, but the relay must deny it.
denies() {
	why='no answer without the relay'
	curl -s --noproxy '*' -m 10 http://198.51.100.20:8080/name \
	    >/dev/null || return
	resets '[2001:db8:64::198.51.100.20]:8080/name' &&
	    line embedded ' target=198.51.100.20:8080 ' &&
	    line embedded ' end=denied '
}
takes_6to4() {
	fetch '[2002:c000:214::1]:8081/name'
	why="the client got $got"
	[ "$got" = two ] &&
	    line 6to4 ' local=[2002:c000:214::1]:8081 target=192.0.2.20:8080 '
}

# Nothing is listening at the client's end of the second cable.
tells_links_apart() {
	resets '[fe80::1%eth]:8082/' && line link ' end=refused '
}

if connect >"$dir/connect" 2>&1; then
	web one
	web two
	services
	until_true ready
	verdict "$reached" reaches
	verdict "$logged" logs
	verdict "$denied" denies
	verdict "$sixto4" takes_6to4
	verdict "$link" tells_links_apart
else
	all skip "$(tail -n 1 "$dir/connect")"
fi
exit "$failed"
