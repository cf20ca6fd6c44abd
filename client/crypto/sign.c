/* Making the AUTH payload's signature. */
#include "client/crypto/privkey.h"

#include <stdlib.h>
#include <string.h>

struct choice {
	enum sig_method method;
	enum sig_kind kind;
	enum hash hash;
};

/* The first of wanted that the peer announced (RFC 7427 4). */
static bool first_common(uint32_t peer_hashes, const enum hash *wanted,
			 size_t n, enum hash *out)
{
	for (size_t i = 0; i < n; i++) {
		if (peer_hashes & 1u << wanted[i]) {
			*out = wanted[i];
			return true;
		}
	}
	return false;
}

static enum err choose_digital(const struct privkey *k,
			       const struct sign_policy *pol,
			       struct choice *out)
{
	static const enum hash by_256[] = {HASH_SHA2_256, HASH_SHA2_384,
					   HASH_SHA2_512};
	static const enum hash by_384[] = {HASH_SHA2_384, HASH_SHA2_512,
					   HASH_SHA2_256};
	static const enum hash identity[] = {HASH_IDENTITY};
	const enum hash *wanted = by_256;
	size_t n = 3;

	out->method = SIG_DIGITAL;
	switch (k->pub.type) {
	case KEY_RSA:
		out->kind = pol->prefer_pkcs1 ? SIG_KIND_PKCS1 : SIG_KIND_PSS;
		break;
	case KEY_ECP_384:
		wanted = by_384;
		out->kind = SIG_KIND_ECDSA;
		break;
	case KEY_ECP_256:
		out->kind = SIG_KIND_ECDSA;
		break;
	case KEY_ED25519: /* RFC 8420: announced as "identity" */
		wanted = identity;
		n = 1;
		out->kind = SIG_KIND_EDDSA;
		break;
	case KEY_OTHER:
		return ERR_UNSUPPORTED;
	}
	return first_common(pol->peer_hashes, wanted, n, &out->hash)
		       ? OK
		       : ERR_NO_PROPOSAL;
}

/* RFC 4754 for gateways without RFC 7427; RSA has only SHA-1 there. */
static enum err choose_old(const struct privkey *k, struct choice *out)
{
	if (k->pub.type != KEY_ECP_256 && k->pub.type != KEY_ECP_384)
		return ERR_NO_PROPOSAL;
	out->kind = SIG_KIND_ECDSA;
	out->method =
		k->pub.type == KEY_ECP_256 ? SIG_ECDSA_256 : SIG_ECDSA_384;
	out->hash = k->pub.type == KEY_ECP_256 ? HASH_SHA2_256 : HASH_SHA2_384;
	return OK;
}

/* --- the signature itself
 * ------------------------------------------------------ */

static enum err sign_pkcs1(struct privkey *k, enum hash hash,
			   struct bytes digest, struct wr *w)
{
	struct bytes info = sig_digest_info(hash);
	uint8_t encoded[32 + HASH_MAX];
	struct wr enc = wr_open(encoded, sizeof(encoded));
	size_t len = k->pub.value.len;
	uint8_t *place = wr_room(w, len);
	int n;

	wr_bytes(&enc, info);
	wr_bytes(&enc, digest);
	if (!place || wr_finish(&enc) != OK)
		return ERR_NO_SPACE;
	n = wc_RsaSSL_Sign(encoded, (word32)wr_len(&enc), place, (word32)len,
			   &k->u.rsa, wolf_rng());
	return n == (int)len ? OK : ERR_CRYPTO;
}

static enum err sign_pss(struct privkey *k, enum hash hash, struct bytes digest,
			 struct wr *w)
{
	size_t len = k->pub.value.len;
	uint8_t *place = wr_room(w, len);
	int n;

	if (!place)
		return ERR_NO_SPACE;
	n = wc_RsaPSS_Sign_ex(digest.p, (word32)digest.len, place, (word32)len,
			      (enum wc_HashType)sig_wolf_hash(hash),
			      sig_wolf_mgf(hash), (int)digest.len, &k->u.rsa,
			      wolf_rng());
	return n == (int)len ? OK : ERR_CRYPTO;
}

/* raw: r | s at full length, else DER. */
static enum err sign_ecdsa(struct privkey *k, bool raw, struct bytes digest,
			   struct wr *w)
{
	uint8_t der[ECC_MAX_SIG_SIZE], *place;
	size_t field = k->pub.value.len / 2;
	word32 der_len = sizeof(der);
	mp_int r, s;
	enum err e = ERR_CRYPTO;

	if (mp_init_multi(&r, &s, NULL, NULL, NULL, NULL) != MP_OKAY)
		return ERR_CRYPTO;
	if (raw) {
		place = wr_room(w, 2 * field);
		if (place &&
		    wc_ecc_sign_hash_ex(digest.p, (word32)digest.len,
					wolf_rng(), &k->u.ec, &r, &s) == 0 &&
		    mp_to_unsigned_bin_len(&r, place, (int)field) == MP_OKAY &&
		    mp_to_unsigned_bin_len(&s, place + field, (int)field) ==
			    MP_OKAY)
			e = OK;
	} else if (wc_ecc_sign_hash(digest.p, (word32)digest.len, der, &der_len,
				    wolf_rng(), &k->u.ec) == 0) {
		wr_bytes(w, bytes(der, der_len));
		e = OK;
	}
	ec_drop_points();
	return e;
}

/* Ed25519 reads its message twice, so it must lie in one piece. */
static enum err sign_ed25519(struct privkey *k, const struct bytes *parts,
			     size_t n_parts, struct wr *w)
{
	uint8_t *place = wr_room(w, ED25519_SIG_SIZE), *message;
	word32 len = ED25519_SIG_SIZE;
	size_t total = 0;
	struct wr m;
	enum err e;

	for (size_t i = 0; i < n_parts; i++)
		total += parts[i].len;
	message = malloc(total + 1);
	if (!message)
		return ERR_NO_MEMORY;
	m = wr_open(message, total + 1);
	for (size_t i = 0; i < n_parts; i++)
		wr_bytes(&m, parts[i]);
	e = place && wc_ed25519_sign_msg(message, (word32)total, place, &len,
					 &k->u.ed) == 0
		    ? OK
		    : ERR_CRYPTO;
	mem_wipe(message, total + 1);
	free(message);
	return e;
}

static enum err sign_by_kind(struct privkey *k, const struct choice *c,
			     struct bytes digest, struct wr *w)
{
	switch (c->kind) {
	case SIG_KIND_PKCS1:
		return sign_pkcs1(k, c->hash, digest, w);
	case SIG_KIND_PSS:
		return sign_pss(k, c->hash, digest, w);
	case SIG_KIND_ECDSA:
		return sign_ecdsa(k, c->method != SIG_DIGITAL, digest, w);
	case SIG_KIND_EDDSA:
		break;
	}
	return ERR_INTERNAL;
}

/* Length octet and AlgorithmIdentifier, RFC 7427 3. */
static enum err write_prefix(struct wr *w, const struct choice *c)
{
	size_t at = wr_len(w);
	enum err e;

	wr_u8(w, 0);
	e = sig_alg_write(w, c->kind, c->hash);
	wr_fill_u8(w, at, (uint8_t)(wr_len(w) - at - 1));
	return e;
}

enum err privkey_sign(struct privkey *k, const struct sign_policy *pol,
		      const struct bytes *parts, size_t n_parts,
		      uint8_t out[AUTH_DATA_MAX], size_t *out_len,
		      enum sig_method *out_method)
{
	struct wr w = wr_open(out, AUTH_DATA_MAX);
	uint8_t digest[HASH_MAX];
	struct choice c = {SIG_DIGITAL, SIG_KIND_PSS, HASH_SHA2_256};
	enum err e;

	*out_len = 0;
	e = pol->peer_hashes != 0 ? choose_digital(k, pol, &c)
				  : choose_old(k, &c);
	if (e == OK && !wolf_rng())
		e = ERR_STATE;
	if (e == OK && c.method == SIG_DIGITAL)
		e = write_prefix(&w, &c);
	if (e != OK)
		return e;
	if (c.kind == SIG_KIND_EDDSA) {
		e = sign_ed25519(k, parts, n_parts, &w);
	} else {
		e = crypto_hash(c.hash, parts, n_parts, digest);
		if (e == OK)
			e = sign_by_kind(k, &c, bytes(digest, hash_len(c.hash)),
					 &w);
	}
	if (e == OK)
		e = wr_finish(&w);
	if (e != OK)
		return e;
	*out_len = wr_len(&w);
	*out_method = c.method;
	return OK;
}
