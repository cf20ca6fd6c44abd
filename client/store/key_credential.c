/* The key from a systemd credential: prf(credential, salt), so that the cache
 * can be rotated although the credential stays. The service manager hands it
 * over in a folder that only the service can enter; whether it lies encrypted
 * on the disk (systemd-creds) is the service manager's affair.
 *
 * While a credential is being replaced the one before may be there too, under
 * a second name: it still opens what it sealed.
 */
#include "client/store/key_backend.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CREDENTIAL     "vpn-connect.key"
#define CREDENTIAL_OLD "vpn-connect.key.old"
#define CREDENTIAL_MIN 32
#define CREDENTIAL_MAX 4096
#define SALT_LEN       32

static enum err path_of(const char *name, char path[PLACE_MAX],
			struct diag *diag)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	if (!dir || dir[0] != '/')
		return diag_set(diag, ERR_CACHE,
				"no systemd credentials here: start it as a "
				"service with LoadCredential=" CREDENTIAL
				":FILE");
	return places_join(path, dir, name, diag);
}

static bool credential_is_there(struct diag *diag)
{
	char path[PLACE_MAX];

	if (path_of(CREDENTIAL, path, diag))
		return false;
	if (access(path, R_OK) == 0)
		return true;
	diag_sys(diag, ERR_CACHE, "%s", path);
	return false;
}

static enum err key_derive(struct bytes credential, struct bytes salt,
			   struct secret *out)
{
	const struct bytes parts[] = {bytes_str("vpn-connect credential key"),
				      salt};

	return crypto_prf(PRF_HMAC_SHA2_256, credential, parts, 2, out);
}

/* The key that the credential of this name gives with the slot's salt. */
static enum err key_from(const char *name, struct key_slot *slot,
			 struct diag *diag)
{
	char path[PLACE_MAX];
	uint8_t *file = NULL;
	size_t len = 0;
	enum err e = path_of(name, path, diag);

	if (!e)
		e = os_read_file(path, CREDENTIAL_MAX, &file, &len, diag);
	if (!e && len < CREDENTIAL_MIN)
		e = diag_set(diag, ERR_CACHE,
			     "%s has fewer than %d octets: make it with "
			     "head -c 32 /dev/urandom",
			     path, CREDENTIAL_MIN);
	if (!e)
		e = key_derive(bytes(file, len),
			       bytes(slot->blob, slot->blob_len), &slot->key);
	mem_wipe(file, len);
	free(file);
	return e;
}

static enum err credential_make(struct key_slot *slot, bool quiet,
				struct diag *diag)
{
	enum err e = os_random(slot->blob, SALT_LEN);

	slot->blob_len = SALT_LEN;
	if (!e)
		e = key_from(CREDENTIAL, slot, diag);
	return e ? e : key_set_id(slot);
}

static enum err credential_get(struct key_slot *slot, struct diag *diag)
{
	enum err e = key_from(CREDENTIAL, slot, diag);

	if (e || key_fits(&slot->key, slot->id))
		return e;
	if (key_from(CREDENTIAL_OLD, slot, NULL) == OK &&
	    key_fits(&slot->key, slot->id)) {
		slot->stale = true;
		return OK;
	}
	return diag_set(diag, ERR_NOT_FOUND,
			CREDENTIAL " was replaced and " CREDENTIAL_OLD
				   " is not the one before");
}

/* There is nothing but the salt. */
static enum err credential_drop(const struct key_slot *slot, struct diag *diag)
{
	return OK;
}

const struct key_ops key_credential_ops = {credential_is_there, credential_make,
					   credential_get, credential_drop};
