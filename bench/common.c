/* The launcher and the load generator use this file. */

#include "bench.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <err.h>
#include <string.h>
#include <unistd.h>

/* Set the descriptor limit to 65536 or, if that fails, to the hard limit. */
void
raise_limit(void)
{
	struct rlimit r;

	r.rlim_cur = r.rlim_max = 65536;
	if (setrlimit(RLIMIT_NOFILE, &r) == -1 &&
	    getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &r);
	}
}

/* Returns a listening socket on [::1], or -1 if the port is taken. */
int
listen_six(int port)
{
	struct sockaddr_in6 in6;
	int fd, on;

	on = 1;
	memset(&in6, 0, sizeof in6);
	in6.sin6_family = AF_INET6;
	in6.sin6_addr = in6addr_loopback;
	in6.sin6_port = htons((in_port_t)port);
	if ((fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == -1)
		err(1, "socket");
	if (bind(fd, (struct sockaddr *)&in6, sizeof in6) == -1 ||
	    listen(fd, 4096) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}
