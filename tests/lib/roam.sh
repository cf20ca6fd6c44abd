# The client's network changes under a running tunnel.

# roam_lte: the first link is gone.
roam_lte() { lab_wifi down; }
# roam_renumber: the same link, another address; there is no other link.
roam_renumber() {
	ip -n cl addr flush dev wifi
	ip -n cl addr add 192.0.2.77/24 dev wifi
	ip -n cl route replace default via 192.0.2.1 dev wifi metric 100
}
roam_one_link() { ip -n cl link set lte down; }
# roam_home: as lab_client_links made it.
roam_home() {
	ip -n cl addr flush dev wifi
	lab_wifi up
	ip -n cl link set lte up
	ip -n cl addr replace 2001:db8:2::2/64 dev lte nodad
	ip -n cl route replace default via 198.51.100.1 dev lte metric 200
	ip -n cl -6 route replace default via 2001:db8:2::1 dev lte metric 200
}

# roam_nat_rebind: the router forgets its mappings and makes others. They
# last as long as packets come: none for a while.
roam_nat_rebind() {
	in_ns rt sysctl -qw net.netfilter.nf_conntrack_udp_timeout=1 \
		net.netfilter.nf_conntrack_udp_timeout_stream=1 2>/dev/null ||
		skip "no conntrack timeouts in this kernel"
	in_ns cl ping -n -q -c 3 -i 0.05 -W 1 10.9.0.2 >/dev/null 2>&1
	in_ns rt nft -f - <<-N
		table inet labrebind {
			chain pre {
				type filter hook prerouting priority -400;
				udp dport 4500 drop
				udp sport 4500 drop
			}
		}
	N
	sleep 2.5
	lab_nat rebind
	in_ns rt nft delete table inet labrebind
	in_ns rt sysctl -qw net.netfilter.nf_conntrack_udp_timeout=30 \
		net.netfilter.nf_conntrack_udp_timeout_stream=120
}

# roam_route: both links stay, the other one is preferred now.
roam_route() {
	ip -n cl route replace default via 198.51.100.1 dev lte metric 50
	ip -n cl -6 route replace default via 2001:db8:2::1 dev lte metric 50
}
# roam_only 4|6: the client's networks have no other family. The link in use
# last: else there are two changes at once, and strongSwan, which rekeys for
# each, repeats only after four seconds what it sent to the first address.
roam_only() {
	local l
	for l in lte wifi; do
		ip -n cl -$((10 - $1)) addr flush dev $l scope global
	done
}
# roam_family 4|6: from a network of the other family to one of this.
roam_family() {
	case $1 in
	4)
		ip -n cl addr add 192.0.2.2/24 dev wifi
		ip -n cl route replace default via 192.0.2.1 dev wifi metric 100
		;;
	6)
		ip -n cl addr add 2001:db8:1::2/64 dev wifi nodad
		ip -n cl -6 route replace default via 2001:db8:1::1 dev wifi metric 100
		;;
	esac
	roam_only $1
}

# roam_tcp_start SECONDS: a transfer through the tunnel, up and down at once;
# roam_tcp_stop: it has to go on to the end on the same connections, both ways,
# also in the last second.
roam_tcp_start() {
	ip netns exec srv iperf3 -s -1 >/dev/null 2>&1 &
	sleep 0.3
	ip netns exec cl iperf3 -c 10.9.0.2 -t "$1" -b 10M -i 1 -J --bidir \
		>"$SCRATCH/tcp.out" 2>&1 &
	ROAM_TCP=$!
	sleep 1
}
roam_tcp_stop() {
	local way
	wait $ROAM_TCP || fail "the TCP connection broke: $(grep -m1 error "$SCRATCH/tcp.out")"
	way=$($PYTHON - "$SCRATCH/tcp.out" <<-'P'
		import json, sys
		last = json.load(open(sys.argv[1]))["intervals"][-1]
		for way, name in (("up", "sum"), ("down", "sum_bidir_reverse")):
		    if last[name]["bytes"] <= 1 << 18:
		        print(way)
		P
	)
	[ -z "$way" ] || fail "TCP: nothing went $(echo $way) in the last second"
}

# roam_by HOW COMMAND...: the command changes the network while pings and a
# TCP transfer run; after it the tunnel is up again by HOW.
roam_by() {
	local how=$1
	shift
	traffic_start
	roam_tcp_start "${ROAM_TCP_S:-5}"
	"$@"
	wait_for 15 is_up_by "$how" ||
		fail "not $how in 15 s but '$(client_get lab how)': $(client_last)"
	roam_tcp_stop
	kill -INT $TRAFFIC_PID
	wait $TRAFFIC_PID
	check_ping
}
is_up_by() { client_is_up_by lab "$1"; }
# roam_gap: the longest time without an answered ping, in ms.
roam_gap() {
	$PYTHON - "$SCRATCH/traffic.out" <<-'P'
		import re, sys
		t = [float(m.group(1)) for m in re.finditer(r"^\[([\d.]+)\] \d+ bytes", open(sys.argv[1]).read(), re.M)]
		print(round(1000 * max(b - a for a, b in zip(t, t[1:]))))
	P
}
