#!/bin/sh
# Every rule and the random scripts once more, with every flow taken for bulk.
RELAY=$PWD/tests/stfl-relay-bulk
PATIENT=${PATIENT:-150}
export RELAY PATIENT
{
	for part in rules patience scripts; do
		"tests/$part"
		status=$?
		[ $status -le 1 ] ||
		    echo "not ok - tests/$part ended with status $status"
	done
	sh tests/patient.sh
} | sed 's/ - /&in bulk: /'
