#!/bin/sh
# Run the tests under Debian's kernels of several versions and architectures,
# each in a virtual machine that contains only the tests and busybox.
#
#	sh tests/build/kernels.sh [KERNEL...]	such as amd64-6.12; default: all
#
#	WORK='tests/run deep/inside'	what runs there, one command per line
#	KERNELS=../stfl-relay-kernels	where kernels are kept
#	KERNEL_LOG=yes			show everything that the machines print
#
# The clock of a virtual machine advances with the instructions that the machine
# executes (-icount), so a busy host makes no test too slow.  apt-get fetches
# the packages from this host's mirror, with separate lists and a separate
# cache.  Nothing is installed.

cd "$(dirname "$0")/../.." || exit 2
CC=${CC:-cc}
KERNELS=${KERNELS:-$PWD/../stfl-relay-kernels}
ALL='amd64-5.10 amd64-6.1 amd64-6.12 amd64-newest arm64-5.10 arm64-6.1
arm64-6.12 arm64-16k armhf-6.12 riscv64-6.12 s390x-6.1 ppc64el-6.1'
[ -n "${WORK:-}" ] || WORK='tests/system
tests/run session/ start/ deep/confined deep/filter deep/inside
tests/scripts -n 300
RELAY=tests/stfl-relay-bulk tests/scripts -n 300'

dir=$(mktemp -d "${TMPDIR:-/tmp}/stfl-relay.XXXXXX") || exit 2
# When this script ends, end the processes that it started, by their IDs.
trap 'kill $(cat "$dir"/*.pid 2>/dev/null) 2>/dev/null; rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$KERNELS" && KERNELS=$(cd "$KERNELS" && pwd) || exit 2

have() { command -v "$1" >/dev/null 2>&1; }

# With CI=true, a skip is a failure.
skip() {
	if [ "${CI:-}" = true ]; then
		echo "not ok - $1: $2"
	else
		echo "ok - $1 # SKIP $2"
	fi
}

# Set what a kernel needs: the Debian suite, the compiler and the emulator.
describe() {
	machine=${1%-*} image=linux-image-${1%-*} options=
	case $1 in
	*-5.10) suite=bullseye ;;
	*-6.1) suite=bookworm ;;
	*-6.12 | *-16k) suite=trixie ;;
	*-newest) suite=forky ;;
	esac
	case $1 in
	amd64-*) cc=$CC emulator=x86_64 tty=ttyS0 options='-M q35 -cpu max' ;;
	arm64-*)
		cc=aarch64-linux-gnu-gcc emulator=aarch64 tty=ttyAMA0
		# Kernels before 5.12 do not boot with LPA2.
		options='-M virt -cpu max,lpa2=off,pauth-impdef=on'
		[ "$1" != arm64-16k ] || image=linux-image-arm64-16k
		;;
	armhf-*)
		cc=arm-linux-gnueabihf-gcc emulator=arm tty=ttyAMA0
		options='-M virt -cpu cortex-a15' image=linux-image-armmp
		;;
	riscv64-*)
		cc=riscv64-linux-gnu-gcc emulator=riscv64 tty=ttyS0
		options='-M virt'
		;;
	s390x-*)
		cc=s390x-linux-gnu-gcc emulator=s390x tty=ttysclp0
		options='-cpu max'
		;;
	ppc64el-*)
		cc=powerpc64le-linux-gnu-gcc emulator=ppc64 tty=hvc0
		options='-M pseries,x-vof=on -cpu power9 -vga none'
		image=linux-image-powerpc64le
		;;
	*) return 1 ;;
	esac
}

# Configure apt for one suite and one architecture, in a separate directory.
apt_for() {
	apt=$dir/apt.$1.$2
	mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/preferences"
	: >"$apt/status"
	site=$(apt-get indextargets --format "\$(SITE)" | head -n 1)
	keys=/usr/share/keyrings/debian-archive-keyring.gpg
	echo "deb [signed-by=$keys arch=$2] $site $1 main" >"$apt/sources.list"
	cat >"$apt/apt.conf" <<-END
	Dir::State "$apt";
	Dir::State::status "$apt/status";
	Dir::Cache "$apt";
	Dir::Etc::sourcelist "$apt/sources.list";
	Dir::Etc::sourceparts "$apt/none";
	Dir::Etc::preferences "$apt/none";
	Dir::Etc::preferencesparts "$apt/preferences";
	APT::Architecture "$2";
	APT::Architectures { "$2"; };
	APT::Sandbox::User "root";
	Acquire::Languages "none";
	Acquire::Check-Valid-Until "false";
	END
}

# depends NAME PACKAGE: prints the first dependency of PACKAGE whose name begins
# with NAME.  If there is none, it prints PACKAGE.  If PACKAGE is empty, it
# prints NAME.
depends() {
	if [ -z "$2" ]; then
		echo "$1"
		return
	fi
	name=$(apt-cache depends "$2" | sed -n "s/^ *Depends: \($1.*\)/\1/p" |
	    head -n 1)
	echo "${name:-$2}"
}

# Get the kernel as KERNEL.boot and a shell as MACHINE.busybox, unless they are
# there.
fetch() (
	[ ! -f "$KERNELS/$1.boot" ] || [ ! -f "$KERNELS/$machine.busybox" ] ||
	    exit 0
	apt_for "$suite" "$machine"
	APT_CONFIG=$apt/apt.conf
	export APT_CONFIG
	apt-get -qq update || exit
	cd "$apt" || exit
	# Follow the dependencies to the package that contains the kernel.
	for name in "$image" linux-image- linux-image- linux-binary-; do
		package=$(depends "$name" "${package:-}")
	done
	apt-get -qq download "$package" busybox-static || exit
	for file in linux-*.deb busybox-static_*.deb; do
		dpkg-deb --fsys-tarfile "$file" | tar xf - --wildcards \
		    '*/vmlinu[xz]*' '*bin/busybox' 2>/dev/null
	done
	find . -type f -name busybox -exec mv {} "$KERNELS/$machine.busybox" \; &&
	    find . -type f -name 'vmlinu*' -exec mv {} "$KERNELS/$1.boot" \;
	[ -f "$KERNELS/$1.boot" ] && [ -f "$KERNELS/$machine.busybox" ]
) >"$dir/$1.fetched" 2>&1

# Build the program and its tests for a machine, as $dir/MACHINE.initrd.
prepare() (
	umask 022
	root=$dir/$machine
	mkdir "$root" "$dir/$machine.src" || exit
	cp -R Makefile stfl-relay.c src tests "$dir/$machine.src" &&
	    cd "$dir/$machine.src" || exit
	make -s clean
	make -s stfl-relay tools CC="$cc -static" HARDEN_LINK= || exit
	mkdir "$root/bin" "$root/relay" || exit
	tar cf - stfl-relay tests/run tests/scripts tests/system \
	    tests/stfl-relay-* tests/servers/superserver |
	    tar xf - -C "$root/relay" &&
	    cp "$KERNELS/$machine.busybox" "$root/bin/busybox" || exit
	chmod 755 "$root/bin/busybox"
	cat >"$root/init" <<-'END'
	#!/bin/busybox sh
	/bin/busybox mkdir -p /proc /sys /dev /etc /tmp
	/bin/busybox --install -s /bin
	PATH=/bin
	export PATH
	mount -t proc none /proc
	mount -t sysfs none /sys
	mount -t devtmpfs none /dev
	mkdir -p /dev/pts
	mount -t devpts -o ptmxmode=0666 none /dev/pts
	mount -t tmpfs -o mode=1777 none /tmp
	ln -s /proc/self/fd /dev/fd
	ip link set lo up
	ulimit -n 4096
	printf '127.0.0.1 localhost\n::1 localhost\n' >/etc/hosts
	echo 'multi on' >/etc/host.conf
	echo 'hosts: files' >/etc/nsswitch.conf
	printf 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' \
	    >/etc/passwd
	echo 'http 80/tcp' >/etc/services
	echo "# $(uname -r -m), pages of $(awk '/^MMUPageSize/ {
	    print $2, $3; exit }' /proc/self/smaps)"
	cd /relay
	while read -r command; do
		sh -c "$command" </dev/null
		status=$?
		[ $status -le 1 ] ||
		    echo "not ok - $command ended with status $status"
	done </work
	echo '# this is all'
	poweroff -f
	END
	chmod 755 "$root/init"
	echo "$WORK" >"$root/work"
	cd "$root" && find . | cpio -o -H newc 2>/dev/null | gzip -1 >"$root.initrd"
) >"$dir/$machine.made" 2>&1

# Prepare everything needed to boot a kernel, or print why that is impossible.
ready() {
	if ! describe "$1"; then
		echo "not ok - there is no kernel $1: $ALL"
		return 1
	fi
	said="the tests pass on $1"
	if ! have "qemu-system-$emulator" || ! have "$cc" || ! have cpio; then
		skip "$said" "no qemu-system-$emulator, $cc or cpio"
	elif ! have apt-get && [ ! -f "$KERNELS/$1.boot" ]; then
		skip "$said" "no apt-get that would fetch it"
	elif ! fetch "$1"; then
		echo "not ok - $said: $(tail -n 1 "$dir/$1.fetched")"
	elif [ ! -f "$dir/$machine.initrd" ] && ! prepare; then
		echo "not ok - $said: $(grep -m 1 error: "$dir/$machine.made")"
	else
		return 0
	fi
	return 1
}

boot() {
	# shellcheck disable=SC2086	# words
	timeout 3000 "qemu-system-$emulator" $options -smp 1 -m 2048 \
	    -icount shift=0,sleep=on -nographic -monitor none -serial stdio \
	    -net none -no-reboot -kernel "$KERNELS/$1.boot" \
	    -initrd "$dir/$machine.initrd" \
	    -append "console=$tty quiet loglevel=1 panic=-1" </dev/null \
	    >"$dir/$1.says" 2>&1 &
	echo $! >"$dir/$1.pid"
	wait $!
	rm "$dir/$1.pid"
	tr -d '\r' <"$dir/$1.says" >"$dir/$1.log"
}

# Print the results, one line per sentence.
report() {
	[ -z "${KERNEL_LOG:-}" ] || cat "$dir/$1.log"
	sed -n "s/^\(ok\|not ok\) - /&on $1: /p; s/^# /&$1: /p" "$dir/$1.log"
	grep -q '^# this is all' "$dir/$1.log" ||
	    echo "not ok - the tests break off on $1 after: $(tail -n 1 \
	    "$dir/$1.log")"
	printf '# %s: %d passed, %d failed, %d skipped\n' "$1" \
	    "$(grep '^ok - ' "$dir/$1.log" | grep -vc '# SKIP')" \
	    "$(grep -c '^not ok - ' "$dir/$1.log")" \
	    "$(grep -c '# SKIP' "$dir/$1.log")"
}

# shellcheck disable=SC2086	# words
[ $# -gt 0 ] || set -- $ALL
# Run two kernels at a time.
n=0
{
	for kernel; do
		ready "$kernel" || continue
		{
			boot "$kernel"
			report "$kernel"
		} &
		n=$((n + 1))
		[ $((n % 2)) -ne 0 ] || wait
	done
	wait
} | tee "$dir/all"
! grep -q '^not ok' "$dir/all"
