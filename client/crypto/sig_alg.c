/* Reading and writing the names of keys and signature algorithms. */
#include "client/crypto/sig.h"

#include <string.h>

#include "client/crypto/der.h"

#define OID(...)                                                               \
	{                                                                      \
		(const uint8_t[]){__VA_ARGS__},                                \
			sizeof((const uint8_t[]){__VA_ARGS__})                 \
	}

/* 1.2.840.113549.1.1: PKCS #1 */
#define PKCS1_ARC 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01
/* 1.2.840.10045: ANSI X9.62 */
#define X962_ARC 0x2a, 0x86, 0x48, 0xce, 0x3d
/* 2.16.840.1.101.3.4.2: NIST hashes */
#define NIST_HASH_ARC 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02

static const struct bytes oid_rsa = OID(PKCS1_ARC, 1);
static const struct bytes oid_mgf1 = OID(PKCS1_ARC, 8);
static const struct bytes oid_pss = OID(PKCS1_ARC, 10);
static const struct bytes oid_ec = OID(X962_ARC, 2, 1);
static const struct bytes oid_p256 = OID(X962_ARC, 3, 1, 7);
static const struct bytes oid_p384 = OID(0x2b, 0x81, 0x04, 0x00, 0x22);
static const struct bytes oid_ed25519 = OID(0x2b, 0x65, 0x70);

struct alg_row {
	struct bytes oid;
	enum sig_kind kind;
	enum hash hash;
	const char *name;
};

/* RFC 8017 A.2.4, RFC 5758, RFC 8410. PSS stands apart: it has parameters. */
static const struct alg_row algs[] = {
	{OID(PKCS1_ARC, 11), SIG_KIND_PKCS1, HASH_SHA2_256, "RSA with SHA-256"},
	{OID(PKCS1_ARC, 12), SIG_KIND_PKCS1, HASH_SHA2_384, "RSA with SHA-384"},
	{OID(PKCS1_ARC, 13), SIG_KIND_PKCS1, HASH_SHA2_512, "RSA with SHA-512"},
	{OID(X962_ARC, 4, 3, 2), SIG_KIND_ECDSA, HASH_SHA2_256,
	 "ECDSA with SHA-256"},
	{OID(X962_ARC, 4, 3, 3), SIG_KIND_ECDSA, HASH_SHA2_384,
	 "ECDSA with SHA-384"},
	{OID(X962_ARC, 4, 3, 4), SIG_KIND_ECDSA, HASH_SHA2_512,
	 "ECDSA with SHA-512"},
	{OID(0x2b, 0x65, 0x70), SIG_KIND_EDDSA, HASH_IDENTITY, "Ed25519"},
};

/* Known by name, so that the refusal is clear. */
static const struct {
	struct bytes oid;
	const char *name;
} refused_algs[] = {
	{OID(PKCS1_ARC, 2), "RSA with MD2"},
	{OID(PKCS1_ARC, 4), "RSA with MD5"},
	{OID(PKCS1_ARC, 5), "RSA with SHA-1"},
	{OID(0x2b, 0x0e, 0x03, 0x02, 0x1d), "RSA with SHA-1"},
	{OID(PKCS1_ARC, 14), "RSA with SHA-224"},
	{OID(X962_ARC, 4, 1), "ECDSA with SHA-1"},
	{OID(X962_ARC, 4, 3, 1), "ECDSA with SHA-224"},
	{OID(0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x03), "DSA with SHA-1"},
	{OID(0x2b, 0x65, 0x71), "Ed448"},
};

static const struct {
	struct bytes oid;
	enum hash hash;
	const char *pss_name;
} hashes[] = {
	{OID(NIST_HASH_ARC, 1), HASH_SHA2_256, "RSA-PSS with SHA-256"},
	{OID(NIST_HASH_ARC, 2), HASH_SHA2_384, "RSA-PSS with SHA-384"},
	{OID(NIST_HASH_ARC, 3), HASH_SHA2_512, "RSA-PSS with SHA-512"},
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* --- public keys -----------------------------------------------------------
 */

static bool parse_ec(struct rd *params, struct bytes bits, struct pubkey *out)
{
	struct bytes curve = der_take(params, DER_OID);
	size_t len;

	if (bytes_eq(curve, oid_p256))
		out->type = KEY_ECP_256;
	else if (bytes_eq(curve, oid_p384))
		out->type = KEY_ECP_384;
	else
		return rd_ok(params); /* KEY_OTHER */
	len = out->type == KEY_ECP_256 ? 64 : 96;
	if (bits.len == 1 + len / 2 && (bits.p[0] | 1) == 3) {
		out->type = KEY_OTHER; /* a compressed point: unusual */
		return true;
	}
	if (bits.len != 1 + len || bits.p[0] != 4)
		return false;
	out->value = bytes(bits.p + 1, len);
	return rd_finish(params) == OK;
}

static bool parse_rsa(struct bytes bits, struct pubkey *out)
{
	struct rd all = rd_open(bits);
	struct rd r = der_open(&all, DER_SEQUENCE);

	out->value = der_positive(&r);
	out->exponent = der_positive(&r);
	out->type = KEY_RSA;
	return rd_finish(&r) == OK && rd_finish(&all) == OK;
}

enum err pubkey_parse(struct bytes spki, struct pubkey *out)
{
	struct rd all = rd_open(spki);
	struct rd r = der_open(&all, DER_SEQUENCE);
	struct rd alg = der_open(&r, DER_SEQUENCE);
	struct bytes oid = der_take(&alg, DER_OID);
	struct bytes bits = der_bits(&r);
	bool good = true;

	memset(out, 0, sizeof(*out));
	if (!rd_ok(&alg) || rd_finish(&r) != OK || rd_finish(&all) != OK)
		return ERR_MALFORMED;
	if (bytes_eq(oid, oid_rsa)) {
		good = parse_rsa(bits, out);
	} else if (bytes_eq(oid, oid_ec)) {
		good = parse_ec(&alg, bits, out);
	} else if (bytes_eq(oid, oid_ed25519)) {
		good = bits.len == 32 && rd_left(&alg) == 0;
		out->type = KEY_ED25519;
		out->value = bits;
	}
	return good ? OK : ERR_MALFORMED;
}

bool pubkey_equal(const struct pubkey *a, const struct pubkey *b)
{
	return a->type == b->type && a->type != KEY_OTHER &&
	       bytes_eq(a->value, b->value) &&
	       bytes_eq(a->exponent, b->exponent);
}

static size_t bit_len(struct bytes number)
{
	size_t bits = 8 * number.len;

	for (uint8_t top = number.len > 0 ? number.p[0] : 0x80; !(top & 0x80);
	     top = (uint8_t)(top << 1))
		bits--;
	return bits;
}

const char *pubkey_weakness(const struct pubkey *k)
{
	struct bytes e = k->exponent;

	switch (k->type) {
	case KEY_OTHER:
		return "a key of a kind that is not supported";
	case KEY_RSA:
		if (bit_len(k->value) < RSA_BITS_MIN)
			return "an RSA key of less than 2048 bits";
		if (bit_len(k->value) > RSA_BITS_MAX)
			return "an RSA key of more than 4096 bits";
		if (!(k->value.p[k->value.len - 1] & 1) || e.len > 8 ||
		    !(e.p[e.len - 1] & 1) || (e.len == 1 && e.p[0] == 1))
			return "an RSA key that is not sound";
		return NULL;
	case KEY_ECP_256:
	case KEY_ECP_384:
	case KEY_ED25519:
		break;
	}
	return NULL;
}

/* --- algorithm identifiers ---------------------------------------------------
 */

/* An AlgorithmIdentifier of a hash: parameters NULL or absent. */
static bool take_hash(struct rd *r, size_t *out_row)
{
	struct rd alg = der_open(r, DER_SEQUENCE);
	struct bytes oid = der_take(&alg, DER_OID);

	if (rd_left(&alg) > 0)
		(void)der_take(&alg, DER_NULL);
	if (rd_finish(&alg) != OK)
		return false;
	for (*out_row = 0; *out_row < COUNT_OF(hashes); (*out_row)++)
		if (bytes_eq(oid, hashes[*out_row].oid))
			return true;
	return false;
}

/* RSASSA-PSS-params, RFC 4055 3.1. What is absent means SHA-1 there, so all
 * but the trailer has to be present, and MGF1 has to use the same hash. */
static enum err parse_pss(struct rd *alg, struct sig_alg *out)
{
	struct rd params, sub, mgf;
	size_t row, mgf_row;

	out->kind = SIG_KIND_PSS;
	out->name = "RSA-PSS with SHA-1 or unusual parameters";
	if (!der_next_is(alg, DER_SEQUENCE))
		return ERR_UNSUPPORTED;
	params = der_open(alg, DER_SEQUENCE);
	if (!der_next_is(&params, DER_EXPLICIT(0)))
		return ERR_UNSUPPORTED;
	sub = der_open(&params, DER_EXPLICIT(0));
	if (!take_hash(&sub, &row) || rd_finish(&sub) != OK ||
	    !der_next_is(&params, DER_EXPLICIT(1)))
		return ERR_UNSUPPORTED;
	sub = der_open(&params, DER_EXPLICIT(1));
	mgf = der_open(&sub, DER_SEQUENCE);
	if (!bytes_eq(der_take(&mgf, DER_OID), oid_mgf1) ||
	    !take_hash(&mgf, &mgf_row) || rd_finish(&mgf) != OK ||
	    rd_finish(&sub) != OK || mgf_row != row ||
	    !der_next_is(&params, DER_EXPLICIT(2)))
		return ERR_UNSUPPORTED;
	sub = der_open(&params, DER_EXPLICIT(2));
	out->salt_len = der_uint(&sub);
	if (rd_finish(&sub) != OK || out->salt_len > RSA_BITS_MAX / 8)
		return ERR_UNSUPPORTED;
	if (rd_left(&params) > 0) {
		sub = der_open(&params, DER_EXPLICIT(3));
		if (der_uint(&sub) != 1 || rd_finish(&sub) != OK)
			return ERR_UNSUPPORTED;
	}
	if (rd_finish(&params) != OK || rd_finish(alg) != OK)
		return ERR_MALFORMED;
	out->hash = hashes[row].hash;
	out->name = hashes[row].pss_name;
	return OK;
}

/* Parameters: NULL or absent with RSA, absent otherwise. */
static enum err parse_plain(struct rd *alg, const struct alg_row *row,
			    struct sig_alg *out)
{
	out->kind = row->kind;
	out->hash = row->hash;
	out->name = row->name;
	if (row->kind == SIG_KIND_PKCS1 && rd_left(alg) > 0 &&
	    der_take(alg, DER_NULL).len != 0)
		return ERR_MALFORMED;
	return rd_finish(alg) == OK ? OK : ERR_MALFORMED;
}

enum err sig_alg_parse(struct bytes alg_id, struct sig_alg *out)
{
	struct rd all = rd_open(alg_id);
	struct rd alg = der_open(&all, DER_SEQUENCE);
	struct bytes oid = der_take(&alg, DER_OID);

	memset(out, 0, sizeof(*out));
	out->name = "an unknown algorithm";
	if (!rd_ok(&alg) || rd_finish(&all) != OK)
		return ERR_MALFORMED;
	if (bytes_eq(oid, oid_pss))
		return parse_pss(&alg, out);
	for (size_t i = 0; i < COUNT_OF(algs); i++)
		if (bytes_eq(oid, algs[i].oid))
			return parse_plain(&alg, &algs[i], out);
	for (size_t i = 0; i < COUNT_OF(refused_algs); i++)
		if (bytes_eq(oid, refused_algs[i].oid))
			out->name = refused_algs[i].name;
	return ERR_UNSUPPORTED;
}

/* SEQUENCE { hash, NULL }: 15 octets for each of SHA-2. */
static void put_hash(struct wr *w, struct bytes oid)
{
	der_write_head(w, DER_SEQUENCE, oid.len + 4);
	der_write(w, DER_OID, oid);
	der_write_head(w, DER_NULL, 0);
}

static enum err write_pss(struct wr *w, enum hash hash)
{
	size_t row = 0;

	while (row < COUNT_OF(hashes) && hashes[row].hash != hash)
		row++;
	if (row == COUNT_OF(hashes))
		return ERR_UNSUPPORTED;
	der_write_head(w, DER_SEQUENCE, 65);
	der_write(w, DER_OID, oid_pss);
	der_write_head(w, DER_SEQUENCE, 52);
	der_write_head(w, DER_EXPLICIT(0), 15);
	put_hash(w, hashes[row].oid);
	der_write_head(w, DER_EXPLICIT(1), 28);
	der_write_head(w, DER_SEQUENCE, 26);
	der_write(w, DER_OID, oid_mgf1);
	put_hash(w, hashes[row].oid);
	der_write_head(w, DER_EXPLICIT(2), 3);
	der_write_head(w, DER_INTEGER, 1);
	wr_u8(w, (uint8_t)hash_len(hash));
	return wr_finish(w);
}

enum err sig_alg_write(struct wr *w, enum sig_kind kind, enum hash hash)
{
	bool null = kind == SIG_KIND_PKCS1;

	if (kind == SIG_KIND_PSS)
		return write_pss(w, hash);
	for (size_t i = 0; i < COUNT_OF(algs); i++) {
		if (algs[i].kind != kind || algs[i].hash != hash)
			continue;
		der_write_head(w, DER_SEQUENCE,
			       2 + algs[i].oid.len + (null ? 2 : 0));
		der_write(w, DER_OID, algs[i].oid);
		if (null)
			der_write_head(w, DER_NULL, 0);
		return wr_finish(w);
	}
	return ERR_UNSUPPORTED;
}

struct bytes sig_digest_info(enum hash hash)
{
	static const uint8_t sha256[] = {0x30, 0x31, 0x30,	    0x0d,
					 0x06, 0x09, NIST_HASH_ARC, 1,
					 0x05, 0x00, 0x04,	    32};
	static const uint8_t sha384[] = {0x30, 0x41, 0x30,	    0x0d,
					 0x06, 0x09, NIST_HASH_ARC, 2,
					 0x05, 0x00, 0x04,	    48};
	static const uint8_t sha512[] = {0x30, 0x51, 0x30,	    0x0d,
					 0x06, 0x09, NIST_HASH_ARC, 3,
					 0x05, 0x00, 0x04,	    64};

	switch (hash) {
	case HASH_SHA2_256:
		return BYTES_OF(sha256);
	case HASH_SHA2_384:
		return BYTES_OF(sha384);
	case HASH_SHA2_512:
		return BYTES_OF(sha512);
	case HASH_SHA1:
	case HASH_IDENTITY:
		break;
	}
	return BYTES_NONE;
}
