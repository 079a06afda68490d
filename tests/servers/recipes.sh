#!/bin/sh
# Extract the recipes of doc/recipes.md and run them unchanged.  The files are
# in their usual places, and the servers on their usual ports, because all this
# happens in a separate root, with a separate network and systemd
# (booted.lib.sh).

# Its functions are called by name.
# shellcheck disable=SC2317
# shellcheck source=tests/servers/booted.lib.sh
. "$(dirname "$0")/booted.lib.sh"

recipes='log down server often ftp_inetd ftp_systemd box_inetd box_systemd tcpd'
sentence() {
	case $1 in
	log) echo 'rsyslog and the journal are rid of sessions that only connected, and not of failures' ;;
	down) echo 'the check of a server fails when it is down, though its port accepts' ;;
	server) echo "what nginx logs of a client has fail2ban ban its /64, and no other" ;;
	often) echo "the relay's own log has fail2ban ban the /64 of a client that comes too often" ;;
	ftp_inetd) echo 'FTP: curl lists, sends and fetches by way of inetd, in passive mode' ;;
	ftp_systemd) echo 'FTP: curl lists, sends and fetches by way of systemd, in passive mode' ;;
	box_inetd) echo 'inetd leads to a server in a container that has IPv4 alone' ;;
	box_systemd) echo 'systemd leads to a server in a container that has IPv4 alone, with -t 3600' ;;
	tcpd) echo 'tcpd lets in and keeps out by hosts.allow and hosts.deny' ;;
	esac
}
needs() {
	case $1 in
	log) echo inetd nginx rsyslogd bash ;;
	down) echo inetd nginx bash ;;
	server | often) echo inetd nginx rsyslogd fail2ban-server nft ;;
	ftp_inetd) echo inetd vsftpd ;;
	ftp_systemd) echo vsftpd ;;
	box_inetd) echo inetd nginx ;;
	box_systemd) echo nginx bash ;;
	tcpd) echo inetd nginx rsyslogd tcpd ;;
	esac
}

# Add what the servers need in /etc and /var, and the inetd that find_inetd
# found.
furnish() {
	for file in alternatives fail2ban login.defs nginx pam.d protocols \
	    rsyslog.conf services; do
		[ ! -e "/etc/$file" ] || cp -a "/etc/$file" etc
	done
	mkdir -p etc/rsyslog.d srv/ftp/in var/log/nginx var/lib/fail2ban \
	    var/lib/nginx var/spool/rsyslog
	ln -s /run var/run
	echo '::1 localhost' >etc/hosts
	[ -z "$INETD" ] || cp "$INETD" usr/local/sbin/inetd
}

case ${1:-} in
begin) begin recipes ;;
served)
	# The values that test.sh would set.
	scratch=/run RELAY=/usr/local/sbin/stfl-relay
	PATH=/usr/local/sbin:$PATH
	export scratch PATH
	;;
esac

# shellcheck source=tests/servers/servers.lib.sh
. "$(dirname "$0")/servers.lib.sh"

if [ "${1:-}" != served ]; then
	why=$(no_systemd)
	if [ -n "$why" ]; then
		for name in $recipes; do
			skip "$(sentence "$name")" "$why"
		done
		exit 0
	fi
	INETD=$(find_inetd openbsd-inetd inetd) || INETD=
	export RELAY INETD dir
	trap unbooted EXIT
	booted recipes
	[ "$(grep -c ' - ' "$dir/verdicts")" -eq "$(echo "$recipes" | wc -w)" ] || {
		not_ok 'the recipes are run to their end' \
		    "$(tail -n 3 "$dir/console" "$dir/errors")"
	}
	! grep -q '^not ok' "$dir/verdicts" || failed=1
	exit $failed
fi

# section WORDS: prints the text below the heading that contains these words.
section() { awk -v words="$1" '/^#/ { on = index($0, words) } on' doc/recipes.md; }

# add WORDS FILE...: appends to each FILE what the section has for that file.
add() {
	words=$1
	shift
	for file; do
		section "$words" | awk -v file="$file" '
		/^[^ ]/ { on = 0 }
		/^    # \// { on = $2 == file; found += on; next }
		on { sub(/^    /, ""); print }
		END { exit !found }' >>"$file" && continue
		why="doc/recipes.md has no $file below $words"
		return 1
	done
}

# run WORDS BEGINNING: runs the section's commands, from each that begins with
# BEGINNING to the end of its block.
run() {
	section "$1" | awk -v begin="    $2" '
	index($0, begin) == 1 { on = 1 }
	!/^    / { on = 0 }
	on' >"$dir/commands"
	why="doc/recipes.md has no $2 below $1"
	[ -s "$dir/commands" ] && why=$(sh -e "$dir/commands" 2>&1)
}

# inetd_as WORDS: starts an inetd with the section's lines, and no others.
inetd_as() {
	: >/etc/inetd.conf
	add "$1" /etc/inetd.conf && again && up inetd 6 80
}
again() {
	without_inetd && rm -f /run/inetd.pid && inetd &&
	    until_true test -s /run/inetd.pid &&
	    cp /run/inetd.pid "$dir/inetd.pid"
}
without_inetd() {
	pkill -x inetd
	until_true none inetd
}
none() { ! pgrep -x "$1" >/dev/null; }

# get ADDRESS [OPTION...]: true if a client at that address gets the page;
# otherwise $why says what it gets.
get() {
	from=$1
	shift
	why="$from gets $(curl -s -S -6 -m 10 -u reader:secret --interface "$from" \
	    "$@" -g 'http://[::1]/secret/' 2>&1)"
	[ "$why" = "$from gets a page" ]
}

# page NAME ADDRESS: writes NAME.conf, for a web server at that address.
page() {
	mkdir -p /srv/www/secret
	echo 'a page' | tee /srv/www/index.html >/srv/www/secret/index.html
	echo 'reader:{PLAIN}secret' >/srv/users
	cat >"$dir/$1.conf" <<-END
	daemon off;
	user www-data;
	pid /run/$1.pid;
	error_log /var/log/nginx/error.log;
	events { }
	http {
		access_log off;
		server {
			listen $2:80;
			root /srv/www;
			location /secret/ {
				auth_basic secret;
				auth_basic_user_file /srv/users;
			}
		}
	}
	END
}
nginx_here() {
	! listening 4 80 || return 0
	page nginx 127.0.0.1
	start nginx nginx -c "$dir/nginx.conf"
	up nginx 4 80
}
rsyslogd_here() {
	! systemctl -q is-active rsyslog || return 0
	add 'Checks and scans' /etc/rsyslog.d/stfl-relay.conf || return
	# imklog would read the kernel's messages, which are the machine's.
	sed -i /imklog/d /etc/rsyslog.conf
	# This is the effect of enabling rsyslog.
	ln -s /lib/systemd/system/rsyslog.service "$units/syslog.service"
	why="rsyslogd: $(systemctl daemon-reload 2>&1 && systemctl start rsyslog 2>&1)"
}

# scan: connects, and sends nothing.
scan() { bash -c 'exec 3<>/dev/tcp/::1/80'; }
logged() { grep -q "stfl-relay.* client=\[$1\].* end=$2" /var/log/syslog; }
in_journal() { journalctl -q -t stfl-relay | grep -q "$1"; }

try_log() {
	rsyslogd_here && inetd_as 'Ban a client that the' || return
	! get ::1 || return
	nginx_here && scan || return
	why="no line of the session that only connected is in the journal"
	until_true in_journal ' up=0 .* end=eof' && get ::1 || return
	why="the log lacks a session or a failure"
	until_true logged ::1 eof && until_true logged ::1 refused &&
	    logged ::1 open || return
	why="the log has a session that only connected"
	! grep ' up=0 .* end=eof' /var/log/syslog || return
	shows 'journalctl -t stfl-relay -p' refused &&
	    shows 'journalctl -t stfl-relay |' 'eof open open refused'
}

# shows COMMAND ENDS: true if COMMAND shows sessions with exactly these ends.
shows() {
	run 'Checks and scans' "$1" || return
	why="$1 shows $why"
	[ "$(echo "$why" | sed -n 's/.* end=\([a-z]*\).*/\1/p' | sort | xargs)" = "$2" ]
}

# check: runs the recipe's check, and returns its status.
# shellcheck disable=SC2016
check() { sh -c "$(sed -n 's/.*as `\(curl -6 [^`]*\)`.*/\1/p' doc/recipes.md)"; }
try_down() {
	! [ -s /run/nginx.pid ] || kill "$(cat /run/nginx.pid)"
	until_true not_listening 4 80 && inetd_as 'Ban a client that the' || return
	before=$(refusals)
	why="it succeeds while no server listens"
	! check || return
	why="no client connects to the port"
	until_true refused_again || return
	why="a client cannot connect"
	scan && nginx_here && why="it fails while the server listens" && check
}
not_listening() { ! listening "$@"; }
refusals() { journalctl -q -t stfl-relay | grep -c ' end=refused '; }
refused_again() { [ "$(refusals)" -gt "$before" ]; }

fail2ban_here() {
	[ ! -S /run/fail2ban/fail2ban.sock ] || return 0
	# Debian's own jail needs a log that does not exist here.
	rm -f /etc/fail2ban/jail.d/*
	printf '[DEFAULT]\nbanaction = nftables\n' >/etc/fail2ban/jail.local
	add 'Ban a client that the' /etc/fail2ban/jail.d/nginx-ipv6.conf \
	    /etc/fail2ban/action.d/stfl-relay.conf &&
	    add 'Ban a client that comes' /etc/fail2ban/jail.d/stfl-relay.conf \
		/etc/fail2ban/filter.d/stfl-relay.conf || return
	mkdir -p /run/fail2ban
	why="fail2ban: $(fail2ban-client start 2>&1)" &&
	    until_true fail2ban-client ping >/dev/null 2>&1
}
clients() {
	for address in 2001:db8::7 2001:db8::8 2001:db8:0:1::7 \
	    2001:db8:0:2::7 2001:db8:0:2::8; do
		ip address replace "$address/128" dev lo nodad || return
	done
}
banning() {
	nginx_here && rsyslogd_here && clients && inetd_as 'Ban a client that the' &&
	    fail2ban_here
}
# banned JAIL ADDRESS: true if JAIL has banned a whole /64.  Then another client
# in that /64, which is at ADDRESS, cannot even connect.
banned() {
	why="the client is not banned"
	until_true listed "$1" || return
	why="$2 is not kept off"
	! get "$2" || return
	case $why in *'curl: (7)'*) ;; *) return 1 ;; esac
}
listed() { nft list set ip6 "f2b-$1" banned 2>/dev/null | grep -q elements; }

try_server() {
	banning && get 2001:db8::7 || return
	for _ in 1 2 3 4 5; do
		! get 2001:db8::7 -u reader:guess || return
	done
	banned nginx-http-auth 2001:db8::8 || return
	# The IPv4 address to which -s maps the client is banned, too.
	why=$(curl -sS -4 -m 10 --interface 127.74.121.250 http://127.0.0.1/ 2>&1)
	case $why in *'curl: (7)'*) get 2001:db8:0:1::7 ;; *) false ;; esac
}

try_often() {
	banning && get 2001:db8:0:2::7 || return
	curl -s -6 --interface 2001:db8:0:2::7 -u reader:secret -o /dev/null \
	    -H 'Connection: close' 'http://\[::1\]/secret/?[1-60]'
	banned stfl-relay 2001:db8:0:2::8 && get 2001:db8:0:1::7
}

# A server with Debian's options, except that anonymous users may log in and
# write.
vsftpd_here() {
	[ ! -s "$dir/vsftpd.pid" ] || return 0
	chown ftp /srv/ftp/in
	mkdir -p /run/vsftpd/empty
	echo 'background=NO
	listen=YES
	listen_ipv6=NO
	anonymous_enable=YES
	anon_root=/srv/ftp
	anon_umask=022
	anon_upload_enable=YES
	write_enable=YES
	secure_chroot_dir=/run/vsftpd/empty' | tr -d '\t' >/etc/vsftpd.conf
	add FTP /etc/vsftpd.conf &&
	    head -c 3000000 /dev/urandom >"$dir/file" || return
	start vsftpd vsftpd /etc/vsftpd.conf
	up vsftpd 4 21
}

# transfers: uploads, lists and downloads a file.
transfers() {
	ftp="curl -sS -v -6 -m 10 ftp://[::1]/in/"
	why=$($ftp -g -T "$dir/file" --ftp-create-dirs 2>&1) || return
	why=$($ftp -g -o "$dir/list" 2>&1) || return
	case $why in *'(|||300'*) ;; *) return 1 ;; esac
	why=$(curl -sS -6 -m 10 -g -o "$dir/got" "ftp://[::1]/in/file" 2>&1) &&
	    why="what came is another file" && cmp "$dir/file" "$dir/got" &&
	    grep -q ' file' "$dir/list" && rm /srv/ftp/in/file
}

try_ftp_inetd() {
	vsftpd_here || return
	: >/etc/inetd.conf
	again && run FTP 'for port' && up inetd 6 21 30000 30019 && transfers
}

try_ftp_systemd() {
	without_inetd && vsftpd_here && run FTP 'systemctl enable' && transfers
}

# container: starts a network that has only IPv4, with a web server in it.
container() {
	[ ! -s "$dir/boxed.pid" ] || return 0
	page boxed 172.30.0.2
	start box unshare -n sleep 300
	box=$pid
	until_true apart &&
	    ip link add box type veth peer name eth0 netns "$box" &&
	    ip address add 172.30.0.1/24 dev box && ip link set box up &&
	    inside ip link set eth0 addrgenmode none up &&
	    inside ip address add 172.30.0.2/24 dev eth0 || return
	start boxed nsenter -t "$box" -n nginx -c "$dir/boxed.conf"
	why='the web server in the container does not listen'
	until_true grep -q ':0050 .* 0A' "/proc/$box/net/tcp"
}
apart() {
	[ "$(readlink "/proc/$box/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}
inside() { nsenter -t "$box" -n "$@"; }

try_box_inetd() { container && inetd_as 'A container' && get ::1; }

try_box_systemd() {
	without_inetd && container &&
	    add 'A container' /etc/default/stfl-relay &&
	    add 'A limit' /etc/default/stfl-relay &&
	    run 'A container' 'systemctl enable' && get ::1 && limited
	set -- $?
	systemctl stop stfl-relay@80.socket
	return "$1"
}
limited() {
	start idle bash -c 'exec 3<>/dev/tcp/::1/80 && exec sleep 300'
	why='a session has not the options that are set'
	until_true pgrep -f 'stfl-relay -t 3600 172.30.0.2$' >/dev/null
}

try_tcpd() {
	nginx_here && rsyslogd_here && clients || return
	add tcpd /etc/hosts.allow /etc/hosts.deny && inetd_as tcpd &&
	    get 2001:db8:0:1::7 || return
	why='the client that is to be kept out gets in'
	! get ::1 || return
	why='the log does not say who was kept out'
	until_true grep -q 'refused connect from ::1' /var/log/syslog
}

for name in $recipes; do
	why=
	for program in curl $(needs "$name"); do
		have "$program" || why="${why:-$program is not installed}"
	done
	if [ -n "$why" ]; then
		skip "$(sentence "$name")" "$why"
	else
		verdict "$(sentence "$name")" "try_$name"
	fi
done
