# Shared by the test scripts: where things are, waiting, saying.
# Source it after setting nothing; it works from any directory.
TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TREE=$(dirname "$TESTS")
LIB=$TESTS/lib
WORK=${VPC_WORK:-$TESTS/.work}
# Never a version manager's interpreter: the system's one is in the packages.
PYTHON=/usr/bin/python3
export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin

say() { printf '%s\n' "$*"; }
die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# now_ms: milliseconds since the epoch.
now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# wait_for SECONDS COMMAND...: polls until the command succeeds. On a machine
# that is WAIT_TIMES slower it takes as much longer, and asks less often.
wait_for() {
	local end=$(($(now_ms) + $(to_ms "$1") * ${WAIT_TIMES:-1})) step=0.02
	[ "${WAIT_TIMES:-1}" = 1 ] || step=0.2
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(now_ms)" -ge "$end" ] && return 1
		sleep "$step"
	done
}
to_ms() {
	case $1 in
	*.*) echo $((10#${1%.*} * 1000 + 10#$(printf '%-3.3s' "${1#*.}" | tr ' ' 0))) ;;
	*) echo $(($1 * 1000)) ;;
	esac
}

# as_root SCRIPT ARGS...: runs again by sudo unless root already.
as_root() {
	[ "$(id -u)" = 0 ] && return 0
	command -v sudo >/dev/null || die "needs root"
	exec sudo -n --preserve-env=CI,VPC_WORK "$@"
}
