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
	rm -f "$d/control" "$d/ready"
	ip netns exec gw $TESTGW_WRAP "$TESTGW" --listen 203.0.113.1 \
		--id gw.lab.test --psk-file "$d/psk" \
		--cert "$PKI/gw-$SS_CERT.crt" --key "$PKI/gw-$SS_CERT.key" \
		--ca "$PKI/ca-$SS_CERT.crt" --user "alice:$d/password" \
		--pool 10.77.0.0/24 --dns 10.9.0.53 --tun gw0 \
		--control "$d/control" "$@" >"$d/ready" 2>>"$d/log" &
	echo $! >"$d/pid"
	disown $!
	wait_for 5 grep -q ready "$d/ready" || fail "test gateway: $(tail -n 1 "$d/log")"
}
# testgw COMMAND...: a command over its control socket (`testgw help`).
testgw() { "$TESTGW" --tell "$SCRATCH/testgw/control" "$@"; }
# testgw_count NAME: one of its counters.
testgw_count() { testgw stats | grep -oE "\"?$1\"?[ :]+[0-9]+" | grep -oE '[0-9]+$'; }
testgw_stop() {
	local p
	p=$(cat "$SCRATCH/testgw/pid" 2>/dev/null) || return 0
	rm -f "$SCRATCH/testgw/pid"
	kill "${1:--TERM}" "$p" 2>/dev/null
	wait_for 3 lab_gone "$p" || kill -KILL "$p" 2>/dev/null
	wait_for 2 lab_gone "$p"
}
TESTGW_WRAP=
