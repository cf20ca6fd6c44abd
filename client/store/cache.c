#include "client/store/cache_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "client/store/places.h"
#include "platform/base/log.h"

#define SUFFIX ".ticket"
/* The lock is held for the time of a few file operations. */
#define LOCK_TRIES   400
#define LOCK_WAIT_NS (5 * 1000 * 1000)

struct ticket_cache {
	char dir[PLACE_MAX];
	char tickets[PLACE_MAX];
	int lock_fd;
	bool unsynced; /* something was removed and the folder not synced */
	struct secret key;
};

/* --- folder, lock, key --------------------------------------------------- */

static enum err cache_lock(struct ticket_cache *c, struct diag *diag)
{
	const struct timespec wait = {0, LOCK_WAIT_NS};

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(c->lock_fd, LOCK_EX | LOCK_NB) == 0)
			return OK;
		if (errno != EWOULDBLOCK && errno != EINTR)
			break;
		nanosleep(&wait, NULL);
	}
	return diag_sys(diag, ERR_CACHE,
			"%s/lock: another vpn-connect holds it: end that one",
			c->dir);
}

static void cache_unlock(struct ticket_cache *c)
{
	flock(c->lock_fd, LOCK_UN);
}

static enum err lock_open(struct ticket_cache *c, struct diag *diag)
{
	char path[PLACE_MAX];
	enum err e = places_join(path, c->dir, "lock", diag);

	if (e)
		return e;
	c->lock_fd =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return c->lock_fd < 0 ? diag_sys(diag, ERR_CACHE, "%s", path) : OK;
}

static enum err key_make(const char *path, struct diag *diag)
{
	uint8_t fresh[CACHE_KEY_LEN];
	enum err e = os_random(fresh, sizeof(fresh));

	if (!e)
		e = os_write_file(path, BYTES_OF(fresh), diag);
	mem_wipe(fresh, sizeof(fresh));
	return e;
}

/* Under the lock: two first users must not make two keys. */
static enum err key_load(struct ticket_cache *c, struct diag *diag)
{
	char path[PLACE_MAX];
	uint8_t *file = NULL;
	size_t len = 0;
	enum err e = places_join(path, c->dir, "key", diag);

	if (e)
		return e;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		e = key_make(path, diag);
	if (!e)
		e = os_read_secret_file(path, 4096, &file, &len, diag);
	if (!e && len != CACHE_KEY_LEN)
		e = diag_set(diag, ERR_CACHE,
			     "%s is damaged: rm %s (the tickets are lost, the "
			     "next connect asks for the password)",
			     path, path);
	if (!e)
		e = secret_set(&c->key, bytes(file, len));
	mem_wipe(file, len);
	free(file);
	return e;
}

static bool is_ticket_file(const char *file, char out_name[PROFILE_NAME_MAX])
{
	size_t len = strlen(file), end = strlen(SUFFIX);

	if (len <= end || len - end >= PROFILE_NAME_MAX || file[0] == '.' ||
	    strcmp(file + len - end, SUFFIX) != 0)
		return false;
	memcpy(out_name, file, len - end);
	out_name[len - end] = '\0';
	return true;
}

/* Temporary files of a process that was killed while it wrote. */
static void leftovers_sweep(struct ticket_cache *c)
{
	char name[PROFILE_NAME_MAX];
	struct dirent *entry;
	DIR *dir = opendir(c->tickets);

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' ||
		    is_ticket_file(entry->d_name, name))
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) < 0)
			log_warn("%s/%s: %s", c->tickets, entry->d_name,
				 strerror(errno));
	}
	if (dir)
		closedir(dir);
}

static enum err cache_prepare(struct ticket_cache *c, const char *dir,
			      struct diag *diag)
{
	enum err e;

	snprintf(c->dir, sizeof(c->dir), "%s", dir);
	e = places_join(c->tickets, dir, "tickets", diag);
	if (!e)
		e = places_private_dir(c->dir, diag);
	if (!e)
		e = places_private_dir(c->tickets, diag);
	if (!e)
		e = lock_open(c, diag);
	if (!e)
		e = cache_lock(c, diag);
	if (e)
		return e;
	e = key_load(c, diag);
	if (!e)
		leftovers_sweep(c);
	cache_unlock(c);
	return e;
}

enum err ticket_cache_open(const char *dir, struct ticket_cache **out,
			   struct diag *diag)
{
	struct ticket_cache *c = calloc(1, sizeof(*c));
	enum err e;

	*out = NULL;
	if (!c)
		return ERR_NO_MEMORY;
	c->lock_fd = -1;
	e = cache_prepare(c, dir, diag);
	if (e) {
		ticket_cache_close(&c);
		return e == ERR_NO_MEMORY ? e : ERR_CACHE;
	}
	*out = c;
	return OK;
}

void ticket_cache_close(struct ticket_cache **c)
{
	if (!*c)
		return;
	if ((*c)->lock_fd >= 0)
		close((*c)->lock_fd);
	mem_wipe(*c, sizeof(**c));
	free(*c);
	*c = NULL;
}

/* --- entries ---------------------------------------------------------------
 */

static enum err entry_path(const struct ticket_cache *c, const char *profile,
			   char out[PLACE_MAX], struct diag *diag)
{
	char file[PROFILE_NAME_MAX + sizeof(SUFFIX)];

	/* Names are checked where they come in; a mistake there must not
	 * leave the folder. */
	if (strchr(profile, '/') || profile[0] == '.' || profile[0] == '\0')
		return ERR_INTERNAL;
	snprintf(file, sizeof(file), "%s" SUFFIX, profile);
	return places_join(out, c->tickets, file, diag);
}

/* OK also when there is none. */
static enum err entry_remove(struct ticket_cache *c, const char *path,
			     struct diag *diag)
{
	if (unlink(path) == 0)
		c->unsynced = true;
	else if (errno != ENOENT)
		return diag_sys(diag, ERR_CACHE, "%s", path);
	return OK;
}

enum err ticket_cache_sync(struct ticket_cache *c, struct diag *diag)
{
	enum err e = OK;
	int fd;

	if (!c->unsynced)
		return OK;
	fd = open(c->tickets, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		e = diag_sys(diag, ERR_CACHE, "%s", c->tickets);
	else
		c->unsynced = false;
	if (fd >= 0)
		close(fd);
	return e;
}

/* Reads and opens, whatever it is bound to. */
static enum err entry_load(const struct ticket_cache *c, const char *path,
			   struct cache_binding *out_b,
			   struct ticket_entry *out, struct diag *diag)
{
	uint8_t *file = NULL;
	size_t len = 0;
	enum err e;

	memset(out, 0, sizeof(*out));
	e = os_read_secret_file(path, CACHE_FILE_MAX, &file, &len, diag);
	if (e)
		return e;
	e = cache_entry_open(&c->key, file, len, out_b, out);
	mem_wipe(file, len);
	free(file);
	if (e == OK || e == ERR_NO_MEMORY)
		return e;
	return diag_set(diag, ERR_CACHE, "%s was damaged or changed", path);
}

/* The ticket's age is at least what either clock says, whatever was done to
 * the other one; the boot clock starts anew with the machine, and is then
 * the smaller one. */
static int64_t entry_age_ms(const struct ticket_entry *e, struct os_time now)
{
	int64_t wall = now.wall_ms - e->stored_wall_ms;
	int64_t boot = now.boot_ms - e->stored_boot_ms;

	return wall < 0 || wall > boot ? wall : boot;
}

static int64_t entry_remaining_ms(const struct ticket_entry *e,
				  struct os_time now)
{
	int64_t age = entry_age_ms(e, now);
	int64_t life = e->expires_wall_ms - e->stored_wall_ms;

	return age < 0 || age >= life ? 0 : life - age;
}

/* Must this one be used for p, now? */
static enum err entry_check(const struct ticket_cache *c,
			    const struct profile *p, struct os_time now,
			    const struct cache_binding *b,
			    const struct ticket_entry *e)
{
	struct cache_binding expected;
	enum err err = cache_binding_of(p, &c->key, &expected);

	if (err)
		return err;
	if (!cache_binding_fits(b, &expected))
		return ERR_CACHE;
	return entry_remaining_ms(e, now) > 0 ? OK : ERR_EXPIRED;
}

static enum err entry_take(struct ticket_cache *c, const char *path,
			   const struct profile *p, struct os_time now,
			   struct ticket_entry *out, struct diag *diag)
{
	struct cache_binding b;
	enum err e = entry_load(c, path, &b, out, diag);
	enum err removed;

	if (e == ERR_NOT_FOUND || e == ERR_NO_MEMORY)
		return e;
	if (e) {
		e = ERR_CACHE;
	} else {
		e = entry_check(c, p, now, &b, out);
		if (e == ERR_CACHE)
			diag_set(diag, e,
				 "%s is of another profile, gateway, identity "
				 "or credential: removed",
				 path);
		else if (e == ERR_EXPIRED)
			diag_set(diag, e, "the ticket has expired: removed");
	}
	/* Present only what nobody can take a second time. */
	removed = entry_remove(c, path, diag);
	return e ? e : removed;
}

enum err ticket_cache_take(struct ticket_cache *c, const struct profile *p,
			   struct os_time now, struct ticket_entry *out,
			   struct diag *diag)
{
	struct diag why = DIAG_INIT;
	char path[PLACE_MAX];
	enum err e;

	memset(out, 0, sizeof(*out));
	e = entry_path(c, p->name, path, diag);
	if (!e)
		e = cache_lock(c, diag);
	if (e)
		return e;
	e = entry_take(c, path, p, now, out, &why);
	cache_unlock(c);
	if (!e)
		return OK;
	ticket_entry_wipe(out);
	if (e == ERR_NOT_FOUND)
		return diag_set(diag, e, "no ticket of '%s'", p->name);
	return diag_set(diag, e, "%s", diag_text(&why, e));
}

enum err ticket_cache_put(struct ticket_cache *c, const struct profile *p,
			  const struct ticket_entry *e, struct diag *diag)
{
	struct cache_binding b;
	char path[PLACE_MAX];
	uint8_t *file = NULL;
	size_t len = 0;
	enum err err;

	err = entry_path(c, p->name, path, diag);
	if (!err)
		err = cache_binding_of(p, &c->key, &b);
	if (!err)
		err = cache_entry_seal(&c->key, &b, e, &file, &len);
	if (!err)
		err = cache_lock(c, diag);
	if (!err) {
		err = os_write_file(path, bytes(file, len), diag);
		cache_unlock(c);
	}
	free(file);
	return err == OK || err == ERR_NO_MEMORY ? err : ERR_CACHE;
}

enum err ticket_cache_forget(struct ticket_cache *c, const char *profile_name,
			     struct diag *diag)
{
	char path[PLACE_MAX];
	enum err e;

	e = entry_path(c, profile_name, path, diag);
	if (!e)
		e = cache_lock(c, diag);
	if (e)
		return e;
	e = entry_remove(c, path, diag);
	if (!e)
		e = ticket_cache_sync(c, diag);
	cache_unlock(c);
	return e;
}

/* --- listing ---------------------------------------------------------------
 */

static enum err info_read(const struct ticket_cache *c, const char *name,
			  struct os_time now, struct ticket_info *out)
{
	struct diag diag = DIAG_INIT;
	struct ticket_entry entry = {.buf = NULL};
	struct cache_binding b;
	char path[PLACE_MAX];
	enum err e;

	memset(out, 0, sizeof(*out));
	e = entry_path(c, name, path, &diag);
	if (!e)
		e = entry_load(c, path, &b, &entry, &diag);
	if (!e && strcmp(b.profile, name) != 0)
		e = diag_set(&diag, ERR_CACHE, "%s is of profile '%s'", path,
			     b.profile);
	if (e) {
		log_warn("%s", diag_text(&diag, e));
		goto out;
	}
	memcpy(out->profile, b.profile, sizeof(out->profile));
	memcpy(out->gateway, b.gateway, sizeof(out->gateway));
	ike_name_str(&b.identity, out->identity, sizeof(out->identity));
	out->age_s = entry_age_ms(&entry, now) / 1000;
	out->remaining_s = entry_remaining_ms(&entry, now) / 1000;
	out->size = entry.ticket.opaque.len;
	out->renewed = entry.renewed;
out:
	ticket_entry_wipe(&entry);
	return e;
}

enum err ticket_cache_list(struct ticket_cache *c, struct os_time now,
			   struct ticket_info *out, size_t cap, size_t *out_n)
{
	char name[PROFILE_NAME_MAX];
	struct dirent *entry;
	DIR *dir;
	enum err e = cache_lock(c, NULL);

	*out_n = 0;
	if (e)
		return e;
	dir = opendir(c->tickets);
	if (!dir)
		e = ERR_CACHE;
	while (dir && *out_n < cap && (entry = readdir(dir))) {
		if (is_ticket_file(entry->d_name, name) &&
		    info_read(c, name, now, &out[*out_n]) == OK)
			(*out_n)++;
	}
	if (dir)
		closedir(dir);
	cache_unlock(c);
	return e;
}

void ticket_entry_wipe(struct ticket_entry *e)
{
	if (e->buf)
		mem_wipe(e->buf, e->ticket.opaque.len);
	free(e->buf);
	mem_wipe(e, sizeof(*e));
}
