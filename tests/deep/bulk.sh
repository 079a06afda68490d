#!/bin/sh
# Runs the tests in session/ and start/ and the random scripts once more, with a
# relay that treats every flow as bulk.
RELAY=$PWD/tests/stfl-relay-bulk
PATIENT=${PATIENT:-150}
export RELAY PATIENT
{
	for command in 'run session/ start/' scripts; do
		# shellcheck disable=SC2086	# words
		tests/$command
		status=$?
		[ $status -le 1 ] ||
		    echo "not ok - tests/$command ended with status $status"
	done
	sh tests/deep/patient.sh
} | sed 's/ - /&in bulk: /'
