# What the scripts in this directory share: verdicts, ports, servers that are
# stopped at the end, and super-servers that run the shipped samples.  Each
# script reads this file first (with .).

cd "$(dirname "$0")/../.." || exit 2
[ -n "${scratch:-}" ] || exec sh test.sh "$(basename "$0" .sh)"
INETDS=${INETDS:-$PWD/../stfl-relay-inetds}

# All files are in $dir, which unprivileged users can enter.
dir=$scratch/$(basename "$0" .sh)
mkdir "$dir" && chmod 711 "$scratch" "$dir" || exit 2
# Give the program a path without a space.
ln -s "$RELAY" "$dir/relay" && RELAY=$dir/relay || exit 2

user=$(id -un)
root=false
[ "$(id -u)" -ne 0 ] || root=true

# Verdicts.
failed=0
ok() { echo "ok - $1"; }
# shellcheck disable=SC2034
not_ok() { echo "not ok - $1: $2" | tr '\n' ' '; echo; failed=1; }
skip() { echo "ok - $1 # SKIP $2"; }
# verdict SENTENCE COMMAND...: prints "ok" if the command succeeds.  Otherwise,
# it prints "not ok", and $why as the reason.
verdict() {
	sentence=$1
	shift
	if "$@"; then ok "$sentence"; else not_ok "$sentence" "$why"; fi
}
have() { command -v "$1" >/dev/null 2>&1; }
have_ipv6() { grep -qs '^0\{31\}1 ' /proc/net/if_inet6; }

# shellcheck source=tests/lib/until.sh
. tests/lib/until.sh

# ports N: prints the first of N consecutive ports, none of which is in use.
# They are not in the range from which the kernel chooses ports.  Otherwise, the
# kernel could give a port to a connection before a server listens on it.
ports() {
	read -r ephemeral _ </proc/sys/net/ipv4/ip_local_port_range
	[ "$ephemeral" -gt 12000 ] || ephemeral=32768
	while :; do
		first=$(od -An -N4 -tu4 /dev/urandom)
		first=$((first % (ephemeral - 10000 - $1) + 10000))
		taken=
		for port in $(seq $first $((first + $1 - 1))); do
			taken="$taken -e :$(printf %04X "$port")"
		done
		# shellcheck disable=SC2086
		grep -q $taken /proc/net/tcp /proc/net/tcp6 || break
	done
	echo "$first"
}

# listening 4|6 PORT: true if a server listens on PORT; makes no connection.
listening() {
	table=/proc/net/tcp
	[ "$1" = 4 ] || table=/proc/net/tcp6
	grep -q ":$(printf %04X "$2") [0-9A-F]*:0000 0A" $table
}

# start NAME COMMAND...: starts a server that stays in the foreground.
# detach NAME COMMAND...: starts a server that goes into the background.  The
# server writes its process ID into $dir/NAME.pid.
# In both cases, $pid is the server's process, and the server's output is in
# NAME.log.  The server is stopped at the end.
running=
start() {
	name=$1
	shift
	"$@" >"$dir/$name.log" 2>&1 </dev/null &
	pid=$!
	echo $pid >"$dir/$name.pid"
	running="$running $pid"
}
detach() {
	name=$1
	shift
	"$@" >"$dir/$name.log" 2>&1 </dev/null
	until_true test -s "$dir/$name.pid" || return 1
	pid=$(cat "$dir/$name.pid")
	running="$running $pid"
}

gone() { ! kill -0 "$1" 2>/dev/null; }
stop() {
	for pid in $running; do
		kill "$pid" 2>/dev/null
	done
	for pid in $running; do
		until_true gone "$pid" || kill -9 "$pid"
	done
}
trap stop EXIT
trap 'exit 2' HUP INT TERM

# up NAME 4|6 PORT...: waits until the server NAME listens on all these ports.
# If it does not, up is false, and $why has the reason.  $pid becomes the
# server's process.
up() {
	name=$1 family=$2
	pid=$(cat "$dir/$name.pid")
	shift 2
	for port; do
		until_true listening_or_gone "$family" "$port"
		listening "$family" "$port" && continue
		# shellcheck disable=SC2034
		why="$name does not listen: $(tail -n 1 "$dir/$name.log")"
		return 1
	done
}
listening_or_gone() { listening "$@" || gone "$pid"; }

# Start Apache on these ports of 127.0.0.1, and on no other address.  Each port
# serves its own number as /port.  All ports serve the files in $dir/www as
# /www.
apache() {
	mkdir -p "$dir/apache" "$dir/www"
	for port; do
		mkdir "$dir/apache/$port"
		echo "$port" >"$dir/apache/$port/port"
	done
	modules=/usr/lib/apache2/modules
	{
		echo "ServerName localhost
		PidFile $dir/apache/pid
		ErrorLog $dir/apache.log
		DefaultRuntimeDir $dir/apache
		LoadModule mpm_event_module $modules/mod_mpm_event.so
		LoadModule authz_core_module $modules/mod_authz_core.so
		LoadModule alias_module $modules/mod_alias.so
		Alias /www $dir/www"
		! $root || echo User www-data
		for port; do
			echo "Listen 127.0.0.1:$port
			<VirtualHost 127.0.0.1:$port>
			DocumentRoot $dir/apache/$port
			</VirtualHost>"
		done
	} >"$dir/apache.conf"
	chmod -R go+rX "$dir/apache" "$dir/www"
	start apache apache2 -f "$dir/apache.conf" -DFOREGROUND
}

# Each super-server runs a separate copy of the relay.  If a relay is left
# behind, its path shows which super-server started it.
relay_for() {
	relay=$dir/$1/stfl-relay
	mkdir "$dir/$1" && cp "$RELAY" "$relay" &&
	    chmod 711 "$dir/$1" && chmod 755 "$relay"
}

# shipped NAME FIRST FILE...: prints the sample, with its services enabled.
# They run NAME's copy of the relay, and use the ports from FIRST on instead of
# their usual ports.  Without root, they run as this user instead of the user
# nobody.
services='http 80 https 443 ssh 22 imap 143 pop3 110 smtp 25'
shipped() {
	name=$1 port=$2
	shift 2
	script="s,/usr/local/sbin/stfl-relay,$dir/$name/stfl-relay,"
	$root || script="$script;s/\([[:space:]]\)nobody/\1$user/"
	samples=$*
	# shellcheck disable=SC2086
	set -- $services
	while [ $# -gt 0 ]; do
		script="$script
		/^$1[[:space:]]/s/ $2\$/ $port/
		s/^$1[[:space:]]/$port	/
		/^service $1\$/,/^}/{
			s/\(server_args.* \)$2\$/\1$port/
			s/disable.*yes/type = UNLISTED\\
				port = $port/
		}"
		port=$((port + 1))
		shift 2
	done
	# shellcheck disable=SC2086
	sed "$script" $samples
}

# find_inetd NAME PROGRAM: prints the path of the program if that is installed,
# or unpacked in $INETDS.
find_inetd() {
	if [ -x "$INETDS/$1/usr/sbin/$2" ]; then
		echo "$INETDS/$1/usr/sbin/$2"
	elif [ -d "/usr/share/doc/$1" ]; then
		command -v "$2"
	else
		return 1
	fi
}

start_xinetd() {
	start "$1" xinetd -dontfork -f "$dir/$1.conf" -filelog "$dir/$1.log" \
	    -pidfile "$dir/$1.pid"
}

# superserver NAME FIRST [SCRIPT]: starts NAME with its sample, on six ports of
# [::] from FIRST on.  The sed script SCRIPT edits the sample.  $pid is NAME's
# process.  If NAME complains, or does not listen on all six ports, superserver
# is false, and $why has the reason.
superserver() {
	relay_for "$1"
	conf=$dir/$1.conf
	case $1 in
	openbsd-inetd)
		shipped "$1" "$2" inetd.conf.sample | sed "${3:-}" >"$conf"
		# Without -d, inetd would write /run/inetd.pid.
		start "$1" "$(find_inetd "$1" inetd)" -d -i "$conf"
		;;
	inetutils-inetd)
		# The end of the sample describes this change.
		shipped "$1" "$2" inetd.conf.sample | sed "${3:-}
		s/tcp6/tcp6only/" >"$conf"
		detach "$1" "$(find_inetd "$1" "$1")" \
		    -p"$dir/$1.pid" "$conf"
		;;
	xinetd)
		shipped "$1" "$2" xinetd.d/* | sed "${3:-}" >"$conf"
		start_xinetd "$1"
		;;
	esac
	# shellcheck disable=SC2046
	up "$1" 6 $(seq "$2" $(($2 + 5))) &&
	    ! why=$(grep -m 1 -E 'ERROR|WARNING' "$dir/$1.log")
}
