#!/bin/sh
# Run the linters, which print nothing if they find nothing.  If a linter is not
# installed, this script says so.  With CI=true, that is also a failure.

cd "$(dirname "$0")/../.." || exit 2
failed=0

# lint COMMAND ARGUMENT...
lint() {
	if command -v "$1" >/dev/null 2>&1; then
		"$@" || failed=1
	else
		echo "lint: $1 is not installed" >&2
		[ "${CI:-}" != true ] || failed=1
	fi
}

lint mandoc -T lint -W warning man/stfl-relay.8
lint shellcheck -s sh test.sh src/*.sh tests/*/*.sh bench/*.sh \
	packaging/debian/postinst packaging/debian/tests/inetd
lint shellcheck .ci/run
# plistutil prints errors, but its exit status does not show them.
said=$(lint plistutil -i launchd/stfl-relay.http.plist -o /dev/null 2>&1)
[ -z "$said" ] || { echo "$said"; failed=1; }
lint cppcheck --quiet --std=c99 --enable=warning,performance,portability \
	--suppress=missingIncludeSystem --suppress=toomanyconfigs \
	--error-exitcode=1 stfl-relay.c src
# clang-tidy always prints how many warnings it suppressed: show only failures.
said=$(lint clang-tidy --quiet --warnings-as-errors='*' \
	--checks=-clang-analyzer-valist.Uninitialized \
	stfl-relay.c src/*.c -- -std=c99 2>&1
	exit $failed) || { echo "$said"; failed=1; }
exit $failed
