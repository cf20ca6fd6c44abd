# The lab: a client with two links, a router, a gateway and a server, each in a
# network namespace, all inside private pid and mount namespaces of this script.
#
#   cl  wifi 192.0.2.2    --\
#       lte  198.51.100.2 -- rt -- wan 203.0.113.1 gw lan 10.9.0.1 -- srv 10.9.0.2
#
# Start a script with `lab_enter "$0" "$@"`: it runs again as process 1 of its
# own pid namespace, with a private /run and a writable copy of /etc on top of
# the machine's. When it ends, however it ends, the kernel ends every process
# and removes every namespace, interface, mount and changed file with it.
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$LIB/build.sh"
. "$LIB/pki.sh"
. "$LIB/strongswan.sh"
. "$LIB/client.sh"
. "$LIB/testgw.sh"
. "$LIB/roam.sh"

# lab_enter SCRIPT ARGS...: returns inside the lab; the outer copy never does.
lab_enter() {
	if [ -n "${LAB_INSIDE:-}" ]; then
		unset LAB_INSIDE
		lab_private
		return
	fi
	as_root "$@"
	SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/vpc-lab.XXXXXX") || exit 1
	# Unprivileged processes of the lab must reach their own files in it.
	chmod 755 "$SCRATCH"
	export SCRATCH
	local rc inner
	LAB_INSIDE=1 unshare --net --mount --pid --ipc --uts --fork \
		--kill-child --mount-proc --propagation private \
		bash "$@" <&0 &
	inner=$!
	trap 'kill -KILL $inner 2>/dev/null' INT TERM HUP
	wait $inner
	rc=$?
	wait $inner 2>/dev/null
	if [ $rc = 0 ] || [ ! -s "$SCRATCH/keep" ]; then
		rm -rf "$SCRATCH"
	else
		say "logs: $SCRATCH"
	fi
	exit $rc
}

lab_private() {
	mount -t tmpfs -o mode=755 run /run || die "no private /run"
	mkdir -p /run/netns /run/lab/upper /run/lab/work /run/user
	chmod 1777 /run/lab
	mount -t overlay etc -o lowerdir=/etc,upperdir=/run/lab/upper,workdir=/run/lab/work \
		/etc 2>/dev/null || lab_copy_etc || die "no private /etc"
	rm -f /etc/resolv.conf
	lab_resolv
	cat >>/etc/hosts <<-H
		203.0.113.1 gw.lab.test
		2001:db8:3::1 gw6.lab.test
	H
	hostname lab
	[ -e /dev/net/tun ] || modprobe tun 2>/dev/null
	ip link set lo up
	trap 'exit 130' INT TERM HUP
}

# The client's own: `ip netns exec cl` shows it there as /etc/resolv.conf.
CL_RESOLV=/etc/netns/cl/resolv.conf
lab_resolv() {
	mkdir -p /etc/netns/cl
	printf '# lab\nnameserver 192.0.2.1\n' >$CL_RESOLV
	cp $CL_RESOLV /etc/resolv.conf
}

lab_copy_etc() {
	mkdir -p /run/lab/etc && cp -a /etc/. /run/lab/etc/ &&
		mount --bind /run/lab/etc /etc
}

# in_ns NAME COMMAND...: runs in that namespace.
# A shell function hides a child's pid; for daemons use `ns_exec` after &.
in_ns() { ip netns exec "$@"; }

lab_link() { # NS-A IF-A ADDR-A ADDR6-A NS-B IF-B ADDR-B ADDR6-B
	ip -n "$1" link add "$2" type veth peer name "$6" netns "$5"
	ip -n "$1" addr add "$3" dev "$2"
	ip -n "$1" addr add "$4" dev "$2" nodad
	ip -n "$5" addr add "$7" dev "$6"
	ip -n "$5" addr add "$8" dev "$6" nodad
	ip -n "$1" link set "$2" up
	ip -n "$5" link set "$6" up
}

lab_host() {
	ip netns add "$1"
	ip -n "$1" link set lo up
	in_ns "$1" sysctl -qw net.ipv4.conf.all.rp_filter=0 \
		net.ipv4.conf.default.rp_filter=0 \
		net.ipv6.conf.all.disable_ipv6=0 \
		net.ipv6.conf.default.disable_ipv6=0 \
		net.ipv6.conf.default.accept_dad=0 \
		net.ipv4.ping_group_range='0 2147483647'
}

# lab_up: makes the four hosts and their links.
lab_up() {
	local n
	for n in cl rt gw srv; do lab_host $n; done
	lab_link gw wan 203.0.113.1/24 2001:db8:3::1/64 \
		rt wan 203.0.113.254/24 2001:db8:3::fe/64
	lab_link gw lan 10.9.0.1/24 2001:db8:9::1/64 \
		srv eth0 10.9.0.2/24 2001:db8:9::2/64
	for n in rt gw; do
		in_ns $n sysctl -qw net.ipv4.ip_forward=1 \
			net.ipv6.conf.all.forwarding=1
	done
	ip -n gw route add default via 203.0.113.254
	ip -n gw -6 route add default via 2001:db8:3::fe
	ip -n srv route add default via 10.9.0.1
	ip -n srv -6 route add default via 2001:db8:9::1
	lab_client_links
}

# lab_client_links: both links of the client fresh and up, wifi preferred.
lab_client_links() {
	ip -n rt link del wifi 2>/dev/null
	ip -n rt link del lte 2>/dev/null
	lab_link cl wifi 192.0.2.2/24 2001:db8:1::2/64 \
		rt wifi 192.0.2.1/24 2001:db8:1::1/64
	lab_link cl lte 198.51.100.2/24 2001:db8:2::2/64 \
		rt lte 198.51.100.1/24 2001:db8:2::1/64
	# A provider drops what does not come from its own network (BCP 38).
	in_ns rt sysctl -qw net.ipv4.conf.wifi.rp_filter=1 \
		net.ipv4.conf.lte.rp_filter=1
	lab_wifi_routes
	ip -n cl route replace default via 198.51.100.1 dev lte metric 200
	ip -n cl -6 route replace default via 2001:db8:2::1 dev lte metric 200
}
lab_wifi_routes() {
	ip -n cl route replace default via 192.0.2.1 dev wifi metric 100
	ip -n cl -6 route replace default via 2001:db8:1::1 dev wifi metric 100
}

# lab_wifi up|down: the client's first link comes or goes.
lab_wifi() {
	if [ "$1" = down ]; then
		ip -n cl addr flush dev wifi
		ip -n cl link set wifi down
		return
	fi
	ip -n cl link set wifi up
	# An address comes after the carrier, as from DHCP; until the kernel
	# has seen it, up to a second later, what is sent is lost.
	wait_for 3 lab_wifi_carrier
	ip -n cl addr replace 192.0.2.2/24 dev wifi
	ip -n cl addr replace 2001:db8:1::2/64 dev wifi nodad
	lab_wifi_routes
}

lab_wifi_carrier() { ip -n cl link show dev wifi | grep -q 'state UP'; }

# lab_nat on|off|rebind: masquerade in the router. rebind forgets the mappings
# and moves new ones to other ports, as a router that restarted would.
lab_nat() {
	in_ns rt nft delete table ip labnat 2>/dev/null
	case $1 in
	on) lab_nat_rule 20000-29999 ;;
	rebind) lab_nat_rule 30000-39999 ;;
	esac
}
lab_nat_rule() {
	in_ns rt nft -f - <<-N
		table ip labnat {
			chain post {
				type nat hook postrouting priority 100;
				oifname wan meta l4proto udp masquerade to :$1
				oifname wan masquerade
			}
		}
	N
}

# lab_drop RULE...|off: the router drops what an nft match says,
# e.g. `lab_drop ip daddr 203.0.113.1` or
# `lab_drop meta l4proto udp numgen random mod 100 lt 10`.
lab_drop() {
	in_ns rt nft delete table inet labdrop 2>/dev/null
	[ "$1" = off ] && return
	in_ns rt nft -f - <<-N
		table inet labdrop {
			chain drops {
				type filter hook forward priority 0;
				$* drop
			}
		}
	N
}

# lab_relay on ARGS...|off|say LINE: a userspace relay with delay and loss in
# the gateway's cable (lib/relay.py has the arguments and the lines).
lab_relay() {
	local act=$1 x
	shift
	case $act in
	on)
		ip netns add em
		in_ns em sysctl -qw net.ipv6.conf.default.disable_ipv6=1
		ip -n rt link del wan
		ip -n rt link add wan type veth peer name a netns em
		ip -n gw link add wan type veth peer name b netns em
		ip -n em link set dev a up
		ip -n em link set dev b up
		lab_wan_addresses
		# A raw socket sees frames before the card's work is done.
		for x in "rt wan" "gw wan" "em a" "em b"; do
			in_ns ${x% *} ethtool -K "${x#* }" tso off gso off \
				gro off tx off >/dev/null 2>&1
		done
		RELAY_CTL=$SCRATCH/relay.ctl
		rm -f "$RELAY_CTL" "$SCRATCH/relay.out"
		mkfifo "$RELAY_CTL"
		ip netns exec em $PYTHON "$LIB/relay.py" a b "$RELAY_CTL" "$@" \
			>"$SCRATCH/relay.out" 2>&1 &
		RELAY_PID=$!
		wait_for 5 grep -q ready "$SCRATCH/relay.out"
		;;
	say) printf '%s\n' "$*" >"$RELAY_CTL" ;;
	off)
		kill "$RELAY_PID" 2>/dev/null
		wait "$RELAY_PID" 2>/dev/null
		ip netns del em
		wait_for 2 lab_no_wan
		ip -n gw link add wan type veth peer name wan netns rt
		lab_wan_addresses
		;;
	esac
}
lab_no_wan() { ! ip -n gw link show wan 2>/dev/null; }
lab_wan_addresses() {
	ip -n gw addr add 203.0.113.1/24 dev wan
	ip -n gw addr add 2001:db8:3::1/64 dev wan nodad
	ip -n rt addr add 203.0.113.254/24 dev wan
	ip -n rt addr add 2001:db8:3::fe/64 dev wan nodad
	ip -n gw link set wan up
	ip -n rt link set wan up
	ip -n gw route replace default via 203.0.113.254
	ip -n gw -6 route replace default via 2001:db8:3::fe
}

# wire_start / wire_stop: counts what crosses the router's cable to the gateway.
# wire_stop leaves one JSON object a packet in $WIRE; wire_sum prints sums.
wire_start() {
	WIRE=$SCRATCH/${1:-wire}.jsonl
	rm -f "$WIRE"
	ip netns exec rt $PYTHON "$LIB/wire.py" capture wan "$WIRE" \
		2>"$SCRATCH/wire.err" &
	WIRE_PID=$!
	wait_for 5 test -e "$WIRE"
}
wire_stop() {
	[ -n "${WIRE_PID:-}" ] || return 0
	kill "$WIRE_PID" 2>/dev/null
	wait "$WIRE_PID" 2>/dev/null
	WIRE_PID=
}
# wire_count KEY=VALUE...: number of packets with those fields.
wire_count() { $PYTHON "$LIB/wire.py" count "$WIRE" "$@"; }
# wire_sum: "ROUND-TRIPS PACKETS OCTETS MS" of the set-up (see lib/wire.py).
wire_sum() { $PYTHON "$LIB/wire.py" sum "$WIRE"; }
