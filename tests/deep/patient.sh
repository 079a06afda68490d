#!/bin/sh
# The patient random scripts, as they are and where packets get lost: side by
# side, for they mostly wait.  PATIENT is the number of the former.

PATIENT=${PATIENT:-450}

run() {
	tests/scripts "$@"
	status=$?
	[ $status -le 1 ] ||
	    echo "not ok - tests/scripts $* ended with status $status"
}

# No "&", for what is started so ignores SIGINT.
{
	run -p -n "$PATIENT" >&3 3>&- | run -l -n $((PATIENT / 3 + 1)) 3>&-
} 3>&1
