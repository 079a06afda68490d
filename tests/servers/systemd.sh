#!/bin/sh
# systemd-analyze checks the units, and a separate systemd runs them (see
# booted.lib.sh).

said_verify='the systemd units pass systemd-analyze verify'
said_exposed='with hardening.conf systemd-analyze gives an exposure of 1.5 at most'
said_ports='systemd has one socket unit for six servers, one instance each'
said_default='the target of systemd sessions is set in /etc/default, for copied units too'
said_user='if the user _stfl-relay exists, sessions of systemd run as it, in copied units too'
said_journal='the journal has the line of a session of systemd'
said_failed='a session that fails leaves systemd no failed unit'
said_hard='with hardening.conf systemd denies no system call that a session makes'

# shellcheck source=tests/lib/until.sh
. "$(dirname "$0")/../lib/until.sh"

# shellcheck source=tests/servers/booted.lib.sh
. "$(dirname "$0")/booted.lib.sh"

furnish() { echo '127.0.0.1 legacy' >etc/hosts; }

fetch() { /checkout/tests/servers/webserver -f "$1" 30 | grep -q 'only IPv4'; }

# serve N: starts N web servers, each of which serves one request.  Their ports
# are in $ports.
serve() {
	ports=
	while [ "$(echo "$ports" | wc -w)" -lt "$1" ]; do
		/checkout/tests/servers/webserver -n 1 >/run/port &
		until_true test -s /run/port
		ports="$ports $(cat /run/port)"
		rm /run/port
	done
}

# open PREFIX PORT...: starts the units PREFIX@PORT.socket.
open() {
	prefix=$1
	shift
	# shellcheck disable=SC2046
	systemctl start $(printf "$prefix@%s.socket " "$@")
}

left() { systemctl list-units --failed --plain --no-legend 'stfl-relay*'; }
sessions() { systemctl list-units --plain --no-legend 'stfl-relay@*.service'; }
journal() { journalctl -q -o cat -t stfl-relay "$@"; }

ports() {
	serve 6
	# shellcheck disable=SC2086
	open stfl-relay $ports
	for port in $ports; do
		fetch "$port" || return 1
	done
}

logged() {
	journal | grep -q "local=\[::1\]:$port target=127.0.0.1:$port .* end=eof"
}

default() {
	echo 'TARGET=legacy' >/etc/default/stfl-relay
	echo 'OPTIONS=-T 60 -w 5' >>/etc/default/stfl-relay
	serve 1
	# shellcheck disable=SC2086
	open stfl-relay $ports
	# shellcheck disable=SC2086
	fetch $ports || return 1
	serve 1
	echo "TARGET=127.0.0.1$ports" >/etc/default/other
	for kind in socket service; do
		cp "$units/stfl-relay@.$kind" "$units/other@.$kind"
	done
	systemctl daemon-reload
	open other 9
	fetch 9
}

# A copy that is named after a user, such as mail@, must not run as that user.
# The kernel tells the journal the user and the group.
users() {
	sed -i '1i _stfl-relay:x:777:778::/:/usr/sbin/nologin' /etc/passwd
	sed -i '1i _stfl-relay:x:778:' /etc/group
	for kind in socket service; do
		cp "$units/stfl-relay@.$kind" "$units/mail@.$kind"
	done
	systemctl daemon-reload
	serve 2
	# shellcheck disable=SC2086
	set -- $ports
	open stfl-relay "$1"
	open mail "$2"
	fetch "$1" && fetch "$2" &&
	    until_true journal_of "local=\[::1\]:$1 " &&
	    until_true journal_of "local=\[::1\]:$2 "
}
journal_of() { journal _UID=777 _GID=778 | grep -q "$1"; }

# Nothing is listening on port 1, so the relay ends with status 69.
refused() { journal | grep -q 'end=refused'; }
idle() { [ -z "$(sessions)" ]; }
failed() {
	open stfl-relay 1
	fetch 1 2>/dev/null
	until_true refused && until_true idle && [ -z "$(left)" ]
}

# With hardening.conf, both relays must be able to look up a name, and the
# second must be able to splice.  A denied call kills the relay.
hard() {
	mkdir $units/stfl-relay@.service.d
	cp /checkout/systemd/hardening.conf $units/stfl-relay@.service.d
	printf '[Service]\nSystemCallErrorNumber=kill\n' \
	    >$units/stfl-relay@.service.d/kill.conf
	systemctl daemon-reload
	for relay in /usr/local/sbin/stfl-relay /checkout/tests/stfl-relay-bulk
	do
		[ -x $relay ] || continue
		cp $relay /run/relay
		mv /run/relay /usr/local/sbin/stfl-relay
		serve 1
		# shellcheck disable=SC2086
		open stfl-relay $ports
		# shellcheck disable=SC2086
		fetch $ports && until_true logged && until_true idle || return 1
	done
	! journalctl -q -o cat | grep -E 'status=31/SYS|code=killed'
}

# verdict SENTENCE COMMAND
verdict() {
	said=$1
	shift
	if "$@"; then
		echo "ok - $said"
	else
		echo "not ok - $said: $(journal | tail -n 3 | tr '\n' ';')"
	fi
}

served() {
	verdict "$said_ports" ports
	verdict "$said_journal" until_true logged
	verdict "$said_default" default
	verdict "$said_user" users
	verdict "$said_failed" failed
	verdict "$said_hard" hard
}

prepare() {
	cd "$(dirname "$0")/../.." || exit 2
	[ -n "${scratch:-}" ] || exec sh test.sh systemd
	dir=$scratch/systemd
	export RELAY dir
	mkdir -p "$dir/units/stfl-relay@.service.d" || exit 2
	trap unbooted EXIT
	trap 'exit 2' HUP INT TERM
}

# silent SENTENCE COMMAND...: ok if the command succeeds and prints nothing.
status=0
silent() {
	sentence=$1
	shift
	if said=$("$@" 2>&1) && [ -z "$said" ]; then
		echo "ok - $sentence"
	else
		echo "not ok - $sentence: $said" | tr '\n' ' '
		echo
		status=1
	fi
}
# Before version 255, systemd-analyze reports one key as unknown.
verified() {
	said=$(systemd-analyze verify --man=no "$@" 2>&1)
	set -- $?
	echo "$said" | grep -v "Unknown key.*'PollLimitIntervalSec'"
	return "$1"
}
exposed() {
	said=$(systemd-analyze security --offline=true --no-pager \
	    --threshold=15 "$dir/units/stfl-relay@.service" 2>&1) || echo "$said" |
	    tail -n 1
}

skip_all() {
	why=$1
	shift
	for sentence; do
		echo "ok - $sentence # SKIP $why"
	done
}

read_units() {
	if ! command -v systemd-analyze >/dev/null; then
		skip_all 'systemd is not installed' "$said_verify" "$said_exposed"
	else
		# The path of a unit must not contain a space.
		ln -s "$RELAY" "$dir/relay"
		for file in systemd/*@*; do
			sed "s,/usr/local/sbin/stfl-relay,$dir/relay," "$file" \
			    >"$dir/units/${file#*/}"
		done
		cp "$dir/units/stfl-relay@.socket" "$dir/units/stfl-relay@80.socket"
		cp systemd/hardening.conf "$dir/units/stfl-relay@.service.d"
		silent "$said_verify" verified \
		    "$dir/units/stfl-relay@80.socket" "$dir/units/stfl-relay@.service"
		silent "$said_exposed" exposed
	fi
}

run_units() {
	why=$(no_systemd)
	if [ -n "$why" ]; then
		skip_all "$why" "$said_ports" "$said_journal" "$said_default" \
		    "$said_user" "$said_failed" "$said_hard"
		return
	fi
	booted systemd
	if ! grep -q " - $said_hard" "$dir/verdicts" 2>/dev/null; then
		echo "not ok - systemd runs the tests of its units to their end:" \
		    "$(tail -n 3 "$dir/console" | tr '\n' ' ')"
		status=1
	fi
	! grep -qs '^not ok' "$dir/verdicts" || status=1
}

case ${1:-} in
begin)
	begin systemd
	;;
served)
	served
	;;
*)
	prepare
	read_units
	run_units
	[ $status -eq 0 ]
	;;
esac
