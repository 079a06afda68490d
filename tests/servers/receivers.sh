#!/bin/sh
# Real receivers of the PROXY header: each runs on 127.0.0.1, has a client at
# ::1, and must log that client's address.  There is also a real server that
# limits each source address.  With -s, it must limit one IPv6 client, not all.

# Its functions are called by name.
# shellcheck disable=SC2317
# shellcheck source=tests/servers/servers.lib.sh
. "$(dirname "$0")/../servers/servers.lib.sh"

receivers='nginx haproxy apache dovecot postfix'

# sentence NAME VERSION
sentence() {
	case $1 in
	nginx) who=nginx ;;
	haproxy) who=HAProxy ;;
	apache) who="Apache's mod_remoteip" ;;
	dovecot) who=Dovecot ;;
	postfix) who=Postfix ;;
	esac
	echo "$who logs the address of an IPv6 client, from -p $2"
}

# missing NAME: prints why the receiver cannot be tried.
missing() {
	program=$1
	[ "$1" != apache ] || program=apache2
	have "$program" || { echo "$program is not installed"; return; }
	have curl || { echo "curl is not installed"; return; }
	have_ipv6 || { echo "there is no ::1 here"; return; }
	[ "$1" != postfix ] || $root || echo "only root can run Postfix"
}

# Below, serve_X starts a receiver on port $1 of 127.0.0.1.  logged_X prints how
# often the receiver has logged the client ::1.  If the receiver logs ports,
# only port $1 counts.

count() { sed -n "/$1/p" "$dir/$2" 2>/dev/null | wc -l; }

serve_nginx() {
	cat >"$dir/nginx.conf" <<-END
	daemon off;
	worker_processes 1;
	pid $dir/nginx.lock;
	events {
	}
	http {
		log_format real '\$remote_addr \$remote_port';
		access_log $dir/nginx.seen real;
		client_body_temp_path $dir/nginx.temp;
		proxy_temp_path $dir/nginx.temp;
		fastcgi_temp_path $dir/nginx.temp;
		uwsgi_temp_path $dir/nginx.temp;
		scgi_temp_path $dir/nginx.temp;
		server {
			listen 127.0.0.1:$1 proxy_protocol;
			set_real_ip_from 127.0.0.1;
			real_ip_header proxy_protocol;
			return 204;
		}
	}
	END
	start nginx nginx -e stderr -c "$dir/nginx.conf"
}
logged_nginx() { count "^::1 $1\$" nginx.seen; }

serve_haproxy() {
	cat >"$dir/haproxy.conf" <<-END
	global
		log stdout format raw daemon
	defaults
		mode http
		timeout client 10s
	frontend web
		bind 127.0.0.1:$1 accept-proxy
		log global
		log-format "%ci %cp"
		http-request return status 204
	END
	start haproxy haproxy -db -f "$dir/haproxy.conf"
}
logged_haproxy() { count "^::1 $1\$" haproxy.log; }

serve_apache() {
	modules=/usr/lib/apache2/modules
	mkdir "$dir/apache"
	cat >"$dir/apache.conf" <<-END
	ServerName localhost
	Listen 127.0.0.1:$1
	PidFile $dir/apache/pid
	ErrorLog $dir/apache.log
	DefaultRuntimeDir $dir/apache
	LoadModule mpm_event_module $modules/mod_mpm_event.so
	LoadModule authz_core_module $modules/mod_authz_core.so
	LoadModule remoteip_module $modules/mod_remoteip.so
	$(! $root || printf 'User www-data\nGroup www-data')
	RemoteIPProxyProtocol On
	LogFormat "%a" real
	CustomLog $dir/apache.seen real
	END
	start apache apache2 -f "$dir/apache.conf" -DFOREGROUND
}
logged_apache() { count '^::1$' apache.seen; }

serve_dovecot() {
	group=$(id -gn) login=$user
	! $root || group=dovecot login=dovenull
	cat >"$dir/dovecot.conf" <<-END
	base_dir = $dir/dovecot
	state_dir = $dir/dovecot
	log_path = $dir/dovecot.log
	listen = 127.0.0.1
	protocols = imap
	ssl = no
	default_login_user = $login
	default_internal_group = $group
	$($root || echo "default_internal_user = $user")
	haproxy_trusted_networks = 127.0.0.1
	passdb {
	  driver = static
	  args = password=secret
	}
	service imap-login {
	  chroot =
	  inet_listener imap {
	    port = $1
	    haproxy = yes
	  }
	}
	service anvil {
	  chroot =
	}
	service stats {
	  chroot =
	}
	END
	start dovecot dovecot -F -c "$dir/dovecot.conf"
}
logged_dovecot() { count ' rip=::1,' dovecot.log; }

# With inet_protocols = ipv4, Postfix would refuse a header with an IPv6
# address.
serve_postfix() {
	mkdir "$dir/postfix" "$dir/queue" "$dir/data"
	chown postfix "$dir/data"
	cat >"$dir/postfix/main.cf" <<-END
	compatibility_level = 3.6
	queue_directory = $dir/queue
	data_directory = $dir/data
	maillog_file = $dir/postfix.seen
	maillog_file_prefixes = $dir
	inet_interfaces = 127.0.0.1
	inet_protocols = all
	myhostname = mail.example.net
	mydestination =
	mynetworks =
	alias_maps =
	smtpd_peername_lookup = no
	smtpd_upstream_proxy_protocol = haproxy
	END
	cat >"$dir/postfix/master.cf" <<-END
	127.0.0.1:$1 inet n - n - - smtpd
	anvil unix - - n - 1 anvil
	cleanup unix n - n - 0 cleanup
	postlog unix-dgram n - n - 1 postlogd
	proxymap unix - - n - - proxymap
	rewrite unix - - n - - trivial-rewrite
	END
	# The first command creates the queue.
	# shellcheck disable=SC2016
	start postfix sh -c 'postfix -c "$1" check &&
	    exec "$2/master" -c "$1" -s' \
	    sh "$dir/postfix" "$(postconf -h daemon_directory)"
}
logged_postfix() { count ': connect from [a-z]*\[::1\]$' postfix.seen; }

# call NAME PORT FROM: a client of the receiver connects from FROM to PORT.
call() {
	case $1 in
	dovecot) set -- "telnet://[::1]:$2" "$3" 'a LOGOUT' ;;
	postfix) set -- "telnet://[::1]:$2" "$3" QUIT ;;
	*) set -- "http://[::1]:$2/" "$3" '' ;;
	esac
	echo "$3" | curl -gsS -6 --noproxy '*' -m 60 --local-port "$2" "$1"
}

# try NAME PORT: true if the receiver logs the client of a session through the
# relay on PORT.  The client's port is PORT + 1.
try() {
	from=$(($2 + 1))
	before=$("logged_$1" $from)
	why="the client got $(call "$1" "$2" $from 2>&1 | tr -d '\0\r')"
	until_true logged_more "$1" $from "$before" && return
	why="it logged $(tail -qn 1 "$dir/$1.seen" "$dir/$1.log" 2>/dev/null); $why"
	return 1
}
logged_more() { [ "$("logged_$1" "$2")" -gt "$3" ]; }

# receive NAME PORT: tries the receiver on PORT, through two relays.  The relay
# on PORT + 1 sends header version 1; the relay on PORT + 3 sends version 2.
receive() {
	if ! up "$1" 4 "$2" || ! up "$1-1" 6 $(($2 + 1)) ||
	    ! up "$1-2" 6 $(($2 + 3)); then
		not_ok "$(sentence "$1" 1)" "$why"
		not_ok "$(sentence "$1" 2)" "$why"
		return
	fi
	verdict "$(sentence "$1" 1)" try "$1" $(($2 + 1))
	verdict "$(sentence "$1" 2)" try "$1" $(($2 + 3))
}

# The test of the limit needs clients with different addresses, so this script
# runs again in a separate network.

seeing='with -s network, OpenSSH limits one IPv6 client with its /64 and no other'
blind='without -s, OpenSSH limits all IPv6 clients for what one of them does'

limits_missing() {
	for program in sshd ssh-keygen curl unshare ip; do
		have $program || { echo "$program is not installed"; return; }
	done
	apart true 2>/dev/null || echo "no leave for a network namespace"
}
apart() {
	if $root; then
		unshare -n -m "$@"
	else
		unshare --map-current-user --keep-caps -n -m "$@"
	fi
}

# This sshd allows each address two connections that are not logged in yet.
serve_ssh() {
	ssh-keygen -q -t ed25519 -N '' -f "$dir/key"
	echo "ListenAddress 127.0.0.1
	Port 2022
	HostKey $dir/key
	PidFile none
	PerSourceMaxStartups 2
	PerSourceNetBlockSize 32" >"$dir/sshd.conf"
	if $root && ! [ -d /run/sshd ]; then
		mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd
	fi
	start ssh "$(command -v sshd)" -D -e -f "$dir/sshd.conf"
}

# greeted NAME ADDRESS PORT: a client at that address connects to sshd through
# PORT, and stays.  True if sshd greets it.  The client is curl, which shows
# what arrives, and waits for the greeting of an FTP server.
greeted() {
	start "$1" curl -gsv -6 --noproxy '*' -m 60 --interface "$2" \
	    "ftp://[::1]:$3/"
	until_true greeted_or_gone "$1"
	grep -q '^< SSH-2.0' "$dir/$1.log"
}
greeted_or_gone() { grep -qs '^< SSH-2.0' "$dir/$1.log" || gone "$pid"; }

# The addresses are those of the examples in the manual.
sees() {
	why='a client without other connections was not let in'
	greeted a1 2001:db8:0:1::1 2023 || return
	greeted a2 2001:db8:0:1::2 2023 || return
	why='a third connection from one /64 was let in'
	! greeted a3 2001:db8:0:1::2 2023 || return
	why='another client was not let in'
	greeted b1 2001:db8:0:2::1 2023 || return
	why="sshd logged $(tail -n 1 "$dir/ssh.log")"
	grep -q 'drop connection .* from \[127.101.223.241\]' "$dir/ssh.log"
}
is_blind() {
	why='a client without other connections was not let in'
	greeted a4 2001:db8:0:1::1 2024 || return
	greeted a5 2001:db8:0:1::1 2024 || return
	why='another client was let in'
	! greeted b2 2001:db8:0:2::1 2024
}

limits() {
	ip link set lo up || exit
	for address in 2001:db8:0:1::1 2001:db8:0:1::2 2001:db8:0:2::1; do
		ip -6 address add $address/128 dev lo nodad || exit
	done
	serve_ssh
	start seeing tests/servers/superserver -p 2023 "$RELAY" -s 127.64.0.0/10 \
	    127.0.0.1 2022
	start blind tests/servers/superserver -p 2024 "$RELAY" 127.0.0.1 2022
	if up ssh 4 2022 && up seeing 6 2023 && up blind 6 2024; then
		verdict "$seeing" sees
		verdict "$blind" is_blind
	else
		not_ok "$seeing" "$why"
		not_ok "$blind" "$why"
	fi
}
if [ -n "${APART:-}" ]; then
	limits
	exit $failed
fi

jobs=
why=$(limits_missing)
if [ -z "$why" ]; then
	APART=yes scratch=$dir apart sh tests/servers/receivers.sh >"$dir/limits.out" &
	jobs=$!
else
	skip "$seeing" "$why"
	skip "$blind" "$why"
fi

tried=
for receiver in $receivers; do
	why=$(missing "$receiver")
	if [ -z "$why" ]; then
		tried="$tried $receiver"
	else
		skip "$(sentence "$receiver" 1)" "$why"
		skip "$(sentence "$receiver" 2)" "$why"
	fi
done

# After each receiver's port come the ports of two relays and their clients.
first=$(ports 25)
at=$first
for receiver in $tried; do
	"serve_$receiver" "$at"
	for version in 1 2; do
		start "$receiver-$version" tests/servers/superserver \
		    -p $((at + 2 * version - 1)) \
		    "$RELAY" -p $version 127.0.0.1 "$at"
	done
	at=$((at + 5))
done
at=$first
for receiver in $tried; do
	receive "$receiver" "$at" >"$dir/$receiver.out" &
	jobs="$jobs $!"
	at=$((at + 5))
done
# shellcheck disable=SC2086
wait $jobs
cat "$dir"/*.out
! grep -q '^not ok' "$dir"/*.out
