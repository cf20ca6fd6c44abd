#include "client/crypto/hash.h"

#include <string.h>

void hash_init(struct hash_ctx *ctx, enum hash hash)
{
	ctx->hash = hash;
	switch (hash) {
	case HASH_SHA1:
		ctx->rc = wc_InitSha(&ctx->u.sha1);
		return;
	case HASH_SHA2_256:
		ctx->rc = wc_InitSha256(&ctx->u.sha256);
		return;
	case HASH_SHA2_384:
		ctx->rc = wc_InitSha384(&ctx->u.sha512);
		return;
	case HASH_SHA2_512:
		ctx->rc = wc_InitSha512(&ctx->u.sha512);
		return;
	case HASH_IDENTITY:
		break;
	}
	ctx->rc = BAD_FUNC_ARG;
}

void hash_update(struct hash_ctx *ctx, struct bytes b)
{
	if (ctx->rc != 0 || b.len == 0)
		return;
	switch (ctx->hash) {
	case HASH_SHA1:
		ctx->rc = wc_ShaUpdate(&ctx->u.sha1, b.p, (word32)b.len);
		return;
	case HASH_SHA2_256:
		ctx->rc = wc_Sha256Update(&ctx->u.sha256, b.p, (word32)b.len);
		return;
	case HASH_SHA2_384:
		ctx->rc = wc_Sha384Update(&ctx->u.sha512, b.p, (word32)b.len);
		return;
	case HASH_SHA2_512:
		ctx->rc = wc_Sha512Update(&ctx->u.sha512, b.p, (word32)b.len);
		return;
	case HASH_IDENTITY:
		break;
	}
	ctx->rc = BAD_FUNC_ARG;
}

static int final_by_hash(struct hash_ctx *ctx, uint8_t *out)
{
	switch (ctx->hash) {
	case HASH_SHA1:
		return wc_ShaFinal(&ctx->u.sha1, out);
	case HASH_SHA2_256:
		return wc_Sha256Final(&ctx->u.sha256, out);
	case HASH_SHA2_384:
		return wc_Sha384Final(&ctx->u.sha512, out);
	case HASH_SHA2_512:
		return wc_Sha512Final(&ctx->u.sha512, out);
	case HASH_IDENTITY:
		break;
	}
	return BAD_FUNC_ARG;
}

enum err hash_final(struct hash_ctx *ctx, uint8_t *out)
{
	int rc = ctx->rc;

	if (rc == 0)
		rc = final_by_hash(ctx, out);
	mem_wipe(&ctx->u, sizeof(ctx->u));
	ctx->rc = BAD_FUNC_ARG; /* no use after the end */
	return rc == 0 ? OK : ERR_CRYPTO;
}

enum err crypto_hash(enum hash hash, const struct bytes *parts, size_t n_parts,
		     uint8_t *out)
{
	struct hash_ctx ctx;

	hash_init(&ctx, hash);
	for (size_t i = 0; i < n_parts; i++)
		hash_update(&ctx, parts[i]);
	return hash_final(&ctx, out);
}

/* --- HMAC -------------------------------------------------------------- */

#define BLOCK_MAX 128

static size_t block_len(enum hash hash)
{
	return hash == HASH_SHA2_384 || hash == HASH_SHA2_512 ? 128 : 64;
}

static void start_pad(struct hash_ctx *ctx, enum hash hash, struct bytes key,
		      uint8_t fill)
{
	uint8_t block[BLOCK_MAX];
	size_t len = block_len(hash);

	memset(block, fill, sizeof(block));
	for (size_t i = 0; i < key.len; i++)
		block[i] ^= key.p[i];
	hash_init(ctx, hash);
	hash_update(ctx, bytes(block, len));
	mem_wipe(block, sizeof(block));
}

enum err hmac_key_set(struct hmac_key *k, enum hash hash, struct bytes key)
{
	uint8_t digest[HASH_MAX];
	enum err e = OK;

	memset(k, 0, sizeof(*k));
	if (hash_len(hash) == 0)
		return ERR_UNSUPPORTED;
	if (key.len > block_len(hash)) {
		e = crypto_hash(hash, &key, 1, digest);
		key = bytes(digest, hash_len(hash));
	}
	if (e == OK) {
		k->hash = hash;
		start_pad(&k->inner, hash, key, 0x36);
		start_pad(&k->outer, hash, key, 0x5c);
		if (k->inner.rc != 0 || k->outer.rc != 0)
			e = ERR_CRYPTO;
	}
	mem_wipe(digest, sizeof(digest));
	return e;
}

void hmac_key_wipe(struct hmac_key *k)
{
	mem_wipe(k, sizeof(*k));
}

/* Plain copies of a state: this is what wc_Sha*Copy does in a build without
 * hardware contexts, and it cannot allocate. */
void hmac_start(const struct hmac_key *k, struct hash_ctx *ctx)
{
	*ctx = k->inner;
}

enum err hmac_final(const struct hmac_key *k, struct hash_ctx *ctx,
		    uint8_t *out)
{
	uint8_t inner[HASH_MAX];
	enum err e;

	e = hash_final(ctx, inner);
	if (e == OK) {
		*ctx = k->outer;
		hash_update(ctx, bytes(inner, hash_len(k->hash)));
		e = hash_final(ctx, out);
	}
	mem_wipe(inner, sizeof(inner));
	return e;
}

/* --- PRF --------------------------------------------------------------- */

static bool prf_hash(enum prf prf, enum hash *out)
{
	switch (prf) {
	case PRF_HMAC_SHA2_256:
		*out = HASH_SHA2_256;
		return true;
	case PRF_HMAC_SHA2_384:
		*out = HASH_SHA2_384;
		return true;
	case PRF_HMAC_SHA2_512:
		*out = HASH_SHA2_512;
		return true;
	}
	return false;
}

enum err crypto_prf(enum prf prf, struct bytes key, const struct bytes *parts,
		    size_t n_parts, struct secret *out)
{
	struct hmac_key k;
	struct hash_ctx ctx;
	enum hash hash;
	enum err e;

	out->len = 0;
	if (!prf_hash(prf, &hash))
		return ERR_UNSUPPORTED;
	e = hmac_key_set(&k, hash, key);
	if (e == OK) {
		hmac_start(&k, &ctx);
		for (size_t i = 0; i < n_parts; i++)
			hash_update(&ctx, parts[i]);
		e = hmac_final(&k, &ctx, out->b);
	}
	if (e == OK)
		out->len = hash_len(hash);
	hmac_key_wipe(&k);
	return e;
}

/* T1 = prf(K, S | 1), Tn = prf(K, Tn-1 | S | n); RFC 7296 2.13. */
static enum err prf_block(const struct hmac_key *k, struct bytes before,
			  const struct bytes *parts, size_t n_parts,
			  uint8_t n_and_out[1 + HASH_MAX])
{
	struct hash_ctx ctx;

	hmac_start(k, &ctx);
	hash_update(&ctx, before);
	for (size_t i = 0; i < n_parts; i++)
		hash_update(&ctx, parts[i]);
	hash_update(&ctx, bytes(n_and_out, 1));
	return hmac_final(k, &ctx, n_and_out + 1);
}

enum err crypto_prf_plus(enum prf prf, struct bytes key,
			 const struct bytes *parts, size_t n_parts,
			 uint8_t *out, size_t out_len)
{
	uint8_t block[1 + HASH_MAX] = {0}; /* counter, T */
	struct bytes before = BYTES_NONE;
	struct hmac_key k;
	enum hash hash;
	enum err e;
	size_t len, n;

	if (!prf_hash(prf, &hash))
		return ERR_UNSUPPORTED;
	len = hash_len(hash);
	if (out_len > 255 * len) /* the counter is one octet */
		return ERR_NO_SPACE;
	e = hmac_key_set(&k, hash, key);
	for (; e == OK && out_len > 0; out += n, out_len -= n) {
		block[0]++;
		e = prf_block(&k, before, parts, n_parts, block);
		before = bytes(block + 1, len);
		n = out_len < len ? out_len : len;
		memcpy(out, block + 1, n);
	}
	hmac_key_wipe(&k);
	mem_wipe(block, sizeof(block));
	return e;
}
