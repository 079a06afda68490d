#!/bin/sh
# Every rule and the random scripts once more, the other way round: IPv4 clients
# and IPv6 targets.
TARGET6=yes SCRIPTS=${SCRIPTS:-1000}
export TARGET6 SCRIPTS
{
	tests/rules
	tests/scripts
} | sed 's/ - /&to IPv6: /'
