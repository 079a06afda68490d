#!/bin/sh
# Print the given flags in order, but only those that the compiler and the
# linker know.  For example:
#
#	sh src/flags.sh "$(CC) $(CFLAGS) $(LDFLAGS)" -pie -Wl,-z,now
#
# The flags harden the program or make it smaller.  The program also works
# without them.

cc=$1
shift
dir=$(mktemp -d "${TMPDIR:-/tmp}/stfl-relay.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
echo 'int main(void) { return 0; }' >"$dir/none.c"

# $cc can be several words.  A flag that causes a warning counts as unknown.
# shellcheck disable=SC2086
known() { $cc -Werror "$@" -o "$dir/none" "$dir/none.c" 2>"$dir/said"; }

if ! known "$@"; then
	known || { cat "$dir/said" >&2; exit 1; }
	for flag; do
		shift
		if known "$flag"; then
			set -- "$@" "$flag"
		else
			echo "$flag is not known here: it is left out" >&2
		fi
	done
fi
echo "$*"
