#!/bin/bash
# Computes every output of resume_auth.txt again from its inputs, with openssl's
# HMAC and nothing of ours, and compares; of another FILE when told. One line a block, `ok` or `FAIL`.
here=$(cd "$(dirname "$0")" && pwd)
export LC_ALL=C
command -v openssl >/dev/null || {
	echo "openssl is not installed"
	exit 77
}
declare -A v
failed=0

# hmac KEY DATA: both hexadecimal, with the block's hash.
hmac() {
	printf '%b' "$(printf '%s' "$2" | sed 's/../\\x&/g')" |
		openssl dgst "-sha$bits" -mac HMAC -macopt "hexkey:$1" |
		sed 's/.*= *//'
}
same() { # NAME VALUE
	[ "${v[$1]}" = "$2" ] || {
		echo "FAIL resume_auth_sha$bits: $1 is $2 by openssl"
		failed=1 wrong=1
	}
}

# prf_plus KEY SEED OCTETS
prf_plus() {
	local all= t= n=1
	while [ ${#all} -lt $((2 * $3)) ]; do
		t=$(hmac "$1" "$t$2$(printf %02x $n)")
		all=$all$t
		n=$((n + 1))
	done
	printf '%s' "${all:0:$((2 * $3))}"
}

# auth SIDE PEER: both forms of one side.
auth() {
	local key=${v[sk_p$1]} mac
	mac=$(hmac "$key" "${v[id_$1]}")
	same "rfc_auth_$1" "$(hmac "$key" "${v[msg_$1]}${v[n$2]}$mac")"
	same "first_auth_$1" "$(hmac "$key" "${v[msg_$1]}")"
}

check() {
	local stream at=0 name len wrong=
	[ ${#v[@]} -gt 0 ] || return
	# 526573756d7074696f6e: "Resumption"
	same skeyseed "$(hmac "${v[sk_d_old]}" \
		"526573756d7074696f6e${v[ni]}${v[nr]}")"
	stream=$(prf_plus "${v[skeyseed]}" \
		"${v[ni]}${v[nr]}${v[spi_i]}${v[spi_r]}" $((5 * bits / 8 + 64)))
	for name in d ai ar ei er pi pr; do
		len=$((bits / 4))
		case $name in e?) len=64 ;; esac
		same "sk_$name" "${stream:$at:$len}"
		at=$((at + len))
	done
	auth i r
	auth r i
	[ -n "$wrong" ] || echo "ok resume_auth_sha$bits"
	v=()
}

while read -r name eq value; do
	case $name in
	"[hmac-sha2-"*)
		check
		bits=${name#"[hmac-sha2-"}
		bits=${bits%]}
		;;
	"#"* | "") ;;
	*) [ "$eq" = = ] && v[$name]=$value ;;
	esac
done <"${1:-$here/resume_auth.txt}"
check
exit $failed
