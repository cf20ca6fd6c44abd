# Running cases: each is a function case_NAME, run in a subshell with the lab
# up, everything at its ordinary setting and nothing else running.
#
# A suite script sources this, defines its cases and calls
# `cases_main "$0" SUITE "$@"`; arguments select cases by (glob) name.
. "$(dirname "${BASH_SOURCE[0]}")/lab.sh"

# fail WHY / skip WHY: end the case.
fail() {
	printf '%s\n' "$*" | head -n 1 >"$SCRATCH/why"
	exit 1
}
skip() {
	printf '%s\n' "$*" >"$SCRATCH/why"
	exit 77
}
# must WHAT COMMAND...: the command has to succeed.
must() {
	local what=$1
	shift
	"$@" >"$SCRATCH/must.out" 2>&1 || fail "$what"
}

# ---- checks that many cases share

# check_ping [TARGET [PING-ARGS...]]: the first three pings come back. Without
# -w, ping gives the last of them no more than two round trips, which on a busy
# machine is not enough.
check_ping() {
	local target=${1:-10.9.0.2} n
	shift
	in_ns cl ping -n -c 3 -i 0.05 -w $((4 * ${WAIT_TIMES:-1})) "$@" \
		"$target" >"$SCRATCH/ping.out" 2>&1
	for n in 1 2 3; do
		grep -q "icmp_seq=$n .*time=" "$SCRATCH/ping.out" ||
			fail "no ping $n through the tunnel to $target $*, but $(sed -n 's/.*icmp_seq=\([0-9]*\) .*time=\(.*\)/\1 (\2)/p' \
				"$SCRATCH/ping.out" | paste -sd ' ')"
	done
}
# check_no_ping TARGET: it is not reachable.
check_no_ping() {
	in_ns cl ping -n -q -c 1 -W 1 "$1" >/dev/null 2>&1 &&
		fail "$1 is reachable"
	return 0
}
# traffic_start: a ping every 20 ms, until traffic_stop MAX-LOST. The last half
# second's may still be under way.
traffic_start() {
	ip netns exec cl ping -n -D -i 0.02 -W 1 "${1:-10.9.0.2}" \
		>"$SCRATCH/traffic.out" 2>&1 &
	TRAFFIC_PID=$!
	sleep 0.2
}
traffic_stop() {
	local sent got
	sleep 0.7
	kill -INT $TRAFFIC_PID
	wait $TRAFFIC_PID
	sent=$(sed -n 's/^\([0-9]*\) packets transmitted, .*/\1/p' \
		"$SCRATCH/traffic.out")
	sent=$((${sent:-0} - 25))
	got=$(sed -n 's/.*icmp_seq=\([0-9]*\) .*time=.*/\1/p' \
		"$SCRATCH/traffic.out" | sort -nu | awk -v sent=$sent '$1 <= sent' | wc -l)
	# Emulated, a few may be lost.
	[ $sent -gt 0 ] && [ "$got" -ge $((sent - ${1:-0} ${CLIENT_WRAP:+- 10})) ] ||
		fail "lost $((sent - got)) of $sent pings"
}
# check_status NAME PATH VALUE
check_status() {
	local v
	v=$(client_get "$1" "$2")
	[ "$v" = "$3" ] || fail "status $2 is '$v' instead of '$3'"
}
# check_fails NAME CODE [WORD-PATTERN]: `up` ends with the exit code and one
# line for a person.
check_fails() {
	local lines
	client_start "$1" --once
	client_exit "${CL_WAIT_S:-20}" "$2"
	client_connected && fail "said connected"
	lines=$(grep -c '^vpn-connect: ' "$CL_OUT")
	[ "$lines" = 1 ] || fail "$lines error lines instead of 1: $(client_last)"
	[ -z "${3:-}" ] || grep '^vpn-connect: ' "$CL_OUT" | grep -qiE "$3" ||
		fail "message does not say /$3/: $(client_last)"
}

# ---- the runner

cases_main() {
	local script=$1 suite=$2 name c passed=0 failed=0 skipped=0
	shift 2
	lab_enter "$script" "$@"
	SUITE=${SUITE_NAME:-$suite}
	LOGS=$WORK/logs/$SUITE-$suite
	lab_programs
	rm -rf "$LOGS"
	mkdir -p "$LOGS"
	lab_up
	PKI=$SCRATCH/pki
	mkdir -p "$PKI"
	client_user
	client_state >"$SCRATCH/clean"
	[ -x "$CLIENT" ] || die "$CLIENT is missing: run tests/check build"
	declare -F suite_setup >/dev/null && suite_setup
	for name in $(cases_selected "$script" "$@"); do
		case_run "$name"
		case $? in
		0) passed=$((passed + 1)) ;;
		77) skipped=$((skipped + 1)) ;;
		*) failed=$((failed + 1)) ;;
		esac
	done
	say "$suite: $passed passed, $failed failed, $skipped skipped"
	rm -rf "$SCRATCH/keep"
	[ $failed = 0 ] && [ $((passed + skipped)) -gt 0 ]
	exit
}

# cases_selected SCRIPT PATTERN...: in the order they stand in the file.
cases_selected() {
	local script=$1 name p
	shift
	for name in $(sed -n 's/^case_\([a-z0-9_]*\)().*/\1/p' "$script"); do
		[ $# = 0 ] && echo "$name"
		for p; do
			case $name in $p)
				echo "$name"
				break
				;;
			esac
		done
	done
}

case_run() {
	local name=$1 rc start
	start=$(now_ms)
	rm -f "$SCRATCH/why"
	(
		ss_reset
		client_reset
		"case_$name"
		# What the case itself did not end.
		ss_stop gw
		testgw_stop
		wire_stop
		client_clean
		case_watched
	)
	rc=$?
	case $rc in
	0) say "ok ${SUITE}_$name ($(($(now_ms) - start)) ms)" ;;
	77) say "skip ${SUITE}_$name: $(cat "$SCRATCH/why")" ;;
	*)
		case_keep "$name"
		say "FAIL ${SUITE}_$name: $(cat "$SCRATCH/why" 2>/dev/null || echo "the case broke off, $rc")"
		[ -n "${CI:-}" ] && case_show "$name"
		;;
	esac
	case_cleanup
	return $rc
}

# case_watched: what a sanitizer or valgrind said about the client.
case_watched() {
	local line
	line=$(grep -hm1 -E 'ERROR: AddressSanitizer|runtime error:' "$SCRATCH"/*.out)
	[ -z "$line" ] || fail "$line"
	cat /run/lab/valgrind.* >"$SCRATCH/valgrind.out" 2>/dev/null || return 0
	line=$(grep -m1 -E '^==[0-9]+== [A-Z]' "$SCRATCH/valgrind.out")
	[ -z "$line" ] || fail "valgrind: $line"
}

# case_keep: the logs of a failed case.
case_keep() {
	local d=$LOGS/$1
	mkdir -p "$d"
	cp "$SCRATCH"/*.out "$SCRATCH"/*.jsonl "$SCRATCH"/*.down \
		"$SCRATCH"/after "$SCRATCH"/clean "$d/" 2>/dev/null
	cp "$SCRATCH/gw/charon.log" "$d/gateway.log" 2>/dev/null
	cp "$SCRATCH/testgw/log" "$d/gateway.log" 2>/dev/null
	cp -r "$CL/config/vpn-connect" "$d/profiles" 2>/dev/null
	ps -ef >"$d/processes"
	ip -n cl addr >"$d/addresses"
	echo "$d" >>"$SCRATCH/keep"
}
case_show() {
	local f
	for f in "$LOGS/$1"/*.out "$LOGS/$1/gateway.log"; do
		[ -s "$f" ] || continue
		say "  -- ${f##*/}"
		tail -n 12 "$f" | cut -c1-160 | sed 's/^/  | /'
	done
}

# case_cleanup: back to the lab's ordinary state. Every process of this pid
# namespace but this shell is the case's.
case_cleanup() {
	local p
	for p in $(ps -eo pid=); do
		[ "$p" = $$ ] || kill -KILL "$p" 2>/dev/null
	done
	wait 2>/dev/null
	rm -f "$SCRATCH"/*.out "$SCRATCH"/*.jsonl "$SCRATCH"/*.down \
		"$SCRATCH"/gw/pid "$SCRATCH/gw/charon.log"
	rm -rf "$SCRATCH/testgw" /run/lab/valgrind.*
	lab_drop off
	lab_nat off
	ip netns list | grep -q '^em' && {
		ip netns del em
		wait_for 2 lab_no_wan
		ip -n gw link add wan type veth peer name wan netns rt
		lab_wan_addresses
	}
	client_state >"$SCRATCH/after"
	cmp -s "$SCRATCH/clean" "$SCRATCH/after" && return
	# Something is left (or a link was taken away): make the client anew.
	ip netns del cl
	wait_for 2 lab_no_wifi
	rm -rf /run/vpn-netd
	lab_resolv
	lab_host cl
	lab_client_links
}
lab_no_wifi() { ! ip -n rt link show wifi 2>/dev/null; }
