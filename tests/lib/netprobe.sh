# Driving netprobe, and through it vpn-netd (interop/netd, interop/kernel-netd).
# Needs $build, with the two programs, and $work, a folder.
passed=0 failed=0
started=()

pass() { passed=$((passed + 1)); echo "ok    $1"; }
fail() {
	failed=$((failed + 1))
	echo "FAIL  $1"
	shift
	[ $# = 0 ] || printf '      %s\n' "$@"
}

# check WHAT COMMAND...: the command succeeds
check() {
	local what=$1 said
	shift
	if said=$("$@" 2>&1); then pass "$what"; else fail "$what" "$* -> $said"; fi
}
# same WHAT GOT WANTED
same() {
	if [ "$2" = "$3" ]; then pass "$1"
	else fail "$1" "got:    $2" "wanted: $3"; fi
}
# has WHAT TEXT PATTERN / hasnt WHAT TEXT PATTERN
has() {
	if grep -qE -- "$3" <<<"$2"; then pass "$1"; else fail "$1" "$2"; fi
}
hasnt() {
	if grep -qE -- "$3" <<<"$2"; then fail "$1" "$2"; else pass "$1"; fi
}

declare -A client_pid in_fd out_fd
# client NAME UID [WORD...]: starts netprobe by those words, connected to two
# pipes
client() {
	local name=$1 uid=$2 in out
	shift 2
	mkfifo "$work/$name.in" "$work/$name.out"
	"$@" "$build/netprobe" "$uid" <"$work/$name.in" >"$work/$name.out" \
		2>>"$work/log" &
	client_pid[$name]=$!
	started+=($!)
	disown # no word from the shell when it is killed
	exec {in}>"$work/$name.in" {out}<"$work/$name.out"
	in_fd[$name]=$in out_fd[$name]=$out
	rm "$work/$name.in" "$work/$name.out"
}
# ask NAME WORD...: one line there, one back, into $said
ask() {
	local name=$1
	shift
	echo "$*" >&"${in_fd[$name]}"
	IFS= read -r -t 15 said <&"${out_fd[$name]}" || said="(no answer)"
}
helper_of() { pgrep -P "${client_pid[$1]}" -x vpn-netd; }
# gone PID: it ended by itself within two seconds
gone() {
	local i
	for i in $(seq 100); do
		[ -d "/proc/$1" ] && ! grep -qs '^State:.Z' "/proc/$1/status" ||
			return 0
		sleep 0.02
	done
	return 1
}
# crash NAME: its helper, and until the kernel has let go of its lock
crash() {
	local helper
	helper=$(helper_of "$1")
	kill -9 "$helper"
	gone "$helper"
}
forget() {
	exec {in_fd[$1]}>&- {out_fd[$1]}<&-
	gone "${client_pid[$1]}" || kill -9 "${client_pid[$1]}"
}
# end NAME: asks for close
end() { ask "$1" close; forget "$1"; }
