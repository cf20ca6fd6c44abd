# NetworkManager in the client's namespace: a bus of its own, both links under
# its care as connections "base-wifi" and "base-lte", our plugin from the build.

NM_UID=4712
# What nmcli waits, seconds.
NM_WAIT=$((10 * ${WAIT_TIMES:-1}))
NM_CAPS=-all,+net_admin,+dac_override,+net_raw,+net_bind_service,+setgid
NM_CAPS=$NM_CAPS,+setuid,+sys_module,+audit_write,+kill,+sys_chroot

nm_bus_conf() {
	cat <<-X
		<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
		<busconfig>
		<type>system</type>
		<listen>unix:path=/run/dbus/system_bus_socket</listen>
		<auth>EXTERNAL</auth>
		<policy context="default">
			<allow user="*"/>
			<deny own="*"/>
			<deny send_type="method_call"/>
			<allow send_type="signal"/>
			<allow send_requested_reply="true" send_type="method_return"/>
			<allow send_requested_reply="true" send_type="error"/>
			<allow receive_type="method_call"/>
			<allow receive_type="method_return"/>
			<allow receive_type="error"/>
			<allow receive_type="signal"/>
			<allow send_destination="org.freedesktop.DBus"/>
		</policy>
		<includedir>/usr/share/dbus-1/system.d</includedir>
		<includedir>$PREFIX/share/dbus-1/system.d</includedir>
		</busconfig>
	X
}

nm_conf() {
	cat <<-X
		[main]
		plugins=keyfile
		dhcp=internal
		dns=default
		rc-manager=file
		auth-polkit=root-only
		no-auto-default=*
		[connectivity]
		enabled=false
	X
}

# nm_users: the user of everybody's connections; a runtime folder for alice.
# What the client keeps is gone.
nm_users() {
	grep -q '^nm-vpn-connect:' /etc/passwd || {
		echo "nm-vpn-connect:x:$NM_UID:$NM_UID::/:/bin/sh" >>/etc/passwd
		echo "nm-vpn-connect:x:$NM_UID:" >>/etc/group
	}
	install -d -m 700 -o $CL_UID -g $CL_UID /run/user/$CL_UID
	mountpoint -q /var/lib || mount -t tmpfs nm /var/lib
	rm -rf /run/nm-vpn-connect /var/lib/nm-vpn-connect
}

nm_installed() { [ -x /usr/sbin/NetworkManager ] && [ -e "$PREFIX/lib/NetworkManager/VPN/nm-vpn-connect-service.name" ]; }

# nm_start: returns when both links are up.
nm_start() {
	NM=$SCRATCH/nm
	CLIENT_ENV="$CLIENT_ENV XDG_RUNTIME_DIR=/run/nm-vpn-connect/$CL_UID"
	PREFIX=$WORK/prefix${LAB_VARIANT:-}
	nm_installed || skip "no NetworkManager, or no plugin in $PREFIX"
	rm -rf "$NM" /run/NetworkManager /run/dbus
	mkdir -p "$NM" /run/dbus /run/NetworkManager \
		/etc/NetworkManager/{system-connections,VPN,conf.d}
	chmod 755 "$NM"
	rm -f /etc/NetworkManager/conf.d/* /etc/NetworkManager/system-connections/*
	install -m 600 "$PREFIX/lib/NetworkManager/VPN/nm-vpn-connect-service.name" \
		/etc/NetworkManager/VPN/
	nm_users
	nm_conf >/etc/NetworkManager/NetworkManager.conf
	nm_bus_conf >"$NM/bus.conf"
	mkdir -p /var/lib/NetworkManager
	rm -rf /var/lib/NetworkManager/*
	dbus-daemon --config-file="$NM/bus.conf" --nofork --nopidfile \
		>"$SCRATCH/bus.out" 2>&1 &
	wait_for 5 test -S /run/dbus/system_bus_socket || fail "no bus"
	wait_for 3 lab_wifi_carrier
	# Else it would take what is there for connections of its own.
	ip -n cl addr flush dev wifi
	ip -n cl addr flush dev lte
	# In the sandbox of its unit (Debian's); and with a /sys that cannot be
	# written it does not wait for udev.
	nsenter --net=/run/netns/cl unshare -m sh -c \
		'mount -t sysfs -o ro sysfs /sys &&
		for d in "$0" /run/user /usr; do
			mount --bind "$d" "$d" && mount -o remount,bind,ro "$d" || exit
		done
		exec "$@"' "$CL" setpriv --bounding-set "$NM_CAPS" \
		NetworkManager --debug --log-level=DEBUG \
		--log-domains=VPN:TRACE,DEVICE,CORE,DNS,AGENTS,SETTINGS \
		>"$SCRATCH/nm.out" 2>&1 &
	NM_PID=$!
	disown $NM_PID
	wait_for 10 nmcli -t general status || fail "NetworkManager does not start"
	nm_links
	# Router advertisements and the like have settled.
	wait_for 3 nm_quiet
	nm_network >"$SCRATCH/nm-before"
}
nm_quiet() {
	nm_network >"$SCRATCH/nm-now"
	sleep 0.2
	nm_network | cmp -s - "$SCRATCH/nm-now"
}
# nm_network: it may list the links' name servers in either order.
nm_network() { client_state | sort; }

nm_links() {
	nm_link wifi 192.0.2 100
	nm_link lte 198.51.100 200
}
nm_link() { # IFACE NET METRIC
	nmcli -w $NM_WAIT connection add type ethernet con-name "base-$1" ifname "$1" \
		ipv4.method manual ipv4.addresses "$2.2/24" \
		ipv4.gateway "$2.1" ipv4.route-metric "$3" ipv4.dns "$2.53" \
		ipv6.method link-local >"$SCRATCH/link.out" 2>&1 &&
		nmcli -w $NM_WAIT connection up "base-$1" >"$SCRATCH/link.out" 2>&1 ||
		fail "connection $1: $(tail -n 1 "$SCRATCH/link.out")"
}

# nm_stop: and the client's network is as the lab makes it.
nm_stop() {
	kill "$NM_PID" 2>/dev/null
	wait_for 5 lab_gone "$NM_PID"
	nm_forget
}
nm_forget() {
	ip netns del cl
	wait_for 2 lab_no_wifi
	lab_resolv
	lab_host cl
	lab_client_links
}

# nm_state CONNECTION: activated, activating, deactivating or nothing.
nm_state() { nmcli -g GENERAL.STATE connection show "$1" 2>/dev/null | head -n 1; }
nm_is_up() { [ "$(nm_state "$1")" = activated ]; }
nm_is_down() { [ -z "$(nm_state "$1")" ]; }
# nm_clean: the network is as before the VPN, and no process of it is left.
nm_clean() {
	wait_for 3 nm_no_processes ||
		fail "process left: $(nm_processes | head -n 1)"
	wait_for 3 nm_same || fail "left in the client's network: $(
		diff "$SCRATCH/nm-before" "$SCRATCH/nm-now" | grep '^[<>]' | head -n 1)"
}
nm_same() {
	nm_network >"$SCRATCH/nm-now"
	cmp -s "$SCRATCH/nm-before" "$SCRATCH/nm-now"
}
# nm_log PATTERN: has NetworkManager (or our service) said so?
nm_log() { grep -qE -- "$1" "$SCRATCH/nm.out"; }
# nm_processes: pid, uid and program of what is ours.
nm_processes() {
	ps -eo pid=,uid=,args= |
		sed -n 's,^ *\([0-9]* *[0-9]*\) [^ ]*/\(nm-vpn-connect-[a-z]*\|vpn-netd\).*,\1 \2,p'
}
nm_no_processes() { [ -z "$(nm_processes)" ]; }
nm_pid() { nm_processes | awk -v program="nm-vpn-connect-$1" '$3 == program { print $1 }'; }
# nm_passwords TEXT: a file for nmcli, which is the agent then.
nm_passwords() {
	printf 'vpn.secrets.password:%s\n' "$1" >"$NM/passwords"
	chmod 600 "$NM/passwords"
}

# ---- a connection, "lab"

# nm_import KIND [SECTION.KEY=VALUE...]: a profile as connection "lab" of
# alice; its password is with the agent.
nm_import() {
	client_profile lab "$@"
	nmcli connection import type vpn-connect file \
		"$CL/config/vpn-connect/lab.conf" >"$SCRATCH/import.out" 2>&1 ||
		fail "import: $(tail -n 1 "$SCRATCH/import.out")"
	must "connection modify" nmcli connection modify lab \
		connection.permissions user:alice
	UUID=$(nmcli -g connection.uuid connection show lab)
	NAME=nm-$UUID
	nm_passwords "$PASSWORD"
}
EAP="eap identity.password-file="

nm_up() {
	nmcli -w $((3 * NM_WAIT)) connection up lab "$@" >"$SCRATCH/up.out" 2>&1 </dev/null ||
		fail "up: $(head -n 1 "$SCRATCH/up.out")"
	wait_for 5 nm_is_up lab || fail "not activated: '$(nm_state lab)'"
}
nm_first_up() {
	nm_up passwd-file "$NM/passwords"
	check_status $NAME how full
	nm_ping
}
# nm_ping: packets go through; what is lost while links settle is not the
# matter here.
nm_ping() {
	wait_for 5 in_ns cl ping -n -q -c 1 -W 1 10.9.0.2 ||
		fail "no ping through the tunnel"
	check_ping
}
nm_down() {
	must "down" nmcli -w $NM_WAIT connection down "${1:-lab}"
	wait_for 5 nm_is_down "${1:-lab}" || fail "not down: '$(nm_state "${1:-lab}")'"
}
nm_address() { nmcli -g IP4.ADDRESS connection show lab; }
nm_has_ticket() { [ -n "$(client_get $NAME ticket.size)" ]; }
nm_is_up_by() { client_is_up_by $NAME "$1"; }
nm_path_is() { [ "$(client_get $NAME local_address | sed 's/:[0-9]*$//')" = "$1" ]; }

# ---- windows

# nm_display: an X display without a screen, NM_DISPLAY; nm_display_end.
nm_display() {
	command -v Xvfb >/dev/null || skip "no Xvfb"
	rm -f "$SCRATCH/display"
	Xvfb -displayfd 5 -screen 0 1000x900x24 -nolisten tcp \
		5>"$SCRATCH/display" >"$SCRATCH/xvfb.out" 2>&1 &
	NM_XVFB=$!
	wait_for 10 grep -q '^[0-9]' "$SCRATCH/display" || fail "no display"
	NM_DISPLAY=$(cat "$SCRATCH/display")
}
nm_display_end() {
	kill "$NM_XVFB"
	wait_for 5 lab_gone "$NM_XVFB"
}
# nm_window TITLE: is there one?
nm_window() { DISPLAY=:$NM_DISPLAY xwininfo -root -tree | grep -q "\"$1"; }
nm_window_painted() {
	local now
	now=$(DISPLAY=:$NM_DISPLAY xwd -root -silent | cksum)
	sleep 0.5
	[ "$now" = "$(DISPLAY=:$NM_DISPLAY xwd -root -silent | cksum)" ]
}
