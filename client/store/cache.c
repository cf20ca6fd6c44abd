#include "client/store/cache_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/store/guard.h"
#include "client/store/places.h"
#include "platform/base/log.h"

#define SUFFIX ".ticket"

bool cache_is_entry(const char *file, char out_name[PROFILE_NAME_MAX])
{
	size_t len = strlen(file), end = strlen(SUFFIX);

	if (len <= end || len - end >= PROFILE_NAME_MAX || file[0] == '.' ||
	    strcmp(file + len - end, SUFFIX) != 0)
		return false;
	memcpy(out_name, file, len - end);
	out_name[len - end] = '\0';
	return true;
}

/* --- entries ---------------------------------------------------------------
 */

enum err cache_entry_path(const struct ticket_cache *c, const char *profile,
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

/* With the key that the file names. ERR_STATE: that is not there just now. */
static enum err entry_decrypt(struct ticket_cache *c, uint8_t *file, size_t len,
			      struct cache_binding *out_b,
			      struct ticket_entry *out, struct diag *diag)
{
	uint8_t id[KEY_ID_LEN];
	struct key_slot *key;
	enum err e = cache_entry_key_id(bytes(file, len), id);

	if (e)
		return e;
	e = cache_keys_of(c, id, &key, diag);
	if (e)
		return e == ERR_NOT_FOUND ? ERR_CACHE : ERR_STATE;
	e = cache_entry_open(key, file, len, out_b, out);
	out->key = key->backend;
	return e;
}

/* Reads and opens, whatever it is bound to. ERR_STATE: its key is not there
 * just now, and nothing is wrong with it. */
static enum err entry_load(struct ticket_cache *c, const char *path,
			   struct cache_binding *out_b,
			   struct ticket_entry *out, struct diag *diag)
{
	struct diag why = DIAG_INIT;
	uint8_t *file = NULL;
	size_t len = 0;
	enum err e;

	memset(out, 0, sizeof(*out));
	e = os_read_secret_file(path, CACHE_FILE_MAX, &file, &len, diag);
	if (e)
		return e;
	e = entry_decrypt(c, file, len, out_b, out, &why);
	mem_wipe(file, len);
	free(file);
	if (e == OK || e == ERR_NO_MEMORY)
		return e;
	return diag_set(diag, e == ERR_STATE ? e : ERR_CACHE, "%s: %s", path,
			why.text[0] ? why.text : "was damaged or changed");
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
			    const struct ticket_entry *e, struct diag *diag)
{
	struct cache_binding expected;

	cache_binding_of(p, &expected);
	if (!cache_binding_fits(b, &expected))
		return diag_set(diag, ERR_CACHE,
				"the ticket of '%s' is of another profile, "
				"gateway, identity or credential: removed",
				p->name);
	if (e->generation < guard_floor(c->dir, p->name))
		return diag_set(diag, ERR_CACHE,
				"an older ticket of '%s' was put back (rolled "
				"back): removed",
				p->name);
	if (entry_remaining_ms(e, now) <= 0)
		return diag_set(diag, ERR_EXPIRED,
				"the ticket has expired: removed");
	return OK;
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
	/* Another time, or by another process, it may be of use. */
	if (e == ERR_STATE)
		return ERR_CACHE;
	e = e ? ERR_CACHE : entry_check(c, p, now, &b, out, diag);
	/* Present only what nobody can take a second time. */
	removed = entry_remove(c, path, diag);
	if (!e && !removed)
		guard_raise(c->dir, p->name, out->generation + 1,
			    entry_remaining_ms(out, now));
	return e ? e : removed;
}

bool ticket_cache_worked(struct ticket_cache *c, const struct profile *p,
			 struct path_worked *out)
{
	struct ticket_entry entry = {.buf = NULL};
	struct diag why = DIAG_INIT;
	struct cache_binding b, want;
	char path[PLACE_MAX];
	enum err e;

	memset(out, 0, sizeof(*out));
	e = cache_entry_path(c, p->name, path, &why);
	if (!e)
		e = cache_lock(c, &why);
	if (e)
		return false;
	e = entry_load(c, path, &b, &entry, &why);
	cache_unlock(c);
	cache_binding_of(p, &want);
	/* What is wrong with it is told by who takes it. */
	if (!e && cache_binding_fits(&b, &want))
		*out = entry.worked;
	ticket_entry_wipe(&entry);
	return out->remote.family != ADDR_NONE;
}

enum err ticket_cache_take(struct ticket_cache *c, const struct profile *p,
			   struct os_time now, struct ticket_entry *out,
			   struct diag *diag)
{
	struct diag why = DIAG_INIT;
	char path[PLACE_MAX];
	enum err e;

	memset(out, 0, sizeof(*out));
	e = cache_entry_path(c, p->name, path, diag);
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

/* Under the lock. */
static enum err entry_put(struct ticket_cache *c, const struct profile *p,
			  const struct ticket_entry *e, struct diag *diag)
{
	struct ticket_entry numbered = *e;
	struct cache_binding b;
	struct key_slot *key;
	char path[PLACE_MAX];
	uint8_t *file = NULL;
	size_t len = 0;
	enum err err = cache_entry_path(c, p->name, path, diag);

	if (!err)
		err = cache_keys_current(c, &key, diag);
	if (err)
		return err;
	cache_binding_of(p, &b);
	numbered.generation = guard_next(c->dir, p->name, e->stored_wall_ms);
	err = cache_entry_seal(key, &b, &numbered, &file, &len);
	if (!err)
		err = os_write_file(path, bytes(file, len), diag);
	if (!err)
		guard_raise(c->dir, p->name, numbered.generation,
			    e->expires_wall_ms - e->stored_wall_ms);
	free(file);
	mem_wipe(&numbered, sizeof(numbered));
	return err;
}

enum err ticket_cache_put(struct ticket_cache *c, const struct profile *p,
			  const struct ticket_entry *e, struct diag *diag)
{
	enum err err = cache_keys_choose(c, diag);

	if (!err)
		err = cache_lock(c, diag);
	if (!err) {
		err = entry_put(c, p, e, diag);
		cache_unlock(c);
	}
	return err == OK || err == ERR_NO_MEMORY ? err : ERR_CACHE;
}

enum err ticket_cache_forget(struct ticket_cache *c, const char *profile_name,
			     struct diag *diag)
{
	char path[PLACE_MAX];
	enum err e;

	e = cache_entry_path(c, profile_name, path, diag);
	if (!e)
		e = cache_lock(c, diag);
	if (e)
		return e;
	e = entry_remove(c, path, diag);
	if (!e)
		e = ticket_cache_sync(c, diag);
	if (!e)
		guard_raise(c->dir, profile_name,
			    guard_next(c->dir, profile_name, os_now().wall_ms),
			    0);
	cache_unlock(c);
	return e;
}

/* --- listing ---------------------------------------------------------------
 */

static enum err info_read(struct ticket_cache *c, const char *name,
			  struct os_time now, struct ticket_info *out)
{
	struct diag diag = DIAG_INIT;
	struct ticket_entry entry = {.buf = NULL};
	struct cache_binding b;
	char path[PLACE_MAX];
	enum err e;

	memset(out, 0, sizeof(*out));
	e = cache_entry_path(c, name, path, &diag);
	if (!e)
		e = entry_load(c, path, &b, &entry, &diag);
	if (!e && strcmp(b.profile, name) != 0)
		e = diag_set(&diag, ERR_CACHE, "%s is of profile '%s'", path,
			     b.profile);
	if (!e && entry.generation < guard_floor(c->dir, name))
		e = diag_set(&diag, ERR_CACHE, "%s was rolled back", path);
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
	out->key = entry.key;
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
	enum err e;

	*out_n = 0;
	cache_keys_try(c);
	e = cache_lock(c, NULL);
	if (e)
		return e;
	dir = opendir(c->tickets);
	if (!dir)
		e = ERR_CACHE;
	while (dir && *out_n < cap && (entry = readdir(dir))) {
		if (cache_is_entry(entry->d_name, name) &&
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
