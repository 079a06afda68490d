#!/bin/sh
# The units, checked by systemd-analyze, and run by a systemd of their own: it
# is process 1 in new namespaces, whose root has the system's /usr, read-only,
# and little else.
#
# systemd.sh begin: build that root and become systemd.  It starts systemd.sh
# served, which contains the tests, as its only unit.

said_verify='the systemd units pass systemd-analyze verify'
said_exposed='with hardening.conf systemd-analyze gives an exposure of 1.5 at most'
said_ports='systemd has one socket unit for six servers, one instance each'
said_default='the target of systemd sessions is set in /etc/default, for copied units too'
said_journal='the journal has the line of a session of systemd'
said_failed='a session that fails leaves systemd no failed unit'
said_hard='with hardening.conf systemd denies no system call that a session makes'

# shellcheck source=tests/lib/until.sh
. "$(dirname "$0")/../lib/until.sh"

units=/etc/systemd/system

begin() {
	set -e
	cd "$(dirname "$0")/../.."
	mount -t tmpfs none "$dir/root"
	top=$PWD
	cd "$dir/root"
	mkdir dev dev/shm etc etc/default etc/systemd etc/systemd/system proc \
	    run sys tmp usr var checkout out
	for system in /bin /sbin /lib*; do
		if [ -L "$system" ]; then
			cp -P "$system" .
		else
			mkdir ".$system"
			mount --bind "$system" ".$system"
		fi
	done
	mount --rbind /usr usr
	mount -o remount,bind,ro usr
	mount -t tmpfs none usr/local
	mkdir usr/local/sbin
	cp "$RELAY" usr/local/sbin/stfl-relay
	mount --bind "$top" checkout
	mount --bind "$dir" out
	mount -t proc none proc
	# A setting there would apply to the whole machine.
	mount --bind proc/sys proc/sys
	mount -o remount,bind,ro proc/sys
	mount -t sysfs -o ro none sys
	mount -t cgroup2 none sys/fs/cgroup
	for file in null zero full random urandom tty; do
		: >dev/$file
		mount --bind /dev/$file dev/$file
	done
	mount -t tmpfs none run
	cp /etc/passwd /etc/group /etc/ld.so.cache etc
	echo 'passwd: files systemd
	group: files systemd
	hosts: files' >etc/nsswitch.conf
	echo '127.0.0.1 legacy' >etc/hosts
	: >etc/machine-id
	cp checkout/systemd/*@* .$units
	cat >.$units/served.service <<-END
	[Unit]
	SuccessAction=exit-force
	FailureAction=exit-force
	[Service]
	Type=oneshot
	ExecStart=/bin/sh /checkout/tests/servers/systemd.sh served
	StandardOutput=file:/out/verdicts
	StandardError=file:/out/errors
	END
	ip link set lo up
	mkdir old
	pivot_root . old
	umount -l old
	# It must touch neither the machine's modules nor its clock.
	exec setpriv --bounding-set=-sys_module,-sys_time,-sys_rawio \
	    env -i container=test PATH="$PATH" /lib/systemd/systemd \
	    --unit=served.service
}

fetch() { /checkout/tests/servers/webserver -f "$1" 5 | grep -q 'only IPv4'; }

# serve N: N web servers, each for one request, whose ports are $ports.
serve() {
	ports=
	while [ "$(echo "$ports" | wc -w)" -lt "$1" ]; do
		/checkout/tests/servers/webserver -n 1 >/run/port &
		until_true test -s /run/port
		ports="$ports $(cat /run/port)"
		rm /run/port
	done
}

# open PREFIX PORT...: start these instances.
open() {
	prefix=$1
	shift
	# shellcheck disable=SC2046
	systemctl start $(printf "$prefix@%s.socket " "$@")
}

left() { systemctl list-units --failed --plain --no-legend 'stfl-relay*'; }
sessions() { systemctl list-units --plain --no-legend 'stfl-relay@*.service'; }
journal() { journalctl -q -o cat -t stfl-relay; }

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

# Status 69: nobody listens there.
refused() { journal | grep -q 'end=refused'; }
idle() { [ -z "$(sessions)" ]; }
failed() {
	open stfl-relay 1
	fetch 1 2>/dev/null
	until_true refused && until_true idle && [ -z "$(left)" ]
}

# A denied call kills; and a name is looked up.  The second time the bytes are
# spliced.
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
	verdict "$said_failed" failed
	verdict "$said_hard" hard
}

finish() {
	# The groups inside vanish after their processes, but not at once.
	[ ! -d "$group" ] || until_true find "$group" -depth -type d -delete \
	    2>/dev/null
	umount "$dir/cgroup" 2>/dev/null
}

prepare() {
	cd "$(dirname "$0")/../.." || exit 2
	[ -n "${scratch:-}" ] || exec sh test.sh systemd
	dir=$scratch/systemd
	group=$dir/cgroup/stfl-relay-test.$$
	export RELAY dir
	mkdir -p "$dir/root" "$dir/cgroup" "$dir/units/stfl-relay@.service.d" || exit 2
	trap finish EXIT
	trap 'exit 2' HUP INT TERM
}

# silent SENTENCE COMMAND...
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
		# A unit's path may have no space.
		ln -s "$RELAY" "$dir/relay"
		for file in systemd/*@*; do
			sed "s,/usr/local/sbin/stfl-relay,$dir/relay," "$file" \
			    >"$dir/units/${file#*/}"
		done
		cp "$dir/units/stfl-relay@.socket" "$dir/units/stfl-relay@80.socket"
		cp systemd/hardening.conf "$dir/units/stfl-relay@.service.d"
		silent "$said_verify" systemd-analyze verify --man=no \
		    "$dir/units/stfl-relay@80.socket" "$dir/units/stfl-relay@.service"
		silent "$said_exposed" exposed
	fi
}

run_units() {
	why=
	if [ "$(id -u)" -ne 0 ]; then
		why='only root can start it'
	elif ! [ -x /lib/systemd/systemd ]; then
		why='systemd is not installed'
	elif ! grep -qs '^0\{31\}1 ' /proc/net/if_inet6; then
		why='there is no ::1 here'
	fi
	if [ -n "$why" ]; then
		skip_all "$why" "$said_ports" "$said_journal" "$said_default" \
		    "$said_failed" "$said_hard"
		return
	fi

	# In a cgroup of its own, systemd finds none of the machine's cgroups.
	# shellcheck disable=SC2016
	mount -t cgroup2 none "$dir/cgroup" && mkdir "$group" &&
	    timeout -s KILL 60 sh -c 'echo $$ >"$1/cgroup.procs" &&
		exec unshare -C -f -i -m -n -p -u --kill-child \
		    --propagation private sh tests/servers/systemd.sh begin' \
		sh "$group" >"$dir/console" 2>&1 </dev/null
	cat "$dir/verdicts" 2>/dev/null
	if ! grep -q " - $said_hard" "$dir/verdicts" 2>/dev/null; then
		echo "not ok - systemd runs the tests of its units to their end:" \
		    "$(tail -n 3 "$dir/console" | tr '\n' ' ')"
		status=1
	fi
	! grep -qs '^not ok' "$dir/verdicts" || status=1
}

case ${1:-} in
begin)
	begin
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
