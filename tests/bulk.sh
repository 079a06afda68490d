#!/bin/sh
# Every rule and the random scripts once more, with every flow taken for bulk.
RELAY=$PWD/tests/stfl-relay-bulk
export RELAY
{
	tests/rules
	tests/scripts
} | sed 's/ - /&in bulk: /'
