# shellcheck shell=sh
# until_true COMMAND...: waits until COMMAND succeeds.  Fails after about ten
# seconds, which are counted in turns, because a clock may jump.
until_true() {
	turns=0
	until "$@"; do
		[ $((turns += 1)) -le 500 ] || return 1
		sleep 0.02
	done
}
