#include "client/crypto/pem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/crypto/wolf.h"

#include <wolfssl/wolfcrypt/coding.h>

/* The part of rest before mark; rest moves behind mark. */
static bool cut(struct bytes *rest, const char *mark, struct bytes *out_before)
{
	size_t len = strlen(mark);

	for (size_t at = 0; at + len <= rest->len; at++) {
		if (memcmp(rest->p + at, mark, len) != 0)
			continue;
		*out_before = bytes(rest->p, at);
		*rest = bytes(rest->p + at + len, rest->len - at - len);
		return true;
	}
	return false;
}

bool pem_next(struct bytes *rest, struct pem_block *out)
{
	struct bytes skipped, end_label;

	do {
		if (!cut(rest, "-----BEGIN ", &skipped) ||
		    !cut(rest, "-----", &out->label) ||
		    !cut(rest, "-----END ", &out->body) ||
		    !cut(rest, "-----", &end_label))
			return false;
	} while (!bytes_eq(out->label, end_label));
	return true;
}

enum err pem_decode(const struct pem_block *block, uint8_t *out,
		    size_t *out_len)
{
	word32 len = (word32)block->body.len;

	if (Base64_Decode(block->body.p, len, out, &len) != 0 || len == 0)
		return ERR_MALFORMED;
	*out_len = len;
	return OK;
}

enum err pem_encode(const char *label, struct bytes der, char **out)
{
	const size_t frame = 2 * strlen("-----BEGIN -----\n") + 2 * 64;
	word32 len = 0;
	size_t cap, used;

	*out = NULL;
	if (strlen(label) > 64 ||
	    Base64_Encode(der.p, (word32)der.len, NULL, &len) != LENGTH_ONLY_E)
		return ERR_INTERNAL;
	cap = frame + len + 1;
	*out = malloc(cap);
	if (!*out)
		return ERR_NO_MEMORY;
	used = (size_t)snprintf(*out, cap, "-----BEGIN %s-----\n", label);
	if (Base64_Encode(der.p, (word32)der.len, (byte *)*out + used, &len)) {
		free(*out);
		*out = NULL;
		return ERR_INTERNAL;
	}
	used += len;
	snprintf(*out + used, cap - used, "-----END %s-----\n", label);
	return OK;
}
