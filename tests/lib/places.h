/*
 * Separate surroundings for a test.  If the system does not allow them, the
 * test is skipped.
 */

#ifndef PLACES_H
#define PLACES_H

#include "test.h"

/*
 * apart: gives the test its own mounts and network, with loopback up.
 * give: adds an address to the loopback interface; with an IPv4 address, the
 * whole /24 is added.  Call apart first.
 * mount_over: mounts an empty directory over this path.  Call apart first.
 * put_file: writes this text into the file at this path.
 * empty_file: returns an open, empty file that has no name.
 * syslog_socket: calls apart, makes a /dev that contains nothing but a socket
 * for syslogd, and returns this socket.
 * own_etc: calls apart, and makes an /etc with only these hosts, in which the
 * nameserver is 127.0.0.1.
 * name_socket: returns the socket at which this nameserver gets its queries.
 */
void	apart(void);
void	give(const char *address);
void	mount_over(const char *path);
void	put_file(const char *path, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));
int	empty_file(void);
int	syslog_socket(void);
void	own_etc(const char *hosts);
int	name_socket(void);

/*
 * Programs under test must not write into the system's log.  So this function
 * hides the log and executes this command, which replaces the caller.  The
 * function returns only if there is no log, if HOST_LOG is in the environment,
 * or if the system is not Linux.
 */
void	hide_log(char *command[]);

/*
 * From now on, packets to this socket are lost.
 * lose: loses packets of at least this size.
 * vanish: loses all packets, so the socket no longer answers.
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
