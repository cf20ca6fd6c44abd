/* Public keys and signatures as X.509 and RFC 7427 write them; private to
 * client/crypto. */
#ifndef CLIENT_CRYPTO_SIG_H
#define CLIENT_CRYPTO_SIG_H

#include "client/crypto/crypto.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096

enum key_type { KEY_OTHER, KEY_RSA, KEY_ECP_256, KEY_ECP_384, KEY_ED25519 };

/* Views into a SubjectPublicKeyInfo. */
struct pubkey {
	enum key_type type;
	struct bytes value;    /* RSA: modulus; EC: x | y; Ed25519: 32 octets */
	struct bytes exponent; /* RSA only */
};

/* ERR_MALFORMED; a kind of key we do not know is KEY_OTHER. */
enum err ERR_MUST pubkey_parse(struct bytes spki, struct pubkey *out);
bool pubkey_equal(const struct pubkey *a, const struct pubkey *b);
/* Why the key must not be used, "an RSA key of less than 2048 bits"; NULL for
 * a good key. */
const char *pubkey_weakness(const struct pubkey *k);

enum sig_kind { SIG_KIND_PKCS1, SIG_KIND_PSS, SIG_KIND_ECDSA, SIG_KIND_EDDSA };

/* What a signature AlgorithmIdentifier says. */
struct sig_alg {
	enum sig_kind kind;
	enum hash hash;
	uint32_t salt_len; /* PSS */
	const char *name;  /* for people; never NULL after a parse */
};

/* alg_id: the whole SEQUENCE. ERR_MALFORMED, or ERR_UNSUPPORTED (with a name)
 * for SHA-1, MD5 and what we do not know. */
enum err ERR_MUST sig_alg_parse(struct bytes alg_id, struct sig_alg *out);
/* The DER of the AlgorithmIdentifier of a kind with SHA-2 (or Ed25519),
 * salt as long as the hash. */
enum err ERR_MUST sig_alg_write(struct wr *w, enum sig_kind kind,
				enum hash hash);
/* DigestInfo, RFC 8017 9.2, up to the digest itself. */
struct bytes sig_digest_info(enum hash hash);

/* OK, ERR_AUTH (wrong signature), or ERR_UNSUPPORTED (weak key, or not of the
 * algorithm's kind). */
enum err ERR_MUST sig_check(const struct pubkey *key, const struct sig_alg *alg,
			    const struct bytes *parts, size_t n_parts,
			    struct bytes sig);
/* ECDSA with the signature as r | s (RFC 4754). */
enum err ERR_MUST sig_check_raw(const struct pubkey *key, enum hash hash,
				const struct bytes *parts, size_t n_parts,
				struct bytes sig);
/* wolfSSL's numbers for a hash and for MGF1 over it. */
int sig_wolf_hash(enum hash hash);
int sig_wolf_mgf(enum hash hash);

#endif
