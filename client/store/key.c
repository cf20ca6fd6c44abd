#include "client/store/key_backend.h"

#include <stdio.h>
#include <string.h>

#include "platform/base/log.h"

const char *key_backend_name(enum cache_key backend)
{
	switch (backend) {
#define X(name, number, word)                                                  \
	case name:                                                             \
		return word;
		CACHE_KEY_LIST(X)
#undef X
	}
	return "?";
}

static const struct key_ops *ops_of(enum cache_key backend)
{
	switch (backend) {
	case CACHE_KEY_TPM:
		return &key_tpm_ops;
	case CACHE_KEY_CREDENTIAL:
		return &key_credential_ops;
	case CACHE_KEY_SECRET_SERVICE:
		return &key_secret_service_ops;
	case CACHE_KEY_KEYRING:
		return &key_keyring_ops;
	case CACHE_KEY_AUTO:
	case CACHE_KEY_FILE:
		break;
	}
	return &key_file_ops;
}

bool key_backend_is_there(enum cache_key backend, struct diag *diag)
{
	return ops_of(backend)->is_there(diag);
}

/* --- the id --------------------------------------------------------------- */

static enum err id_of(const struct secret *key, uint8_t out[KEY_ID_LEN])
{
	const struct bytes word = bytes_str("vpn-connect ticket key id");
	struct secret mac;
	enum err e;

	e = crypto_prf(PRF_HMAC_SHA2_256, secret_view(key), &word, 1, &mac);
	if (!e)
		memcpy(out, mac.b, KEY_ID_LEN);
	secret_wipe(&mac);
	return e;
}

enum err key_set_id(struct key_slot *slot)
{
	return id_of(&slot->key, slot->id);
}

bool key_fits(const struct secret *key, const uint8_t id[KEY_ID_LEN])
{
	uint8_t own[KEY_ID_LEN];

	return key->len == KEY_LEN && id_of(key, own) == OK &&
	       bytes_eq(bytes(own, KEY_ID_LEN), bytes(id, KEY_ID_LEN));
}

/* --- obtaining ------------------------------------------------------------ */

static enum err key_fetch(struct key_slot *slot, struct diag *diag)
{
	enum err e;

	if (!key_backend_is_there(slot->backend, diag))
		return ERR_CACHE;
	e = ops_of(slot->backend)->get(slot, diag);
	if (!e && !key_fits(&slot->key, slot->id))
		e = diag_set(diag, ERR_NOT_FOUND, "it has another key");
	if (e)
		secret_wipe(&slot->key);
	return e == OK || e == ERR_NOT_FOUND ? e : ERR_CACHE;
}

enum err key_get(struct key_slot *slot, struct diag *diag)
{
	struct diag why = DIAG_INIT;

	if (slot->key.len > 0)
		return OK;
	if (!slot->failed) {
		slot->failed = key_fetch(slot, &why);
		snprintf(slot->why.text, sizeof(slot->why.text),
			 "key in %s: %.200s", key_backend_name(slot->backend),
			 diag_text(&why, slot->failed));
	}
	if (!slot->failed)
		return OK;
	return diag_set(diag, slot->failed, "%s", slot->why.text);
}

enum err key_make(enum cache_key backend, bool quiet, struct key_slot *out,
		  struct diag *diag)
{
	struct diag why = DIAG_INIT;
	enum err e;

	memset(out, 0, sizeof(*out));
	out->backend = backend;
	out->key.len = KEY_LEN;
	e = os_random(out->key.b, KEY_LEN);
	if (!e)
		e = key_set_id(out);
	if (!e && !key_backend_is_there(backend, &why))
		e = ERR_CACHE;
	if (!e)
		e = ops_of(backend)->make(out, quiet, &why);
	if (e == OK)
		return OK;
	mem_wipe(out, sizeof(*out));
	return diag_set(diag, ERR_CACHE, "key in %s: %.200s",
			key_backend_name(backend), diag_text(&why, e));
}

void key_drop(const struct key_slot *slot)
{
	struct diag diag = DIAG_INIT;
	enum err e = ops_of(slot->backend)->drop(slot, &diag);

	if (e)
		log_info("the old key stays in %s: %s",
			 key_backend_name(slot->backend), diag_text(&diag, e));
}
