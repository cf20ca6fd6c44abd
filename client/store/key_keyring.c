/* The key in the kernel, until the reboot. */
#include "client/store/key_backend.h"

#include <stdio.h>
#include <string.h>

#include "platform/keyring.h"

#define NAME_MAX_LEN 64

static void name_of(const struct key_slot *slot, char out[NAME_MAX_LEN])
{
	size_t at = (size_t)snprintf(out, NAME_MAX_LEN, "vpn-connect:key:");

	for (size_t i = 0; i < KEY_ID_LEN; i++)
		at += (size_t)snprintf(out + at, NAME_MAX_LEN - at, "%02x",
				       slot->id[i]);
}

static bool keyring_is_there(struct diag *diag)
{
	uint8_t buf[1];
	size_t len;
	enum err e = os_keyring_get("vpn-connect:none", buf, sizeof(buf), &len,
				    NULL);

	if (e != ERR_UNSUPPORTED)
		return true;
	diag_set(diag, e, "this kernel or container has no key ring");
	return false;
}

static enum err keyring_make(struct key_slot *slot, bool quiet,
			     struct diag *diag)
{
	char name[NAME_MAX_LEN];

	name_of(slot, name);
	return os_keyring_put(name, secret_view(&slot->key), 0, diag);
}

static enum err keyring_get(struct key_slot *slot, struct diag *diag)
{
	char name[NAME_MAX_LEN];
	enum err e;

	name_of(slot, name);
	e = os_keyring_get(name, slot->key.b, sizeof(slot->key.b),
			   &slot->key.len, NULL);
	if (e == ERR_NOT_FOUND)
		return diag_set(diag, e,
				"it is gone from the kernel: the machine was "
				"restarted");
	return e ? diag_set(diag, e, "the kernel's key ring refuses") : OK;
}

static enum err keyring_drop(const struct key_slot *slot, struct diag *diag)
{
	char name[NAME_MAX_LEN];

	name_of(slot, name);
	return os_keyring_remove(name, diag);
}

const struct key_ops key_keyring_ops = {keyring_is_there, keyring_make,
					keyring_get, keyring_drop};
