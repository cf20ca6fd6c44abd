/* Key material, RFC 7296 2.14, 2.17, 2.18 and RFC 5723 5.1. */
#include "client/ike/protect.h"

#include <string.h>

#define KEYMAT_MAX 512 /* 3 PRF keys, 2 integrity and 2 encryption keys */

struct key_slot {
	struct secret *key;
	size_t len;
};

struct keys_text {
	const struct bytes *parts;
	size_t n;
};

/* prf+ of key and text, cut into the slots one after the other. */
static enum err keys_expand(enum prf prf, const struct secret *key,
			    const struct keys_text *text,
			    const struct key_slot *slots, size_t n_slots)
{
	uint8_t keymat[KEYMAT_MAX];
	struct rd r;
	size_t len = 0;
	enum err e;

	for (size_t i = 0; i < n_slots; i++)
		len += slots[i].len;
	if (len > sizeof(keymat))
		return ERR_INTERNAL;
	e = crypto_prf_plus(prf, secret_view(key), text->parts, text->n, keymat,
			    len);
	r = rd_open(bytes(keymat, len));
	for (size_t i = 0; i < n_slots && e == OK; i++)
		e = secret_set(slots[i].key, rd_take(&r, slots[i].len));
	mem_wipe(keymat, sizeof(keymat));
	return e;
}

/* {SK_d | SK_ai | SK_ar | SK_ei | SK_er | SK_pi | SK_pr} =
 * prf+(SKEYSEED, Ni | Nr | SPIi | SPIr) */
static enum err keys_from_skeyseed(const struct ike_seed *seed,
				   const struct secret *skeyseed,
				   struct ike_keys *out)
{
	const struct suite *suite = &out->suite;
	const struct prf_info *prf = prf_find(suite->prf);
	uint8_t spis[2 * IKE_SPI_LEN];
	struct wr w = wr_open(spis, sizeof(spis));
	const struct bytes parts[3] = {seed->ni, seed->nr, BYTES_OF(spis)};
	size_t encr_len, integ_len;
	enum err e;

	e = cipher_key_lens(&suite->cipher, &encr_len, &integ_len);
	if (e != OK)
		return e;
	if (!prf)
		return ERR_UNSUPPORTED;
	wr_u64(&w, seed->spi_i);
	wr_u64(&w, seed->spi_r);
	return keys_expand(suite->prf, skeyseed, &(struct keys_text){parts, 3},
			   (struct key_slot[]){{&out->sk_d, prf->key_len},
					       {&out->sk_ai, integ_len},
					       {&out->sk_ar, integ_len},
					       {&out->sk_ei, encr_len},
					       {&out->sk_er, encr_len},
					       {&out->sk_pi, prf->key_len},
					       {&out->sk_pr, prf->key_len}},
			   7);
}

/* SKEYSEED = prf(key, parts), and everything from it. out->suite is set. */
static enum err keys_make(enum prf prf, struct bytes key,
			  const struct bytes parts[3],
			  const struct ike_seed *seed, struct ike_keys *out)
{
	struct secret skeyseed;
	enum err e;

	e = crypto_prf(prf, key, parts, 3, &skeyseed);
	if (e == OK)
		e = keys_from_skeyseed(seed, &skeyseed, out);
	if (e != OK)
		ike_keys_wipe(out);
	secret_wipe(&skeyseed);
	return e;
}

enum err ike_keys_initial(const struct suite *suite,
			  const struct ike_seed *seed, struct bytes shared,
			  struct ike_keys *out)
{
	const struct bytes parts[3] = {shared, BYTES_NONE, BYTES_NONE};
	uint8_t nonces[2 * IKE_NONCE_MAX];
	struct wr w = wr_open(nonces, sizeof(nonces));
	enum err e;

	memset(out, 0, sizeof(*out));
	wr_bytes(&w, seed->ni);
	wr_bytes(&w, seed->nr);
	e = wr_finish(&w);
	if (e != OK)
		return e;
	out->suite = *suite;
	return keys_make(suite->prf, wr_view(&w), parts, seed, out);
}

enum err ike_keys_rekey(const struct suite *suite, const struct ike_seed *seed,
			struct bytes shared, const struct ike_keys *old,
			struct ike_keys *out)
{
	const struct bytes parts[3] = {shared, seed->ni, seed->nr};

	memset(out, 0, sizeof(*out));
	out->suite = *suite;
	return keys_make(old->suite.prf, secret_view(&old->sk_d), parts, seed,
			 out);
}

enum err ike_keys_resume(const struct suite *suite, const struct ike_seed *seed,
			 struct bytes sk_d_old, struct ike_keys *out)
{
	/* Ten octets, no NUL. */
	const struct bytes parts[3] = {bytes_str("Resumption"), seed->ni,
				       seed->nr};

	memset(out, 0, sizeof(*out));
	out->suite = *suite;
	return keys_make(suite->prf, sk_d_old, parts, seed, out);
}

void ike_keys_wipe(struct ike_keys *k)
{
	mem_wipe(k, sizeof(*k));
}

enum err child_keys_derive(const struct suite *suite, enum prf prf,
			   const struct secret *sk_d, const struct bytes *parts,
			   size_t n_parts, struct child_keys *out)
{
	size_t encr_len, integ_len;
	enum err e;

	memset(out, 0, sizeof(*out));
	e = cipher_key_lens(&suite->cipher, &encr_len, &integ_len);
	if (e != OK)
		return e;
	/* The initiator's direction first, encryption before integrity. */
	e = keys_expand(prf, sk_d, &(struct keys_text){parts, n_parts},
			(struct key_slot[]){{&out->encr_i, encr_len},
					    {&out->integ_i, integ_len},
					    {&out->encr_r, encr_len},
					    {&out->integ_r, integ_len}},
			4);
	if (e != OK)
		child_keys_wipe(out);
	return e;
}

void child_keys_wipe(struct child_keys *k)
{
	mem_wipe(k, sizeof(*k));
}
