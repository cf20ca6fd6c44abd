# A virtual machine with this machine's files and a cloud kernel of Debian's
# $VM_SUITE, for what this kernel may not have: ESP. The guest sees the whole file
# system as it is here, read-only; what it writes lands in its memory and is gone
# with it. qemu emulates (TCG): everything takes several times as long as here.

export VM_SUITE=${VM_SUITE:-trixie}
VM_KERNEL=${VPC_CACHE:-/var/cache/vpn-connect-tests}/kernel-$VM_SUITE
# The others come when they are wanted, as on a laptop.
VM_MODULES="overlay tun"
VM_VIRTIOFSD=/usr/lib/qemu/virtiofsd
[ -x $VM_VIRTIOFSD ] || VM_VIRTIOFSD=/usr/libexec/virtiofsd

# vm_kernel: makes $VM_KERNEL unless it is there: the kernel package, unpacked.
# It is fetched by the apt of libreswan's folder (lsw_cache first).
vm_kernel() {
	local tmp=$VM_KERNEL.new
	exec 7>"$VM_KERNEL.lock"
	flock 7
	if [ ! -e "$VM_KERNEL/.complete" ]; then
		rm -rf "$tmp" "$VM_KERNEL"
		mkdir -p "$tmp" || return
		vm_fetch >"$VM_KERNEL.log" 2>&1 7>&- || return
		dpkg -x "$LSW_CACHE"/tmp/linux-image-*.deb "$tmp" || return
		rm -f "$LSW_CACHE"/tmp/linux-image-*.deb
		# As on a system whose /lib is in /usr.
		[ -d "$tmp/lib/modules" ] || ln -s usr/lib "$tmp/lib"
		depmod -b "$tmp" "$(vm_release "$tmp")" &&
			touch "$tmp/.complete" &&
			mv "$tmp" "$VM_KERNEL" || return
	fi
	exec 7>&-
}
vm_release() { (cd "$1/lib/modules" && echo *); }
vm_fetch() {
	# shellcheck disable=SC2016 # expanded there
	chroot "$LSW_CACHE" sh -c 'o="-o Dir::Etc::sourcelist=/tmp/list
			-o Dir::Etc::sourceparts=-"
		sed "s/ $1 / $2 /" /etc/apt/sources.list >/tmp/list
		apt-get $o update && cd /tmp && rm -f linux-image-* &&
			apt-get $o download "$(apt-cache $o depends linux-image-cloud-amd64 |
				sed -n "s/.*Depends: \(linux-image-[0-9].*\)/\1/p" |
				head -n 1)"
		rc=$?
		rm -rf /var/lib/apt/lists/*
		exit $rc' sh "$LSW_SUITE" "$VM_SUITE"
}
# vm_initrd FOLDER: what leads to the root where the kernel alone does not.
vm_initrd() {
	# shellcheck disable=SC2046 # names of files
	${CC:-cc} -static -O1 -D_GNU_SOURCE -o "$1/first" "$LIB/vm_first.c" &&
		$PYTHON "$LIB/initrd.py" "$1/first" "$1/initrd" \
			$(modprobe -d "$VM_KERNEL" -S "$(vm_release "$VM_KERNEL")" \
				--show-depends -a virtio_pci virtiofs |
				awk '$1 == "insmod" && !seen[$2]++ {print $2}')
}

# vm_why_not: prints why there can be no virtual machine here; empty: it can.
vm_why_not() {
	[ "$(uname -m)" = x86_64 ] || { echo "only for x86-64"; return; }
	command -v qemu-system-x86_64 >/dev/null || { echo "no qemu"; return; }
	[ -x $VM_VIRTIOFSD ] || { echo "no virtiofsd"; return; }
	vm_kernel || echo "no kernel: $(tail -n 1 "$VM_KERNEL.log")"
}

# vm_run SECONDS COMMAND...: as root in the guest. Its output, its exit code;
# 124 when time is up, 125 when the guest did not come so far, twice: emulated,
# Linux now and then panics while it starts.
vm_run() {
	vm_try "$@"
	local rc=$?
	[ $rc != 125 ] || {
		vm_try "$@"
		rc=$?
	}
	return $rc
}
vm_try() {
	local seconds=$1 dir rc
	shift
	dir=$(mktemp -d "${TMPDIR:-/tmp}/vpc-vm.XXXXXX") || return 125
	printf '%s\n' "VM_KERNEL='$VM_KERNEL'" "VM_MODULES='$(echo $VM_MODULES)'" \
		>"$dir/setup"
	{
		printf 'cd %q || exit\n' "$TREE"
		printf '%q ' "$@"
	} >"$dir/job"
	vm_initrd "$dir" || {
		rm -rf "$dir"
		return 125
	}
	: >"$dir/out"
	# What it starts ends with it, and it with us, however we end.
	setpriv --pdeathsig KILL unshare --pid --fork --kill-child --mount-proc \
		bash -c '. "$0/common.sh" && . "$0/vm.sh" && vm_boot "$@"' \
		"$LIB" "$seconds" "$dir" &
	# As it comes, for whoever waits.
	tail -n +1 -f --pid=$! "$dir/out" 2>/dev/null
	wait $!
	rc=$(cat "$dir/rc" 2>/dev/null)
	if [ -z "$rc" ]; then
		rc=125
		[ -e "$dir/late" ] && rc=124
		tail -n 12 "$dir/console" "$dir/qemu.log" >&2
	fi
	rm -rf "$dir"
	return "$rc"
}

# vm_serve FOLDER CACHE SOCKET: a folder for the guest.
vm_serve() {
	$VM_VIRTIOFSD --socket-path="$3" -o source="$1" -o cache="$2" \
		-o sandbox=chroot --thread-pool-size=2 >"$3.log" 2>&1 &
	wait_for 5 [ -S "$3" ]
}

# vm_boot SECONDS FOLDER
vm_boot() {
	vm_serve / auto "$2/1.sock" && vm_serve "$2" none "$2/2.sock" || return
	timeout -k 2 "$1" qemu-system-x86_64 -accel tcg,thread=multi \
		-cpu max,-cx16,-la57 -M q35 -smp 2 -m 1536 \
		-object memory-backend-memfd,id=mem,size=1536M,share=on \
		-numa node,memdev=mem \
		-chardev socket,id=c1,path="$2/1.sock" \
		-device vhost-user-fs-pci,chardev=c1,tag=vmroot \
		-chardev socket,id=c2,path="$2/2.sock" \
		-device vhost-user-fs-pci,chardev=c2,tag=job \
		-nodefaults -no-user-config -display none -no-reboot \
		-serial file:"$2/console" -monitor none -nic none \
		-kernel "$VM_KERNEL"/boot/vmlinuz-* -initrd "$2/initrd" \
		-append "console=ttyS0 vm_init=$LIB/vm-init quiet panic=-1 mitigations=off tsc=reliable random.trust_cpu=on" \
		>"$2/qemu.log" 2>&1
	[ $? -lt 124 ] || touch "$2/late"
}

# vm_warm_up, in the guest: every cipher of ESP once. Loading it and its test of
# itself take an emulated machine longer than a client waits.
vm_warm_up() {
	local k16=0x000102030405060708090a0b0c0d0e0f
	local k32=${k16}101112131415161718191a1b1c1d1e1f spi=1000 words
	local k20=${k16}10111213 k36=${k32}20212223 k64=${k32}${k32#0x}
	while read -r words; do
		# shellcheck disable=SC2086 # words
		ip xfrm state add src 192.0.2.8 dst 192.0.2.9 proto esp \
			spi $((spi++)) mode tunnel $words || die "$words: none"
	done <<-W
		aead rfc4106(gcm(aes)) $k20 128
		aead rfc4106(gcm(aes)) $k36 128
		aead rfc7539esp(chacha20,poly1305) $k36 128
		enc cbc(aes) $k32 auth-trunc hmac(sha1) $k20 96
		enc cbc(aes) $k32 auth-trunc hmac(sha256) $k32 128
		enc cbc(aes) $k32 auth-trunc hmac(sha384) ${k32}${k16#0x} 192
		enc cbc(aes) $k32 auth-trunc hmac(sha512) $k64 256
		flag esn replay-window 32 enc cbc(aes) $k32 auth-trunc hmac(sha256) $k32 128
	W
	ip xfrm state add src 2001:db8::8 dst 2001:db8::9 proto esp spi 999 \
		mode tunnel aead "rfc4106(gcm(aes))" $k36 128 || die "no ESP in IPv6"
	ip xfrm state flush
}
