/* No system but Linux has such a thing. */
#include "config.h"

#include "platform/keyring.h"

static enum err none(struct diag *diag)
{
	return diag_set(diag, ERR_UNSUPPORTED, "this system has no key ring");
}

enum err os_keyring_put(const char *name, struct bytes value, uint32_t life_s,
			struct diag *diag)
{
	return none(diag);
}

enum err os_keyring_get(const char *name, uint8_t *out, size_t cap,
			size_t *out_len, struct diag *diag)
{
	*out_len = 0;
	return none(diag);
}

enum err os_keyring_remove(const char *name, struct diag *diag)
{
	return none(diag);
}
