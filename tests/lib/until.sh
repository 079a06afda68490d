# shellcheck shell=sh
# until_true COMMAND...: as soon as it is true, or false after some ten seconds,
# by the count of its turns, for clocks may jump.
until_true() {
	turns=0
	until "$@"; do
		[ $((turns += 1)) -le 500 ] || return 1
		sleep 0.02
	done
}
