/*
 * Links that go down.  A router connects the relay with the far peers; the near
 * peers are on the router itself.  The relay, the router and the far peers each
 * have a network namespace.  Two sessions run at the same time.  In one
 * session, only the client is far; in the other session, only the target is
 * far.
 */

#ifndef LINKS_H
#define LINKS_H

#include "address.h"
#include "relay.h"

/*
 * The network namespaces in which a socket can be.  The relay is in RELAY.  The
 * near peers are in ROUTER, and the far peers are in FAR.  Only the link
 * between ROUTER and FAR goes down.  Clients connect to the relay at fd00::1.
 */
enum place { RELAY, ROUTER, FAR, PLACES };
#define TARGET_NEAR "10.0.0.2"
#define TARGET_FAR "10.0.1.2"

/* The two sessions.  The index is the side that is far: CLIENT or TARGET. */
extern struct session far_sessions[2];
#define far_fd(far) far_sessions[far].fd[far]
#define near_fd(far) far_sessions[far].fd[!far]

/*
 * make_links: creates these namespaces and the links between them, and moves
 * the test to RELAY.
 * go_to: from now on, the test opens its sockets in this place.
 * begin_far: starts both sessions with these values of -k and -t, and waits
 * until each near peer has received 1000 bytes from its far peer.
 * begin_links: calls make_links, then begin_far with -k 1 and -t 0.
 * link_down: takes the link down, and then returns the time.
 * route_away: makes the router answer packets to the far peers with ICMP
 * "unreachable", until route_back is called.
 * send_near: makes each near peer send this number of bytes of stream 3.
 */
void	make_links(void);
void	go_to(enum place);
void	begin_far(const char *keepalive, const char *half_closed);
void	begin_links(void);
int64_t	link_down(void);
void	link_up(void);
void	route_away(void);
void	route_back(void);
void	send_near(size_t);

#ifndef TEST_LIBRARY
#define make_links(...) HERE(make_links(__VA_ARGS__))
#define go_to(...) HERE(go_to(__VA_ARGS__))
#define begin_far(...) HERE(begin_far(__VA_ARGS__))
#define begin_links(...) HERE(begin_links(__VA_ARGS__))
#define link_down(...) HERE(link_down(__VA_ARGS__))
#define link_up(...) HERE(link_up(__VA_ARGS__))
#define route_away(...) HERE(route_away(__VA_ARGS__))
#define route_back(...) HERE(route_back(__VA_ARGS__))
#define send_near(...) HERE(send_near(__VA_ARGS__))
#endif

#endif
