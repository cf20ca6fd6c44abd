/* X25519 (RFC 7748, RFC 8031) and ECP groups (RFC 5903). */
#include "client/crypto/ke.h"

#include <string.h>

#include "client/crypto/ec.h"

#include <wolfssl/wolfcrypt/curve25519.h>

#define X25519_LEN 32

enum err ke_x25519_make(struct ke *ke, struct rng *rng)
{
	static const uint8_t base[X25519_LEN] = {9};

	ke->priv_len = X25519_LEN;
	rng_draw(rng, ke->priv, ke->priv_len);
	ke->priv[0] &= 0xf8; /* RFC 7748 section 5 */
	ke->priv[31] &= 0x7f;
	ke->priv[31] |= 0x40;
	if (wc_curve25519_generic(X25519_LEN, ke->pub, X25519_LEN, ke->priv,
				  X25519_LEN, base) != 0)
		return ERR_CRYPTO;
	return OK;
}

enum err ke_x25519_agree(struct ke *ke, const uint8_t *peer, uint8_t *out)
{
	static const uint8_t zero[X25519_LEN];
	uint8_t point[X25519_LEN];

	memcpy(point, peer, sizeof(point));
	point[31] &= 0x7f; /* RFC 7748 section 5: not part of the value */
	if (wc_curve25519_generic(X25519_LEN, out, X25519_LEN, ke->priv,
				  X25519_LEN, point) != 0)
		return ERR_CRYPTO;
	/* A point of small order: the peer would choose the secret. */
	if (bytes_eq_secret(BYTES_OF(zero), bytes(out, X25519_LEN)))
		return ERR_CRYPTO;
	return OK;
}

/* Draws until 0 < priv < order: a second try is needed once in 2^32. */
static enum err draw_scalar(struct ke *ke, struct rng *rng)
{
	const ecc_set_type *set = wc_ecc_get_curve_params(
		wc_ecc_get_curve_idx(ec_curve_id(ke->priv_len)));
	uint8_t any;
	mp_int order, k;
	bool good = false;
	enum err e = ERR_CRYPTO;

	if (mp_init_multi(&order, &k, NULL, NULL, NULL, NULL) != MP_OKAY)
		return ERR_CRYPTO;
	if (!set || mp_read_radix(&order, set->order, MP_RADIX_HEX) != MP_OKAY)
		goto out;
	for (int tries = 0; !good && tries < 100; tries++) {
		rng_draw(rng, ke->priv, ke->priv_len);
		any = 0;
		for (size_t i = 0; i < ke->priv_len; i++)
			any |= ke->priv[i];
		if (mp_read_unsigned_bin(&k, ke->priv, (word32)ke->priv_len) !=
		    MP_OKAY)
			goto out;
		good = any != 0 && mp_cmp(&k, &order) == MP_LT;
	}
	e = good ? OK : ERR_CRYPTO;
out:
	mp_forcezero(&k);
	return e;
}

static enum err load_private(const struct ke *ke, ecc_key *out)
{
	if (wc_ecc_init(out) != 0)
		return ERR_CRYPTO;
	if (wc_ecc_import_private_key_ex(ke->priv, (word32)ke->priv_len, NULL,
					 0, out,
					 ec_curve_id(ke->priv_len)) == 0)
		return OK;
	wc_ecc_free(out);
	return ERR_CRYPTO;
}

enum err ke_ecp_make(struct ke *ke, struct rng *rng)
{
	uint8_t raw[1 + 2 * KE_PRIVATE_MAX];
	word32 raw_len = sizeof(raw);
	ecc_key key;
	enum err e;

	ke->priv_len = ke->info->shared_len;
	e = draw_scalar(ke, rng);
	if (e != OK)
		return e;
	e = load_private(ke, &key);
	if (e != OK)
		return e;
	/* 04 | x | y: without its first octet this is RFC 5903's value. */
	if (wc_ecc_make_pub(&key, NULL) != 0 ||
	    wc_ecc_export_x963(&key, raw, &raw_len) != 0 ||
	    raw_len != 1u + ke->info->public_len)
		e = ERR_CRYPTO;
	else
		memcpy(ke->pub, raw + 1, ke->info->public_len);
	wc_ecc_free(&key);
	ec_drop_points();
	return e;
}

enum err ke_ecp_agree(struct ke *ke, const uint8_t *peer, uint8_t *out)
{
	word32 len = ke->info->shared_len;
	ecc_key own, other;
	enum err e;

	e = ec_load_public(bytes(peer, ke->info->public_len), &other);
	if (e != OK)
		return e;
	e = load_private(ke, &own);
	if (e != OK)
		goto out_other;
	/* The x coordinate, at its full length (RFC 5903 section 7). */
	if (!wolf_rng() || wc_ecc_set_rng(&own, wolf_rng()) != 0 ||
	    wc_ecc_shared_secret(&own, &other, out, &len) != 0 ||
	    len != ke->info->shared_len)
		e = ERR_CRYPTO;
	wc_ecc_free(&own);
out_other:
	wc_ecc_free(&other);
	ec_drop_points();
	return e;
}
