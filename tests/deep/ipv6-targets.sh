#!/bin/sh
# Runs most tests in session/, some in start/, and the random scripts once more,
# with the protocols swapped: IPv4 clients and IPv6 targets.
TARGET6=yes SCRIPTS=${SCRIPTS:-1000}
export TARGET6 SCRIPTS
for command in 'run session/fin session/flow session/limits session/reset
    session/urgent session/vanish start/log start/loop start/options
    start/parent.c start/target' scripts; do
	# shellcheck disable=SC2086	# words
	tests/$command
	status=$?
	[ $status -le 1 ] || echo "not ok - tests/$command ended with status $status"
done | sed 's/ - /&to IPv6: /'
