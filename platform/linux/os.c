#include "config.h"

#include "platform/os.h"

#include "platform/base/log.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* --- clocks and randomness --------------------------------------- */

static int64_t clock_read_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

struct os_time os_now(void)
{
	return (struct os_time){
		.boot_ms = clock_read_us(CLOCK_BOOTTIME) / 1000,
		.wall_ms = clock_read_us(CLOCK_REALTIME) / 1000,
	};
}

int64_t os_cpu_us(void)
{
	return clock_read_us(CLOCK_PROCESS_CPUTIME_ID);
}

enum err os_random(void *out, size_t len)
{
	uint8_t *p = out;

	while (len > 0) {
		ssize_t got = getrandom(p, len, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return ERR_SYS;
		p += got;
		len -= (size_t)got;
	}
	return OK;
}

/* --- who called -------------------------------------------------- */

/* A decimal id as sudo writes it. */
static bool id_parse(const char *text, unsigned *out)
{
	char *end;
	unsigned long v;

	if (!text || text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	v = strtoul(text, &end, 10);
	*out = (unsigned)v;
	/* (uid_t)-1 means "no change" to the kernel. */
	return errno == 0 && *end == '\0' && v < 0xffffffffu;
}

/* NULL for a user who is not in the machine's own file. */
static struct passwd *passwd_local(uid_t uid)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd *pw = NULL;

	if (!f)
		return NULL;
	do
		pw = fgetpwent(f);
	while (pw && pw->pw_uid != uid);
	fclose(f);
	return pw;
}

/* Asked in the file first: that costs a tenth of asking NSS. */
static struct passwd *passwd_find(uid_t uid)
{
	struct passwd *pw = passwd_local(uid);

	return pw ? pw : getpwuid(uid);
}

static enum err home_find(bool by_sudo, struct os_user *out, struct diag *diag)
{
	/* Under sudo, HOME is root's. */
	const char *home = by_sudo ? NULL : getenv("HOME");
	struct passwd *pw;

	if (!home || home[0] != '/') {
		pw = passwd_find(out->uid);
		home = pw ? pw->pw_dir : NULL;
	}
	if (!home || home[0] != '/' || strlen(home) >= sizeof(out->home))
		return diag_set(diag, ERR_USAGE,
				"user %u has no home folder: set HOME",
				(unsigned)out->uid);
	strcpy(out->home, home);
	return OK;
}

enum err os_invoking_user(struct os_user *out, struct diag *diag)
{
	const char *sudo_uid = getenv("SUDO_UID");
	const char *sudo_gid = getenv("SUDO_GID");
	bool by_sudo = getuid() == 0 && sudo_uid;
	unsigned uid = getuid(), gid = getgid();

	memset(out, 0, sizeof(*out));
	if (by_sudo && (!id_parse(sudo_uid, &uid) || !id_parse(sudo_gid, &gid)))
		return diag_set(diag, ERR_USAGE,
				"SUDO_UID and SUDO_GID are not ids");
	out->uid = uid;
	out->gid = gid;
	return home_find(by_sudo, out, diag);
}

/* --- giving up privilege ----------------------------------------- */

static bool group_has(const struct group *gr, const char *user)
{
	for (char **member = gr->gr_mem; *member; member++)
		if (strcmp(*member, user) == 0)
			return true;
	return false;
}

/* The groups of a local user out of /etc/group. Returns how many, gid the
 * first of them; what does not fit is left out. */
static size_t groups_local(const char *user, gid_t gid, gid_t *out, size_t cap)
{
	FILE *f = fopen("/etc/group", "re");
	struct group *gr;
	size_t n = 1;

	out[0] = gid;
	if (!f)
		return n;
	while (n < cap && (gr = fgetgrent(f)))
		if (gr->gr_gid != gid && group_has(gr, user))
			out[n++] = gr->gr_gid;
	fclose(f);
	return n;
}

static enum err groups_drop(const struct os_user *user, struct diag *diag)
{
	gid_t groups[64] = {user->gid};
	size_t n = 1;
	struct passwd *pw = passwd_local(user->uid), *far = NULL;
	int failed;

	if (pw && user->uid != 0)
		n = groups_local(pw->pw_name, user->gid, groups,
				 sizeof(groups) / sizeof(*groups));
	else if (!pw)
		far = getpwuid(user->uid);
	/* A user from elsewhere has his groups from there too. */
	failed = far ? initgroups(far->pw_name, user->gid)
		     : setgroups(n, groups);
	if (failed)
		return diag_sys(diag, ERR_PERMISSION, "setting groups");
	return OK;
}

static enum err ids_drop(const struct os_user *user, struct diag *diag)
{
	enum err e = groups_drop(user, diag);

	if (e)
		return e;
	if (setresgid(user->gid, user->gid, user->gid) < 0 ||
	    setresuid(user->uid, user->uid, user->uid) < 0)
		return diag_sys(diag, ERR_PERMISSION, "changing to user %u",
				(unsigned)user->uid);
	return OK;
}

/* Empty sets everywhere, by the raw call: libcap would be one more library
 * for three words. */
static enum err caps_drop(struct diag *diag)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2];

	memset(none, 0, sizeof(none));
	if (syscall(SYS_capset, &head, none) < 0)
		return diag_sys(diag, ERR_PERMISSION, "dropping capabilities");
	return OK;
}

/* While CAP_SETPCAP is still there: nothing can come back through exec, not
 * even for uid 0. */
static void bounds_drop(void)
{
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (int cap = 0; cap <= 63; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			break;
	prctl(PR_SET_SECUREBITS,
	      SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
		      SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED,
	      0, 0, 0);
}

enum err os_drop_to(const struct os_user *user, struct diag *diag)
{
	enum err e = OK;

	if (geteuid() == 0) {
		bounds_drop();
		e = ids_drop(user, diag);
	} else if (user->uid != getuid() || user->gid != getgid() ||
		   getuid() != geteuid() || getgid() != getegid()) {
		e = diag_set(diag, ERR_PERMISSION, "only root can be another");
	}
	if (!e)
		e = caps_drop(diag);
	if (e)
		return e;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return diag_sys(diag, ERR_PERMISSION, "no_new_privs");
	if (user->uid != 0 && setuid(0) == 0)
		return diag_set(diag, ERR_PERMISSION, "privilege came back");
	return OK;
}

/* Without a limit only: under one, what MCL_FUTURE locks counts with its
 * whole size, and later allocations would fail. */
static bool memlock_is_unlimited(void)
{
	const struct rlimit want = {RLIM_INFINITY, RLIM_INFINITY};
	struct rlimit have;

	if (setrlimit(RLIMIT_MEMLOCK, &want) == 0)
		return true;
	return getrlimit(RLIMIT_MEMLOCK, &have) == 0 &&
	       have.rlim_cur == RLIM_INFINITY;
}

void os_harden_memory(void)
{
	const struct rlimit no_core = {0, 0};

	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		log_warn("core dumps stay possible: %s", strerror(errno));
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		log_warn("memory stays readable: %s", strerror(errno));
	/* MCL_ONFAULT: only what is touched is locked, so the program does
	 * not become larger by it. */
	if (!memlock_is_unlimited())
		log_info("memory may be swapped out: RLIMIT_MEMLOCK");
	else if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		log_warn("memory may be swapped out: %s", strerror(errno));
}

/* --- sockets -------------------------------------------------------------- */

uint16_t os_path_mtu(int fd)
{
	int mtu = 0;
	socklen_t len = sizeof(mtu);

	if (getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &len) < 0 &&
	    getsockopt(fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &len) < 0)
		return 0;
	return mtu > 0 && mtu < UINT16_MAX ? (uint16_t)mtu : 0;
}
