#!/bin/sh
# Measure stfl-relay and other programs that do the same work.  All of them are
# called peers.  They are measured on this machine, in one run, and under the
# same load (load.c).  The same launcher (launch.c) starts them.  load.c says
# what each row measures, and how.
#
#   sh bench/run.sh                          everything, in about an hour
#   ROUNDS=3 ROWS="down setup1" ONLY="static socat" sh bench/run.sh
#
# ROUNDS   the number of rounds (5).  In a round, each row has two turns: one
#          through the peers in order, and one in reverse order.  But the row
#          down has four turns, rows of many streams have one, and idle and held
#          have one in every other round
# ROWS     some of the rows in load.c; the default is ALL_ROWS below
# ONLY     some of the peers, by the short names below
# LAST     seconds that one measurement lasts (0.7)
# AS       the user who runs the peers, if root measures (root)
# OUT      write OUT.tsv and OUT.svg.  By default, OUT is bench/results if
#          everything is measured; if only a part is, no files are written.
#          bench/RESULTS.md also has bench/ordinary.tsv, of a run with AS=nobody
#
# Measurements on a busy machine vary, so each row has several turns through all
# peers.  A figure is the median of all turns.  A ratio is the value of
# stfl-relay (static) divided by the peer's.  It is computed for each turn,
# because there the two values are close in time.  The result is the median of
# these ratios.
#
# As root, measure in a separate network namespace, whose connections use reno:
# bbr, the default of some systems, estimates less than half of the rate that a
# stream could reach over loopback, with or without a relay.
#
# First look for the faults of each peer, and print them with its figures,
# because a relay that drops a reply has less to do.

cd "$(dirname "$0")/.." || exit 1
PATH=$PATH:/usr/sbin:/sbin
control=/proc/sys/net/ipv4/tcp_congestion_control
if [ -z "${OWN_NETWORK:-}" ] && unshare -n true 2>/dev/null; then
	OWN_NETWORK=yes exec unshare -n sh bench/run.sh
fi
if [ -n "${OWN_NETWORK:-}" ]; then
	ip link set lo up && echo reno >$control || exit 1
fi
ALL_PEERS='direct floor filtered spliced unconfined relay static socat nc redir
simpleproxy xinetd proxyd haproxy 6tunnel rinetd'
ALL_ROWS='down up down10 down100 down300 up10 up100 up300 ask1 ask8 ask50 setup1
setup4 rtt idle held0 held1000 held5000'
ROUNDS=${ROUNDS:-5}
if [ -z "${ONLY:-}${ROWS:-}" ]; then
	OUT=${OUT:-bench/results}
fi
ONLY=$(echo "${ONLY:-$ALL_PEERS}" | tr ',\n' '  ')
ROWS=$(echo "${ROWS:-$ALL_ROWS}" | tr ',\n' '  ')
LAST=${LAST:-0.7}

for word in $ONLY; do
	case " $(echo "$ALL_PEERS" | tr '\n' ' ') " in *" $word "*) ;; *)
		echo "no such peer: $word; there are: $ALL_PEERS" >&2
		exit 2 ;;
	esac
done
for word in $ROWS; do
	case ${word%%[0-9]*} in ask | down | held | idle | rtt | setup | up) ;; *)
		echo "no such row: $word; there are: $ALL_ROWS" >&2
		exit 2 ;;
	esac
done

scratch=$(mktemp -d "${TMPDIR:-/tmp}/stfl-bench.XXXXXX") || exit 1
chmod 755 "$scratch"	# for the user that AS names

# If this kernel has memory cgroups and we may create one, the peers run in it:
# the row idle-all is what the kernel charges to this cgroup.
group=
unset MEMORY
for at in /sys/fs/cgroup /sys/fs/cgroup/memory; do
	mkdir "$at/stfl-bench.$$" 2>/dev/null || continue
	group=$at/stfl-bench.$$
	for file in memory.current memory.usage_in_bytes; do
		[ ! -r "$group/$file" ] || export MEMORY="$group/$file"
	done
	[ -z "${MEMORY:-}" ] || break
	rmdir "$group"
	group=
done
disband() {
	tries=50
	until [ -z "$group" ] || rmdir "$group" 2>/dev/null ||
	    [ $((tries -= 1)) -eq 0 ]; do
		sleep 0.1
	done
}

pid=
stop() {
	[ -z "$pid" ] || kill -s KILL -- "-$pid" 2>/dev/null ||
	    kill -s KILL "$pid" 2>/dev/null
	[ -z "$pid" ] || wait "$pid" 2>/dev/null
	pid=
}
trap 'stop; disband; rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

# Print the program of a peer, or nothing if it is not installed.
program() {
	case $1 in
	direct)	echo bench/load ;;
	floor | filtered | spliced | unconfined)
		[ ! -x "bench/$1" ] || echo "bench/$1" ;;
	relay)	[ ! -x stfl-relay ] || echo ./stfl-relay ;;
	static)	[ ! -x stfl-relay-static ] || echo ./stfl-relay-static ;;
	nc)	# the one that has -N
		command -v nc.openbsd ;;
	proxyd)	for at in /lib/systemd /usr/lib/systemd; do
			[ ! -x $at/systemd-socket-proxyd ] || {
				echo $at/systemd-socket-proxyd
				break
			}
		done ;;
	*)	command -v "$1" ;;
	esac
}

title() {
	case $1 in
	direct)	echo 'direct connection' ;;
	floor)	echo 'the floor' ;;
	filtered) echo 'the floor, with a filter' ;;
	spliced) echo 'splice and nothing else' ;;
	unconfined) echo 'static, unconfined' ;;
	relay)	echo 'stfl-relay, shared' ;;
	static)	echo 'stfl-relay, static' ;;
	nc)	echo 'nc -N' ;;
	redir)	echo 'redir --inetd' ;;
	simpleproxy) echo 'simpleproxy -i' ;;
	xinetd)	echo 'xinetd redirect' ;;
	proxyd)	echo 'systemd-socket-proxyd' ;;
	haproxy) echo 'haproxy, splice' ;;
	*)	echo "$1" ;;
	esac
}

# How a peer is started: exec (for each session), daemon (once) or none (it is
# only a reference).
kind() {
	case $1 in
	direct | filtered | spliced | unconfined) echo none ;;
	xinetd | proxyd | haproxy | 6tunnel | rinetd) echo daemon ;;
	*)	echo exec ;;
	esac
}

# Start a peer that listens on [::1]:$front and connects to 127.0.0.1:$target.
start() {
	p=$(program "$1")
	case $1 in
	direct)	front=0; return ;;
	floor | filtered | spliced | unconfined | relay | static)
		set -- "$front" "$p" 127.0.0.1 "$target" ;;
	socat)	set -- "$front" "$p" STDIO "TCP4:127.0.0.1:$target" ;;
	nc)	set -- "$front" "$p" -n -N 127.0.0.1 "$target" ;;
	redir)	set -- "$front" "$p" --inetd "127.0.0.1:$target" ;;
	simpleproxy)
		set -- "$front" "$p" -i -R "127.0.0.1:$target" ;;
	xinetd)	cat >"$scratch/conf" <<-END
			service bench
			{
				type = UNLISTED
				socket_type = stream
				protocol = tcp
				flags = IPv6
				bind = ::1
				port = $front
				wait = no
				user = ${AS:-$(id -un)}
				redirect = 127.0.0.1 $target
				instances = UNLIMITED
				per_source = UNLIMITED
				cps = 1000000 1
				log_type = FILE /dev/null
			}
		END
		set -- 0 "$p" -dontfork -f "$scratch/conf" \
		    -pidfile "$scratch/pid" ;;
	proxyd)	activate=$(command -v systemd-socket-activate)
		set -- 0 "$activate" -l "[::1]:$front" "$p" \
		    --connections-max=20000 "127.0.0.1:$target" ;;
	haproxy) cat >"$scratch/conf" <<-END
			global
				maxconn 6000
			defaults
				mode tcp
				option splice-request
				option splice-response
				timeout connect 10s
				timeout client 1h
				timeout server 1h
			listen bench
				bind [::1]:$front
				server target 127.0.0.1:$target
		END
		set -- 0 "$p" -db -f "$scratch/conf" ;;
	6tunnel) set -- 0 "$p" -d -4 -6 -l ::1 "$front" 127.0.0.1 "$target" ;;
	rinetd)	echo "::1 $front 127.0.0.1 $target" >"$scratch/conf"
		set -- 0 "$p" -f -c "$scratch/conf" ;;
	esac
	# shellcheck disable=SC2086	# a user and options, or nothing
	# shellcheck disable=SC2016	# for the inner shell
	sh -c 'echo $$ >"$0"; exec "$@"' \
	    "${group:-$scratch}/cgroup.procs" \
	    ${AS:+setpriv --reuid $AS --regid $(id -g $AS) --clear-groups} \
	    bench/launch "$@" >"$scratch/said" 2>&1 </dev/null &
	pid=$!
}

# Measure one row of a peer, which is started for that.
measure() {
	# shellcheck disable=SC2046	# two words
	set -- "$1" "$2" $(bench/load ports 2)
	front=$3 target=$4
	start "$2"
	bench/load -d "$LAST" "$1" "$front" "$target" "${pid:-0}" \
	    >"$scratch/values" || {
		[ -s "$scratch/values" ] ||
		    echo "$1 - fails" >"$scratch/values"
	}
	stop
}

# Write raw results: turn, row, peer, value, note.
note() {
	while read -r name value reason; do
		printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$name" "$2" "$value" \
		    "$reason"
	done <"$scratch/values" >>"$scratch/raw"
}

began=$(date +%s)
peers=
for peer in $ONLY; do
	if [ -z "$(program "$peer")" ]; then
		echo "$(title "$peer"): not installed"
		printf '0\tmissing\t%s\t-\tnot installed\n' "$peer" \
		    >>"$scratch/raw"
		continue
	fi
	peers="$peers $peer"
done

# A peer that carries no session is not measured.
printf 'faults:'
sound=
for peer in $peers; do
	measure faults "$peer"
	read -r _ words <"$scratch/values"
	case $words in
	-*)	words=${words#- }
		what=missing ;;
	*)	sound="$sound $peer"
		what=faults ;;
	esac
	printf ' %s: %s;' "$peer" "$words"
	printf '0\t%s\t%s\t-\t%s\n' "$what" "$peer" "$words" >>"$scratch/raw"
done
echo
peers=$sound

# Take one turn: measure this row of each peer, in the order given.
turn() {
	printf 'round %d of %d, %s:' "$round" "$ROUNDS" "$row"
	while [ $# -gt 0 ]; do
		case $row-$1 in
		setup?-unconfined | setup?-filtered) ;;
		down*-spliced | up*-spliced) ;;
		idle-direct | *-unconfined | *-filtered | *-spliced)
			shift; continue ;;
		esac
		measure "$row" "$1"
		note "$count" "$1"
		printf ' %s' "$1"
		while read -r name value reason; do
			printf ' %s' "$value${reason:+ $reason}"
		done <"$scratch/values"
		printf ';'
		shift
	done
	echo
}

there=$peers
back=
for peer in $peers; do back="$peer $back"; done
round=1
while [ "$round" -le "$ROUNDS" ]; do
	for row in $ROWS; do
		turns=2
		case $row in
		idle | held*) [ $((round % 2)) -eq 1 ] || continue
			turns=1 ;;
		down?* | up?*) turns=1 ;;
		down)	turns=4 ;;	# its results are closest
		esac
		# Each value has the number of its turn.  A ratio is between two
		# values with the same number.
		count=$(((round - 1) * turns))
		while [ "$count" -lt $((round * turns)) ]; do
			count=$((count + 1))
			if [ $(((count + round / 2) % 2)) -eq 1 ]; then
				# shellcheck disable=SC2086	# a list
				turn $there
			else
				# shellcheck disable=SC2086	# a list
				turn $back
			fi
		done
	done
	round=$((round + 1))
done

# Describe the machine, for those who read the figures later.
machine() {
	sed -n 's/^model name[^:]*: /# processor: /p' /proc/cpuinfo |
	    sed 1q
	echo "# $(grep -c ^processor /proc/cpuinfo) cores," \
	    "$(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' \
	    /proc/meminfo), $(uname -srm)"
	[ ! -r /etc/os-release ] ||
	    sed -n 's/^PRETTY_NAME="*\([^"]*\)"*/# \1/p' /etc/os-release
	# shellcheck disable=SC2016	# dpkg-query's own words
	! command -v dpkg-query >/dev/null 2>&1 ||
	    dpkg-query -W -f '# ${Package} ${Version}\n' socat netcat-openbsd \
	    redir simpleproxy xinetd systemd haproxy 6tunnel rinetd 2>/dev/null
	[ ! -r $control ] || echo "# congestion control: $(cat $control)"
	awk '/^Max open files/ { print "# at most " $5 " descriptors a process" }' \
	    /proc/self/limits
	echo "# $(date -u +%Y-%m-%d), $ROUNDS rounds of $LAST s," \
	    "as ${AS:-$(id -un)}"
}

# Measure the size without symbols, in KiB.
for peer in $peers; do
	case $peer in relay | static) ;; *) continue ;; esac
	strip -o "$scratch/stripped" "$(program "$peer")" 2>/dev/null || continue
	printf '1\tsize\t%s\t%s\t\n' "$peer" \
	    "$(wc -c <"$scratch/stripped" | awk '{ print $1 / 1024 }')" \
	    >>"$scratch/raw"
done

for peer in $ALL_PEERS; do
	printf '%s\t%s\t%s\n' "$peer" "$(title "$peer")" "$(kind "$peer")"
done >"$scratch/peers"
{
	machine
	awk -f bench/results.awk "$scratch/peers" "$scratch/raw"
} >"$scratch/tsv"
awk -f bench/table.awk "$scratch/tsv"
awk -f bench/goals.awk "$scratch/tsv"
echo
if [ -n "${OUT:-}" ]; then
	cp "$scratch/tsv" "$OUT.tsv"
	echo "written: $OUT.tsv"
	[ "$OUT" != bench/results ] ||
	    sh bench/markdown.sh "$OUT.tsv" >bench/RESULTS.md
	if command -v gnuplot >/dev/null 2>&1; then
		sh bench/plot.sh "$OUT.tsv" "$OUT.svg" && echo "drawn: $OUT.svg"
	else
		echo 'not drawn: gnuplot is not installed'
	fi
fi
echo "took $(($(date +%s) - began)) s"
