# Building the tree the way a person would, below tests/.work.

# build_configure: makes ./configure when it is missing or older than its input.
build_configure() {
	local f
	if [ -x "$TREE/configure" ] && [ -f "$TREE/Makefile.in" ]; then
		f=$(find "$TREE" -path "$TREE/.git" -prune -o \
			-path "$WORK" -prune -o \
			\( -name configure.ac -o -name Makefile.am -o \
			-name Makefile.inc \) -newer "$TREE/Makefile.in" -print)
		[ -z "$f" ] && return 0
	fi
	(cd "$TREE" && ./autogen.sh)
}

# build_tree NAME CONFIGURE-ARGS...: out-of-tree build in $WORK/NAME.
# Quick when nothing changed.
build_tree() {
	local name=$1 dir=$WORK/$1
	shift
	mkdir -p "$dir" || return
	# One build at a time: interop and bench may be started side by side.
	exec 9>"$WORK/$name.lock"
	flock 9
	build_configure >"$dir/autogen.log" 2>&1 || {
		tail -n 20 "$dir/autogen.log"
		return 1
	}
	if [ ! -f "$dir/Makefile" ] || [ "$(cat "$dir/.args" 2>/dev/null)" != "$*" ] ||
		[ "$TREE/configure" -nt "$dir/config.status" ]; then
		(cd "$dir" && "$TREE/configure" "$@") \
			>"$dir/configure.out" 2>&1 9>&- || {
			tail -n 20 "$dir/configure.out"
			return 1
		}
		printf '%s\n' "$*" >"$dir/.args"
	fi
	make -C "$dir" -j2 >"$dir/make.out" 2>&1 9>&- || {
		grep -E -A4 'error|undefined|\*\*\*' "$dir/make.out" | head -n 30
		return 1
	}
	exec 9>&-
}

# lab_build: builds and installs into $WORK/prefix.
lab_build() {
	build_tree build --prefix="$WORK/prefix" --sysconfdir=/etc \
		--localstatedir=/var --runstatedir=/run --enable-werror || return
	make -C "$WORK/build" install >"$WORK/build/install.out" 2>&1 || {
		tail -n 20 "$WORK/build/install.out"
		return 1
	}
}

# lab_programs: sets CLIENT and TESTGW; LAB_VARIANT chooses another build.
lab_programs() {
	CLIENT=$WORK/prefix${LAB_VARIANT:-}/bin/vpn-connect
	TESTGW=$WORK/build/vpn-test-gateway
	[ -x "$TESTGW" ] || TESTGW=$WORK/build/tests/gateway/vpn-test-gateway
}
