/*
 * Separate surroundings for a test: mounts, a network, an /etc, a log.  The
 * test is skipped if the system does not allow them.
 */

#ifndef PLACES_H
#define PLACES_H

#include "test.h"

/*
 * apart: gives the test separate mounts and a separate network, in which
 * loopback is up.
 * give: adds an address to the loopback interface.  If it is an IPv4 address,
 * the whole /24 is added.  Call apart first.
 * wait_for_address: waits until a connection to this new IPv6 address can
 * begin.  Linux sets up the address in a work queue, after the call that adds
 * it has returned.
 * mount_over: mounts an empty directory over this path.  Call apart first.
 * put_file: writes this text into the file at this path.
 * empty_file: returns an open, empty file that has no name.
 * syslog_socket: calls apart, makes a /dev that contains only syslogd's socket,
 * and returns this socket.
 * own_etc: calls apart, and makes an /etc in which these are the only hosts and
 * the nameserver is 127.0.0.1.
 * name_socket: returns a socket that receives the queries to this nameserver.
 */
void	apart(void);
void	give(const char *address);
void	wait_for_address(const char *address);
void	mount_over(const char *path);
void	put_file(const char *path, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));
int	empty_file(void);
int	syslog_socket(void);
void	own_etc(const char *hosts);
int	name_socket(void);

/*
 * Hides the system's log, so that programs under test cannot write into it, and
 * then executes this command in the same process.  The function returns only if
 * there is no log, if HOST_LOG is in the environment, or if the system is not
 * Linux.
 */
void	hide_log(char *command[]);

/*
 * These functions make a socket lose packets that arrive for it.
 * lose: from now on, packets of at least this size are lost.
 * lose_nothing: from now on, no packet is lost.
 * vanish: from now on, all packets are lost, so the socket no longer answers.
 */
void	lose(int fd, unsigned size);
void	lose_nothing(int fd);
void	vanish(int fd);

#ifndef TEST_LIBRARY
#define apart(...) HERE(apart(__VA_ARGS__))
#define give(...) HERE(give(__VA_ARGS__))
#define mount_over(...) HERE(mount_over(__VA_ARGS__))
#define put_file(...) HERE(put_file(__VA_ARGS__))
#define empty_file(...) HERE(empty_file(__VA_ARGS__))
#define syslog_socket(...) HERE(syslog_socket(__VA_ARGS__))
#define own_etc(...) HERE(own_etc(__VA_ARGS__))
#define name_socket(...) HERE(name_socket(__VA_ARGS__))
#define lose(...) HERE(lose(__VA_ARGS__))
#define lose_nothing(...) HERE(lose_nothing(__VA_ARGS__))
#define vanish(...) HERE(vanish(__VA_ARGS__))
#endif

#endif
