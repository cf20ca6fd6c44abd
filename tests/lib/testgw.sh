# Our own gateway, vpn-test-gateway: the peer that speaks RFC 5723.

# testgw_start ARGS...: starts it in namespace gw.
testgw_start() {
	local d=$SCRATCH/testgw
	[ -x "$TESTGW" ] || skip "vpn-test-gateway is not built"
	pki_make "$SS_CERT"
	mkdir -p "$d"
	printf '%s\n' "$PSK" >"$d/psk"
	printf '%s\n' "$PASSWORD" >"$d/password"
	chmod 600 "$d"/psk "$d"/password
	ip netns exec gw $TESTGW_WRAP "$TESTGW" --listen 203.0.113.1 \
		--id gw.lab.test --psk-file "$d/psk" \
		--cert "$PKI/gw-$SS_CERT.crt" --key "$PKI/gw-$SS_CERT.key" \
		--ca "$PKI/ca-$SS_CERT.crt" --user "alice:$d/password" \
		--pool 10.77.0.0/24 "$@" >>"$d/log" 2>&1 &
	echo $! >"$d/pid"
	wait_for 5 grep -q listening "$d/log" || fail "test gateway: $(tail -n 1 "$d/log")"
}
testgw_stop() {
	local p
	p=$(cat "$SCRATCH/testgw/pid" 2>/dev/null) || return 0
	rm -f "$SCRATCH/testgw/pid"
	kill "${1:--TERM}" "$p" 2>/dev/null
	wait_for 3 lab_gone "$p" || kill -KILL "$p"
	wait "$p" 2>/dev/null
	return 0
}
TESTGW_WRAP=
