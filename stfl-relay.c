/*
 * stfl-relay carries one accepted IPv6 connection to a server that speaks only
 * IPv4.  It can also carry an IPv4 connection to a server that speaks only
 * IPv6.  A super-server such as inetd starts one stfl-relay process per
 * connection.
 *
 * Each call in main() is one step of a session.  The code of the steps is in
 * src/.
 */

#include "src/relay.h"

struct session s SESSION_LAST;

int
main(int argc, char *argv[])
{
	inherit(&s);
	if (options_parse(&s, argc, argv) == 0 &&
	    client_take(&s) == 0 &&
	    target_find(&s) == 0 &&
	    dial(&s) == 0 &&
	    header(&s) == 0 &&
	    confine(&s) == 0)
		pump(&s);
	return report_exit(&s);
}
