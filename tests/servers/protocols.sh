#!/bin/sh
# Real protocols, with real servers on 127.0.0.1 and real clients on [::1].
# Between them are relays, which xinetd starts from its samples.

# Its functions are called by name.
# shellcheck disable=SC2317
# shellcheck source=tests/servers/servers.lib.sh
. "$(dirname "$0")/../servers/servers.lib.sh"

protocols='http tls ssh scp imap pop3 smtp telnet'

# For each protocol: the sentence to be proved, the programs needed, and the
# number of the port, counted from the first port.  The ports, like the samples,
# are in the order of $services.
sentence() {
	case $1 in
	http) echo 'HTTP: curl gets two 20 MB files from Apache, over one connection' ;;
	tls) echo "TLS: s_client verifies s_server's certificate and gets a 20 MB file" ;;
	ssh) echo 'SSH: a command gets input, and gives output and a status back' ;;
	scp) echo 'scp: a 20 MB file goes there and comes back' ;;
	imap) echo 'IMAP: curl logs in to Dovecot and fetches a 1 MB mail' ;;
	pop3) echo 'POP3: curl logs in to Dovecot and fetches a 1 MB mail' ;;
	smtp) echo 'SMTP: curl hands Postfix a 1 MB mail, which is delivered' ;;
	telnet) echo 'telnet: Synch arrives with its urgent mark, at telnetd and at telnet' ;;
	esac
}
needs() {
	case $1 in
	http) echo apache2 curl ;;
	tls) echo openssl ;;
	ssh) echo sshd ssh ssh-keygen ;;
	scp) echo sshd ssh ssh-keygen scp ;;
	imap | pop3) echo dovecot "/usr/lib/dovecot/$1-login" curl ;;
	smtp) echo postfix curl ;;
	telnet) echo telnet strace ;;
	esac
}
offset() {
	case $1 in
	http) echo 0 ;;
	tls) echo 1 ;;
	ssh | scp) echo 2 ;;
	imap) echo 3 ;;
	pop3) echo 4 ;;
	smtp) echo 5 ;;
	telnet) echo 6 ;;
	esac
}

# missing NAME: prints why the protocol cannot be tried.
missing() {
	for program in xinetd $(needs "$1"); do
		have "$program" || { echo "$program is not installed"; return; }
	done
	have_ipv6 || { echo "there is no ::1 here"; return; }
	case $1 in
	ssh | scp)
		case $(getent passwd "$user") in
		*/nologin | */false) echo "$user has no shell" ;;
		esac
		;;
	smtp)
		$root || echo "only root can run Postfix"
		;;
	telnet)
		find_inetd inetutils-telnetd telnetd >/dev/null ||
		    { echo "inetutils-telnetd is not installed"; return; }
		strace -o /dev/null true 2>/dev/null ||
		    echo "strace may not trace here"
		;;
	esac
}

# Below, serve_X starts a server on port $1 of 127.0.0.1.  try_X runs a client,
# which connects to port $1 of [::1].  If that fails, try_X sets $why.

same() {
	why="what came is another file"
	cmp -s "$dir/$1" "$dir/www/file"
}

serve_http() { apache "$1"; }

try_http() {
	up apache 4 "$1" || return
	url="http://\[::1\]:$1/www/file"
	why="connections made: $(curl -sS -6 --noproxy '*' -m 60 \
	    -w '%{num_connects} ' -o "$dir/one" "$url" -o "$dir/two" "$url" \
	    2>&1)"
	[ "$why" = 'connections made: 1 0 ' ] && same one && same two
}

serve_tls() {
	mkdir "$dir/ca"
	(
		cd "$dir/ca" || exit
		new='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
		# shellcheck disable=SC2086
		openssl req -x509 $new -subj /CN=authority -days 2 \
		    -keyout ca.key -out ca.pem &&
		openssl req $new -subj /CN=server -keyout key -out request &&
		echo subjectAltName=IP:::1 >extensions &&
		openssl x509 -req -in request -CA ca.pem -CAkey ca.key \
		    -CAcreateserial -days 2 -extfile extensions -out pem
	) >"$dir/ca.log" 2>&1
	start tls env -C "$dir/www" openssl s_server -accept "127.0.0.1:$1" \
	    -cert "$dir/ca/pem" -key "$dir/ca/key" -quiet -WWW
}

try_tls() {
	up tls 4 "$1" || return
	printf 'GET /file HTTP/1.0\r\n\r\n' | openssl s_client \
	    -connect "[::1]:$1" -CAfile "$dir/ca/ca.pem" -verify_ip ::1 \
	    -verify_return_error -quiet >"$dir/reply" 2>"$dir/verified" ||
	    { why=$(tail -n 1 "$dir/verified"); return 1; }
	# In the reply, the file follows a header.
	tail -c 20000000 "$dir/reply" >"$dir/one"
	same one
}

serve_ssh() {
	mkdir "$dir/keys"
	for key in host client; do
		ssh-keygen -q -t ed25519 -N '' -f "$dir/keys/$key"
	done
	echo "[::1]:$1 $(cat "$dir/keys/host.pub")" >"$dir/keys/known"
	echo "ListenAddress 127.0.0.1
	Port $1
	HostKey $dir/keys/host
	PidFile none
	AuthorizedKeysFile $dir/keys/client.pub
	StrictModes no
	PasswordAuthentication no
	KbdInteractiveAuthentication no
	Subsystem sftp internal-sftp" >"$dir/sshd.conf"
	sshd=$(command -v sshd)
	if $root && ! [ -d /run/sshd ]; then
		# sshd needs /run/sshd, so give it a separate /run.
		start ssh unshare -m sh -c 'mount -t tmpfs tmpfs /run &&
		    mkdir -m 755 /run/sshd && exec "$@"' sh \
		    "$sshd" -D -e -f "$dir/sshd.conf"
	else
		start ssh "$sshd" -D -e -f "$dir/sshd.conf"
	fi
}

ssh_options() {
	echo "-F none -6 -q -i $dir/keys/client -o BatchMode=yes
	-o IdentitiesOnly=yes -o UserKnownHostsFile=$dir/keys/known
	-o StrictHostKeyChecking=yes"
}

try_ssh() {
	up ssh 4 "$1" || return
	# shellcheck disable=SC2016,SC2046
	why=$(echo question | ssh $(ssh_options) -p "$1" "$user@::1" \
	    'read -r word; echo "$word" answered; exit 7' 2>&1)
	why="status $?, output $why"
	[ "$why" = 'status 7, output question answered' ]
}

serve_scp() { :; }

try_scp() {
	up ssh 4 "$1" || return
	for way in "$dir/www/file $user@[::1]:$dir/one" \
	    "$user@[::1]:$dir/one $dir/two"; do
		# shellcheck disable=SC2046,SC2086
		why=$(scp $(ssh_options) -P "$1" $way 2>&1) || return 1
	done
	same two
}

mail() {
	echo "From: one@example.org
To: two@example.net
Subject: a mail
"
	head -c 750000 /dev/urandom | base64
}

# same_mail FILE: true if FILE has the same body as the mail that was sent.
same_mail() {
	for file in mail "$1"; do
		tr -d '\r' <"$dir/$file" | sed '1,/^$/d' >"$dir/$file.body"
	done
	why="what came is another mail"
	cmp -s "$dir/mail.body" "$dir/$1.body"
}

# This server speaks both IMAP and POP3.  Without root, it runs as one user.
serve_imap() {
	mkdir -p "$dir/maildir/new" "$dir/maildir/cur" "$dir/maildir/tmp"
	cp "$dir/mail" "$dir/maildir/new/1.mail"
	group=$(id -gn) login=$user owner=$user
	if $root; then
		group=dovecot login=dovenull owner=nobody
		chown -R nobody "$dir/maildir"
	fi
	cat >"$dir/dovecot.conf" <<-END
	base_dir = $dir/dovecot
	state_dir = $dir/dovecot
	log_path = $dir/imap.log
	listen = 127.0.0.1
	protocols = imap pop3
	ssl = no
	default_login_user = $login
	default_internal_group = $group
	$($root || echo "default_internal_user = $user")
	first_valid_uid = 1
	mail_location = maildir:$dir/maildir
	passdb {
	  driver = static
	  args = password=secret
	}
	userdb {
	  driver = static
	  args = uid=$(id -u "$owner") gid=$(id -g "$owner") home=$dir/maildir
	}
	service imap-login {
	  chroot =
	  inet_listener imap {
	    port = $1
	  }
	}
	service pop3-login {
	  chroot =
	  inet_listener pop3 {
	    port = $(($1 + 1))
	  }
	}
	service anvil {
	  chroot =
	}
	service stats {
	  chroot =
	}
	END
	start imap dovecot -F -c "$dir/dovecot.conf"
}

try_imap() {
	up imap 4 "$1" || return
	why=$(curl -sS -m 60 --user somebody:secret -o "$dir/imap" \
	    "imap://[::1]:$1/INBOX;UID=1" -g 2>&1) && same_mail imap
}

serve_pop3() { :; }

try_pop3() {
	up imap 4 "$1" || return
	why=$(curl -sS -m 60 --user somebody:secret -o "$dir/pop3" \
	    "pop3://[::1]:$1/1" -g 2>&1) && same_mail pop3
}

serve_smtp() {
	mkdir "$dir/postfix" "$dir/queue" "$dir/data" "$dir/inbox"
	chown postfix "$dir/data"
	chown nobody "$dir/inbox"
	cat >"$dir/postfix/main.cf" <<-END
	compatibility_level = 3.6
	queue_directory = $dir/queue
	data_directory = $dir/data
	maillog_file = $dir/smtp.log
	maillog_file_prefixes = $dir
	inet_interfaces = 127.0.0.1
	inet_protocols = ipv4
	myhostname = mail.example.net
	mydestination =
	mynetworks =
	alias_maps =
	virtual_mailbox_domains = example.net
	virtual_mailbox_maps = static:two/
	virtual_mailbox_base = $dir/inbox
	virtual_uid_maps = static:$(id -u nobody)
	virtual_gid_maps = static:$(id -g nobody)
	END
	cat >"$dir/postfix/master.cf" <<-END
	127.0.0.1:$1 inet n - n - - smtpd
	anvil unix - - n - 1 anvil
	bounce unix - - n - 0 bounce
	cleanup unix n - n - 0 cleanup
	defer unix - - n - 0 bounce
	error unix - - n - - error
	postlog unix-dgram n - n - 1 postlogd
	proxymap unix - - n - - proxymap
	qmgr unix n - n 300 1 qmgr
	retry unix - - n - - error
	rewrite unix - - n - - trivial-rewrite
	virtual unix - n n - - virtual
	END
	# The first command creates the queue.
	# shellcheck disable=SC2016
	start smtp sh -c 'postfix -c "$1" check && exec "$2/master" -c "$1" -s' \
	    sh "$dir/postfix" "$(postconf -h daemon_directory)"
}

try_smtp() {
	up smtp 4 "$1" || return
	why=$(curl -sS -m 60 --mail-from one@example.org \
	    --mail-rcpt two@example.net -T "$dir/mail" "smtp://[::1]:$1" -g \
	    2>&1) || return
	why="it was not delivered"
	until_true delivered && cat "$dir"/inbox/two/new/* >"$dir/smtp" &&
	    same_mail smtp
}
delivered() { grep -qs 'status=sent' "$dir/smtp.log"; }

# For IPv4, xinetd starts telnetd; for IPv6, xinetd starts the relay.  There is
# no sample for telnet, so this function writes both services.
serve_telnet() {
	cat >"$dir/login" <<-'END'
	echo hello
	while read -r line; do
		echo "had $line"
		case $line in *bye) exit ;; esac
	done
	END
	cat >"$dir/telnetd" <<-END
	#!/bin/sh
	exec strace -o "$dir/telnetd.calls" \
	    "$(find_inetd inetutils-telnetd telnetd)" -h -E "/bin/sh $dir/login"
	END
	chmod +x "$dir/telnetd"
	cat >"$dir/telnet.xinetd" <<-END
	service telnet
	{
		type = UNLISTED
		port = $1
		flags = IPv4
		bind = 127.0.0.1
		socket_type = stream
		protocol = tcp
		wait = no
		user = $user
		server = $dir/telnetd
	}
	service telnet
	{
		id = telnet-ipv6
		type = UNLISTED
		port = $1
		flags = IPv6
		bind = ::
		v6only = yes
		socket_type = stream
		protocol = tcp
		wait = no
		user = $user
		server = $dir/xinetd/stfl-relay
		server_args = 127.0.0.1 $1
	}
	END
}

try_telnet() {
	up xinetd 4 "$1" && up xinetd 6 "$1" || return
	mkfifo "$dir/keys.telnet"
	strace -o "$dir/telnet.calls" telnet ::1 "$1" <"$dir/keys.telnet" \
	    >"$dir/screen" 2>&1 &
	client=$!
	exec 3>"$dir/keys.telnet"
	converse
	set -- $?
	exec 3>&-
	# telnet ends, because telnetd closes and telnet's input has ended.
	until_true gone "$client" || kill "$client"
	return "$1"
}

# converse: writes keys to descriptor 3.  It reads the screen, and the system
# calls of telnet and telnetd, from files.  A Synch is IAC DM (RFC 854), sent as
# urgent data.  AO makes telnetd send a Synch.
converse() {
	shows hello || return
	echo first >&3
	shows 'had first' || return
	printf '\035send synch\n' >&3
	why="telnetd saw no urgent mark"
	until_true marked "$dir/telnetd.calls" || return
	echo second >&3
	shows 'had second' || return
	printf '\035send ao\n' >&3
	why="telnet saw no urgent mark"
	until_true marked "$dir/telnet.calls" || return
	# AO also puts a ^O before what is typed next.
	echo third >&3
	shows 'had.*third' || return
	echo bye >&3
}
shows() {
	until_true grep -q "$1" "$dir/screen" && return
	why="telnet shows $(tr -s '\r\n' ' ' <"$dir/screen")"
	return 1
}

# marked FILE: true if IAC was received between a select(2) that reported
# urgent data and the next select(2).
marked() {
	awk '
	/select/ { told = /except \[/ }
	told && /^re[a-z]*\([0-9]*, "\\377/ { found = 1 }
	END { exit !found }' "$1"
}

# Find the protocols that can be tried here, and the first of seven ports.
tried=
for name in $protocols; do
	why=$(missing "$name")
	if [ -z "$why" ]; then
		tried="$tried $name"
	else
		skip "$(sentence "$name")" "$why"
	fi
done
[ -n "$tried" ] || exit 0
first=$(ports 7)

mkdir "$dir/www"
head -c 20000000 /dev/urandom >"$dir/www/file"
mail | sed "s/\$/$(printf '\r')/" >"$dir/mail"
: >"$dir/telnet.xinetd"
for name in $tried; do
	"serve_$name" $((first + $(offset "$name")))
done

if superserver xinetd "$first" "\$r $dir/telnet.xinetd"; then
	for name in $tried; do
		verdict "$(sentence "$name")" \
		    "try_$name" $((first + $(offset "$name")))
	done
else
	for name in $tried; do
		not_ok "$(sentence "$name")" "$why"
	done
fi
exit $failed
