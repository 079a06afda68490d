#define TEST_LIBRARY
#include "address.h"
#include "places.h"

#include <sys/ioctl.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <net/if.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/mount.h>
#include <sys/stat.h>

#include <linux/filter.h>
#include <sched.h>
#endif

static int
vwrite_file(const char *path, const char *format, va_list ap)
{
	char text[512];
	int fd, n;

	n = vsnprintf(text, sizeof text, format, ap);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd == -1 || write(fd, text, (size_t)n) != n)
		return -1;
	return close(fd);
}

void
put_file(const char *path, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (vwrite_file(path, format, ap) == -1)
		skip("%s: %s", path, strerror(errno));
	va_end(ap);
}

int
empty_file(void)
{
	char path[] = "/tmp/stfl-relay.XXXXXX";
	int fd;

	fd = mkstemp(path);
	if (fd == -1 || unlink(path) == -1)
		fail("%s: %s", path, strerror(errno));
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

int
syslog_socket(void)
{
	struct sockaddr_un sun;
	int fd;

	apart();
	mount_over("/dev");
	memset(&sun, 0, sizeof sun);
	sun.sun_family = AF_UNIX;
	strcpy(sun.sun_path, "/dev/log");
	fd = private_socket(AF_UNIX, SOCK_DGRAM, 0);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sun, sizeof sun) == -1)
		fail("/dev/log: %s", strerror(errno));
	return fd;
}

/*
 * Make an /etc in which these are the only hosts and the nameserver is
 * 127.0.0.1.
 */
void
own_etc(const char *hosts)
{
	apart();
	mount_over("/etc");
	put_file("/etc/host.conf", "multi on\n");
	put_file("/etc/hosts", "%s", hosts);
	put_file("/etc/nsswitch.conf", "hosts: files dns\nservices: files\n");
	put_file("/etc/resolv.conf",
	    "nameserver 127.0.0.1\noptions timeout:20 ndots:0\n");
}

/* Returns a socket that receives the queries to this nameserver. */
int
name_socket(void)
{
	struct sockaddr_in in;
	int fd;

	memset(&in, 0, sizeof in);
	in.sin_family = AF_INET;
	in.sin_port = htons(53);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = private_socket(AF_INET, SOCK_DGRAM, 0);
	if (fd == -1 || bind(fd, (struct sockaddr *)&in, sizeof in) == -1)
		fail("nameserver: %s", strerror(errno));
	return fd;
}

#ifdef __linux__
static int __attribute__((format(printf, 2, 3)))
write_file(const char *path, const char *format, ...)
{
	va_list ap;
	int result;

	va_start(ap, format);
	result = vwrite_file(path, format, ap);
	va_end(ap);
	return result;
}

static void
loopback_up(void)
{
	struct ifreq ifr;
	int fd;

	memset(&ifr, 0, sizeof ifr);
	memcpy(ifr.ifr_name, "lo", 3);
	ifr.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd == -1 || ioctl(fd, SIOCSIFFLAGS, &ifr) == -1)
		skip("no loopback interface of our own: %s", strerror(errno));
	close(fd);
}

void
apart(void)
{
	int flags;
	unsigned uid, gid;

	flags = CLONE_NEWNS | CLONE_NEWNET;
	uid = getuid();
	gid = getgid();
	if (unshare(flags) == -1) {
		if (unshare(CLONE_NEWUSER | flags) == -1)
			skip("neither root nor a user namespace");
		put_file("/proc/self/setgroups", "deny");
		put_file("/proc/self/uid_map", "0 %u 1", uid);
		put_file("/proc/self/gid_map", "0 %u 1", gid);
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		skip("no private mounts: %s", strerror(errno));
	loopback_up();
}

/*
 * Hide the log with a mount.  A user other than root first enters a new user
 * namespace, in which the user ID stays the same.  The command that is executed
 * later has no privileges in this namespace, because execve(2) drops the
 * privileges of a user who is not root.
 */
static int
log_hidden(void)
{
	unsigned uid, gid;

	uid = getuid();
	gid = getgid();
	if (uid == 0) {
		if (unshare(CLONE_NEWNS) == -1)
			return -1;
	} else {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == -1 ||
		    write_file("/proc/self/setgroups", "deny") == -1 ||
		    write_file("/proc/self/uid_map", "%u %u 1", uid, uid) ==
		    -1 ||
		    write_file("/proc/self/gid_map", "%u %u 1", gid, gid) == -1)
			return -1;
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		return -1;
	return mount("/dev/null", "/dev/log", NULL, MS_BIND, NULL);
}

void
hide_log(char *command[])
{
	struct stat st;

	if (getenv("HOST_LOG") != NULL || stat("/dev/log", &st) == -1 ||
	    !S_ISSOCK(st.st_mode))
		return;
	if (log_hidden() == -1) {
		fprintf(stderr, "the tests would write into this system's log, "
		    "and it cannot be hidden from them (%s): run them as root, "
		    "or with HOST_LOG=yes to let them write\n",
		    strerror(errno));
		exit(2);
	}
	execvp(command[0], command);
	perror(command[0]);
	exit(2);
}

static void
allowed(int result, const char *text)
{
	if (result == -1)
		skip("%s on the loopback interface: %s", text, strerror(errno));
}

/*
 * bind(2) fails until the address is usable, and connect(2) fails until there
 * is a route to it.
 */
void
wait_for_address(const char *text)
{
	union address a;
	int64_t end;
	int fd;

	a = address(text, 4096);
	a.in6.sin6_scope_id = if_nametoindex("lo");	/* for fe80::/10 */
	fd = private_socket(AF_INET6, SOCK_DGRAM, 0);
	end = milliseconds() + SOON;
	while (bind(fd, &a.sa, sizeof a.in6) == -1 ||
	    connect(fd, &a.sa, sizeof a.in6) == -1) {
		if ((errno != EADDRNOTAVAIL && errno != ENETUNREACH) ||
		    milliseconds() > end)
			fail("%s: %s", text, strerror(errno));
		close(fd);
		fd = private_socket(AF_INET6, SOCK_DGRAM, 0);
		pause_for(1);
	}
	close(fd);
}

void
give(const char *text)
{
	/*
	 * This structure is also in <linux/ipv6.h>, but that header conflicts
	 * with <netinet/in.h>.
	 */
	struct {
		struct in6_addr address;
		uint32_t len;
		int interface;
	} in6;
	static int aliases;
	struct ifreq ifr;
	union address a;
	int fd;

	a = address(text, 0);
	fd = socket(a.sa.sa_family, SOCK_DGRAM, 0);
	if (a.sa.sa_family == AF_INET6) {
		in6.address = a.in6.sin6_addr;
		in6.len = 128;
		in6.interface = (int)if_nametoindex("lo");
		allowed(ioctl(fd, SIOCSIFADDR, &in6), text);
		wait_for_address(text);
	} else {
		memset(&ifr, 0, sizeof ifr);
		snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "lo:%d", ++aliases);
		memcpy(&ifr.ifr_addr, &a.in, sizeof a.in);
		allowed(ioctl(fd, SIOCSIFADDR, &ifr), text);
		a = address("255.255.255.0", 0);
		memcpy(&ifr.ifr_netmask, &a.in, sizeof a.in);
		allowed(ioctl(fd, SIOCSIFNETMASK, &ifr), text);
	}
	close(fd);
}

void
mount_over(const char *path)
{
	if (mount("none", path, "tmpfs", 0, NULL) == -1)
		skip("cannot mount on %s: %s", path, strerror(errno));
}

void
lose(int fd, unsigned size)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, size, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)
	};
	struct sock_fprog program = { 4, code };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
	    sizeof program) == -1)
		skip("SO_ATTACH_FILTER: %s", strerror(errno));
}

void
lose_nothing(int fd)
{
	int unused = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused,
	    sizeof unused) == -1)
		fail("SO_DETACH_FILTER: %s", strerror(errno));
}
#else
/*
 * The log cannot be hidden on this system.  Set HOST_LOG, so that the programs
 * that the caller starts do not try to hide the log either.
 */
void
hide_log(char *command[])
{
	(void)command;
	setenv("HOST_LOG", "yes", 1);
}

void
apart(void)
{
	skip("needs Linux namespaces");
}

void
give(const char *text)
{
	skip("%s: needs Linux namespaces", text);
}

void
wait_for_address(const char *text)
{
	skip("%s: needs Linux namespaces", text);
}

void
mount_over(const char *path)
{
	skip("%s: needs Linux namespaces", path);
}

void
lose(int fd, unsigned size)
{
	(void)fd;
	(void)size;
	skip("no way to lose packets");
}

void
lose_nothing(int fd)
{
	(void)fd;
}
#endif

void
vanish(int fd)
{
	lose(fd, 0);
}
