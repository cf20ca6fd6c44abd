/* The ticket cache from inside: its state and the form of one file. Shared by
 * cache*.c only. */
#ifndef CLIENT_STORE_CACHE_PRIVATE_H
#define CLIENT_STORE_CACHE_PRIVATE_H

#include "client/store/cache.h"
#include "client/store/key.h"

/* --- state --------------------------------------------------------------- */

struct ticket_cache {
	char dir[PLACE_MAX];
	char tickets[PLACE_MAX];
	int lock_fd; /* exclusive for a few file operations */
	int use_fd;  /* shared while we hold keys, exclusive to replace them */
	bool unsynced; /* something was removed and the folder not synced */
	enum cache_key choice;
	struct key_table keys;
	bool has_current;
	uint8_t current[KEY_ID_LEN]; /* the key that seals */
};

/* Of a lock that is held for the time of a few file operations. */
enum err ERR_MUST cache_lock(struct ticket_cache *c, struct diag *diag);
void cache_unlock(struct ticket_cache *c);
/* Marks the cache as in use: its keys stay. */
enum err ERR_MUST cache_use(struct ticket_cache *c, struct diag *diag);
/* True: nobody else uses it, and nobody will until cache_use. False: others
 * do, and we no longer are marked. */
bool cache_use_alone(struct ticket_cache *c);
/* Profile's name of a file in DIR/tickets; false: another file. */
bool cache_is_entry(const char *file, char out_name[PROFILE_NAME_MAX]);
enum err ERR_MUST cache_entry_path(const struct ticket_cache *c,
				   const char *profile, char out[PLACE_MAX],
				   struct diag *diag);

/* The keys of one cache, cache_keys.c. */

/* Marks the cache as in use, finishes a rotation that was killed and drops
 * keys nobody needs (both only while no other process has the cache open),
 * and reads DIR/key. */
enum err ERR_MUST cache_keys_open(struct ticket_cache *c, struct diag *diag);
/* Obtains the key that seals, by c->choice; makes it where there is none.
 * Not under the lock. Nothing to do when there is one. */
enum err ERR_MUST cache_keys_choose(struct ticket_cache *c, struct diag *diag);
/* Obtains what can be obtained, for reading entries of any profile. Not
 * under the lock. */
void cache_keys_try(struct ticket_cache *c);
/* A fresh key in the first backend that works now; not in the table. */
enum err ERR_MUST cache_keys_auto_make(struct key_slot *out, struct diag *diag);
/* Under the lock. The key that seals, once more on the disk if somebody
 * deleted it there. */
enum err ERR_MUST cache_keys_current(struct ticket_cache *c,
				     struct key_slot **out, struct diag *diag);
/* Under the lock. The key of this id, obtained. ERR_NOT_FOUND: gone for good;
 * ERR_CACHE: not now. */
enum err ERR_MUST cache_keys_of(struct ticket_cache *c,
				const uint8_t id[KEY_ID_LEN],
				struct key_slot **out, struct diag *diag);

/* Entries under other keys, cache_rotate.c. */

/* The entry of this profile under the key that seals, after another choice
 * in the profile. Failure is logged, the entry stays as it was. */
void cache_migrate(struct ticket_cache *c, const char *profile);
/* Under the lock, alone: entries of keys that retire get the ones that
 * follow; keys that no entry needs any more are dropped. The first failure;
 * goes on behind it. */
enum err ERR_MUST cache_retire(struct ticket_cache *c, struct diag *diag);

/* --- one file ------------------------------------------------------------ */

/* Of a whole file: the largest ticket and everything around it. */
#define CACHE_FILE_MAX (IKE_TICKET_MAX + 4096)

/* What an entry belongs to: the associated data. */
struct cache_binding {
	char profile[PROFILE_NAME_MAX];
	char gateway[256];
	uint16_t port;
	struct ike_name identity;
	/* Sealed, so that the file does not let a password be guessed. */
	uint8_t fingerprint[32];
	uint8_t credential[32]; /* zeros: not known */
};
void cache_binding_of(const struct profile *p, struct cache_binding *out);
/* Of the same profile, and of no other credential as far as is known. */
bool cache_binding_fits(const struct cache_binding *a,
			const struct cache_binding *b);

/* Seals e; the key is obtained. gives *out_file (free). */
enum err ERR_MUST cache_entry_seal(const struct key_slot *key,
				   const struct cache_binding *b,
				   const struct ticket_entry *e,
				   uint8_t **out_file, size_t *out_len);
/* The id of the key that a file needs. */
enum err ERR_MUST cache_entry_key_id(struct bytes file,
				     uint8_t out_id[KEY_ID_LEN]);
/* Opens a file (decrypted in place), with the binding it names. The caller
 * compares that with what it expects. ERR_INTEGRITY or another for one that
 * is not ours, as it was. */
enum err ERR_MUST cache_entry_open(const struct key_slot *key, uint8_t *file,
				   size_t len, struct cache_binding *out_b,
				   struct ticket_entry *out_e);

#endif
