#!/bin/sh
# Every rule and the random scripts once more, the other way round: IPv4 clients
# and IPv6 targets.
TARGET6=yes SCRIPTS=${SCRIPTS:-1000}
export TARGET6 SCRIPTS
for part in rules scripts; do
	"tests/$part"
	status=$?
	[ $status -le 1 ] || echo "not ok - tests/$part ended with status $status"
done | sed 's/ - /&to IPv6: /'
