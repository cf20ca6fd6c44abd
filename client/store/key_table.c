/* DIR/key:
 *
 *   "vpckey" | format 1 | number of keys |
 *   { backend | flags | id 8 | what the backend needs } ... | SHA-256
 *
 * The hash is no protection, it tells a damaged file from a wrong key.
 */
#include "client/store/key.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC	      "vpckey"
#define FORMAT	      1
#define FLAG_RETIRING 1
#define FLAG_CHOSEN   2
#define FILE_MAX      (64 + KEYS_MAX * (16 + KEY_BLOB_MAX))

/* --- reading -------------------------------------------------------------- */

static void rd_slot(struct rd *r, struct key_slot *out)
{
	uint8_t flags;
	size_t len;

	memset(out, 0, sizeof(*out));
	out->backend = (enum cache_key)rd_u8(r);
	flags = rd_u8(r);
	out->retiring = flags & FLAG_RETIRING;
	out->chosen = flags & FLAG_CHOSEN;
	rd_copy(r, out->id, KEY_ID_LEN);
	len = rd_u16(r);
	if (len > KEY_BLOB_MAX || out->backend < CACHE_KEY_TPM ||
	    out->backend > CACHE_KEY_FILE) {
		r->short_read = true;
		len = 0;
	}
	out->blob_len = len;
	rd_copy(r, out->blob, len);
}

static enum err table_parse(struct bytes file, struct key_table *out)
{
	struct rd r = rd_open(file), body;
	uint8_t digest[32];
	enum err e;

	if (file.len < sizeof(digest))
		return ERR_TRUNCATED;
	body = rd_sub(&r, file.len - sizeof(digest));
	file.len -= sizeof(digest);
	e = crypto_hash(HASH_SHA2_256, &file, 1, digest);
	if (e)
		return e;
	if (!bytes_eq(rd_rest(&r), BYTES_OF(digest)))
		return ERR_INTEGRITY;
	if (!bytes_eq(rd_take(&body, strlen(MAGIC)), bytes_str(MAGIC)) ||
	    rd_u8(&body) != FORMAT)
		return ERR_MALFORMED;
	out->n = rd_u8(&body);
	if (out->n > KEYS_MAX)
		return ERR_MALFORMED;
	for (size_t i = 0; i < out->n; i++)
		rd_slot(&body, &out->slots[i]);
	return rd_finish(&body);
}

static void keys_keep(struct key_table *from, struct key_table *to)
{
	for (size_t i = 0; i < to->n; i++) {
		struct key_slot *had = key_table_find(from, to->slots[i].id);

		if (!had)
			continue;
		to->slots[i].key = had->key;
		to->slots[i].stale = had->stale;
		to->slots[i].failed = had->failed;
		to->slots[i].why = had->why;
	}
}

enum err key_table_read(const char *dir, struct key_table *table,
			struct diag *diag)
{
	struct diag why = DIAG_INIT;
	struct key_table *fresh;
	char path[PLACE_MAX];
	uint8_t *file = NULL;
	size_t len = 0;
	enum err e = places_join(path, dir, "key", diag);

	if (e)
		return e;
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return ERR_NO_MEMORY;
	e = os_read_secret_file(path, FILE_MAX, &file, &len, &why);
	if (e == ERR_NOT_FOUND) {
		e = OK;
	} else if (e && e != ERR_NO_SPACE) {
		diag_set(diag, e, "%s", diag_text(&why, e));
	} else if (e || (e = table_parse(bytes(file, len), fresh))) {
		diag_set(diag, e,
			 "%s is damaged: rm %s (the tickets are lost, the "
			 "next connect asks for the password)",
			 path, path);
	}
	if (!e) {
		keys_keep(table, fresh);
		mem_wipe(table, sizeof(*table));
		*table = *fresh;
	}
	mem_wipe(file, len);
	free(file);
	mem_wipe(fresh, sizeof(*fresh));
	free(fresh);
	return e == OK || e == ERR_NO_MEMORY ? e : ERR_CACHE;
}

/* --- writing ------------------------------------------------------------- */

static void wr_slot(struct wr *w, const struct key_slot *s)
{
	wr_u8(w, (uint8_t)s->backend);
	wr_u8(w, (uint8_t)((s->retiring ? FLAG_RETIRING : 0) |
			   (s->chosen ? FLAG_CHOSEN : 0)));
	wr_bytes(w, bytes(s->id, KEY_ID_LEN));
	wr_u16(w, (uint16_t)s->blob_len);
	wr_bytes(w, bytes(s->blob, s->blob_len));
}

enum err key_table_write(const char *dir, const struct key_table *table,
			 struct diag *diag)
{
	uint8_t file[FILE_MAX];
	uint8_t digest[32];
	char path[PLACE_MAX];
	struct wr w = wr_open(file, sizeof(file));
	struct bytes view;
	enum err e = places_join(path, dir, "key", diag);

	wr_bytes(&w, bytes_str(MAGIC));
	wr_u8(&w, FORMAT);
	wr_u8(&w, (uint8_t)table->n);
	for (size_t i = 0; i < table->n; i++)
		wr_slot(&w, &table->slots[i]);
	view = wr_view(&w);
	if (!e)
		e = crypto_hash(HASH_SHA2_256, &view, 1, digest);
	wr_bytes(&w, BYTES_OF(digest));
	if (!e)
		e = wr_finish(&w);
	if (!e)
		e = os_write_file(path, wr_view(&w), diag);
	mem_wipe(file, sizeof(file));
	return e ? diag_set(diag, ERR_CACHE, "%s cannot be written", path) : OK;
}

/* --- the slots -------------------------------------------------------------
 */

struct key_slot *key_table_find(struct key_table *table,
				const uint8_t id[KEY_ID_LEN])
{
	for (size_t i = 0; i < table->n; i++)
		if (memcmp(table->slots[i].id, id, KEY_ID_LEN) == 0)
			return &table->slots[i];
	return NULL;
}

struct key_slot *key_table_current(struct key_table *table,
				   enum cache_key backend)
{
	for (size_t i = 0; i < table->n; i++)
		if (table->slots[i].backend == backend &&
		    !table->slots[i].retiring)
			return &table->slots[i];
	return NULL;
}

struct key_slot *key_table_chosen(struct key_table *table)
{
	for (size_t i = 0; i < table->n; i++)
		if (table->slots[i].chosen && !table->slots[i].retiring)
			return &table->slots[i];
	return NULL;
}

enum err key_table_add(struct key_table *table, const struct key_slot *slot,
		       struct diag *diag)
{
	if (table->n == KEYS_MAX)
		return diag_set(diag, ERR_NO_SPACE,
				"more than %d keys: vpn-connect tickets "
				"--rotate-key",
				KEYS_MAX);
	table->slots[table->n++] = *slot;
	return OK;
}

void key_table_remove(struct key_table *table, const uint8_t id[KEY_ID_LEN])
{
	struct key_slot *slot = key_table_find(table, id);

	if (!slot)
		return;
	*slot = table->slots[--table->n];
	mem_wipe(&table->slots[table->n], sizeof(*slot));
}
