# shellcheck shell=sh
# A separate systemd, for systemd.sh and recipes.sh, which read this file first
# (with .).  That systemd is process 1 of new namespaces, whose root directory
# has the system's /usr (read-only) and little else.
#
# booted PART: starts that systemd, keeps its files in $dir, and prints the
# output of the tests.  In the namespaces, booted calls "PART.sh begin", which
# calls "begin PART".  That builds the root and then executes systemd.  The only
# unit of this systemd runs "PART.sh served", which has the tests.

# shellcheck disable=SC2034
units=/etc/systemd/system

# begin PART: builds the new root, to which PART.sh's furnish adds files.
# shellcheck disable=SC2154
begin() {
	set -e
	cd "$(dirname "$0")/../.."
	mount -t tmpfs none "$dir/root"
	top=$PWD
	cd "$dir/root"
	mkdir dev etc etc/default etc/systemd etc/systemd/system proc \
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
	# Writing to /proc/sys would affect the whole machine.
	mount --bind proc/sys proc/sys
	mount -o remount,bind,ro proc/sys
	mount -t sysfs -o ro none sys
	mount -t cgroup2 none sys/fs/cgroup
	# Without this, systemd would mount the machine's /dev and put its own
	# log there.
	mount -t tmpfs -o mode=755 none dev
	ln -s pts/ptmx dev/ptmx
	for file in null zero full random urandom tty; do
		: >dev/$file
		mount --bind /dev/$file dev/$file
	done
	mount -t tmpfs none run
	cp /etc/passwd /etc/group /etc/ld.so.cache etc
	echo 'passwd: files systemd
	group: files systemd
	hosts: files' >etc/nsswitch.conf
	: >etc/machine-id
	cp checkout/systemd/*@* .$units
	cat >.$units/served.service <<-END
	[Unit]
	SuccessAction=exit-force
	FailureAction=exit-force
	[Service]
	Type=oneshot
	ExecStart=/bin/sh /checkout/tests/servers/$1.sh served
	StandardOutput=file:/out/verdicts
	StandardError=file:/out/errors
	END
	furnish
	ip link set lo up
	mkdir old
	pivot_root . old
	umount -l old
	# Systemd must not touch the machine's modules or clock.
	exec setpriv --bounding-set=-sys_module,-sys_time,-sys_rawio \
	    env -i container=test PATH="$PATH" \
	    TEST_SLOW="${TEST_SLOW:-1}" /lib/systemd/systemd \
	    --unit=served.service
}

# no_systemd: prints the reason if systemd cannot be started.
no_systemd() {
	if [ "$(id -u)" -ne 0 ]; then
		echo 'only root can start systemd'
	elif ! [ -x /lib/systemd/systemd ]; then
		echo 'systemd is not installed'
	elif ! grep -qs '^0\{31\}1 ' /proc/net/if_inet6; then
		echo 'there is no ::1 here'
	fi
}

# In a separate cgroup, this systemd sees none of the machine's processes.
booted() {
	group=$dir/cgroup/stfl-relay-$1.$$
	mkdir -p "$dir/root" "$dir/cgroup" || exit 2
	# shellcheck disable=SC2016
	mount -t cgroup2 none "$dir/cgroup" && mkdir "$group" &&
	    timeout -s KILL $((120 * ${TEST_SLOW:-1})) sh -c 'echo $$ >"$1/cgroup.procs" &&
		exec unshare -C -f -i -m -n -p -u --kill-child \
		    --propagation private sh "tests/servers/$2.sh" begin' \
		sh "$group" "$1" >"$dir/console" 2>&1 </dev/null
	cat "$dir/verdicts" 2>/dev/null
}

# unbooted: removes the cgroups as soon as their processes have ended.
unbooted() {
	[ -n "${group:-}" ] || return
	[ ! -d "$group" ] || until_true find "$group" -depth -type d -delete \
	    2>/dev/null
	umount "$dir/cgroup" 2>/dev/null
}
