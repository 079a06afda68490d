# shellcheck shell=sh
# until_true COMMAND...: returns as soon as it is true, or false after some ten
# seconds, counted in turns because clocks may jump.
until_true() {
	turns=0
	until "$@"; do
		[ $((turns += 1)) -le 500 ] || return 1
		sleep 0.02
	done
}
