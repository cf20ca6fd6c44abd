# vpn-connect in namespace cl, run as a laptop's user would by sudo: it starts
# as root, forks its helper and becomes the user `alice`.

CL_UID=4711
# Command to run it under, e.g. valgrind; extra environment as VAR=VALUE words.
CLIENT_WRAP=${CLIENT_WRAP:-}
CLIENT_ENV=${CLIENT_ENV:-}

# client_user: makes alice (once a lab) and her folders.
client_user() {
	CL=$SCRATCH/cl
	grep -q '^alice:' /etc/passwd || {
		echo "alice:x:$CL_UID:$CL_UID::$CL/home:/bin/sh" >>/etc/passwd
		echo "alice:x:$CL_UID:" >>/etc/group
	}
}

# client_reset: no profile, no state, no ticket, fresh credentials.
client_reset() {
	client_user
	rm -rf "$CL"
	mkdir -p "$CL/home" "$CL/config/vpn-connect" "$CL/state" "$CL/run" \
		"$CL/keys"
	printf '%s\n' "$PASSWORD" >"$CL/keys/password"
	printf '%s\n' "$PSK" >"$CL/keys/psk"
	chmod 600 "$CL"/keys/*
	chmod 700 "$CL"/*
	chown -R $CL_UID:$CL_UID "$CL"
	PROFILES=
}

# client_keys KIND: the CA and, where there is one, the user's certificate.
client_keys() {
	local f
	pki_make "$1"
	for f in "ca-$1.crt" "cl-$1.crt" "cl-$1.key"; do
		[ -e "$PKI/$f" ] && install -m 600 -o $CL_UID -g $CL_UID \
			"$PKI/$f" "$CL/keys/$f"
	done
	return 0
}

# client_profile NAME psk|cert|eap|eap-tls [KIND] [SECTION.KEY=VALUE...]: writes
# NAME.conf; later words win, an empty value leaves the key out. KIND is the
# certificate's kind, $SS_CERT unless told.
client_profile() {
	local name=$1 auth=$2 kind=$SS_CERT word section key last=
	shift 2
	declare -A p
	case ${1:-} in *.*=* | '') ;; *)
		kind=$1
		shift
		;;
	esac
	[ "$auth" = psk ] || client_keys "$kind"
	p[gateway.address]=203.0.113.1
	p[gateway.id]=gw.lab.test
	p[tunnel.networks]="10.9.0.0/24"
	p[crypto.ike]="aes256gcm16-prfsha384-x25519-ecp256"
	p[crypto.esp]="aes256gcm16"
	# The same here as on a kernel without ESP; tests/interop/kernel has its.
	[ ! -e /proc/net/xfrm_stat ] || p[tunnel.dataplane]=${CL_PLANE:-user}
	case $auth in
	psk)
		p[identity.auth]=psk
		p[identity.id]=psk@lab.test
		p[identity.password-file]=$CL/keys/psk
		;;
	cert)
		p[gateway.ca]=$CL/keys/ca-$kind.crt
		p[identity.auth]=certificate
		p[identity.id]=client@lab.test
		p[identity.certificate]=$CL/keys/cl-$kind.crt
		p[identity.private-key]=$CL/keys/cl-$kind.key
		;;
	eap-tls)
		p[gateway.ca]=$CL/keys/ca-$kind.crt
		p[identity.auth]=eap-tls
		p[identity.id]=tls@lab.test
		p[identity.user]=client@lab.test
		p[identity.certificate]=$CL/keys/cl-$kind.crt
		p[identity.private-key]=$CL/keys/cl-$kind.key
		;;
	eap)
		p[gateway.ca]=$CL/keys/ca-$kind.crt
		p[identity.auth]=eap-mschapv2
		p[identity.id]=eap@lab.test
		p[identity.user]=alice
		p[identity.password-file]=$CL/keys/password
		;;
	esac
	for word; do
		p[${word%%=*}]=${word#*=}
	done
	for word in $(printf '%s\n' "${!p[@]}" | sort); do
		[ -n "${p[$word]}" ] || continue
		section=${word%%.*} key=${word#*.}
		[ "$section" = "$last" ] || printf '\n[%s]\n' "$section"
		last=$section
		printf '%s = %s\n' "$key" "${p[$word]}"
	done >"$CL/config/vpn-connect/$name.conf"
	chown $CL_UID:$CL_UID "$CL/config/vpn-connect/$name.conf"
}

# client_encrypt_key: the key that client_profile gave, from now on with the
# user's password on it.
client_encrypt_key() {
	local key=$CL/keys/cl-$SS_CERT.key
	openssl pkcs8 -topk8 -in "$key" -passout "pass:$PASSWORD" \
		-out "$key.new" && mv "$key.new" "$key" || return
	chmod 600 "$key"
	chown $CL_UID:$CL_UID "$key"
}
# client_up_typing NAME: at a terminal, where the password is typed.
client_up_typing() {
	CLIENT_WRAP="$PYTHON $LIB/typist.py $CL/keys/password" client_up "$@"
}

# client_exec ARGS...: becomes vpn-connect in the client's namespace; for use
# with &, whose $! is then the pid of vpn-connect.
client_exec() {
	cd "$CL/home" || exit
	exec ip netns exec cl env -u SUDO_USER SUDO_UID=$CL_UID \
		SUDO_GID=$CL_UID HOME="$CL/home" XDG_CONFIG_HOME="$CL/config" \
		XDG_STATE_HOME="$CL/state" XDG_RUNTIME_DIR="$CL/run" \
		$CLIENT_ENV $CLIENT_WRAP "$CLIENT" "$@"
}
client() { (client_exec "$@"); }

# client_start NAME ARGS...: `up` in the foreground, in the background of the
# test. Sets CL_PID, CL_OUT; does not wait.
client_start() {
	local name=$1
	shift
	CL_OUT=$SCRATCH/$name.out
	: >"$CL_OUT"
	client_exec up "$@" "$name" >>"$CL_OUT" 2>&1 </dev/null &
	CL_PID=$!
}
# client_connected: has it said so?
client_connected() { grep -q '^connected' "$CL_OUT"; }
client_running() { kill -0 "$CL_PID" 2>/dev/null; }
client_settled() { client_connected || ! client_running; }

# client_up NAME ARGS...: starts and waits until connected. Fails the case
# unless it connects.
client_up() {
	client_start "$@"
	wait_for "${CL_WAIT_S:-15}" client_settled
	client_connected && return
	client_running && fail "$1 not connected after ${CL_WAIT_S:-15} s: $(client_last)"
	wait "$CL_PID"
	fail "$1 did not connect, exit code $?: $(client_last)"
}
client_last() { tail -n 1 "$CL_OUT"; }

# client_exit SECONDS CODE...: waits for the end of `up`; one of these codes.
client_exit() {
	local limit=$1 rc c
	shift
	wait_for "$limit" lab_gone "$CL_PID" || fail "still running after $limit s: $(client_last)"
	wait "$CL_PID"
	rc=$?
	for c; do [ "$rc" = "$c" ] && return; done
	fail "exit code $rc instead of $*: $(client_last)"
}

# client_down NAME: `down`, then `up` has to end with 0.
client_down() {
	client down "$1" >"$SCRATCH/$1.down" 2>&1 ||
		fail "down: exit code $?: $(tail -n 1 "$SCRATCH/$1.down")"
	client_exit 5 0
}

# client_kill: kill -9 of `up`, without a word from the shell about it.
client_kill() {
	disown "$CL_PID" 2>/dev/null
	kill -KILL "$CL_PID" 2>/dev/null
	wait_for 3 lab_gone "$CL_PID"
}

# client_get NAME PATH: one value of status --json, e.g. ticket.remaining_s.
client_get() {
	client status --json "$1" 2>/dev/null | $PYTHON -c '
import json, sys
v = json.load(sys.stdin)
if isinstance(v, list):
    v = v[0]
for k in sys.argv[1].split("."):
    v = v.get(k) if isinstance(v, dict) else None
print("" if v is None else v if not isinstance(v, (dict, list)) else json.dumps(v))
' "$2" 2>/dev/null
}

# client_is_up_by NAME HOW: connected, and it came to be by full, resumed, mobike.
client_is_up_by() {
	[ "$(client_get "$1" state)" = connected ] &&
		[ "$(client_get "$1" how)" = "$2" ]
}

# client_state: everything of the client's network that a tunnel could leave
# behind, in a form that can be compared.
client_state() {
	ip -n cl -o link | sed 's/^[0-9]*: //; s/[:@ ].*//' | sort
	ip -n cl rule
	ip -n cl -6 rule
	{
		ip -n cl route show table all
		ip -n cl -6 route show table all
	} | grep -vE '^(multicast|ff00|fe80|local fe80|anycast fe80)' |
		sed 's/ linkdown//; s/ pref medium//; s/ expires [0-9]*sec//' | sort
	ip -n cl -o addr | awk '$4 !~ /^fe80/ {print $2, $4}' | sort
	in_ns cl nft list ruleset
	{
		ip -n cl xfrm state
		ip -n cl xfrm policy
	} 2>/dev/null
	echo "resolv.conf:"
	cat "$CL_RESOLV" /etc/resolv.conf
	in_ns cl sysctl net.ipv4.conf.all.rp_filter \
		net.ipv4.conf.default.rp_filter net.ipv4.conf.wifi.rp_filter \
		net.ipv4.conf.all.src_valid_mark
}
client_processes() {
	ps -eo pid=,comm=,args= | awk -v self=$$ '$2 ~ /^vpn-(connect|netd)/'
}

# client_clean: fails the case when anything of the tunnel is left.
# $SCRATCH/clean is the state before.
client_clean() {
	local left
	wait_for 3 client_no_processes ||
		fail "process left: $(client_processes | head -n 1)"
	client_state >"$SCRATCH/after"
	left=$(diff "$SCRATCH/clean" "$SCRATCH/after" | grep '^[<>]' | head -n 1)
	[ -z "$left" ] || fail "left in the client's network: $left"
}
client_no_processes() { [ -z "$(client_processes)" ]; }
