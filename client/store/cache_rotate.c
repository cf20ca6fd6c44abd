/* Entries move to other keys.
 *
 * Order: the new key lies with its backend, then in DIR/key beside the old
 * one, then the entries are replaced one after the other, then the old key is
 * dropped. So an entry has a key at any moment, whoever is killed when.
 */
#include "client/store/cache_private.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/log.h"

/* --- one entry ----------------------------------------------------------- */

struct reseal {
	const char *path;
	const uint8_t *to; /* id of the key */
};

/* Of the file; ERR_NOT_FOUND. */
static enum err entry_key_id(const char *path, uint8_t out_id[KEY_ID_LEN])
{
	uint8_t *file = NULL;
	size_t len = 0;
	enum err e =
		os_read_secret_file(path, CACHE_FILE_MAX, &file, &len, NULL);

	if (!e)
		e = cache_entry_key_id(bytes(file, len), out_id);
	free(file);
	return e;
}

/* Opens with the key that it names, and seals it with the other. */
static enum err entry_reseal(struct ticket_cache *c, const struct reseal *r,
			     struct diag *diag)
{
	struct ticket_entry entry = {.buf = NULL};
	struct cache_binding binding;
	uint8_t id[KEY_ID_LEN], *file = NULL, *sealed = NULL;
	struct key_slot *key;
	size_t len = 0;
	enum err e;

	e = os_read_secret_file(r->path, CACHE_FILE_MAX, &file, &len, diag);
	if (!e)
		e = cache_entry_key_id(bytes(file, len), id);
	if (!e)
		e = cache_keys_of(c, id, &key, diag);
	if (!e)
		e = cache_entry_open(key, file, len, &binding, &entry);
	mem_wipe(file, len);
	free(file);
	if (!e)
		e = cache_keys_of(c, r->to, &key, diag);
	if (!e)
		e = cache_entry_seal(key, &binding, &entry, &sealed, &len);
	if (!e)
		e = os_write_file(r->path, bytes(sealed, len), diag);
	ticket_entry_wipe(&entry);
	free(sealed);
	return e ? diag_set(diag, e, "%s is damaged", r->path) : OK;
}

/* --- which keys are needed -------------------------------------------------
 */

/* Is there an entry under this key? True also when that is not known. */
static bool key_is_named(const struct ticket_cache *c,
			 const uint8_t id[KEY_ID_LEN])
{
	char name[PROFILE_NAME_MAX], path[PLACE_MAX];
	DIR *dir = opendir(c->tickets);
	uint8_t other[KEY_ID_LEN];
	struct dirent *entry;
	bool named = !dir;

	while (dir && !named && (entry = readdir(dir)))
		named = cache_is_entry(entry->d_name, name) &&
			cache_entry_path(c, name, path, NULL) == OK &&
			entry_key_id(path, other) == OK &&
			memcmp(id, other, KEY_ID_LEN) == 0;
	if (dir)
		closedir(dir);
	return named;
}

/* The key that takes over from one that retires; NULL: none. */
static const struct key_slot *successor_of(struct ticket_cache *c,
					   const struct key_slot *old)
{
	const struct key_slot *next = NULL;

	if (old->chosen)
		next = key_table_chosen(&c->keys);
	if (!next)
		next = key_table_current(&c->keys, old->backend);
	if (!next)
		next = key_table_chosen(&c->keys);
	for (size_t i = 0; i < c->keys.n && !next; i++)
		if (!c->keys.slots[i].retiring)
			next = &c->keys.slots[i];
	return next;
}

/* --- retiring --------------------------------------------------------------
 */

static enum err entry_follow(struct ticket_cache *c, const char *name,
			     struct diag *diag)
{
	const struct key_slot *old, *next;
	uint8_t id[KEY_ID_LEN], to[KEY_ID_LEN];
	char path[PLACE_MAX];
	struct reseal reseal = {path, to};
	enum err e = cache_entry_path(c, name, path, diag);

	/* One that is damaged is reported when it is taken. */
	if (e || entry_key_id(path, id))
		return e;
	old = key_table_find(&c->keys, id);
	if (!old || !old->retiring)
		return OK;
	next = successor_of(c, old);
	if (!next)
		return OK;
	memcpy(to, next->id, sizeof(to));
	return entry_reseal(c, &reseal, diag);
}

static enum err entries_follow(struct ticket_cache *c, struct diag *diag)
{
	char name[PROFILE_NAME_MAX];
	DIR *dir = opendir(c->tickets);
	struct dirent *entry;
	enum err first = OK, e;

	if (!dir)
		return diag_sys(diag, ERR_CACHE, "%s", c->tickets);
	while ((entry = readdir(dir))) {
		if (!cache_is_entry(entry->d_name, name))
			continue;
		/* diag keeps the first line it gets. */
		e = entry_follow(c, name, diag);
		if (e && !first)
			first = e;
	}
	closedir(dir);
	return first;
}

enum err cache_retire(struct ticket_cache *c, struct diag *diag)
{
	enum err e = entries_follow(c, diag), written;
	bool changed = false;
	size_t i = 0;

	while (i < c->keys.n) {
		struct key_slot *slot = &c->keys.slots[i];

		if (!slot->retiring || key_is_named(c, slot->id)) {
			i++;
			continue;
		}
		/* First there: one that is in the table is dropped again. */
		key_drop(slot);
		key_table_remove(&c->keys, slot->id);
		changed = true;
	}
	if (!changed)
		return e;
	written = key_table_write(c->dir, &c->keys, diag);
	return e ? e : written;
}

/* --- another choice in the profile ------------------------------------------
 */

/* Its last entry went: the next who is alone drops it. */
static void unused_retire(struct ticket_cache *c, const uint8_t id[KEY_ID_LEN])
{
	struct key_slot *slot;

	if (key_is_named(c, id) || key_table_read(c->dir, &c->keys, NULL) != OK)
		return;
	slot = key_table_find(&c->keys, id);
	if (!slot || slot->chosen || slot->retiring)
		return;
	slot->retiring = true;
	if (key_table_write(c->dir, &c->keys, NULL))
		log_debug("%s/key cannot be written", c->dir);
}

static enum err migrate(struct ticket_cache *c, const char *path,
			struct diag *diag)
{
	struct reseal reseal = {path, c->current};
	uint8_t id[KEY_ID_LEN];
	enum err e;

	if (entry_key_id(path, id) || memcmp(id, c->current, KEY_ID_LEN) == 0)
		return OK;
	e = entry_reseal(c, &reseal, diag);
	if (!e)
		unused_retire(c, id);
	return e;
}

void cache_migrate(struct ticket_cache *c, const char *profile)
{
	struct diag diag = DIAG_INIT;
	char path[PLACE_MAX];
	enum err e = cache_entry_path(c, profile, path, &diag);

	if (!e)
		e = cache_lock(c, &diag);
	if (e)
		return;
	e = migrate(c, path, &diag);
	cache_unlock(c);
	if (e)
		log_info("the ticket of %s stays under its key: %s", profile,
			 diag_text(&diag, e));
}

/* --- rotation
 * ----------------------------------------------------------------- */

/* fresh into the table; slots from n_old on were made for this rotation, and
 * one of a backend is enough. */
static enum err fresh_add(struct ticket_cache *c, size_t n_old,
			  const struct key_slot *fresh, struct diag *diag)
{
	enum err e;

	for (size_t i = n_old; i < c->keys.n; i++) {
		struct key_slot *made = &c->keys.slots[i];

		if (made->backend != fresh->backend)
			continue;
		key_drop(fresh);
		made->chosen = made->chosen || fresh->chosen;
		return OK;
	}
	e = key_table_add(&c->keys, fresh, diag);
	if (e)
		key_drop(fresh);
	return e;
}

static enum err key_replace(struct ticket_cache *c, struct key_slot *old,
			    size_t n_old, struct diag *diag)
{
	struct key_slot fresh;
	enum err e;

	e = old->chosen ? cache_keys_auto_make(&fresh, diag)
			: key_make(old->backend, false, &fresh, diag);
	if (e)
		return e;
	fresh.chosen = old->chosen;
	e = fresh_add(c, n_old, &fresh, diag);
	old->retiring = e == OK;
	mem_wipe(&fresh, sizeof(fresh));
	return e;
}

/* A new key for each that is needed. The first failure; goes on behind it. */
static enum err keys_replace(struct ticket_cache *c, struct diag *diag)
{
	size_t n_old = c->keys.n;
	enum err first = OK, e;

	for (size_t i = 0; i < n_old; i++) {
		struct key_slot *slot = &c->keys.slots[i];

		if (slot->retiring)
			continue;
		if (!slot->chosen && !key_is_named(c, slot->id)) {
			slot->retiring = true;
			continue;
		}
		e = key_replace(c, slot, n_old, diag);
		if (e && !first)
			first = e;
	}
	e = key_table_write(c->dir, &c->keys, diag);
	if (e) {
		for (size_t k = n_old; k < c->keys.n; k++)
			key_drop(&c->keys.slots[k]);
		first = e;
	}
	return first;
}

static enum err rotate(struct ticket_cache *c, struct diag *diag)
{
	enum err e = key_table_read(c->dir, &c->keys, diag), retired;

	if (e)
		return e;
	e = keys_replace(c, diag);
	/* What is on the disk counts, whatever went wrong before. */
	retired = key_table_read(c->dir, &c->keys, diag);
	if (!retired)
		retired = cache_retire(c, diag);
	return e ? e : retired;
}

enum err ticket_cache_rotate(struct ticket_cache *c, struct diag *diag)
{
	enum err e, used;

	if (!cache_use_alone(c)) {
		e = diag_set(
			diag, ERR_BUSY,
			"a tunnel is running and holds the key: vpn-connect "
			"suspend it, then try again");
	} else {
		e = cache_lock(c, diag);
		if (!e) {
			e = rotate(c, diag);
			cache_unlock(c);
		}
		if (e)
			e = diag_set(diag, ERR_CACHE, "%s", err_text(e));
	}
	c->has_current = false;
	used = cache_use(c, NULL);
	return e ? e : used;
}
