#include "client/crypto/ke.h"

#include <stdlib.h>

static enum err make_by_method(struct ke *ke, struct rng *rng)
{
	switch ((enum ke_method)ke->info->num) {
	case KE_X25519:
		return ke_x25519_make(ke, rng);
	case KE_ECP_256:
	case KE_ECP_384:
		return ke_ecp_make(ke, rng);
	case KE_MODP_2048:
	case KE_MODP_3072:
	case KE_MODP_4096:
		return ke_modp_make(ke, rng);
	case KE_NONE:
		break;
	}
	return ERR_UNSUPPORTED;
}

enum err ke_new(enum ke_method method, struct rng *rng, struct ke **out)
{
	struct ke *ke;
	enum err e;

	*out = NULL;
	ke = calloc(1, sizeof(*ke));
	if (!ke)
		return ERR_NO_MEMORY;
	ke->info = ke_find(method);
	e = ke->info ? make_by_method(ke, rng) : ERR_UNSUPPORTED;
	if (e != OK)
		ke_free(&ke);
	*out = ke;
	return e;
}

struct bytes ke_public(const struct ke *ke)
{
	return bytes(ke->pub, ke->info->public_len);
}

static enum err agree_by_method(struct ke *ke, const uint8_t *peer,
				uint8_t *out)
{
	switch ((enum ke_method)ke->info->num) {
	case KE_X25519:
		return ke_x25519_agree(ke, peer, out);
	case KE_ECP_256:
	case KE_ECP_384:
		return ke_ecp_agree(ke, peer, out);
	case KE_MODP_2048:
	case KE_MODP_3072:
	case KE_MODP_4096:
		return ke_modp_agree(ke, peer, out);
	case KE_NONE:
		break;
	}
	return ERR_UNSUPPORTED;
}

enum err ke_shared(struct ke *ke, struct bytes peer, uint8_t *out,
		   size_t *out_len)
{
	enum err e;

	*out_len = 0;
	if (peer.len != ke->info->public_len)
		return ERR_CRYPTO;
	e = agree_by_method(ke, peer.p, out);
	if (e == OK)
		*out_len = ke->info->shared_len;
	else
		mem_wipe(out, ke->info->shared_len);
	return e;
}

void ke_free(struct ke **ke)
{
	if (!*ke)
		return;
	mem_wipe(*ke, sizeof(**ke));
	free(*ke);
	*ke = NULL;
}
