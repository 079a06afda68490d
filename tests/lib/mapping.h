/*
 * The program's own mapping of -s, to be called more often than a relay could
 * be started.  It is src/source.c, linked to the tests.
 */

#ifndef MAPPING_H
#define MAPPING_H

#include <sys/socket.h>

#include <netinet/in.h>

struct in_addr mapped(const struct sockaddr *client, struct in_addr network,
	    int len);

#endif
