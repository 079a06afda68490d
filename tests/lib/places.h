/*
 * Surroundings of its own for a test; a skip where that cannot be.
 */

#ifndef PLACES_H
#define PLACES_H

#include "test.h"

/*
 * apart: from here on it has its own mounts and network, loopback up.
 * give: one more address for loopback, once apart; of IPv4 its /24.
 * mount_over: an empty directory there, once apart.
 * put_file: these are the contents of that file.
 * empty_file: one without a name.
 * syslog_socket: apart, in an empty /dev with a syslogd's socket, given here.
 * own_etc: apart, in an /etc with nothing but these hosts, and a nameserver at
 * 127.0.0.1.  name_socket: that nameserver's socket.
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
 * Where the system has a log, run this command instead of the caller, with no
 * way to it: nothing that is tested is to write there.  Else it returns, and so
 * it does with HOST_LOG in the environment.
 */
void	hide_log(char *command[]);

/*
 * What comes to a socket and is lost on the way: packets of that size or more;
 * all of them (vanish: it answers nothing any more).
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
