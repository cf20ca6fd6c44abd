/* The form of one file of the ticket cache. Shared by cache*.c only. */
#ifndef CLIENT_STORE_CACHE_PRIVATE_H
#define CLIENT_STORE_CACHE_PRIVATE_H

#include "client/store/cache.h"

#define CACHE_KEY_LEN 32
/* Of a whole file: the largest ticket and everything around it. */
#define CACHE_FILE_MAX (IKE_TICKET_MAX + 4096)

/* What an entry belongs to: the associated data. */
struct cache_binding {
	char profile[PROFILE_NAME_MAX];
	char gateway[256];
	uint16_t port;
	struct ike_name identity;
	/* Keyed, so that the file does not let a password be guessed. */
	uint8_t fingerprint[32];
	uint8_t credential[32]; /* zeros: not known */
};
enum err ERR_MUST cache_binding_of(const struct profile *p,
				   const struct secret *key,
				   struct cache_binding *out);
/* Of the same profile, and of no other credential as far as is known. */
bool cache_binding_fits(const struct cache_binding *a,
			const struct cache_binding *b);

/* Seals e. gives *out_file (free). */
enum err ERR_MUST cache_entry_seal(const struct secret *key,
				   const struct cache_binding *b,
				   const struct ticket_entry *e,
				   uint8_t **out_file, size_t *out_len);
/* Opens a file (decrypted in place), with the binding it names. The caller
 * compares that with what it expects. ERR_INTEGRITY or another for one that
 * is not ours, as it was. */
enum err ERR_MUST cache_entry_open(const struct secret *key, uint8_t *file,
				   size_t len, struct cache_binding *out_b,
				   struct ticket_entry *out_e);

#endif
