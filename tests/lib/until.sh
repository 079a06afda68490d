# shellcheck shell=sh
# until_true COMMAND...: wait until COMMAND succeeds.  Fails after about ten
# seconds, counted in turns, because clocks may jump.
until_true() {
	turns=0
	until "$@"; do
		[ $((turns += 1)) -le 500 ] || return 1
		sleep 0.02
	done
}
