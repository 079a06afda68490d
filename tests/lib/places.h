/*
 * Separate surroundings for a test.  If they are impossible, the test is
 * skipped.
 */

#ifndef PLACES_H
#define PLACES_H

#include "test.h"

/*
 * apart: gives the test its own mounts and network, with loopback up.
 * give: adds an address to loopback; for IPv4 it adds the whole /24.  Call
 * apart first.
 * mount_over: mounts an empty directory over this path.  Call apart first.
 * put_file: writes this text into the file at this path.
 * empty_file: returns an open file without a name.
 * syslog_socket: calls apart, and makes a /dev that contains only a syslogd's
 * socket; returns that socket.
 * own_etc: calls apart, and makes an /etc that has only these hosts, and a
 * nameserver at 127.0.0.1.
 * name_socket: returns that nameserver's socket.
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
 * If the system has a log, execute this command in place of the caller, without
 * access to the log, because nothing under test may write there.  If there is
 * no log, or with HOST_LOG in the environment, this function returns.
 */
void	hide_log(char *command[]);

/*
 * From now on, packets to a socket are lost on the way.
 * lose: packets of at least this size are lost.
 * vanish: all packets are lost, so the socket no longer answers anything.
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
