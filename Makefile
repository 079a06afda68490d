# This is for POSIX make: GNU make, bmake and the makes of the BSDs all work.

CC = cc
MUSL_CC = musl-gcc
CPPFLAGS =
CFLAGS = -O2
LDFLAGS =

PREFIX = /usr/local
SBINDIR = $(PREFIX)/sbin
MANDIR = $(PREFIX)/share/man
SAMPLEDIR = $(PREFIX)/share/doc/stfl-relay/examples
UNITDIR = $(PREFIX)/lib/systemd/system
SAMPLEUSER = nobody
DESTDIR =

WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes
COMPILE = -std=c99 $(WARN) $(CPPFLAGS) $(CFLAGS)
# Flags that a compiler or linker does not know are left out (src/flags.sh).
HARDEN = -fPIE -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
HARDEN_LINK = -pie -Wl,-z,relro,-z,now
# One mapping for code and constants saves two page faults a session, and 4 KiB.
# The stack is never unwound.  Leaving out the tables for that saves 4 KiB more.
SMALL = -Wl,-z,noseparate-code -fno-asynchronous-unwind-tables

# Files that are for one system compile to nothing on the others.
SRC = stfl-relay.c src/address.c src/carry.c src/carry_linux.c \
	src/carry_other.c src/client.c src/confine.c src/confine_freebsd.c \
	src/confine_linux.c src/confine_openbsd.c src/confine_other.c \
	src/dial.c src/header.c src/log.c src/log_sun.c src/look.c \
	src/options.c src/pump.c src/report.c src/source.c src/target.c \
	src/tcp.c src/tcp_linux.c src/tcp_other.c src/wait.c \
	src/wait_kqueue.c
HDR = src/carry.h src/confine.h src/relay.h src/system.h

all: stfl-relay

#: make                the program, ./stfl-relay
#: make static         ./stfl-relay-static, which starts faster
#: make demo           see it work, with its own servers
#: make check          the tests, in about two minutes: tests/README.md
#: make lint           the linters
#: make install        also install-static, install-samples, uninstall
#: make bench          performance, compared with other programs
#: make check-faults check-load check-scripts
#:                     what make check samples, in full
#: make check-machines check-kernels check-systems
#:                     on other processors and other Linux kernels; builds for
#:                     other systems
#: make check-package  the packages, tested as root
#: make dist distcheck the tarball, and its tests
#: make clean
help:
	@sed -n 's/^#: //p' Makefile

static: stfl-relay-static

stfl-relay: $(SRC) $(HDR)
	flags=`sh src/flags.sh '$(CC) $(CFLAGS) $(LDFLAGS)' $(HARDEN) \
		$(HARDEN_LINK) $(SMALL)` && \
	$(CC) $$flags $(COMPILE) -o $@ $(SRC) $(LDFLAGS)

# musl's compiler wrapper hides the kernel's headers, so search these last.
# bench/unconfined shows what confinement costs.
stfl-relay-static bench/unconfined: $(SRC) $(HDR)
	if command -v $(MUSL_CC) >/dev/null 2>&1; then \
		set -- $(MUSL_CC) -idirafter /usr/include -idirafter \
		"/usr/include/$$($(CC) -print-multiarch 2>/dev/null)"; \
	else \
		set -- $(CC); \
	fi; \
	[ $@ = stfl-relay-static ] || set -- "$$@" -DNO_CONFINE; \
	flags=`sh src/flags.sh "$$* -static "'$(CFLAGS) $(LDFLAGS)' $(HARDEN) \
		$(SMALL)` && \
	"$$@" $$flags $(COMPILE) -static -o $@ $(SRC) $(LDFLAGS)

# The tests: see tests/README.md.  "make check RELAY=./stfl-relay-static" tests
# another build.  "make check PARTS='run scripts'" runs only these parts.

RELAY = ./stfl-relay
PARTS =
TOOLS = tests/run tests/scripts tests/system tests/servers/superserver \
	tests/servers/webserver tests/stfl-relay-bulk \
	tests/stfl-relay-strict tests/stfl-relay-probed

tools: $(TOOLS)

check: $(RELAY) $(TOOLS)
	RELAY=$(RELAY) sh test.sh $(PARTS)

LIB_OBJ = tests/lib/address.o tests/lib/calls.o tests/lib/lack.o \
	tests/lib/lines.o tests/lib/links.o tests/lib/patient.o \
	tests/lib/peers.o tests/lib/places.o tests/lib/relay.o \
	tests/lib/rows.o tests/lib/still.o tests/lib/system.o tests/lib/test.o \
	tests/lib/traced.o tests/lib/use.o
LIB_HDR = tests/lib/address.h tests/lib/calls.h tests/lib/lack.h \
	tests/lib/links.h tests/lib/patient.h tests/lib/peers.h \
	tests/lib/places.h tests/lib/relay.h tests/lib/rows.h \
	tests/lib/still.h tests/lib/test.h tests/lib/traced.h tests/lib/use.h
# The tests that take longest begin first.
TEST_OBJ = tests/session/forgotten.o tests/session/patience.o \
	tests/session/reset.o tests/session/flow.o tests/session/fin.o \
	tests/session/limits.o tests/session/pipe.o tests/session/urgent.o \
	tests/session/vanish.o \
	tests/start/chosen.o tests/start/dead.o tests/start/descriptors.o \
	tests/start/embedded.o tests/start/errors.o tests/start/inherited.o \
	tests/start/ipv6.o \
	tests/start/limits.o tests/start/log.o tests/start/loop.o \
	tests/start/messages.o tests/start/options.o tests/start/parent.o \
	tests/start/parents.o \
	tests/start/proxy.o tests/start/source.o tests/start/surroundings.o \
	tests/start/target.o tests/start/upgrade.o \
	tests/deep/faults.o tests/deep/errnos.o tests/deep/exchange.o \
	tests/deep/links.o tests/deep/icmp.o \
	tests/deep/confined.o tests/deep/filter.o tests/deep/inside.o \
	tests/docs/demo.o tests/deep/load.o
SCRIPT_OBJ = tests/deep/ends.o tests/deep/play.o tests/deep/script.o \
	tests/deep/scripts.o
TEST_CFLAGS = -O1

.SUFFIXES:
.SUFFIXES: .c .o
.c.o:
	$(CC) -std=c99 $(TEST_CFLAGS) $(WARN) -c -o $@ $<

$(LIB_OBJ) $(TEST_OBJ) $(SCRIPT_OBJ) tests/lib/run.o: $(LIB_HDR)
tests/deep/errnos.o tests/deep/faults.o: tests/deep/errnos.h
tests/deep/exchange.o tests/deep/faults.o: tests/deep/exchange.h
$(SCRIPT_OBJ): tests/deep/script.h

tests/run: $(TEST_OBJ) $(LIB_OBJ) tests/lib/run.o
	$(CC) -o $@ $(TEST_OBJ) $(LIB_OBJ) tests/lib/run.o

tests/scripts: $(SCRIPT_OBJ) $(LIB_OBJ)
	$(CC) -o $@ $(SCRIPT_OBJ) $(LIB_OBJ)

tests/servers/superserver: tests/servers/superserver.o $(LIB_OBJ)
	$(CC) -o $@ tests/servers/superserver.o $(LIB_OBJ)

tests/servers/webserver: tests/servers/webserver.o $(LIB_OBJ)
	$(CC) -o $@ tests/servers/webserver.o $(LIB_OBJ)

# This relay treats every flow as bulk.  It is strict, too: see the next relay.
tests/stfl-relay-bulk: $(SRC) $(HDR)
	$(CC) $(COMPILE) -DALL_BULK -DDENIED=SECCOMP_RET_KILL_PROCESS -o $@ \
		$(SRC) $(LDFLAGS)

# The strict relay is killed if it makes a system call that its filter denies.
tests/stfl-relay-strict: $(SRC) $(HDR)
	$(CC) $(COMPILE) -DDENIED=SECCOMP_RET_KILL_PROCESS -o $@ $(SRC) \
		$(LDFLAGS)

# This relay contains an intruder, who begins once the relay is confined.
PROBE = -Dpoll=probed_poll -Dprctl=probed_prctl -Dsyscall=probed_syscall \
	-Dpledge=probed_pledge -U_FORTIFY_SOURCE
INTRUDER = tests/deep/attempts.o tests/deep/probe.o
$(INTRUDER): tests/deep/attempts.h
tests/stfl-relay-probed: $(SRC) $(HDR) $(INTRUDER)
	$(CC) $(COMPILE) $(PROBE) -o $@ $(SRC) $(INTRUDER) $(LDFLAGS)

# This uses the program's code to check what the program needs of the system.
SYSTEM_SRC = tests/system.c tests/lib/ask.c src/tcp.c src/tcp_linux.c \
	src/tcp_other.c src/wait_kqueue.c
tests/system: $(SYSTEM_SRC) tests/lib/ask.h $(HDR)
	$(CC) -std=c99 $(TEST_CFLAGS) $(WARN) -o $@ $(SYSTEM_SRC)

# Try every fault ("make check" tries only some), and a long pause on the links.
check-faults: $(RELAY) $(TOOLS)
	RELAY=$(RELAY) FAULTS=all LINKS_PAUSE=10000 \
		tests/run deep/faults deep/links

# Run the load test at full size, which takes minutes.
check-load: $(RELAY) $(TOOLS)
	LOAD_AT_ONCE=$${LOAD_AT_ONCE:-10000} \
		LOAD_IN_ROW=$${LOAD_IN_ROW:-100000} RELAY=$(RELAY) \
		tests/run deep/load

# Play random scripts over both byte paths.  If a script fails, the output says
# how to play it again.
check-scripts: $(RELAY) $(TOOLS)
	for relay in $(RELAY) tests/stfl-relay-bulk; do \
		SCRIPTS=$${SCRIPTS:-20000} PATIENT=$${PATIENT:-20000} \
			RELAY=$$relay sh test.sh scripts patient || exit 1; \
	done

lint:
	sh tests/build/lint.sh

# Test on other processors and with other C libraries: see the script's head.
check-machines: tools
	sh tests/build/machines.sh

# Test under other kernels, each on an emulated machine.
check-kernels:
	sh tests/build/kernels.sh

# Build for other systems, with zig.  Nothing is run.
check-systems:
	sh tests/build/systems.sh

# Compare the performance with that of other programs: see bench/run.sh.

BENCH = bench/load bench/launch bench/floor bench/filtered bench/spliced \
	bench/unconfined
LOAD = bench/load.c bench/client.c bench/faults.c bench/common.c \
	bench/requests.c bench/server.c bench/sessions.c bench/stream.c \
	bench/streams.c bench/tree.c
LAUNCH = bench/launch.c bench/common.c

bench: stfl-relay stfl-relay-static $(BENCH)
	sh bench/run.sh

bench/load: $(LOAD) bench/bench.h bench/client.h
	$(CC) -std=c99 -O2 $(WARN) -o $@ $(LOAD)

bench/launch: $(LAUNCH) bench/bench.h
	$(CC) -std=c99 -O2 $(WARN) -o $@ $(LAUNCH)

# The floor has no libc.  It is left out on machines for which it does not
# build.
bench/floor bench/filtered: bench/floor.c
	-filter=; [ $@ = bench/floor ] || filter=-DFILTER; \
	$(CC) -std=c99 -Os $(WARN) $$filter -ffreestanding \
		-fno-stack-protector -fno-pie \
		-fno-asynchronous-unwind-tables -nostdlib -static \
		-Wl,--build-id=none -o $@ bench/floor.c

bench/spliced: bench/spliced.c
	$(CC) -std=c99 -O2 $(WARN) -o $@ bench/spliced.c

# "make demo TARGET=192.0.2.10:80 PORT=8080" shows the relay with your server.
demo: stfl-relay tests/servers/superserver tests/servers/webserver
	TARGET="$(TARGET)" PORT="$(PORT)" sh tests/docs/demo.sh

# Copy the program, then rename the copy: the installed one may be running.
install: stfl-relay
install-static: stfl-relay-static
install install-static: install-manual
	umask 022 && dir="$(DESTDIR)$(SBINDIR)" && mkdir -p "$$dir" && \
	case $@ in *static) cp stfl-relay-static "$$dir/.stfl-relay" ;; \
	*) cp stfl-relay "$$dir/.stfl-relay" ;; esac && \
	chmod 755 "$$dir/.stfl-relay" && \
	mv -f "$$dir/.stfl-relay" "$$dir/stfl-relay"

# In files that name the program's path, put the path where it is installed.
install-manual:
	umask 022 && dir="$(DESTDIR)$(MANDIR)/man8" && mkdir -p "$$dir" && \
	sed 's,/usr/local/sbin,$(SBINDIR),' man/stfl-relay.8 \
		>"$$dir/stfl-relay.8" && chmod 644 "$$dir/stfl-relay.8"

SAMPLES = inetd.conf.sample xinetd.d/http xinetd.d/https xinetd.d/imap \
	xinetd.d/pop3 xinetd.d/smtp xinetd.d/ssh systemd/hardening.conf \
	launchd/stfl-relay.http.plist
UNITS = stfl-relay@.service stfl-relay@.socket

# Packages need this in addition to "make install".  If a package has a user of
# its own, the samples run the services as that user.
install-samples:
	umask 022; for file in $(SAMPLES); do \
		to="$(DESTDIR)$(SAMPLEDIR)/$$file" && \
		mkdir -p "$${to%/*}" && \
		sed 's,/usr/local/sbin,$(SBINDIR),; s,nobody,$(SAMPLEUSER),' \
			$$file >"$$to" && \
		chmod 644 "$$to" || exit 1; \
	done
	umask 022; mkdir -p "$(DESTDIR)$(UNITDIR)"
	for file in $(UNITS); do \
		to="$(DESTDIR)$(UNITDIR)/$$file" && \
		sed 's,/usr/local/sbin,$(SBINDIR),' systemd/$$file >"$$to" && \
		chmod 644 "$$to" || exit 1; \
	done

# Remove everything that was installed, including samples and units.
uninstall:
	rm -f "$(DESTDIR)$(SBINDIR)/stfl-relay"
	rm -f "$(DESTDIR)$(MANDIR)/man8/stfl-relay.8"
	for file in $(SAMPLES); do rm -f "$(DESTDIR)$(SAMPLEDIR)/$$file"; done
	for file in $(UNITS); do rm -f "$(DESTDIR)$(UNITDIR)/$$file"; done

# Make a tarball of the commit that is checked out: the same bytes each time.
dist:
	version=$$(sed -n 's/^#define VERSION "\(.*\)"/\1/p' src/relay.h) && \
	git -c tar.umask=022 archive --prefix="stfl-relay-$$version/" HEAD | \
		gzip -9n >"stfl-relay-$$version.tar.gz"

# Check that the tarball is always the same, and passes its tests (or PARTS).
distcheck:
	PARTS="$(PARTS)" sh tests/build/dist.sh

# Test the packages.  Debian's is tested in a separate Debian.  This needs root.
check-package: tests/servers/webserver
	sh tests/build/package.sh

clean:
	rm -f stfl-relay stfl-relay-static $(TOOLS) tests/*/*.o
	rm -f $(BENCH) stfl-relay-*.tar.gz

.PHONY: all help lint static tools check check-faults check-load check-scripts \
	check-machines check-kernels check-systems bench demo install install-static \
	install-manual install-samples uninstall dist distcheck check-package \
	clean
