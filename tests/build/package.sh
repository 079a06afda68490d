#!/bin/sh
# make check-package: build the Debian package from the tarball, install it in a
# clean, separate Debian, and purge it.  Also build an RPM.  This needs root,
# and dpkg-dev, debhelper, lintian, mmdebstrap, autopkgtest, rpm and systemd.
#
# package.sh in-network ROOT COMMAND...: what in_network, below, runs.

# shellcheck source=tests/lib/until.sh
. "$(dirname "$0")/../lib/until.sh"

# serve: starts a web server on $port.  fetch PORT: gets its page over IPv6.
serve() {
	tests/servers/webserver -n 1 >"$dir/port" &
	until_true test -s "$dir/port"
	port=$(cat "$dir/port")
}
fetch() { tests/servers/webserver -f "$1" 10 | grep -q 'only IPv4'; }
listening() { grep -q ":$(printf %04X "$1") [0-9A-F]*:0000 0A" /proc/net/tcp6; }

served() {
	serve
	sed -n "s/^http\(.*\) 80\$/$port\1 $port/p" \
	    "$root/usr/share/doc/stfl-relay/examples/inetd.conf.sample" \
	    >"$root/etc/inetd.conf"
	chroot "$root" /usr/sbin/inetd -d -i /etc/inetd.conf &
	until_true listening "$port" && fetch "$port"
}

if [ "${1:-}" = in-network ]; then
	root=$2
	shift 2
	# ps(1) needs /proc.
	ip link set lo up && mount -t proc proc "$root/proc" && "$@"
	exit
fi

cd "$(dirname "$0")/../.." || exit 2
dir=$(mktemp -d "${TMPDIR:-/tmp}/stfl-relay.XXXXXX") || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' HUP INT TERM
root=$dir/root
export dir
failed=0

# verdict SENTENCE COMMAND...
verdict() {
	sentence=$1
	shift
	if "$@" >"$dir/said" 2>&1; then
		echo "ok - $sentence"
	else
		echo "not ok - $sentence: $(tail -n 5 "$dir/said" | tr '\n' ' ')"
		failed=1
	fi
}

build() (
	make dist && gunzip -c stfl-relay-*.tar.gz | (cd "$dir" && tar xf -) &&
	    cd "$dir"/stfl-relay-* && cp -R packaging/debian debian &&
	    DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -us -uc
)

checked() {
	lintian --allow-root --pedantic --fail-on error,warning,pedantic \
	    "$dir"/*.changes && [ ! -s "$dir/said" ]
}

# On Debian, rpm finds neither systemd's macros nor the installed packages.
rpm() {
	rpmbuild -ta --nodeps --nocheck -D "_topdir $dir/rpm" \
	    -D '_unitdir /usr/lib/systemd/system' \
	    -D '_sysusersdir /usr/lib/sysusers.d' stfl-relay-*.tar.gz
}

# Unpack the RPM, and create its user as systemd does when rpm installs it.
rpm_user() (
	cd "$dir"/rpm/RPMS/* && rpm2archive stfl-relay-[0-9]*.rpm &&
	    mkdir -p root/etc && tar xzf stfl-relay-[0-9]*.tgz -C root &&
	    systemd-sysusers --root=root stfl-relay.conf &&
	    grep '^_stfl-relay:.*:/usr/sbin/nologin$' root/etc/passwd &&
	    grep 'user.*= _stfl-relay$' \
	        root/usr/share/doc/stfl-relay/examples/xinetd.d/http
)

# Make a Debian of the same release as this system, from the same mirror.
debian() {
	sources=
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources
	do
		[ ! -s $file ] || sources="$sources $file"
	done
	# shellcheck disable=SC2086
	mmdebstrap --variant=minbase \
	    --include=adduser,netcat-openbsd,openbsd-inetd,procps \
	    "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" \
	    "$root" $sources
}

# Print only names, because dpkg rewrites its lists.  Leave out logs, apt's
# lists and caches, and old versions of files, such as /etc/passwd-.
files() {
	find "$root" ! -name '*-old' ! -path "$root/etc/*-" \
	    ! -path "$root/var/log/*" \
	    ! -path "$root/var/cache/apt/*" ! -path "$root/var/lib/apt/*" | sort
}

installed() {
	cp "$dir"/stfl-relay_*.deb "$root/package.deb"
	chroot "$root" dpkg -i /package.deb
	status=$?
	rm "$root/package.deb"
	return $status
}

in_place() (
	cd "$root" && test -x usr/sbin/stfl-relay &&
	    test -f usr/share/doc/stfl-relay/examples/inetd.conf.sample &&
	    test -f usr/share/doc/stfl-relay/examples/xinetd.d/http &&
	    test -f lib/systemd/system/stfl-relay@.socket &&
	    test -f usr/share/man/man8/stfl-relay.8.gz &&
	    ! chroot . dpkg -L stfl-relay | grep -e ^/etc -e ^/var &&
	    ! grep -r -e usr/local -e nobody \
	        usr/share/doc/stfl-relay/examples \
	        lib/systemd/system/stfl-relay@*
)

in_network() {
	unshare -f -m -n -p --kill-child sh tests/build/package.sh in-network \
	    "$root" "$@"
}

# Run the package's own tests on the installed package, so that nothing is
# downloaded.  A separate network is all the isolation that these tests need.
own_tests() {
	in_network autopkgtest -B --ignore-restrictions=isolation-container \
	    "$dir"/stfl-relay-*/ -- chroot "$root"
}

user() {
	grep '^_stfl-relay:.*:/nonexistent:/usr/sbin/nologin$' \
	    "$root/etc/passwd"
}

# Here, a script stands for systemctl(1), and notes how it was called.
enabled=etc/systemd/system/sockets.target.wants
closed() {
	mkdir -p "$root/run/systemd/system" "$root/$enabled"
	ln -s '/lib/systemd/system/stfl-relay@.socket' \
	    "$root/$enabled/stfl-relay@80.socket"
	# shellcheck disable=SC2016	# for the inner shell
	printf '#!/bin/sh\necho "$@" >>/calls\n' \
	    >"$root/usr/local/bin/systemctl"
	chmod 755 "$root/usr/local/bin/systemctl"
	chroot "$root" dpkg --remove stfl-relay
	status=$?
	rm "$root/usr/local/bin/systemctl"
	rmdir -p "$root/run/systemd/system" 2>/dev/null
	[ $status -eq 0 ] &&
	    grep -Fx 'stop stfl-relay@*.socket' "$root/calls" &&
	    rm "$root/calls"
}

# The files that rm removes are inetd's and adduser's, not the package's.
purged() {
	chroot "$root" dpkg --purge stfl-relay || return
	rm -f "$root/etc/inetd.conf" "$root/run/inetd.pid" "$root/run/adduser"
	rmdir -p "$root/$enabled" 2>/dev/null
	files >"$dir/after" && diff "$dir/before" "$dir/after" && user
}

verdict 'two commands make a Debian package of the tarball' build
verdict 'lintian has nothing to say' checked
verdict 'rpmbuild makes an RPM of the tarball' rpm
verdict 'the RPM creates the user _stfl-relay, and its samples name this user' \
    rpm_user
verdict 'a clean Debian with openbsd-inetd can be had' debian
rm -f "$root/etc/inetd.conf"
files >"$dir/before"
verdict 'dpkg installs the package there' installed
verdict 'program, manual, samples and units are in their places' in_place
verdict 'the package has created the user _stfl-relay, without home and shell' \
    user
verdict "inetd serves a request with the installed sample's line" \
    in_network served
verdict "Debian's own tests of the package pass" own_tests
verdict 'when the package is removed, systemd closes its sockets' closed
verdict 'dpkg purges the package, and leaves only its user' purged
[ $failed -eq 0 ]
