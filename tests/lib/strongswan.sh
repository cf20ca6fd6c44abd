# strongSwan as the gateway (and, to prove the lab, as a client): an instance
# with its own configuration, vici socket and log, in one namespace.
#
# This kernel may lack ESP, so ESP runs in charon (kernel-libipsec, which has to
# be loaded before kernel-netlink), unless SS_KERNEL=1.

SS_LOAD="random nonce aesni aes sha1 sha2 md5 md4 des hmac kdf openssl pem pkcs1
	pkcs8 x509 revocation constraints pubkey gcm chapoly curve25519 drbg
	xcbc cmac ctr ccm kernel-libipsec kernel-netlink socket-default vici
	eap-identity eap-mschapv2 eap-md5 eap-tls"

# Words of configuration a case may change before ss_gateway; ss_reset puts the
# ordinary ones back.
ss_reset() {
	SS_IKE="aes256gcm16-prfsha384-x25519-ecp256-ecp384-modp2048, aes256-sha256-x25519-ecp256-modp2048"
	SS_ESP="aes256gcm16, aes128gcm16, aes256gcm16-x25519, chacha20poly1305, aes256-sha256, aes128-sha256"
	SS_LOCAL_TS="0.0.0.0/0, ::/0"
	SS_POOLS=pool4
	SS_REKEY=0 SS_CHILD_REKEY=0 SS_DPD=0 SS_CERT=ecdsa256
	SS_CHARON='' # extra lines of the charon section
	SS_CONN=''   # extra lines of every connection
	SS_ID=gw.lab.test SS_CERT_ID=client@lab.test
}
ss_reset

[ -z "${SS_KERNEL:-}" ] || SS_LOAD=${SS_LOAD/kernel-libipsec/}

PSK="correct horse battery staple"
PASSWORD=wonderland-42

ss_daemon_conf() { # WHO
	cat <<-C
		charon {
			load_modular = no
			load = $(echo $SS_LOAD)
			install_virtual_ip = yes
			user = root
			$SS_CHARON
			filelog {
				main {
					path = $SCRATCH/$1/charon.log
					time_format = %H:%M:%S
					time_add_ms = yes
					flush_line = yes
					default = 1
					ike = 2
				}
			}
			plugins {
				vici { socket = unix://$SCRATCH/$1/vici }
				kernel-netlink { fwmark = !0x42 }
				socket-default { fwmark = 0x42 }
				kernel-libipsec { allow_peer_ts = yes }
			}
		}
		charon-systemd { journal { default = -1 } }
		swanctl { load = pem pkcs1 pkcs8 x509 revocation constraints pubkey openssl random }
	C
}

# ss_gateway_conf: PSK, certificate and EAP connections, told apart by the
# client's identity: psk@, client@, eap@lab.test.
ss_gateway_conf() {
	cat <<-C
		base {
			version = 2
			proposals = $SS_IKE
			pools = $SS_POOLS
			send_cert = always
			dpd_delay = $SS_DPD
			rekey_time = $SS_REKEY
			unique = never
			local { id = $SS_ID }
			$SS_CONN
		}
		net {
			local_ts = $SS_LOCAL_TS
			esp_proposals = $SS_ESP
			rekey_time = $SS_CHILD_REKEY
		}
		connections {
			psk : base {
				local { auth = psk }
				remote {
					id = psk@lab.test
					auth = psk
				}
				children { net : net { } }
			}
			cert : base {
				local {
					auth = pubkey
					certs = gw.crt
				}
				remote {
					id = $SS_CERT_ID
					auth = pubkey
				}
				children { net : net { } }
			}
			eap : base {
				local {
					auth = pubkey
					certs = gw.crt
				}
				remote {
					id = eap@lab.test
					auth = eap-mschapv2
					eap_id = %any
				}
				children { net : net { } }
			}
			eap-tls : base {
				local {
					auth = pubkey
					certs = gw.crt
				}
				remote {
					id = tls@lab.test
					auth = eap-tls
					eap_id = %any
				}
				children { net : net { } }
			}
		}
		pools {
			pool4 {
				addrs = 10.77.0.0/24
				dns = 10.9.0.53
			}
			pool6 {
				addrs = fd00:77::/112
				dns = fd00:9::53
			}
		}
		secrets {
			eap-alice {
				id = alice
				secret = "$PASSWORD"
			}
			ike-psk {
				id-1 = psk@lab.test
				id-2 = gw.lab.test
				secret = "$PSK"
			}
		}
	C
}

# ss_prepare WHO: the instance's folder, with copies of the programs: a
# distribution's confinement of /usr/sbin/charon-systemd would not let it read
# a scratch folder.
ss_prepare() {
	local d=$SCRATCH/$1 s
	mkdir -p "$d"
	for s in x509 x509ca private pkcs8 bin; do
		rm -rf "$d/swanctl/$s"
		mkdir -p "$d/swanctl/$s"
	done
	cp /usr/sbin/charon-systemd /usr/sbin/swanctl "$d/swanctl/bin/"
	rm -f "$d/vici"
	: >"$d/charon.log"
}

# ss_start WHO NS: starts the instance whose configuration is written.
ss_start() {
	local d=$SCRATCH/$1
	ss_daemon_conf "$1" >"$d/strongswan.conf"
	# The pid file is a fixed path: each instance gets a /run of its own.
	STRONGSWAN_CONF=$d/strongswan.conf SWANCTL_DIR=$d/swanctl \
		ip netns exec "$2" unshare -m sh -c \
		'mount -t tmpfs run /run && exec "$0"' \
		"$d/swanctl/bin/charon-systemd" >"$d/out" 2>&1 &
	echo $! >"$d/pid"
	disown $!
	wait_for 10 test -S "$d/vici" || {
		tail -n 5 "$d/out" "$d/charon.log"
		return 1
	}
	ss_ctl "$1" --load-all --noprompt >"$d/load" 2>&1 || {
		tail -n 5 "$d/load"
		return 1
	}
}

# ss_ctl WHO ARGS...: swanctl against that instance.
ss_ctl() {
	local who=$1
	shift
	STRONGSWAN_CONF=$SCRATCH/$who/strongswan.conf \
		SWANCTL_DIR=$SCRATCH/$who/swanctl \
		"$SCRATCH/$who/swanctl/bin/swanctl" "$@" --uri "unix://$SCRATCH/$who/vici"
}

# ss_stop WHO [SIGNAL]
ss_stop() {
	local d=$SCRATCH/$1 p
	p=$(cat "$d/pid" 2>/dev/null) || return 0
	rm -f "$d/pid"
	kill -"${2:-TERM}" "$p" 2>/dev/null
	# TERM first: it says DELETE to its peers; then no mercy.
	wait_for 3 lab_gone "$p" || kill -KILL "$p" 2>/dev/null
	wait_for 2 lab_gone "$p"
}
lab_gone() { ! kill -0 "$1"; }

# ss_gateway: (re)starts the gateway in gw with the words above.
ss_gateway() {
	local d=$SCRATCH/gw
	ss_stop gw
	pki_make "$SS_CERT"
	ss_prepare gw
	cp "$PKI/gw-$SS_CERT.crt" "$d/swanctl/x509/gw.crt"
	cp "$PKI/gw-$SS_CERT.key" "$d/swanctl/private/gw.key"
	cp "$PKI"/ca-*.crt "$d/swanctl/x509ca/"
	ss_gateway_conf >"$d/swanctl/swanctl.conf"
	ss_start gw gw
}

# ss_gw ARGS...: swanctl on the gateway.
ss_gw() { ss_ctl gw "$@"; }
# gw_log PATTERN: is it in the gateway's log?
gw_log() { grep -qE "$1" "$SCRATCH/gw/charon.log"; }

# ss_client: strongSwan in the client's place, connections psk, cert and eap.
ss_client() {
	local d=$SCRATCH/clss
	ss_stop clss
	ss_prepare clss
	cp "$PKI/cl-$SS_CERT.crt" "$d/swanctl/x509/cl.crt"
	cp "$PKI/cl-$SS_CERT.key" "$d/swanctl/private/cl.key"
	cp "$PKI/ca-$SS_CERT.crt" "$d/swanctl/x509ca/"
	ss_client_conf >"$d/swanctl/swanctl.conf"
	ss_start clss cl
}
ss_client_conf() {
	local c
	echo "connections {"
	for c in "psk psk psk psk" "cert client pubkey pubkey" "eap eap eap-mschapv2 pubkey"; do
		set -- $c
		cat <<-C
			$1 {
				version = 2
				remote_addrs = ${SS_PEER:-203.0.113.1}
				vips = ${SS_VIPS:-0.0.0.0}
				proposals = aes256gcm16-prfsha384-x25519
				keyingtries = 1
				${SS_CLIENT_CONN:-}
				local {
					id = $2@lab.test
					auth = $3
					$([ "$1" = cert ] && echo certs = cl.crt)
					$([ "$1" = eap ] && echo eap_id = alice)
				}
				remote {
					id = gw.lab.test
					auth = $4
				}
				children {
					$1 {
						remote_ts = 10.9.0.0/24, 2001:db8:9::/64
						esp_proposals = aes256gcm16
					}
				}
			}
		C
	done
	cat <<-C
		}
		secrets {
			eap-alice {
				id = alice
				secret = "$PASSWORD"
			}
			ike-psk {
				id-1 = psk@lab.test
				id-2 = gw.lab.test
				secret = "$PSK"
			}
		}
	C
}
