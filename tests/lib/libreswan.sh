# libreswan 5.2 as a gateway with session resumption (RFC 5723). Debian 12 has
# 4.10, which knows nothing of it, so this one comes from Debian 13 in a folder
# of its own, made once by debootstrap and then kept. pluto runs chrooted there
# in namespace gw of the lab, everything it writes on a tmpfs of this run.
#
# Call lsw_cache before lab_enter (the lab has no way to the outside).

LSW_SUITE=trixie
LSW_CACHE=${VPC_CACHE:-/var/cache/vpn-connect-tests}/libreswan-$LSW_SUITE
LSW_LIBEXEC=/usr/libexec/ipsec

# lsw_mirror: the Debian mirror this machine's apt uses, if any.
lsw_mirror() {
	cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
		sed -nE \
			-e 's|^URIs:[[:space:]]*([^[:space:]]*/debian)/?[[:space:]]*$|\1|p' \
			-e 's|^deb[[:space:]]+(\[[^]]*\][[:space:]]*)?([^[:space:]]*/debian)/?[[:space:]].*|\2|p' |
		head -n 1
}

# lsw_cache: makes the folder unless it is there. About a minute the first
# time; needs root, debootstrap and the mirror.
lsw_cache() {
	local tmp
	mkdir -p "${LSW_CACHE%/*}" || return
	exec 8>"$LSW_CACHE.lock"
	flock 8
	if [ ! -e "$LSW_CACHE/.complete" ]; then
		tmp=$LSW_CACHE.new
		rm -rf --one-file-system "$tmp" "$LSW_CACHE"
		# shellcheck disable=SC2046 # no mirror: debootstrap's own
		debootstrap --variant=minbase --include=libreswan,bind9-host \
			"$LSW_SUITE" "$tmp" $(lsw_mirror) \
			>"$LSW_CACHE.log" 2>&1 8>&- || {
			tail -n 3 "$LSW_CACHE.log" >&2
			return 1
		}
		rm -rf "$tmp"/var/cache/apt/archives/*.deb "$tmp"/var/lib/apt/lists/*
		touch "$tmp/.complete"
		mv "$tmp" "$LSW_CACHE" || return
	fi
	exec 8>&-
}
lsw_version() {
	chroot "$LSW_CACHE" dpkg-query -W -f '${Version}\n' libreswan
}

# lsw_mount: the folder, read-only, with writable places on a tmpfs. Once a lab;
# the lab's mount namespace takes it all away.
lsw_mount() {
	local d
	LSW=$SCRATCH/lsw
	mkdir -p "$LSW"
	mount --bind "$LSW_CACHE" "$LSW" &&
		mount -o remount,bind,ro "$LSW" || return
	for d in run tmp var/log var/lib/ipsec; do
		mount -t tmpfs -o mode=755 lsw "$LSW/$d" || return
	done
	mount -t proc proc "$LSW/proc" &&
		mount --rbind /dev "$LSW/dev" &&
		${CC:-cc} -shared -fPIC -O1 -o "$LSW/tmp/noesp.so" "$LIB/noesp.c" &&
		${CC:-cc} -shared -fPIC -O1 -o "$LSW/tmp/espintcp.so" \
			"$LIB/espintcp.c"
}

# Words a case may change before lsw_start; lsw_reset puts them back.
lsw_reset() {
	LSW_RESUMPTION=yes
	# pretend, or `kernel`, which fails on a kernel without ESP
	LSW_XFRM=${LSW_KERNEL:+kernel}
	LSW_XFRM=${LSW_XFRM:-pretend}
	LSW_IKE="aes_gcm256-sha2_384;dh20,aes_gcm256-sha2_256;modp2048,aes256-sha2_256;modp2048,aes256-sha2_384;modp2048,aes256-sha2_512;modp2048"
	LSW_ID=@gw.lab.test LSW_CERT_ID=client@lab.test
	LSW_CONN=''  # extra lines of every connection
	LSW_SETUP='' # and of `config setup`
	LSW_TCP=''   # yes: ESP in TCP is there (lib/espintcp.c)
}
lsw_reset

# lsw_conf: connections told apart by the client's identity, as in
# lib/strongswan.sh.
lsw_conf() {
	# With both words pluto takes RSA and signs nothing with an EC key.
	local authby=ecdsa
	case ${SS_CERT:-ecdsa256} in rsa*) authby=rsa-sha2 ;; esac
	cat <<-C
		config setup
		 dnssec-enable=no
		 $LSW_SETUP
		conn %default
		 left=203.0.113.1
		 leftid=$LSW_ID
		 leftsubnet=10.9.0.0/24
		 leftmodecfgserver=yes
		 right=%any
		 rightmodecfgclient=yes
		 rightaddresspool=10.77.0.10-10.77.0.250
		 modecfgdns=10.9.0.53
		 ikev2=yes
		 ike=$LSW_IKE
		 esp=aes_gcm256,aes256-sha2_256,aes256-sha2_384,aes256-sha2_512
		 narrowing=yes
		 rekey=no
		 session-resumption=$LSW_RESUMPTION
		 $LSW_CONN
		conn psk
		 rightid=psk@lab.test
		 authby=secret
		 auto=ignore
		conn cert
		 leftcert=gw
		 leftsendcert=always
		 rightid=$LSW_CERT_ID
		 rightca=%same
		 authby=$authby
		 auto=ignore
	C
}

# lsw_run COMMAND...: inside the folder and namespace gw.
lsw_run() { ip netns exec gw chroot "$LSW" "$@"; }
lsw_whack() { lsw_run $LSW_LIBEXEC/whack "$@"; }

# lsw_nss: a fresh key store, with the gateway's certificate when there is one.
lsw_nss() {
	local db=sql:/var/lib/ipsec/nss kind=${SS_CERT:-ecdsa256}
	rm -rf "$LSW/var/lib/ipsec/nss"
	mkdir -p -m 700 "$LSW/var/lib/ipsec/nss"
	chroot "$LSW" certutil -N -d $db --empty-password || return
	[ -s "$PKI/gw-$kind.crt" ] || return 0
	openssl pkcs12 -export -in "$PKI/gw-$kind.crt" -inkey "$PKI/gw-$kind.key" \
		-certfile "$PKI/ca-$kind.crt" -name gw -passout pass: \
		-out "$LSW/tmp/gw.p12" &&
		chroot "$LSW" pk12util -i /tmp/gw.p12 -d $db -W '' &&
		cp "$PKI/ca-$kind.crt" "$LSW/tmp/ca.crt" &&
		chroot "$LSW" certutil -A -d $db -n ca -t CT,, -i /tmp/ca.crt
}

# lsw_start: pluto with the words above and connections psk and cert. Its log
# is $SCRATCH/pluto.out; $LSW/run/sa the SAs it made (lib/noesp.c).
lsw_start() {
	local preload=
	lsw_stop
	rm -rf "$LSW"/run/*
	mkdir -p "$LSW/run/pluto"
	[ "$LSW_XFRM" = kernel ] || preload=/tmp/noesp.so${LSW_TCP:+:/tmp/espintcp.so}
	lsw_conf >"$LSW/run/ipsec.conf"
	printf '@gw.lab.test psk@lab.test : PSK "%s"\n' "$PSK" \
		>"$LSW/run/ipsec.secrets"
	chmod 600 "$LSW/run/ipsec.secrets"
	lsw_nss >"$SCRATCH/lsw-nss.out" 2>&1 || {
		tail -n 3 "$SCRATCH/lsw-nss.out"
		return 1
	}
	ip netns exec gw chroot "$LSW" env LD_PRELOAD=$preload NOESP_LOG=/run/sa \
		$LSW_LIBEXEC/pluto --nofork --stderrlog --config /run/ipsec.conf \
		--secretsfile /run/ipsec.secrets >"$SCRATCH/pluto.out" 2>&1 </dev/null &
	LSW_PID=$!
	wait_for 10 lsw_whack --listen || {
		tail -n 3 "$SCRATCH/pluto.out"
		return 1
	}
	lsw_add psk
	[ ! -s "$PKI/gw-${SS_CERT:-ecdsa256}.crt" ] || lsw_add cert
}
lsw_add() {
	lsw_run $LSW_LIBEXEC/addconn --config /run/ipsec.conf "$1" \
		>"$SCRATCH/lsw-add.out" 2>&1
	lsw_whack --status | grep -q "\"$1\".*policy" || {
		tail -n 3 "$SCRATCH/lsw-add.out"
		return 1
	}
}
# lsw_stop: no DELETE goes out, as in a crash.
lsw_stop() {
	[ -n "${LSW_PID:-}" ] || return 0
	kill -KILL "$LSW_PID" 2>/dev/null
	wait "$LSW_PID" 2>/dev/null
	LSW_PID=
}
# lsw_roll_key: a new key for tickets. The one before is still read, so it takes
# two to make a ticket unreadable.
lsw_roll_key() { lsw_whack --impair trigger:EVENT_REINIT_SECRET; }
# lsw_log PATTERN: is it in pluto's log?
lsw_log() { grep -qE "$1" "$SCRATCH/pluto.out"; }

# lsw_echo_start: answers pings in tunnels of AES-CBC with HMAC-SHA2, without
# ESN, in the kernel's stead; what it saw is in $SCRATCH/echo.out.
lsw_echo_start() {
	rm -f "$SCRATCH/echo.out"
	ip netns exec gw $PYTHON "$TESTS/interop/especho.py" "$LSW/run/sa" wan \
		>"$SCRATCH/echo.out" 2>&1 &
	wait_for 5 grep -q ready "$SCRATCH/echo.out"
}
lsw_echo_saw() { grep -q "^$1 " "$SCRATCH/echo.out"; }

# ---- vpn-connect against it: parts of cases

lsw_setup() {
	pki_make ecdsa256
	lsw_mount || die "libreswan's folder cannot be mounted"
}
gateway() {
	pki_make "$SS_CERT"
	lsw_start >"$SCRATCH/start.out" 2>&1 ||
		fail "pluto: $(tail -n 1 "$SCRATCH/start.out")"
}
# pluto_said PATTERN
pluto_said() { lsw_log "$1" || fail "pluto's log does not say /$1/"; }
# first_up [psk|cert [PROFILE-WORDS]]: the full exchange, a ticket in hand.
first_up() {
	client_profile lsw "${1:-psk}" crypto.ike=aes256gcm16-prfsha256-modp2048 \
		crypto.esp=aes256-sha256-noesn "${@:2}"
	client_up lsw -v
	check_status lsw how full
	check_status lsw inner.v4 10.77.0.10
	wait_for 5 has_ticket || fail "no ticket came"
}
has_ticket() { [ -n "$(client_get lsw ticket.size)" ]; }
suspended() {
	wait_for 5 has_ticket || fail "no ticket came"
	must "suspend" client suspend lsw
	client_exit 5 0
}
killed() {
	wait_for 5 has_ticket || fail "no ticket came"
	kill -KILL $CL_PID
	wait $CL_PID 2>/dev/null
	wait_for 3 client_no_processes || fail "the helper outlived the client"
}
# resumes REQUESTS: by the ticket, without a question, with so many messages
# that present it (more, where the gateway is slow to answer).
resumes() {
	wire_start
	client_up lsw -v
	wire_stop
	check_status lsw how resumed
	check_status lsw prompts 0
	check_status lsw inner.v4 10.77.0.10
	[ -n "${WAIT_TIMES:-}" ] || [ "$(wire_count ex=38 resp=0)" = "$1" ] ||
		fail "$(wire_count ex=38 resp=0) requests with the ticket, not $1"
	[ "$(wire_count ex=34 resp=0)" = 0 ] || fail "a full exchange beside it"
	pluto_said 'IKE_SESSION_RESUME'
}
