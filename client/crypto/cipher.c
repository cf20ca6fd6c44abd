#include "client/crypto/crypto.h"

#include <stdlib.h>
#include <string.h>

#include "client/crypto/hash.h"

#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/chacha20_poly1305.h>

#define NONCE_LEN 12 /* salt and IV of each of our AEADs */

struct cipher {
	struct cipher_algs algs;
	const struct encr_info *info;
	size_t icv_len;
	/* The AEADs' nonce: the salt stays in front, each call puts its IV
	 * behind. */
	uint8_t nonce[NONCE_LEN];
	uint8_t chacha_key[32];
	Aes aes;	 /* GCM; CBC encryption */
	Aes aes_decrypt; /* CBC only: the inverse key schedule */
	struct hmac_key mac;
};

static size_t key_octets(const struct cipher_algs *algs,
			 const struct encr_info *info)
{
	switch (algs->encr) {
	case ENCR_AES_CBC:
	case ENCR_AES_GCM_16:
		if (algs->key_bits != 128 && algs->key_bits != 192 &&
		    algs->key_bits != 256)
			return 0;
		return algs->key_bits / 8;
	case ENCR_CHACHA20_POLY1305:
		/* Without a Key Length attribute (RFC 7634 3). */
		return algs->key_bits == 0 || algs->key_bits == 256
			       ? info->key_len
			       : 0;
	}
	return 0;
}

enum err cipher_key_lens(const struct cipher_algs *algs, size_t *out_encr_len,
			 size_t *out_integ_len)
{
	const struct encr_info *encr = encr_find(algs->encr);
	const struct integ_info *integ = integ_find(algs->integ);
	size_t key_len;

	if (!encr || !integ)
		return ERR_UNSUPPORTED;
	key_len = key_octets(algs, encr);
	/* An AEAD goes without an integrity algorithm, CBC never does. */
	if (key_len == 0 || (encr->icv_len > 0) != (algs->integ == INTEG_NONE))
		return ERR_UNSUPPORTED;
	*out_encr_len = key_len + encr->salt_len;
	*out_integ_len = integ->key_len;
	return OK;
}

enum err cipher_check_keys(const struct cipher_algs *algs,
			   struct bytes encr_key, struct bytes integ_key)
{
	size_t encr_len, integ_len;
	enum err e = cipher_key_lens(algs, &encr_len, &integ_len);

	if (e)
		return e;
	return encr_key.len == encr_len && integ_key.len == integ_len
		       ? OK
		       : ERR_CRYPTO;
}

static enum hash integ_hash(enum integ integ)
{
	switch (integ) {
	case INTEG_HMAC_SHA2_256_128:
		return HASH_SHA2_256;
	case INTEG_HMAC_SHA2_384_192:
		return HASH_SHA2_384;
	case INTEG_HMAC_SHA2_512_256:
		return HASH_SHA2_512;
	case INTEG_NONE:
		break;
	}
	return HASH_IDENTITY; /* hmac_key_set refuses it */
}

static enum err set_keys(struct cipher *c, struct bytes encr_key,
			 struct bytes integ_key)
{
	size_t key_len = encr_key.len - c->info->salt_len;
	word32 len = (word32)key_len;
	int rc = BAD_FUNC_ARG;

	memcpy(c->nonce, encr_key.p + key_len, c->info->salt_len);
	switch (c->algs.encr) {
	case ENCR_AES_GCM_16:
		rc = wc_AesGcmSetKey(&c->aes, encr_key.p, len);
		break;
	case ENCR_CHACHA20_POLY1305:
		memcpy(c->chacha_key, encr_key.p, sizeof(c->chacha_key));
		rc = 0;
		break;
	case ENCR_AES_CBC:
		rc = wc_AesSetKey(&c->aes, encr_key.p, len, NULL,
				  AES_ENCRYPTION);
		if (rc == 0)
			rc = wc_AesSetKey(&c->aes_decrypt, encr_key.p, len,
					  NULL, AES_DECRYPTION);
		break;
	}
	if (rc != 0)
		return ERR_CRYPTO;
	if (c->algs.integ == INTEG_NONE)
		return OK;
	return hmac_key_set(&c->mac, integ_hash(c->algs.integ), integ_key);
}

enum err cipher_new(const struct cipher_algs *algs, struct bytes encr_key,
		    struct bytes integ_key, struct cipher **out)
{
	enum err e = cipher_check_keys(algs, encr_key, integ_key);
	struct cipher *c;

	*out = NULL;
	if (e != OK)
		return e;
	c = calloc(1, sizeof(*c));
	if (!c)
		return ERR_NO_MEMORY;
	c->algs = *algs;
	c->info = encr_find(algs->encr);
	c->icv_len = c->info->icv_len > 0 ? c->info->icv_len
					  : integ_find(algs->integ)->icv_len;
	if (wc_AesInit(&c->aes, NULL, INVALID_DEVID) != 0 ||
	    wc_AesInit(&c->aes_decrypt, NULL, INVALID_DEVID) != 0)
		e = ERR_CRYPTO;
	else
		e = set_keys(c, encr_key, integ_key);
	if (e != OK)
		cipher_free(&c);
	*out = c;
	return e;
}

void cipher_free(struct cipher **c)
{
	if (!*c)
		return;
	wc_AesFree(&(*c)->aes);
	wc_AesFree(&(*c)->aes_decrypt);
	mem_wipe(*c, sizeof(**c));
	free(*c);
	*c = NULL;
}

size_t cipher_iv_len(const struct cipher *c)
{
	return c->info->iv_len;
}

size_t cipher_icv_len(const struct cipher *c)
{
	return c->icv_len;
}

size_t cipher_align(const struct cipher *c)
{
	return c->info->align;
}

bool cipher_is_aead(const struct cipher *c)
{
	return c->info->icv_len > 0;
}

static void set_nonce(struct cipher *c, const uint8_t *iv)
{
	memcpy(c->nonce + c->info->salt_len, iv, c->info->iv_len);
}

/* Head, IV, ciphertext and tail: the order of an SK payload and of ESP
 * (RFC 7296 3.14, RFC 4303 2.8). out: HASH_MAX octets, cut by the caller. */
static enum err mac_text(struct cipher *c, const struct cipher_text *t,
			 uint8_t *out)
{
	struct hash_ctx ctx;

	hmac_start(&c->mac, &ctx);
	hash_update(&ctx, t->head);
	hash_update(&ctx, bytes(t->iv, c->info->iv_len));
	hash_update(&ctx, bytes(t->body, t->body_len));
	hash_update(&ctx, t->tail);
	return hmac_final(&c->mac, &ctx, out);
}

static enum err seal_cbc(struct cipher *c, const struct cipher_text *t)
{
	uint8_t mac[HASH_MAX];
	enum err e;

	if (t->body_len % AES_BLOCK_SIZE != 0)
		return ERR_CRYPTO;
	if (wc_AesSetIV(&c->aes, t->iv) != 0 ||
	    wc_AesCbcEncrypt(&c->aes, t->body, t->body, (word32)t->body_len) !=
		    0)
		return ERR_CRYPTO;
	e = mac_text(c, t, mac);
	if (e == OK)
		memcpy(t->icv, mac, c->icv_len);
	mem_wipe(mac, sizeof(mac));
	return e;
}

static enum err open_cbc(struct cipher *c, const struct cipher_text *t)
{
	uint8_t mac[HASH_MAX];
	bool good;
	enum err e;

	if (t->body_len % AES_BLOCK_SIZE != 0)
		return ERR_INTEGRITY;
	e = mac_text(c, t, mac);
	good = e == OK && bytes_eq_secret(bytes(mac, c->icv_len),
					  bytes(t->icv, c->icv_len));
	mem_wipe(mac, sizeof(mac));
	if (e != OK)
		return e;
	if (!good)
		return ERR_INTEGRITY;
	if (wc_AesSetIV(&c->aes_decrypt, t->iv) != 0 ||
	    wc_AesCbcDecrypt(&c->aes_decrypt, t->body, t->body,
			     (word32)t->body_len) != 0)
		return ERR_CRYPTO;
	return OK;
}

enum err cipher_seal(struct cipher *c, const struct cipher_text *t)
{
	word32 len = (word32)t->body_len;
	int rc = BAD_FUNC_ARG;

	switch (c->algs.encr) {
	case ENCR_AES_CBC:
		return seal_cbc(c, t);
	case ENCR_AES_GCM_16:
		set_nonce(c, t->iv);
		rc = wc_AesGcmEncrypt(&c->aes, t->body, t->body, len, c->nonce,
				      NONCE_LEN, t->icv, (word32)c->icv_len,
				      t->head.p, (word32)t->head.len);
		break;
	case ENCR_CHACHA20_POLY1305:
		set_nonce(c, t->iv);
		rc = wc_ChaCha20Poly1305_Encrypt(c->chacha_key, c->nonce,
						 t->head.p, (word32)t->head.len,
						 t->body, len, t->body, t->icv);
		break;
	}
	return rc == 0 ? OK : ERR_CRYPTO;
}

enum err cipher_open(struct cipher *c, const struct cipher_text *t)
{
	word32 len = (word32)t->body_len;
	int rc = BAD_FUNC_ARG;

	switch (c->algs.encr) {
	case ENCR_AES_CBC:
		return open_cbc(c, t);
	case ENCR_AES_GCM_16:
		set_nonce(c, t->iv);
		/* icv_len is ours, always 16: wolfSSL would take 4 octets. */
		rc = wc_AesGcmDecrypt(&c->aes, t->body, t->body, len, c->nonce,
				      NONCE_LEN, t->icv, (word32)c->icv_len,
				      t->head.p, (word32)t->head.len);
		break;
	case ENCR_CHACHA20_POLY1305:
		set_nonce(c, t->iv);
		rc = wc_ChaCha20Poly1305_Decrypt(c->chacha_key, c->nonce,
						 t->head.p, (word32)t->head.len,
						 t->body, len, t->icv, t->body);
		break;
	}
	return rc == 0 ? OK : ERR_INTEGRITY;
}
