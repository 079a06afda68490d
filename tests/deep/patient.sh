#!/bin/sh
# Runs patient random scripts: one run without lost packets, and one run with
# lost packets.  The two runs go on at the same time, because the scripts mostly
# wait.  PATIENT is the number of scripts without lost packets.

PATIENT=${PATIENT:-450}

run() {
	tests/scripts "$@"
	status=$?
	[ $status -le 1 ] ||
	    echo "not ok - tests/scripts $* ended with status $status"
}

# This is a pipeline, because a command that is started with "&" ignores SIGINT.
{
	run -p -n "$PATIENT" >&3 3>&- | run -l -n $((PATIENT / 3 + 1)) 3>&-
} 3>&1
