#!/bin/sh
# Compile and link the program and its tests for other systems, without a
# warning.  The headers and libraries are those of zig(1).  Nothing is run.
#
#	sh tests/build/systems.sh [SYSTEM...]
#
#	ZIG=../stfl-relay-zig	where tests/build/debian.sh has put zig 0.16

cd "$(dirname "$0")/../.." || exit 2
ZIG=${ZIG:-$PWD/../stfl-relay-zig}/node_modules/.bin/zig
[ -x "$ZIG" ] || ZIG=zig
[ $# -gt 0 ] || set -- openbsd freebsd netbsd macos

dir=$(mktemp -d "${TMPDIR:-/tmp}/stfl-relay.XXXXXX") || exit 2
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
failed=0

for system; do
	sentence="it compiles and links for $system without a warning, tests and all"
	if ! "$ZIG" version >"$dir/said" 2>&1; then
		if [ "${CI:-}" = true ]; then
			echo "not ok - $sentence: no zig"
			failed=1
		else
			echo "ok - $sentence # SKIP no zig"
		fi
		continue
	fi
	# Use a copy, so that no object file of another system is linked.
	mkdir "$dir/$system"
	cp -R Makefile stfl-relay.c src tests "$dir/$system"
	if (cd "$dir/$system" && make -s clean &&
	    make stfl-relay tools CC="$ZIG cc -target x86_64-$system" \
		CFLAGS='-O2 -Werror' TEST_CFLAGS='-O1 -Werror') \
	    >"$dir/said" 2>&1; then
		echo "ok - $sentence"
	else
		echo "not ok - $sentence: $(grep -m 1 error "$dir/said")"
		failed=1
	fi
done
exit $failed
