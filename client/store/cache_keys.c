/* Which key seals, and how it is got. */
#include "client/store/cache_private.h"

#include <string.h>

#include "platform/base/log.h"

/* What auto tries, one after the other. Not the kernel's key ring: it forgets
 * with the reboot, which is what a ticket shall outlive. */
static const enum cache_key auto_order[] = {CACHE_KEY_TPM, CACHE_KEY_CREDENTIAL,
					    CACHE_KEY_SECRET_SERVICE,
					    CACHE_KEY_FILE};
#define AUTO_BACKENDS (sizeof(auto_order) / sizeof(auto_order[0]))

struct take {
	enum cache_key backend;
	bool choose; /* auto wants to stay with it */
	bool quiet;  /* as key_make says */
	bool has_old, old_is_gone;
	uint8_t old[KEY_ID_LEN]; /* the key that the new one follows */
};

/* --- the table ---------------------------------------------------------------
 */

static bool any_retires(const struct ticket_cache *c)
{
	for (size_t i = 0; i < c->keys.n; i++)
		if (c->keys.slots[i].retiring)
			return true;
	return false;
}

/* Alone with the cache: finishes what was begun. */
static void retire(struct ticket_cache *c)
{
	struct diag diag = DIAG_INIT;
	enum err e = cache_lock(c, &diag);

	if (e)
		return;
	e = key_table_read(c->dir, &c->keys, &diag);
	if (!e)
		e = cache_retire(c, &diag);
	if (e)
		log_info("an old key is still needed: %s", diag_text(&diag, e));
	cache_unlock(c);
}

enum err cache_keys_open(struct ticket_cache *c, struct diag *diag)
{
	enum err e = cache_use(c, diag);

	if (!e)
		e = key_table_read(c->dir, &c->keys, diag);
	if (e || !any_retires(c))
		return e;
	if (cache_use_alone(c))
		retire(c);
	/* An attempt to be alone gives the shared lock up, also in vain. */
	e = cache_use(c, diag);
	return e ? e : key_table_read(c->dir, &c->keys, diag);
}

static void current_set(struct ticket_cache *c, const struct key_slot *slot)
{
	memcpy(c->current, slot->id, KEY_ID_LEN);
	c->has_current = true;
	log_debug("tickets are under a key in %s",
		  key_backend_name(slot->backend));
}

/* Remembers that auto chose this one; only a convenience. */
static void chosen_set(struct ticket_cache *c, const uint8_t id[KEY_ID_LEN])
{
	struct key_slot *slot;

	if (cache_lock(c, NULL))
		return;
	if (key_table_read(c->dir, &c->keys, NULL) == OK &&
	    (slot = key_table_find(&c->keys, id)) && !slot->chosen) {
		slot->chosen = true;
		if (key_table_write(c->dir, &c->keys, NULL))
			log_debug("%s/key cannot be written", c->dir);
	}
	cache_unlock(c);
}

/* --- getting ----------------------------------------------------------------
 */

/* The old one makes room: it retires, or there is nothing left of it. */
static void old_replace(struct ticket_cache *c, const struct take *take)
{
	struct key_slot *old = key_table_find(&c->keys, take->old);

	if (take->old_is_gone)
		key_table_remove(&c->keys, take->old);
	else if (old)
		old->retiring = true;
}

/* fresh into the table. OK with *out_late: another process was faster. */
static enum err slot_store(struct ticket_cache *c, const struct key_slot *fresh,
			   const struct take *take, bool *out_late,
			   struct diag *diag)
{
	enum err e = cache_lock(c, diag);

	*out_late = false;
	if (e)
		return e;
	e = key_table_read(c->dir, &c->keys, diag);
	if (!e && take->has_old)
		old_replace(c, take);
	if (!e)
		*out_late = key_table_current(&c->keys, fresh->backend);
	if (!e && !*out_late)
		e = key_table_add(&c->keys, fresh, diag);
	if (!e && !*out_late)
		e = key_table_write(c->dir, &c->keys, diag);
	cache_unlock(c);
	return e;
}

static enum err backend_make(struct ticket_cache *c, const struct take *take,
			     struct diag *diag)
{
	struct key_slot fresh, *other;
	bool late = false;
	enum err e = key_make(take->backend, take->quiet, &fresh, diag);

	if (e)
		return e;
	fresh.chosen = take->choose;
	e = slot_store(c, &fresh, take, &late, diag);
	if (e || late)
		key_drop(&fresh);
	if (!e && late) {
		other = key_table_current(&c->keys, take->backend);
		e = key_get(other, diag);
		if (!e)
			current_set(c, other);
	} else if (!e) {
		current_set(c, &fresh);
	}
	mem_wipe(&fresh, sizeof(fresh));
	return e;
}

/* The key in this backend. */
static enum err backend_take(struct ticket_cache *c, struct take take,
			     struct diag *diag)
{
	struct key_slot *slot = key_table_current(&c->keys, take.backend);
	struct diag why = DIAG_INIT;
	enum err e;

	if (!slot)
		return backend_make(c, &take, diag);
	e = key_get(slot, &why);
	if (e == OK && !slot->stale) {
		current_set(c, slot);
		if (take.choose && !slot->chosen)
			chosen_set(c, c->current);
		return OK;
	}
	if (e != OK && e != ERR_NOT_FOUND)
		return diag_set(diag, e, "%s", diag_text(&why, e));
	if (e)
		log_info("%s: a new one is made, its tickets are lost",
			 diag_text(&why, e));
	take.choose = take.choose || slot->chosen;
	take.has_old = true;
	take.old_is_gone = e == ERR_NOT_FOUND;
	memcpy(take.old, slot->id, sizeof(take.old));
	return backend_make(c, &take, diag);
}

/* What it chose before, else the first that works; when what it chose does
 * not work now, another one for this time. */
static enum err auto_take(struct ticket_cache *c, struct diag *diag)
{
	struct key_slot *chosen = key_table_chosen(&c->keys);
	enum cache_key before = chosen ? chosen->backend : CACHE_KEY_AUTO;
	struct diag why = DIAG_INIT;
	enum err e = ERR_CACHE;

	if (chosen) {
		e = backend_take(
			c, (struct take){.backend = before, .choose = true},
			&why);
		if (e)
			log_info("%s", diag_text(&why, e));
	}
	for (size_t i = 0; i < AUTO_BACKENDS && e; i++) {
		struct take take = {.backend = auto_order[i],
				    .choose = before == CACHE_KEY_AUTO,
				    .quiet = true};

		if (take.backend == before ||
		    !key_backend_is_there(take.backend, NULL))
			continue;
		diag_clear(&why);
		e = backend_take(c, take, &why);
		if (e)
			log_debug("%s", diag_text(&why, e));
	}
	return e ? diag_set(diag, e, "%s", diag_text(&why, e)) : OK;
}

enum err cache_keys_choose(struct ticket_cache *c, struct diag *diag)
{
	if (c->has_current)
		return OK;
	return c->choice == CACHE_KEY_AUTO
		       ? auto_take(c, diag)
		       : backend_take(c, (struct take){.backend = c->choice},
				      diag);
}

void cache_keys_try(struct ticket_cache *c)
{
	for (size_t i = 0; i < c->keys.n; i++)
		if (key_get(&c->keys.slots[i], NULL))
			log_debug("a key is not there");
}

enum err cache_keys_auto_make(struct key_slot *out, struct diag *diag)
{
	enum err e = ERR_CACHE;

	for (size_t i = 0; i < AUTO_BACKENDS && e; i++)
		if (key_backend_is_there(auto_order[i], NULL))
			e = key_make(auto_order[i], false, out, diag);
	return e;
}

enum err cache_keys_current(struct ticket_cache *c, struct key_slot **out,
			    struct diag *diag)
{
	struct key_slot own, *slot = key_table_find(&c->keys, c->current);
	bool changed = false;
	enum err e;

	*out = NULL;
	if (!c->has_current || !slot)
		return ERR_INTERNAL;
	own = *slot;
	e = key_table_read(c->dir, &c->keys, diag);
	if (!e && !key_table_find(&c->keys, c->current)) {
		changed = true;
		e = key_table_add(&c->keys, &own, diag);
	}
	mem_wipe(&own, sizeof(own));
	if (e)
		return e;
	slot = key_table_find(&c->keys, c->current);
	changed = changed || slot->retiring;
	slot->retiring = false;
	if (changed)
		e = key_table_write(c->dir, &c->keys, diag);
	if (!e)
		*out = slot;
	return e;
}

enum err cache_keys_of(struct ticket_cache *c, const uint8_t id[KEY_ID_LEN],
		       struct key_slot **out, struct diag *diag)
{
	enum err e;

	*out = key_table_find(&c->keys, id);
	if (!*out) {
		e = key_table_read(c->dir, &c->keys, diag);
		if (e)
			return e;
		*out = key_table_find(&c->keys, id);
	}
	if (!*out)
		return diag_set(diag, ERR_NOT_FOUND,
				"its key is gone (a reboot, a cleared TPM, "
				"a replaced credential, or %s/key was deleted)",
				c->dir);
	return key_get(*out, diag);
}
