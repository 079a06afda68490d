/*
 * Both peers of a session are real sockets on loopback.  These functions make
 * them, send on them, and check what arrives.  No function waits for bytes, FIN
 * or RST without a time limit.
 */

#ifndef PEERS_H
#define PEERS_H

#include "test.h"

#include <netinet/in.h>

/* True if accept(2) also returns a connection that has already been reset. */
#ifdef __linux__
enum { ACCEPTS_RESET = 1 };
#else
enum { ACCEPTS_RESET = 0 };
#endif

enum { KIB = 1024, MIB = 1024 * KIB };

/* How a peer's stream ends. */
enum ending { FIN, RST, NOTHING };

/*
 * Clients are at ::1 and targets at 127.0.0.1.  With TARGET6 in the
 * environment, clients are at 127.0.0.1 and targets at ::1.  target_host
 * returns the target's address, for the relay's command line.
 */
int	client_family(void);
int	target_family(void);
const char *target_host(void);

/*
 * Sockets.  `family' is AF_INET (127.0.0.1) or AF_INET6 (::1).
 * need_ipv6: skips the test if there is no ::1.  All other functions that need
 * ::1 do the same.
 * refuse_on: reserves a port on which nothing is listening.
 * congest: fills the queue of a listener whose backlog is 0.  The listener then
 * answers no SYN until the test accepts the connection that is in the queue
 * (*filler).
 * blackhole: returns a listener that answers no SYN.
 * fill: sends until the kernel takes no more bytes, and returns how many bytes
 * the kernel has taken.
 * unacked: the number of bytes that the peer's kernel has not acknowledged.
 */
void	need_ipv6(void);
int	listen_on(int family);
int	listen_at(const char *address, int port, int backlog);
int	listen_dual(void);	/* for IPv6 and IPv4, on any address */
int	refuse_on(int family);
int	port_of(int fd);
int	peer_port(int fd);
int	connect_to(int family, int port);
int	accept_from(int listener);
void	socket_pair(int family, int *ours, int *theirs);
void	congest(int listener, int *filler);
int	blackhole(void);
int	readable(int fd, int ms);

/* Bytes.  Byte i of stream n is stream_byte(n, i). */
unsigned char stream_byte(unsigned, uint64_t);
void	send_all(int fd, const void *, size_t);
void	send_stream(int fd, unsigned stream, uint64_t from, size_t);
void	recv_exactly(int fd, void *, size_t);
void	expect_stream(int fd, unsigned stream, uint64_t from, size_t);
uint64_t fill(int fd, unsigned stream);
uint64_t unacked(int fd);

/*
 * Ends.
 * expect_reset: expects RST, even after FIN.  (After FIN, recv(2) does not
 * report RST.)
 * finish: sends FIN, with shutdown(2).
 * reset_now: sends RST, with SO_LINGER 0 and close(2).
 * converse: sends bytes and FIN from the first socket to the second, and then
 * from the second to the first.
 * wait_acked: waits until the peer's kernel has acknowledged everything.
 */
void	expect_end(int fd, enum ending);
void	expect_reset(int fd);
enum ending ending(int fd, int ms);
void	finish(int fd);
void	reset_now(int *fd);
void	converse(int, int);
void	wait_acked(int fd);

/*
 * Run f(fd, stream, 0, size) in a separate process while the test goes on.  A
 * test that sends more than 60 KiB has to send them in this way, because on
 * some systems the buffers between the two peers hold no more than that.
 */
pid_t	aside(void (*f)(int, unsigned, uint64_t, size_t), int, unsigned,
	    size_t);
void	expect_done(pid_t);

#ifndef TEST_LIBRARY
#define need_ipv6(...) HERE(need_ipv6(__VA_ARGS__))
#define listen_on(...) HERE(listen_on(__VA_ARGS__))
#define listen_at(...) HERE(listen_at(__VA_ARGS__))
#define listen_dual(...) HERE(listen_dual(__VA_ARGS__))
#define refuse_on(...) HERE(refuse_on(__VA_ARGS__))
#define port_of(...) HERE(port_of(__VA_ARGS__))
#define peer_port(...) HERE(peer_port(__VA_ARGS__))
#define connect_to(...) HERE(connect_to(__VA_ARGS__))
#define accept_from(...) HERE(accept_from(__VA_ARGS__))
#define socket_pair(...) HERE(socket_pair(__VA_ARGS__))
#define congest(...) HERE(congest(__VA_ARGS__))
#define blackhole(...) HERE(blackhole(__VA_ARGS__))
#define readable(...) HERE(readable(__VA_ARGS__))
#define send_all(...) HERE(send_all(__VA_ARGS__))
#define send_stream(...) HERE(send_stream(__VA_ARGS__))
#define recv_exactly(...) HERE(recv_exactly(__VA_ARGS__))
#define expect_stream(...) HERE(expect_stream(__VA_ARGS__))
#define fill(...) HERE(fill(__VA_ARGS__))
#define unacked(...) HERE(unacked(__VA_ARGS__))
#define expect_end(...) HERE(expect_end(__VA_ARGS__))
#define expect_reset(...) HERE(expect_reset(__VA_ARGS__))
#define ending(...) HERE(ending(__VA_ARGS__))
#define finish(...) HERE(finish(__VA_ARGS__))
#define reset_now(...) HERE(reset_now(__VA_ARGS__))
#define converse(...) HERE(converse(__VA_ARGS__))
#define wait_acked(...) HERE(wait_acked(__VA_ARGS__))
#define aside(...) HERE(aside(__VA_ARGS__))
#define expect_done(...) HERE(expect_done(__VA_ARGS__))
#endif

#endif
