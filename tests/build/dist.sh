#!/bin/sh
# make distcheck: test the tarball of the commit that is checked out.

cd "$(dirname "$0")/../.." || exit 2
dir=$(mktemp -d "${TMPDIR:-/tmp}/stfl-relay.XXXXXX") || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 2' HUP INT TERM
failed=0

said='the packages have the version of the program'
version=$(sed -n 's/^#define VERSION "\(.*\)"/\1/p' src/relay.h)
if grep -q "^stfl-relay ($version) " packaging/debian/changelog &&
    grep -q "^Version: *$version\$" packaging/rpm/stfl-relay.spec; then
	echo "ok - $said"
else
	echo "not ok - $said"
	failed=1
fi

said='two tarballs of one commit are equal to the byte'
# Make the second in another place, time zone and umask, and from older files.
if ! why=$(make dist 2>&1 && git clone -q . "$dir/clone" 2>&1 &&
    cd "$dir/clone" && touch -t 200001010000 ./* && umask 077 &&
    TZ=Asia/Tokyo make dist 2>&1); then
	echo "not ok - $said: $why"
	failed=1
else
	tarball=$(ls "$dir"/clone/*.tar.gz)
	if cmp "$tarball" "${tarball##*/}"; then
		echo "ok - $said"
	else
		echo "not ok - $said"
		failed=1
	fi
fi

said='the tarball builds and passes its tests on its own'
if gunzip -c "${tarball##*/}" | (cd "$dir" && tar xf -) &&
    cd "$dir"/stfl-relay-* && make check PARTS="${PARTS:-}"; then
	echo "ok - $said"
else
	echo "not ok - $said"
	failed=1
fi
exit $failed
