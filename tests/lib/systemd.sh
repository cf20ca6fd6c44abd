# A real systemd as process 1 in the client's network namespace: a container
# on a copy-on-write view of this machine's files, with nothing started but
# what a test asks for. To be sourced after lab.sh, inside the lab.
#
# $SD_ROOT is its root folder, seen from outside, before and after sd_boot.
# $SD_WHY is why one of these failed.

SD_PACKAGES="systemd-resolved libpam-systemd polkitd dbus"
SD=/run/lab/sd
SD_ROOT=$SD/root
SD_PID= SD_CGROUP= SD_WHY=
sd_cannot() {
	SD_WHY=$*
	return 1
}

# sd_fetch: before the lab, which has no way out, is entered.
sd_fetch() {
	local p debs=$WORK/debs
	[ -z "${LAB_INSIDE:-}" ] || return 0
	for p in $SD_PACKAGES; do
		sd_installed "$p" || ls "$debs/$p"_*.deb >/dev/null 2>&1 ||
			(mkdir -p "$debs" && cd "$debs" && apt-get -q download "$p") \
				>/dev/null 2>&1
	done
}
sd_installed() {
	dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null |
		grep -qx installed
}

# sd_prepare: the root folder, with those packages unpacked that this machine
# has not (to install them would change it).
sd_prepare() {
	local p d=$SD_ROOT cg=/sys/fs/cgroup
	[ -x /lib/systemd/systemd ] || sd_cannot "systemd is not installed" || return
	[ -d $cg/unified ] && cg=$cg/unified
	SD_CGROUP=$cg/vpc-lab-$(stat -L -c %i /proc/self/ns/net)
	mkdir "$SD_CGROUP" 2>/dev/null && [ -w "$SD_CGROUP/cgroup.procs" ] ||
		sd_cannot "no cgroup of version 2 can be made" || return
	mkdir -p $SD/upper $SD/work $d
	mount -t overlay sd -o lowerdir=/,upperdir=$SD/upper,workdir=$SD/work \
		$d 2>/dev/null || sd_cannot "no overlay of / here" || return
	for p in $SD_PACKAGES; do
		sd_package "$p" || return
	done
	# Nothing of this machine's own set-up is started, only what is wanted.
	rm -rf $d/etc/systemd/{system,user,network}/* $d/etc/resolv.conf \
		$d/{usr/,}lib/systemd/{system,user}/{sysinit,sockets,basic,timers,local-fs,multi-user,graphical}.target.wants
	mkdir -p $d/etc/systemd/{system,journald.conf.d,logind.conf.d} $d/home
	printf '[Journal]\nStorage=volatile\nRateLimitBurst=0\n' \
		>$d/etc/systemd/journald.conf.d/lab.conf
	printf '[Login]\nUserStopDelaySec=0\n' >$d/etc/systemd/logind.conf.d/lab.conf
	tr -d - </proc/sys/kernel/random/uuid >$d/etc/machine-id
	cat >$d/etc/systemd/system/lab.target <<-U
		[Unit]
		Requires=sysinit.target
		Wants=systemd-journald.socket systemd-journald.service dbus.socket systemd-logind.service sockets.target
		After=sockets.target systemd-logind.service
	U
	# Who may log in at seat0, for sd_login.
	printf '%s\n' 'auth required pam_permit.so' 'account required pam_permit.so' \
		'session required pam_systemd.so' >$d/etc/pam.d/lab-seat
}

sd_package() {
	# /lib stays the link it is.
	sd_installed "$1" || dpkg --fsys-tarfile "$WORK/debs/$1"_*.deb |
		tar -x --keep-directory-symlink -C "$SD_ROOT" ||
		sd_cannot "package $1 is neither installed nor to be had"
}

# sd_account NAME UID: a user with a home folder.
sd_account() {
	echo "$1:x:$2:$2::/home/$1:/bin/sh" >>$SD_ROOT/etc/passwd
	echo "$1:x:$2:" >>$SD_ROOT/etc/group
	echo "$1:*:19000:0:99999:7:::" >>$SD_ROOT/etc/shadow
	install -d -m 700 -o "$2" -g "$2" "$SD_ROOT/home/$1"
}

# sd_boot: starts it in namespace cl and waits until it is up.
sd_boot() {
	local up
	# The cgroup before its namespace: that becomes the container's root.
	(
		echo $BASHPID >"$SD_CGROUP/cgroup.procs"
		exec nsenter --net=/run/netns/cl unshare --mount --pid --ipc \
			--uts --cgroup --fork --kill-child --propagation private \
			bash -c '. "$0"; sd_become' "$LIB/systemd.sh"
	) </dev/null >"$SCRATCH/sd.log" 2>&1 &
	up=$!
	wait_for 5 sd_is_systemd $up ||
		sd_cannot "$(tail -n 1 "$SCRATCH/sd.log")" || return
	wait_for 20 sd_exec systemctl is-active lab.target ||
		sd_cannot "waits for $(sd_exec systemctl list-jobs --no-legend --no-pager | tr -s ' \n' ' ')"
}
sd_is_systemd() {
	SD_PID=$(tr -d ' ' <"/proc/$1/task/$1/children") &&
		[ -n "$SD_PID" ] && [ "$(cat "/proc/$SD_PID/comm")" = systemd ]
}

# Runs as process 1 of the container, once.
sd_become() {
	local n a b c
	cd $SD_ROOT || exit
	mount --bind . . && cd $SD_ROOT || exit
	mount -t proc proc proc
	mount -t sysfs -o ro sysfs sys
	mount -t cgroup2 cgroup2 sys/fs/cgroup
	mount -t tmpfs -o mode=755 run run
	mount -t tmpfs tmp tmp
	mount -t tmpfs -o mode=755 dev dev
	for n in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
		IFS=: read -r a b c <<<"$n"
		mknod -m 666 "dev/$a" c "$b" "$c"
	done
	mkdir dev/net dev/shm dev/pts
	mknod -m 666 dev/net/tun c 10 200
	mount -t tmpfs shm dev/shm
	mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
	ln -s pts/ptmx dev/ptmx
	ln -s /proc/self/fd dev/fd
	ln -s /proc/self/fd/1 dev/stdout
	ln -s /proc/self/fd/2 dev/stderr
	: >dev/console
	hostname sdlab
	mkdir run/old && pivot_root . run/old && umount -l /run/old || exit
	exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \
		/lib/systemd/systemd --unit=lab.target --log-target=console \
		--show-status=0
}

# sd_exec COMMAND...: as root inside. sd_user NAME COMMAND...: as that user,
# with his service manager and bus.
sd_exec() {
	nsenter -t "$SD_PID" -a --root --wd -- env -i LC_ALL=C HOME=/root TERM=dumb \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}
sd_user() {
	local uid
	uid=$(sd_uid "$1")
	nsenter -t "$SD_PID" -a --root --wd -- setpriv --reuid="$uid" --regid="$uid" \
		--init-groups env -i LC_ALL=C HOME="/home/$1" USER="$1" TERM=dumb \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin XDG_RUNTIME_DIR="/run/user/$uid" \
		DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$uid/bus" "${@:2}"
}
sd_uid() { awk -F: -v n="$1" '$1 == n {print $3}' $SD_ROOT/etc/passwd; }

# sd_login NAME: a session in the foreground of the first seat, as from a
# display manager; sd_logout NAME.
sd_login() {
	sd_exec systemd-run -q --unit="seat-$1" -p User="$1" -p PAMName=lab-seat \
		-E XDG_SEAT=seat0 -E XDG_SESSION_TYPE=wayland \
		-E XDG_SESSION_CLASS=user sleep infinity
}
sd_logout() { sd_exec systemctl stop "seat-$1"; }

# sd_down: everything in it ends, its cgroup goes.
sd_down() {
	[ -z "$SD_PID" ] || kill -KILL "$SD_PID" 2>/dev/null
	wait_for 10 sd_no_cgroup
	umount -l $SD_ROOT 2>/dev/null
}
sd_no_cgroup() {
	find "$SD_CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null
	[ ! -d "$SD_CGROUP" ]
}
