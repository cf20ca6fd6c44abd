/* Verifying signatures. */
#include "client/crypto/sig.h"

#include <string.h>

#include "client/crypto/der.h"
#include "client/crypto/ec.h"
#include "client/crypto/x509.h"

#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/rsa.h>

int sig_wolf_hash(enum hash hash)
{
	switch (hash) {
	case HASH_SHA2_256:
		return WC_HASH_TYPE_SHA256;
	case HASH_SHA2_384:
		return WC_HASH_TYPE_SHA384;
	case HASH_SHA2_512:
		return WC_HASH_TYPE_SHA512;
	case HASH_SHA1:
	case HASH_IDENTITY:
		break;
	}
	return WC_HASH_TYPE_NONE;
}

int sig_wolf_mgf(enum hash hash)
{
	switch (hash) {
	case HASH_SHA2_256:
		return WC_MGF1SHA256;
	case HASH_SHA2_384:
		return WC_MGF1SHA384;
	case HASH_SHA2_512:
		return WC_MGF1SHA512;
	case HASH_SHA1:
	case HASH_IDENTITY:
		break;
	}
	return WC_MGF1NONE;
}

/* --- RSA -------------------------------------------------------------------
 */

/* The whole encoded message is made here and compared, so nothing is parsed
 * out of what the signature opens to: no padding, digest or parameter of
 * another form passes (RFC 8017 8.2.2). */
static enum err check_pkcs1(RsaKey *key, size_t len, enum hash hash,
			    struct bytes digest, struct bytes sig)
{
	uint8_t want[RSA_BITS_MAX / 8], got[RSA_BITS_MAX / 8];
	struct bytes info = sig_digest_info(hash);
	struct wr w = wr_open(want, len);
	size_t tail = info.len + digest.len;
	word32 got_len = (word32)len;

	wr_u8(&w, 0x00);
	wr_u8(&w, 0x01);
	for (size_t i = 3 + tail; i < len; i++)
		wr_u8(&w, 0xff);
	wr_u8(&w, 0x00);
	wr_bytes(&w, info);
	wr_bytes(&w, digest);
	if (wr_finish(&w) != OK || wr_len(&w) != len)
		return ERR_UNSUPPORTED;
	if (wc_RsaDirect((byte *)(uintptr_t)sig.p, (word32)sig.len, got,
			 &got_len, key, RSA_PUBLIC_DECRYPT, NULL) < 0 ||
	    got_len != len)
		return ERR_AUTH;
	return memcmp(want, got, len) == 0 ? OK : ERR_AUTH;
}

static enum err check_pss(RsaKey *key, const struct sig_alg *alg,
			  struct bytes digest, struct bytes sig)
{
	uint8_t opened[RSA_BITS_MAX / 8];
	enum wc_HashType hash = (enum wc_HashType)sig_wolf_hash(alg->hash);
	int salt = (int)alg->salt_len, n;

	n = wc_RsaPSS_Verify_ex((byte *)(uintptr_t)sig.p, (word32)sig.len,
				opened, sizeof(opened), hash,
				sig_wolf_mgf(alg->hash), salt, key);
	if (n <= 0)
		return ERR_AUTH;
	if (wc_RsaPSS_CheckPadding_ex(digest.p, (word32)digest.len, opened,
				      (word32)n, hash, salt,
				      wc_RsaEncryptSize(key) * 8) != 0)
		return ERR_AUTH;
	return OK;
}

static enum err check_rsa(const struct pubkey *k, const struct sig_alg *alg,
			  struct bytes digest, struct bytes sig)
{
	enum err e = ERR_CRYPTO;
	RsaKey key;

	/* RFC 8017 8.1.2 and 8.2.2 step 1, and 5.2.2: below the modulus.
	 * wolfSSL takes s + n for s, so that one signature had two forms. */
	if (sig.len != k->value.len || memcmp(sig.p, k->value.p, sig.len) >= 0)
		return ERR_AUTH;
	if (wc_InitRsaKey(&key, NULL) != 0)
		return ERR_CRYPTO;
	if (wc_RsaPublicKeyDecodeRaw(k->value.p, (word32)k->value.len,
				     k->exponent.p, (word32)k->exponent.len,
				     &key) == 0)
		e = alg->kind == SIG_KIND_PSS
			    ? check_pss(&key, alg, digest, sig)
			    : check_pkcs1(&key, k->value.len, alg->hash, digest,
					  sig);
	wc_FreeRsaKey(&key);
	return e;
}

/* --- ECDSA -----------------------------------------------------------------
 */

/* wolfSSL checks 0 < r, s < order. */
static enum err check_ecdsa(const struct pubkey *k, struct bytes digest,
			    struct bytes r, struct bytes s)
{
	mp_int mr, ms;
	ecc_key key;
	int good = 0;
	enum err e;

	if (r.len > EC_FIELD_MAX || s.len > EC_FIELD_MAX)
		return ERR_AUTH;
	e = ec_load_public(k->value, &key);
	if (e != OK)
		return ERR_UNSUPPORTED;
	e = ERR_AUTH;
	if (mp_init_multi(&mr, &ms, NULL, NULL, NULL, NULL) == MP_OKAY &&
	    mp_read_unsigned_bin(&mr, r.p, (word32)r.len) == MP_OKAY &&
	    mp_read_unsigned_bin(&ms, s.p, (word32)s.len) == MP_OKAY &&
	    !mp_iszero(&mr) && !mp_iszero(&ms) &&
	    wc_ecc_verify_hash_ex(&mr, &ms, digest.p, (word32)digest.len, &good,
				  &key) == 0 &&
	    good == 1)
		e = OK;
	wc_ecc_free(&key);
	ec_drop_points();
	return e;
}

static enum err check_ecdsa_der(const struct pubkey *k, struct bytes digest,
				struct bytes sig)
{
	struct rd all = rd_open(sig);
	struct rd seq = der_open(&all, DER_SEQUENCE);
	struct bytes r = der_positive(&seq);
	struct bytes s = der_positive(&seq);

	if (rd_finish(&seq) != OK || rd_finish(&all) != OK)
		return ERR_AUTH;
	return check_ecdsa(k, digest, r, s);
}

/* --- Ed25519 ---------------------------------------------------------------
 */

/* RFC 8032 5.1.7: S below the order, or the same signature has two forms. */
static bool scalar_reduced(const uint8_t s[32])
{
	static const uint8_t order[32] = {
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,	      0xd6,
		0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};

	for (int i = 31; i >= 0; i--)
		if (s[i] != order[i])
			return s[i] < order[i];
	return false;
}

static enum err check_ed25519(const struct pubkey *k, const struct bytes *parts,
			      size_t n_parts, struct bytes sig)
{
	ed25519_key key;
	int good = 0, rc;

	if (sig.len != ED25519_SIG_SIZE || !scalar_reduced(sig.p + 32))
		return ERR_AUTH;
	if (wc_ed25519_init(&key) != 0)
		return ERR_CRYPTO;
	rc = wc_ed25519_import_public(k->value.p, (word32)k->value.len, &key);
	if (rc == 0)
		rc = wc_ed25519_verify_msg_init(sig.p, (word32)sig.len, &key,
						Ed25519, NULL, 0);
	for (size_t i = 0; rc == 0 && i < n_parts; i++)
		if (parts[i].len > 0)
			rc = wc_ed25519_verify_msg_update(
				parts[i].p, (word32)parts[i].len, &key);
	if (rc == 0)
		rc = wc_ed25519_verify_msg_final(sig.p, (word32)sig.len, &good,
						 &key);
	wc_ed25519_free(&key);
	return rc == 0 && good == 1 ? OK : ERR_AUTH;
}

/* --- all -------------------------------------------------------------------
 */

static bool kind_fits(enum key_type type, enum sig_kind kind)
{
	switch (kind) {
	case SIG_KIND_PKCS1:
	case SIG_KIND_PSS:
		return type == KEY_RSA;
	case SIG_KIND_ECDSA:
		return type == KEY_ECP_256 || type == KEY_ECP_384;
	case SIG_KIND_EDDSA:
		return type == KEY_ED25519;
	}
	return false;
}

enum err sig_check(const struct pubkey *key, const struct sig_alg *alg,
		   const struct bytes *parts, size_t n_parts, struct bytes sig)
{
	uint8_t digest[HASH_MAX];
	struct bytes d = bytes(digest, hash_len(alg->hash));
	enum err e;

	if (pubkey_weakness(key) || !kind_fits(key->type, alg->kind))
		return ERR_UNSUPPORTED;
	if (alg->kind == SIG_KIND_EDDSA)
		return check_ed25519(key, parts, n_parts, sig);
	e = crypto_hash(alg->hash, parts, n_parts, digest);
	if (e != OK)
		return e;
	if (alg->kind == SIG_KIND_ECDSA)
		return check_ecdsa_der(key, d, sig);
	return check_rsa(key, alg, d, sig);
}

enum err sig_check_raw(const struct pubkey *key, enum hash hash,
		       const struct bytes *parts, size_t n_parts,
		       struct bytes sig)
{
	uint8_t digest[HASH_MAX];
	size_t half = key->value.len / 2;
	enum err e;

	if (sig.len != key->value.len)
		return ERR_AUTH;
	e = crypto_hash(hash, parts, n_parts, digest);
	if (e != OK)
		return e;
	return check_ecdsa(key, bytes(digest, hash_len(hash)),
			   bytes(sig.p, half), bytes(sig.p + half, half));
}

/* --- the AUTH payload ------------------------------------------------------
 */

/* RFC 7427 section 3: length octet, AlgorithmIdentifier, signature. */
static enum err check_digital(const struct pubkey *key, struct bytes auth_data,
			      const struct bytes *parts, size_t n_parts,
			      struct diag *diag)
{
	struct rd r = rd_open(auth_data);
	struct bytes alg_id = rd_take(&r, rd_u8(&r));
	struct bytes sig = rd_rest(&r);
	struct sig_alg alg;
	enum err e;

	if (!rd_ok(&r) || sig.len == 0)
		return diag_set(diag, ERR_AUTH,
				"the gateway's signature is malformed");
	e = sig_alg_parse(alg_id, &alg);
	if (e == ERR_MALFORMED)
		return diag_set(diag, ERR_AUTH,
				"the gateway's signature is malformed");
	if (e == OK)
		e = sig_check(key, &alg, parts, n_parts, sig);
	if (e == ERR_UNSUPPORTED)
		return diag_set(diag, e,
				"the gateway signed with %s, which is weak or "
				"does not fit its key: have it use SHA-256 or "
				"better",
				alg.name);
	return e;
}

static enum err check_by_method(const struct pubkey *key,
				enum sig_method method, struct bytes auth_data,
				const struct bytes *parts, size_t n_parts,
				struct diag *diag)
{
	switch (method) {
	case SIG_DIGITAL:
		return check_digital(key, auth_data, parts, n_parts, diag);
	case SIG_ECDSA_256:
		if (key->type != KEY_ECP_256)
			break;
		return sig_check_raw(key, HASH_SHA2_256, parts, n_parts,
				     auth_data);
	case SIG_ECDSA_384:
		if (key->type != KEY_ECP_384)
			break;
		return sig_check_raw(key, HASH_SHA2_384, parts, n_parts,
				     auth_data);
	case SIG_RSA_SHA1:
		return diag_set(diag, ERR_UNSUPPORTED,
				"the gateway signed with RSA and SHA-1, which "
				"is weak: switch on signature authentication "
				"(RFC 7427) on the gateway");
	}
	return diag_set(diag, ERR_UNSUPPORTED,
			"the gateway's authentication method %d is not "
			"supported or does not fit its key",
			(int)method);
}

enum err sig_verify(struct bytes cert_der, enum sig_method method,
		    struct bytes auth_data, const struct bytes *parts,
		    size_t n_parts, struct diag *diag)
{
	struct x509 cert;
	enum err e;

	e = x509_parse(cert_der, &cert);
	if (e != OK)
		return diag_set(diag, e,
				"the gateway's certificate cannot be read");
	e = check_by_method(&cert.key, method, auth_data, parts, n_parts, diag);
	if (e == ERR_AUTH)
		diag_set(diag, e,
			 "the gateway's signature is wrong: it does not hold "
			 "the key of its certificate");
	return e;
}
