#!/bin/sh
# Those of these flags that the compiler and its linker know, in their order:
#
#	sh src/flags.sh "$(CC)" -pie -Wl,-z,now
#
# They harden the program, and make it smaller; it does without.

cc=$1
shift
dir=$(mktemp -d "${TMPDIR:-/tmp}/stfl-relay.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
echo 'int main(void) { return 0; }' >"$dir/none.c"

# CC may be several words, and a warning is a no.
# shellcheck disable=SC2086
known() { $cc -Werror "$@" -o "$dir/none" "$dir/none.c" >/dev/null 2>&1; }

if ! known "$@"; then
	for flag; do
		shift
		! known "$flag" || set -- "$@" "$flag"
	done
fi
echo "$*"
