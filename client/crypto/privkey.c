/* Loading private keys: PEM and DER, PKCS#1, SEC1, PKCS#8. */
#include "client/crypto/privkey.h"

#include <stdlib.h>
#include <string.h>

#include "client/crypto/der.h"
#include "client/crypto/pem.h"
#include "client/crypto/x509.h"

#include <wolfssl/wolfcrypt/asn_public.h>

#define KEY_FILE_MAX 65536

static const uint8_t oid_rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7,
				  0x0d, 0x01, 0x01, 0x01};
static const uint8_t oid_ec[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
static const uint8_t oid_p256[] = {0x2a, 0x86, 0x48, 0xce,
				   0x3d, 0x03, 0x01, 0x07};
static const uint8_t oid_p384[] = {0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t oid_ed25519[] = {0x2b, 0x65, 0x70};

/* --- by kind ---------------------------------------------------------------
 */

/* RSAPrivateKey, RFC 8017 A.1.2. */
static enum err load_rsa(struct bytes der, struct privkey *k)
{
	struct rd all = rd_open(der);
	struct rd r = der_open(&all, DER_SEQUENCE);
	struct bytes n, e;
	word32 at = 0;

	(void)der_take(&r, DER_INTEGER); /* version */
	n = der_positive(&r);
	e = der_positive(&r);
	if (!rd_ok(&r) || n.len > sizeof(k->value) ||
	    e.len > sizeof(k->exponent))
		return rd_ok(&r) ? ERR_UNSUPPORTED : ERR_MALFORMED;
	memcpy(k->value, n.p, n.len);
	memcpy(k->exponent, e.p, e.len);
	k->pub.value = bytes(k->value, n.len);
	k->pub.exponent = bytes(k->exponent, e.len);
	if (wc_InitRsaKey(&k->u.rsa, NULL) != 0)
		return ERR_CRYPTO;
	k->pub.type = KEY_RSA; /* from here privkey_free frees it */
	if (wc_RsaPrivateKeyDecode(der.p, &at, &k->u.rsa, (word32)der.len) !=
		    0 ||
	    wc_RsaSetRNG(&k->u.rsa, wolf_rng()) != 0)
		return ERR_MALFORMED;
	return OK;
}

static enum key_type curve_of(struct bytes oid)
{
	if (bytes_eq(oid, BYTES_OF(oid_p256)))
		return KEY_ECP_256;
	if (bytes_eq(oid, BYTES_OF(oid_p384)))
		return KEY_ECP_384;
	return KEY_OTHER;
}

static enum err set_ec(struct privkey *k, enum key_type type, struct bytes d)
{
	size_t field = type == KEY_ECP_256 ? 32 : 48;
	uint8_t raw[1 + 2 * EC_FIELD_MAX];
	word32 raw_len = sizeof(raw);

	if (d.len > field || wc_ecc_init(&k->u.ec) != 0)
		return ERR_MALFORMED;
	k->pub.type = type;
	if (wc_ecc_import_private_key_ex(d.p, (word32)d.len, NULL, 0, &k->u.ec,
					 ec_curve_id(field)) != 0 ||
	    wc_ecc_make_pub(&k->u.ec, NULL) != 0 ||
	    wc_ecc_export_x963(&k->u.ec, raw, &raw_len) != 0 ||
	    raw_len != 1 + 2 * field)
		return ERR_MALFORMED;
	memcpy(k->value, raw + 1, 2 * field);
	k->pub.value = bytes(k->value, 2 * field);
	return OK;
}

/* ECPrivateKey, RFC 5915. curve: from PKCS#8, or KEY_OTHER: named inside. */
static enum err load_ec(struct bytes der, enum key_type curve,
			struct privkey *k)
{
	struct rd all = rd_open(der);
	struct rd r = der_open(&all, DER_SEQUENCE);
	struct bytes d;
	enum err e;

	(void)der_take(&r, DER_INTEGER);
	d = der_take(&r, DER_OCTET_STRING);
	if (der_next_is(&r, DER_EXPLICIT(0))) {
		struct rd params = der_open(&r, DER_EXPLICIT(0));

		curve = curve_of(der_take(&params, DER_OID));
	}
	if (!rd_ok(&r))
		return ERR_MALFORMED;
	if (curve == KEY_OTHER)
		return ERR_UNSUPPORTED;
	e = set_ec(k, curve, d);
	ec_drop_points();
	return e;
}

/* CurvePrivateKey, RFC 8410 7. */
static enum err load_ed25519(struct bytes der, struct privkey *k)
{
	struct rd all = rd_open(der);
	struct bytes seed = der_take(&all, DER_OCTET_STRING);
	uint8_t whole[64];
	enum err e = OK;

	if (rd_finish(&all) != OK || seed.len != 32)
		return ERR_MALFORMED;
	if (wc_ed25519_init(&k->u.ed) != 0)
		return ERR_CRYPTO;
	k->pub.type = KEY_ED25519;
	/* wolfSSL signs with seed | public value. */
	memcpy(whole, seed.p, 32);
	if (wc_ed25519_import_private_only(seed.p, 32, &k->u.ed) != 0 ||
	    wc_ed25519_make_public(&k->u.ed, k->value, 32) != 0)
		e = ERR_MALFORMED;
	memcpy(whole + 32, k->value, 32);
	if (e == OK &&
	    wc_ed25519_import_private_key(whole, sizeof(whole), k->value, 32,
					  &k->u.ed) != 0)
		e = ERR_MALFORMED;
	k->pub.value = bytes(k->value, 32);
	mem_wipe(whole, sizeof(whole));
	return e;
}

/* --- containers --------------------------------------------------------------
 */

/* PrivateKeyInfo, RFC 5208 5. */
static enum err load_pkcs8(struct bytes der, struct privkey *k)
{
	struct rd all = rd_open(der);
	struct rd r = der_open(&all, DER_SEQUENCE), alg;
	struct bytes oid, inner;

	(void)der_take(&r, DER_INTEGER);
	alg = der_open(&r, DER_SEQUENCE);
	oid = der_take(&alg, DER_OID);
	inner = der_take(&r, DER_OCTET_STRING);
	if (!rd_ok(&r) || !rd_ok(&alg))
		return ERR_MALFORMED;
	if (bytes_eq(oid, BYTES_OF(oid_rsa)))
		return load_rsa(inner, k);
	if (bytes_eq(oid, BYTES_OF(oid_ec)))
		return load_ec(inner, curve_of(der_take(&alg, DER_OID)), k);
	if (bytes_eq(oid, BYTES_OF(oid_ed25519)))
		return load_ed25519(inner, k);
	return ERR_UNSUPPORTED;
}

enum container { CONTAINER_NONE, PKCS1, SEC1, PKCS8, PKCS8_ENCRYPTED };

/* Each begins with SEQUENCE; what follows tells them apart. */
static enum container container_of(struct bytes der)
{
	struct rd all = rd_open(der);
	struct rd r = der_open(&all, DER_SEQUENCE);

	if (der_next_is(&r, DER_SEQUENCE)) {
		(void)der_take(&r, DER_SEQUENCE);
		(void)der_take(&r, DER_OCTET_STRING);
		return rd_finish(&r) == OK ? PKCS8_ENCRYPTED : CONTAINER_NONE;
	}
	(void)der_take(&r, DER_INTEGER);
	if (der_next_is(&r, DER_SEQUENCE))
		return PKCS8;
	if (der_next_is(&r, DER_OCTET_STRING))
		return SEC1;
	return der_next_is(&r, DER_INTEGER) ? PKCS1 : CONTAINER_NONE;
}

static enum err load_clear(struct bytes der, struct privkey *k)
{
	switch (container_of(der)) {
	case PKCS1:
		return load_rsa(der, k);
	case SEC1:
		return load_ec(der, KEY_OTHER, k);
	case PKCS8:
		return load_pkcs8(der, k);
	case PKCS8_ENCRYPTED:
	case CONTAINER_NONE:
		break;
	}
	return ERR_MALFORMED;
}

/* Decrypts in place. */
static enum err decrypt(uint8_t *der, size_t *len, struct bytes pass,
			struct diag *diag)
{
	int n;

	if (pass.len == 0)
		return diag_set(diag, ERR_NEEDS_PERSON,
				"the private key is encrypted: its passphrase "
				"is needed");
	n = wc_DecryptPKCS8Key(der, (word32)*len, (const char *)pass.p,
			       (int)pass.len);
	if (n <= 0 || (size_t)n > *len)
		return diag_set(diag, ERR_NEEDS_PERSON,
				"the passphrase does not open the private "
				"key");
	*len = (size_t)n;
	return OK;
}

static bool is_key_label(struct bytes label)
{
	static const char tail[] = "PRIVATE KEY";

	return text_ends(label, bytes(tail, sizeof(tail) - 1));
}

/* The first private key of a PEM file, or the DER itself. */
static enum err find_key(struct bytes file, uint8_t *buf, size_t *out_len,
			 struct diag *diag)
{
	struct pem_block block;

	if (file.p[0] == DER_SEQUENCE) {
		memcpy(buf, file.p, file.len);
		*out_len = file.len;
		return OK;
	}
	while (pem_next(&file, &block)) {
		if (!is_key_label(block.label))
			continue;
		if (memchr(block.body.p, ':', block.body.len))
			return diag_set(diag, ERR_UNSUPPORTED,
					"the private key is encrypted in an "
					"old form: convert it with openssl "
					"pkcs8 -topk8");
		if (pem_decode(&block, buf, out_len) == OK)
			return OK;
		break;
	}
	return diag_set(diag, ERR_MALFORMED,
			"no private key in the file: it must be PEM or DER");
}

static enum err load_key(struct bytes file, struct bytes pass, uint8_t *buf,
			 struct privkey *k, struct diag *diag)
{
	const char *weak;
	size_t len;
	enum err e;

	e = find_key(file, buf, &len, diag);
	if (e == OK && container_of(bytes(buf, len)) == PKCS8_ENCRYPTED) {
		e = decrypt(buf, &len, pass, diag);
		/* A wrong passphrase may decrypt to well padded noise. */
		if (e == OK && container_of(bytes(buf, len)) == CONTAINER_NONE)
			e = diag_set(diag, ERR_NEEDS_PERSON,
				     "the passphrase does not open the private "
				     "key");
	}
	if (e == OK)
		e = load_clear(bytes(buf, len), k);
	if (e == ERR_MALFORMED)
		diag_set(diag, e, "the private key is damaged");
	if (e == ERR_UNSUPPORTED)
		diag_set(diag, e,
			 "the private key is of a kind that is not supported: "
			 "use RSA, ECDSA P-256 or P-384, or Ed25519");
	if (e != OK)
		return e;
	weak = pubkey_weakness(&k->pub);
	if (weak)
		return diag_set(diag, ERR_UNSUPPORTED,
				"the private key is %s: make a new one", weak);
	return OK;
}

bool privkey_is_encrypted(struct bytes file)
{
	uint8_t *buf;
	size_t len;
	bool is = false;

	if (file.len == 0 || file.len > KEY_FILE_MAX)
		return false;
	buf = malloc(file.len);
	if (buf && find_key(file, buf, &len, NULL) == OK)
		is = container_of(bytes(buf, len)) == PKCS8_ENCRYPTED;
	if (buf)
		mem_wipe(buf, file.len);
	free(buf);
	return is;
}

enum err privkey_load(struct bytes file, struct bytes pass,
		      struct privkey **out, struct diag *diag)
{
	struct privkey *k;
	uint8_t *buf;
	enum err e;

	*out = NULL;
	if (file.len == 0 || file.len > KEY_FILE_MAX)
		return diag_set(diag, ERR_MALFORMED,
				"the private key file is %s",
				file.len == 0 ? "empty" : "too large");
	k = calloc(1, sizeof(*k));
	buf = malloc(file.len);
	if (k && buf)
		e = load_key(file, pass, buf, k, diag);
	else
		e = ERR_NO_MEMORY;
	if (buf)
		mem_wipe(buf, file.len);
	free(buf);
	if (e != OK)
		privkey_free(&k);
	*out = k;
	return e;
}

void privkey_free(struct privkey **k)
{
	if (!*k)
		return;
	switch ((*k)->pub.type) {
	case KEY_RSA:
		wc_FreeRsaKey(&(*k)->u.rsa);
		break;
	case KEY_ECP_256:
	case KEY_ECP_384:
		wc_ecc_free(&(*k)->u.ec);
		break;
	case KEY_ED25519:
		wc_ed25519_free(&(*k)->u.ed);
		break;
	case KEY_OTHER:
		break;
	}
	mem_wipe(*k, sizeof(**k));
	free(*k);
	*k = NULL;
}

bool privkey_matches(const struct privkey *k, struct bytes cert_der)
{
	struct x509 c;

	return x509_parse(cert_der, &c) == OK && pubkey_equal(&k->pub, &c.key);
}
