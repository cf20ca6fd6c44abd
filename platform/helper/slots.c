#include "platform/helper/slots.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOT_DIR RUNSTATEDIR "/vpn-netd"
#define SLOT_MAX (36 + SLOT_DNS_MAX)

static enum err dir_make(const char *path, mode_t mode, struct diag *diag)
{
	char parent[256];

	/* /usr/local/var/run and the like are often not there yet. */
	for (size_t i = 1; path[i] != '\0' && i < sizeof(parent) - 1; i++) {
		if (path[i] != '/')
			continue;
		memcpy(parent, path, i);
		parent[i] = '\0';
		if (mkdir(parent, 0755) < 0 && errno != EEXIST)
			return diag_sys(diag, ERR_SYS, "making folder %s",
					parent);
	}
	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return OK;
	return diag_sys(diag, ERR_SYS, "making folder %s", path);
}

/* Nobody else may ever have had a hand in it: what lies there is believed. */
static enum err dir_check(int fd, struct diag *diag)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return diag_sys(diag, ERR_SYS, SLOT_DIR);
	if (st.st_uid != geteuid() || (st.st_mode & 077))
		return diag_set(diag, ERR_PERMISSION,
				SLOT_DIR " is not root's alone: remove it");
	return OK;
}

enum err slot_open(struct slot *s, uint32_t uid, struct diag *diag)
{
	struct stat st;
	enum err e;

	s->dir_fd = s->guard_fd = s->own_fd = -1;
	s->uid = uid;
	if (stat("/proc/self/ns/net", &st) < 0)
		return diag_sys(diag, ERR_SYS, "/proc/self/ns/net");
	s->netns = st.st_ino;
	e = dir_make(RUNSTATEDIR, 0755, diag);
	if (!e)
		e = dir_make(SLOT_DIR, 0700, diag);
	if (e)
		return e;
	s->dir_fd =
		open(SLOT_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s->dir_fd < 0)
		return diag_sys(diag, ERR_SYS, SLOT_DIR);
	e = dir_check(s->dir_fd, diag);
	if (e)
		return e;
	s->guard_fd =
		openat(s->dir_fd, "guard", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->guard_fd < 0)
		return diag_sys(diag, ERR_SYS, SLOT_DIR "/guard");
	return OK;
}

void slot_close(struct slot *s)
{
	if (s->own_fd >= 0)
		close(s->own_fd);
	if (s->guard_fd >= 0)
		close(s->guard_fd);
	if (s->dir_fd >= 0)
		close(s->dir_fd);
	s->dir_fd = s->guard_fd = s->own_fd = -1;
}

enum err slot_enter(struct slot *s, struct diag *diag)
{
	while (flock(s->guard_fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return diag_sys(diag, ERR_SYS, SLOT_DIR "/guard");
	return OK;
}

void slot_leave(struct slot *s)
{
	flock(s->guard_fd, LOCK_UN);
}

static int lease_file(struct slot *s, unsigned n, int flags)
{
	char name[32];

	snprintf(name, sizeof(name), "lease-%u", n);
	return openat(s->dir_fd, name, O_RDWR | O_CLOEXEC | flags, 0600);
}

/* --- what a lease's file says ------------------------------------ */

struct owner {
	uint64_t netns;
	uint32_t uid;
};

/* False for an empty file (a lease without wishes yet) too. */
static bool wish_read(int fd, struct owner *out_owner, struct slot_wish *out)
{
	uint8_t buf[SLOT_MAX];
	ssize_t len = pread(fd, buf, sizeof(buf), 0);
	struct rd r = rd_open(bytes(buf, len > 0 ? (size_t)len : 0));
	struct bytes dns;

	out_owner->netns = rd_u64(&r);
	out_owner->uid = rd_u32(&r);
	out->since_ns = rd_u64(&r);
	out->loose_rp_filter = rd_u8(&r) != 0;
	out->dns_len = rd_u16(&r);
	dns = rd_take(&r, out->dns_len);
	if (rd_finish(&r) || dns.len > sizeof(out->dns))
		return false;
	memcpy(out->dns, dns.p, dns.len);
	return true;
}

static enum err wish_write(struct slot *s, const struct slot_wish *wish)
{
	uint8_t buf[SLOT_MAX];
	struct wr w = wr_open(buf, sizeof(buf));

	wr_u64(&w, s->netns);
	wr_u32(&w, s->uid);
	wr_u64(&w, wish->since_ns);
	wr_u8(&w, wish->loose_rp_filter);
	wr_u16(&w, wish->dns_len);
	wr_bytes(&w, bytes(wish->dns, wish->dns_len));
	if (wr_finish(&w))
		return ERR_NO_SPACE;
	if (pwrite(s->own_fd, buf, wr_len(&w), 0) != (ssize_t)wr_len(&w) ||
	    ftruncate(s->own_fd, (off_t)wr_len(&w)) < 0)
		return ERR_IO;
	return OK;
}

enum err slot_wish_set(struct slot *s, const struct slot_wish *wish,
		       struct diag *diag)
{
	enum err e = wish_write(s, wish);

	return e ? diag_sys(diag, e, SLOT_DIR "/lease-%u", s->n) : OK;
}

/* --- who lives --------------------------------------------------- */

static bool lease_lives(struct slot *s, int fd, unsigned n)
{
	if (s->own_fd >= 0 && n == s->n)
		return true;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK;
	flock(fd, LOCK_UN);
	return false;
}

static void wish_merge(struct slot_wish *all, const struct slot_wish *one)
{
	bool loose = all->loose_rp_filter || one->loose_rp_filter;

	if (one->dns_len > 0 &&
	    (all->dns_len == 0 || one->since_ns >= all->since_ns))
		*all = *one;
	all->loose_rp_filter = loose;
}

void slot_scan(struct slot *s, struct lease_set *out_leases,
	       struct slot_wish *out_wish)
{
	struct slot_wish one;
	struct owner owner;

	memset(out_leases, 0, sizeof(*out_leases));
	memset(out_wish, 0, sizeof(*out_wish));
	for (unsigned n = 0; n < NETD_LEASES; n++) {
		int fd = lease_file(s, n, 0);

		if (fd < 0)
			continue;
		if (lease_lives(s, fd, n) && wish_read(fd, &owner, &one) &&
		    owner.netns == s->netns) {
			out_leases->alive[n] = true;
			wish_merge(out_wish, &one);
		}
		close(fd);
	}
}

/* In all namespaces: the room for leases is the machine's. */
static unsigned leases_of_user(struct slot *s)
{
	static struct slot_wish one; /* large */
	struct owner owner;
	unsigned count = 0;

	for (unsigned n = 0; n < NETD_LEASES; n++) {
		int fd = lease_file(s, n, 0);

		if (fd < 0)
			continue;
		if (lease_lives(s, fd, n) && wish_read(fd, &owner, &one) &&
		    owner.uid == s->uid)
			count++;
		close(fd);
	}
	return count;
}

enum err slot_take(struct slot *s, struct diag *diag)
{
	static const struct slot_wish nothing;
	char name[NET_NAME_LEN];

	if (s->uid != 0 && leases_of_user(s) >= SLOT_USER_MAX)
		return diag_set(diag, ERR_BUSY,
				"user %u has %d tunnels already: end one",
				(unsigned)s->uid, SLOT_USER_MAX);
	for (unsigned n = 0; n < NETD_LEASES; n++) {
		int fd;

		snprintf(name, sizeof(name), "vpn%u", n);
		if (if_nametoindex(name) != 0)
			continue;
		fd = lease_file(s, n, O_CREAT);
		if (fd < 0)
			return diag_sys(diag, ERR_SYS, SLOT_DIR "/lease-%u", n);
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			s->own_fd = fd;
			s->n = n;
			return slot_wish_set(s, &nothing, diag);
		}
		close(fd);
	}
	return diag_set(diag, ERR_BUSY, "all %d leases are taken", NETD_LEASES);
}

/* --- notes ------------------------------------------------------- */

static void note_name(struct slot *s, const char *name, char out[64])
{
	snprintf(out, 64, "%s-%llu", name, (unsigned long long)s->netns);
}

int slot_note_read(struct slot *s, const char *name)
{
	char file[64], text[16];
	ssize_t len;
	int fd;

	note_name(s, name, file);
	fd = openat(s->dir_fd, file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return -1;
	text[len] = '\0';
	return atoi(text);
}

enum err slot_note_write(struct slot *s, const char *name, int value)
{
	char file[64], text[16];
	int len = snprintf(text, sizeof(text), "%d", value);
	enum err e;
	int fd;

	note_name(s, name, file);
	if (value < 0)
		return unlinkat(s->dir_fd, file, 0) == 0 || errno == ENOENT
			       ? OK
			       : ERR_IO;
	fd = openat(s->dir_fd, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return ERR_IO;
	e = write(fd, text, (size_t)len) == len ? OK : ERR_IO;
	close(fd);
	return e;
}
