/* The keys of the ticket cache, and what protects each of them.
 *
 * DIR/key (0600) lists them: of each the backend, an id computed from the key,
 * and what the backend needs to give the key back (the TPM: the sealed key;
 * the file: the key itself). An entry of the cache names the id of its key.
 * A key that is being replaced is "retiring": it still opens entries and
 * seals none. The caller holds the cache's lock where the table is read,
 * changed and written; key_get and key_make need none.
 */
#ifndef CLIENT_STORE_KEY_H
#define CLIENT_STORE_KEY_H

#include "client/session/profile.h"
#include "client/store/places.h"

#define KEY_LEN	     32
#define KEY_ID_LEN   8
#define KEY_BLOB_MAX 768
#define KEYS_MAX     12

struct key_slot {
	enum cache_key backend;
	bool retiring;
	bool chosen; /* by auto: stays with it while it works */
	bool stale;  /* the backend wants another; only in memory */
	uint8_t id[KEY_ID_LEN];
	uint8_t blob[KEY_BLOB_MAX];
	size_t blob_len;
	struct secret key; /* empty: not obtained yet */
	enum err failed;   /* it was tried; not again */
	struct diag why;
};

struct key_table {
	size_t n;
	struct key_slot slots[KEYS_MAX];
};

/* "tpm", "secret-service", ... Never NULL. */
const char *key_backend_name(enum cache_key backend);
/* Could it work here? Looks only at what lies there; starts nothing. diag
 * says what is missing. */
bool key_backend_is_there(enum cache_key backend, struct diag *diag);

/* Obtains the key of the slot; at once when that was done or tried before.
 * ERR_NOT_FOUND: gone for good (other machine, reboot, credential replaced);
 * ERR_CACHE: not now (locked, no bus, busy); nothing is lost. */
enum err ERR_MUST key_get(struct key_slot *slot, struct diag *diag);
/* A fresh key, kept by the backend. quiet: do not even wake a service up that
 * does not run. ERR_CACHE where that does not work. */
enum err ERR_MUST key_make(enum cache_key backend, bool quiet,
			   struct key_slot *out, struct diag *diag);
/* The backend forgets it. Failure is logged. */
void key_drop(const struct key_slot *slot);

/* Reads DIR/key; a key obtained before stays in its slot. No file: empty.
 * ERR_CACHE with the command that mends it: damaged, others can read it. */
enum err ERR_MUST key_table_read(const char *dir, struct key_table *table,
				 struct diag *diag);
enum err ERR_MUST key_table_write(const char *dir,
				  const struct key_table *table,
				  struct diag *diag);
/* NULL: none. */
struct key_slot *key_table_find(struct key_table *table,
				const uint8_t id[KEY_ID_LEN]);
/* The one of this backend that seals, or NULL. */
struct key_slot *key_table_current(struct key_table *table,
				   enum cache_key backend);
/* The one that auto chose, or NULL. */
struct key_slot *key_table_chosen(struct key_table *table);
/* Copies the slot. ERR_NO_SPACE. */
enum err ERR_MUST key_table_add(struct key_table *table,
				const struct key_slot *slot, struct diag *diag);
void key_table_remove(struct key_table *table, const uint8_t id[KEY_ID_LEN]);

#endif
