# Throw-away certificates for a run: a CA, a gateway and a client of each kind.

# pki_key KIND FILE
pki_key() {
	case $1 in
	rsa) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out "$2" ;;
	rsa4096) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096 -out "$2" ;;
	ecdsa256) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$2" ;;
	ecdsa384) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "$2" ;;
	ed25519) openssl genpkey -algorithm ED25519 -out "$2" ;;
	esac 2>/dev/null
}

# pki_ca KIND NAME SUBJECT [ISSUER-NAME]: self-signed, or signed by another CA.
pki_ca() {
	pki_key "$1" "$PKI/$2.key" || return
	cat >"$PKI/$2.ext" <<-X
		basicConstraints=critical,CA:TRUE
		keyUsage=critical,keyCertSign,cRLSign
		subjectKeyIdentifier=hash
	X
	openssl req -new -key "$PKI/$2.key" -subj "$3" -out "$PKI/$2.csr" || return
	if [ -n "${4:-}" ]; then
		set -- "$@" -CA "$PKI/$4.crt" -CAkey "$PKI/$4.key"
		openssl x509 -req -in "$PKI/$2.csr" "${@:5}" -days 30 \
			-set_serial "0x$(openssl rand -hex 8)" \
			-extfile "$PKI/$2.ext" -out "$PKI/$2.crt" 2>/dev/null
	else
		openssl x509 -req -in "$PKI/$2.csr" -signkey "$PKI/$2.key" \
			-days 30 -set_serial "0x$(openssl rand -hex 8)" \
			-extfile "$PKI/$2.ext" -out "$PKI/$2.crt" 2>/dev/null
	fi
}

# pki_leaf KIND NAME CA-NAME SUBJECT SAN USAGE
pki_leaf() {
	pki_key "$1" "$PKI/$2.key" || return
	cat >"$PKI/$2.ext" <<-X
		basicConstraints=CA:FALSE
		keyUsage=critical,digitalSignature
		extendedKeyUsage=$6
		subjectAltName=$5
		subjectKeyIdentifier=hash
		authorityKeyIdentifier=keyid
	X
	openssl req -new -key "$PKI/$2.key" -subj "$4" -out "$PKI/$2.csr" || return
	openssl x509 -req -in "$PKI/$2.csr" -CA "$PKI/$3.crt" \
		-CAkey "$PKI/$3.key" -days 30 \
		-set_serial "0x$(openssl rand -hex 8)" \
		-extfile "$PKI/$2.ext" -out "$PKI/$2.crt" 2>/dev/null
}

GW_SAN=DNS:gw.lab.test,DNS:gw6.lab.test,IP:203.0.113.1

# pki_make KIND...: ca-KIND, gw-KIND and cl-KIND in $PKI; `chain` makes a
# gateway below a large RSA intermediate, `other` a gateway of another name.
pki_make() {
	local k
	PKI=${PKI:-$SCRATCH/pki}
	mkdir -p "$PKI"
	for k in "$@"; do
		[ -s "$PKI/gw-$k.crt" ] && continue
		case $k in
		chain)
			pki_make rsa
			pki_ca rsa4096 ca-mid "/O=Lab/CN=Lab intermediate" ca-rsa
			pki_leaf rsa4096 gw-chain ca-mid "/O=Lab/CN=gw.lab.test" \
				"$GW_SAN" serverAuth
			;;
		other)
			pki_make ecdsa256
			pki_leaf ecdsa256 gw-other ca-ecdsa256 \
				"/O=Lab/CN=other.lab.test" DNS:other.lab.test serverAuth
			;;
		*)
			pki_ca "$k" "ca-$k" "/O=Lab/CN=Lab CA $k"
			pki_leaf "$k" "gw-$k" "ca-$k" "/O=Lab/CN=gw.lab.test" \
				"$GW_SAN" serverAuth
			# serverAuth: our test gateway checks a client's
			# certificate with the client's own code.
			pki_leaf "$k" "cl-$k" "ca-$k" "/O=Lab/CN=client" \
				email:client@lab.test clientAuth,serverAuth
			;;
		esac || die "certificate $k"
	done
	chmod 644 "$PKI"/*.crt
	chmod 600 "$PKI"/*.key
}
