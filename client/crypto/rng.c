#include "client/crypto/crypto.h"

#include <stdlib.h>
#include <string.h>

#include "client/crypto/wolf.h"

#include <wolfssl/wolfcrypt/chacha.h>

void rng_seed(struct rng *rng, const uint8_t seed[32])
{
	memcpy(rng->key, seed, sizeof(rng->key));
}

void rng_draw(struct rng *rng, void *out, size_t len)
{
	static const uint8_t nonce[CHACHA_IV_BYTES];
	ChaCha ctx;
	int rc;

	/* The first 32 octets of the stream become the next key at once: what
	 * was drawn cannot be computed again from a later state. */
	rc = wc_Chacha_SetKey(&ctx, rng->key, sizeof(rng->key));
	rc |= wc_Chacha_SetIV(&ctx, nonce, 0);
	memset(rng->key, 0, sizeof(rng->key));
	rc |= wc_Chacha_Process(&ctx, rng->key, rng->key, sizeof(rng->key));
	if (len > 0) {
		memset(out, 0, len);
		rc |= wc_Chacha_Process(&ctx, out, out, (word32)len);
	}
	mem_wipe(&ctx, sizeof(ctx));
	/* Cannot happen; going on with zeros as keys would be far worse. */
	if (rc != 0)
		abort();
}

void rng_wipe(struct rng *rng)
{
	mem_wipe(rng, sizeof(*rng));
}
