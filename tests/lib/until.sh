# shellcheck shell=sh
# until_true COMMAND...: waits until COMMAND succeeds.  Fails after about ten
# seconds, which are counted in turns, because a clock may jump.  TEST_SLOW=4
# makes that four times as long.
until_true() {
	turns=0
	until "$@"; do
		[ $((turns += 1)) -le $((500 * ${TEST_SLOW:-1})) ] || return 1
		sleep 0.02
	done
}
