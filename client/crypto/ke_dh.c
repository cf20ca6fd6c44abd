/* MODP groups (RFC 3526), generator 2. */
#include "client/crypto/ke.h"

#include <string.h>

#include "client/crypto/wolf.h"

#include <wolfssl/wolfcrypt/dh.h>

/* At least twice the strength of the group: RFC 7919's sizes for the same
 * moduli (225, 275, 325 bits), rounded up. */
static size_t exponent_len(const struct ke *ke)
{
	switch ((enum ke_method)ke->info->num) {
	case KE_MODP_3072:
		return 40;
	case KE_MODP_4096:
		return 48;
	case KE_MODP_2048:
	case KE_NONE:
	case KE_ECP_256:
	case KE_ECP_384:
	case KE_X25519:
		break;
	}
	return 32;
}

/* out = base ^ priv mod p, at the length of p. DhAgree also refuses a
 * result of 0 and 1. */
static enum err power(struct ke *ke, struct bytes base, uint8_t *out)
{
	static const uint8_t generator[] = {2};
	struct bytes prime = ke_prime((enum ke_method)ke->info->num);
	word32 len = (word32)prime.len;
	enum err e = ERR_CRYPTO;
	DhKey key;

	if (wc_InitDhKey(&key) != 0)
		return ERR_CRYPTO;
	if (wc_DhSetKey(&key, prime.p, (word32)prime.len, generator,
			sizeof(generator)) != 0 ||
	    wc_DhCheckPubKey(&key, base.p, (word32)base.len) != 0 ||
	    wc_DhAgree(&key, out, &len, ke->priv, (word32)ke->priv_len, base.p,
		       (word32)base.len) != 0 ||
	    len > prime.len)
		goto out;
	/* wolfSSL drops leading zeros; on the wire and in the PRF they count
	 * (RFC 7296 2.14). */
	memmove(out + prime.len - len, out, len);
	memset(out, 0, prime.len - len);
	e = OK;
out:
	wc_FreeDhKey(&key);
	return e;
}

enum err ke_modp_make(struct ke *ke, struct rng *rng)
{
	static const uint8_t generator[] = {2};

	ke->priv_len = exponent_len(ke);
	rng_draw(rng, ke->priv, ke->priv_len);
	ke->priv[0] |= 0x80; /* one length for all, so one duration */
	return power(ke, BYTES_OF(generator), ke->pub);
}

enum err ke_modp_agree(struct ke *ke, const uint8_t *peer, uint8_t *out)
{
	struct bytes prime = ke_prime((enum ke_method)ke->info->num);
	uint8_t low = 0, top = 0;

	/* 0, 1, p - 1 and above, by our own eyes too: wolfSSL's versions
	 * differ in what they let through. p ends in ff, so p - 1 in fe. */
	for (size_t i = 0; i + 1 < prime.len; i++) {
		low |= peer[i];
		top |= peer[i] ^ prime.p[i];
	}
	if (low == 0 && peer[prime.len - 1] <= 1)
		return ERR_CRYPTO;
	if (top == 0 && peer[prime.len - 1] >= 0xfe)
		return ERR_CRYPTO;
	return power(ke, bytes(peer, prime.len), out);
}
