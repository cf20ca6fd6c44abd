/* What each backend of the key does. Shared by key*.c only. */
#ifndef CLIENT_STORE_KEY_BACKEND_H
#define CLIENT_STORE_KEY_BACKEND_H

#include "client/store/key.h"

struct key_ops {
	bool (*is_there)(struct diag *diag);
	/* slot has a fresh random key and its id; the backend keeps the key,
	 * or replaces it by one of its own (key_set_id again). */
	enum err (*make)(struct key_slot *slot, bool quiet, struct diag *diag);
	/* Into slot->key; the caller checks it against the id. */
	enum err (*get)(struct key_slot *slot, struct diag *diag);
	enum err (*drop)(const struct key_slot *slot, struct diag *diag);
};

extern const struct key_ops key_file_ops;
extern const struct key_ops key_credential_ops;
extern const struct key_ops key_keyring_ops;
/* By vpn-keystore-tpm and vpn-keystore-secret. */
extern const struct key_ops key_tpm_ops;
extern const struct key_ops key_secret_service_ops;

/* Computes slot->id from slot->key. */
enum err ERR_MUST key_set_id(struct key_slot *slot);
/* Is this the key of the id? */
bool key_fits(const struct secret *key, const uint8_t id[KEY_ID_LEN]);

/* Folder of the keystore programs; NULL: beside our own program, else
 * LIBEXECDIR. For tests. */
extern const char *key_program_dir;
/* How long one is waited for. */
extern int key_program_wait_ms;

#endif
