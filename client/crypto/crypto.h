/* All cryptography. This folder is the only place that knows wolfSSL.
 *
 * Nothing here reads a clock or a file. Key exchange takes its randomness from
 * the caller; only signatures, and the blinding of private values, draw from
 * the generator that crypto_open seeded from the system. That one is shared:
 * key exchange, private keys and certificates are for one thread. A cipher
 * is for one thread at a time, each its own.
 */
#ifndef CLIENT_CRYPTO_CRYPTO_H
#define CLIENT_CRYPTO_CRYPTO_H

#include "client/crypto/algs.h"
#include "platform/base/secret.h"

/* Once a process, before anything else here; crypto_close at its end. */
enum err ERR_MUST crypto_open(struct diag *diag);
void crypto_close(void);

/* --- randomness as a value ------------------------------------------- */

/* Deterministic generator: ChaCha20 with fast key erasure. Seeded by the
 * caller from the system, or from a test's seed. */
struct rng {
	uint8_t key[32];
};
void rng_seed(struct rng *rng, const uint8_t seed[32]);
void rng_draw(struct rng *rng, void *out, size_t len);
void rng_wipe(struct rng *rng);

/* --- hash and PRF ----------------------------------------------------- */

/* out: hash_len(hash) octets. parts are hashed one after the other. */
enum err ERR_MUST crypto_hash(enum hash hash, const struct bytes *parts,
			      size_t n_parts, uint8_t *out);
/* prf(key, parts...), RFC 7296 2.13; out->len becomes the PRF's length. */
enum err ERR_MUST crypto_prf(enum prf prf, struct bytes key,
			     const struct bytes *parts, size_t n_parts,
			     struct secret *out);
/* prf+(key, parts...), RFC 7296 2.13: fills out with out_len octets. */
enum err ERR_MUST crypto_prf_plus(enum prf prf, struct bytes key,
				  const struct bytes *parts, size_t n_parts,
				  uint8_t *out, size_t out_len);

/* --- combined encryption, for SK payloads, ESP and the cache ----------- */

/* One direction's transform: an AEAD, or CBC encrypt-then-MAC. Keyed once,
 * allocates nothing afterwards. */
struct cipher;

struct cipher_algs {
	enum encr encr;
	uint16_t key_bits; /* 128, 192, 256; of the encryption key */
	enum integ integ;  /* INTEG_NONE with an AEAD */
};

/* Octets of keying material: encryption key and salt / integrity key. */
enum err ERR_MUST cipher_key_lens(const struct cipher_algs *algs,
				  size_t *out_encr_len, size_t *out_integ_len);
/* ERR_CRYPTO: they are not of these lengths. */
enum err ERR_MUST cipher_check_keys(const struct cipher_algs *algs,
				    struct bytes encr_key,
				    struct bytes integ_key);
/* encr_key includes the salt at its end (RFC 4106 8.1). Copies the keys. */
enum err ERR_MUST cipher_new(const struct cipher_algs *algs,
			     struct bytes encr_key, struct bytes integ_key,
			     struct cipher **out);
void cipher_free(struct cipher **c); /* wipes */
size_t cipher_iv_len(const struct cipher *c);
size_t cipher_icv_len(const struct cipher *c);
/* Padding aligns the encrypted part to this many octets (16 for CBC, 4
 * for AEADs in ESP; IKE needs 1 for AEADs and may use it so). */
size_t cipher_align(const struct cipher *c);
bool cipher_is_aead(const struct cipher *c);

/* What one call works on. All places are the caller's; body is transformed
 * in place. head is authenticated and not encrypted (for an AEAD it is the
 * AAD; for CBC+HMAC it is MACed before iv and body); tail is MACed after
 * the ciphertext by CBC+HMAC only (ESN high half) and ignored by AEADs. */
struct cipher_text {
	struct bytes head;
	const uint8_t *iv; /* cipher_iv_len octets, set by the caller */
	uint8_t *body;
	size_t body_len; /* a multiple of 16 for CBC */
	struct bytes tail;
	uint8_t *icv; /* cipher_icv_len octets */
};
enum err ERR_MUST cipher_seal(struct cipher *c, const struct cipher_text *t);
/* ERR_INTEGRITY leaves body unspecified; it must not be used. */
enum err ERR_MUST cipher_open(struct cipher *c, const struct cipher_text *t);

/* --- key exchange ------------------------------------------------------ */

struct ke; /* one private value, single use */

enum err ERR_MUST ke_new(enum ke_method method, struct rng *rng,
			 struct ke **out);
/* The Key Exchange Data, ke_find(method)->public_len octets, left-padded. */
struct bytes ke_public(const struct ke *ke);
/* Checks peer's value (length, 0, 1, p-1, off curve, all-zero X25519
 * result: ERR_CRYPTO) and gives the shared secret, left-padded. out:
 * KE_SHARED_MAX octets; the caller wipes it. */
enum err ERR_MUST ke_shared(struct ke *ke, struct bytes peer, uint8_t *out,
			    size_t *out_len);
void ke_free(struct ke **ke); /* wipes */

/* --- certificates and signatures ---------------------------------------- */

#define CERT_CHAIN_MAX 8
#define SIG_MAX	       512	      /* RSA-4096 */
#define AUTH_DATA_MAX  (SIG_MAX + 80) /* with RFC 7427's prefix */

/* Methods of the AUTH payload that carry a signature (RFC 7296 3.8). */
enum sig_method {
	SIG_RSA_SHA1 = 1,
	SIG_ECDSA_256 = 9,
	SIG_ECDSA_384 = 10,
	SIG_DIGITAL = 14 /* RFC 7427 */
};

/* A private key, from PEM or DER (PKCS#1, SEC1, PKCS#8; PKCS#8 encrypted
 * with pass, which may be empty). RSA of 2048 to 4096 bits, ECDSA P-256 and
 * P-384, Ed25519. ERR_NEEDS_PERSON: a passphrase is needed or wrong;
 * ERR_UNSUPPORTED, ERR_MALFORMED; each with a diag line. */
struct privkey;
enum err ERR_MUST privkey_load(struct bytes file, struct bytes pass,
			       struct privkey **out, struct diag *diag);
/* Does it take a passphrase to load it? */
bool privkey_is_encrypted(struct bytes file);
void privkey_free(struct privkey **k);
/* The AUTH payload's data for method SIG_DIGITAL: ASN.1 length octet,
 * AlgorithmIdentifier, signature (RFC 7427 3). peer_hashes: bit (1 << hash)
 * for each of SIGNATURE_HASH_ALGORITHMS; RSA uses PSS unless prefer_pkcs1
 * (some gateways know only that). ERR_NO_PROPOSAL where no hash is common.
 * With peer_hashes 0 the peer lacks RFC 7427: the old method of the key is
 * used (RSA: SHA-1 is refused with ERR_NO_PROPOSAL) and told by out_method. */
struct sign_policy {
	uint32_t peer_hashes;
	bool prefer_pkcs1;
};
enum err ERR_MUST privkey_sign(struct privkey *k, const struct sign_policy *pol,
			       const struct bytes *parts, size_t n_parts,
			       uint8_t out[AUTH_DATA_MAX], size_t *out_len,
			       enum sig_method *out_method);
/* Does the key belong to this certificate (DER)? */
bool privkey_matches(const struct privkey *k, struct bytes cert_der);

/* Trust anchors: PEM or DER files, one or many certificates in each. */
struct trust;
enum err ERR_MUST trust_new(struct trust **out);
enum err ERR_MUST trust_add(struct trust *t, struct bytes file,
			    struct diag *diag);
/* DER SHA-1 hashes of the anchors' SubjectPublicKeyInfo, 20 octets each, for
 * CERTREQ (RFC 7296 3.7); at most cap anchors; returns the count written. */
size_t trust_keyids(const struct trust *t, uint8_t *out, size_t cap);
void trust_free(struct trust **t);

/* The gateway's identity as it must stand in its certificate. */
enum peer_name_type { PEER_DNS, PEER_IP, PEER_EMAIL, PEER_DN };
struct peer_name {
	enum peer_name_type type;
	struct bytes value; /* text; 4 or 16 octets; text; DER Name */
};

/* Validates a chain (DER, end entity first, others in any order, at most
 * CERT_CHAIN_MAX): signatures, validity at now (Unix seconds), CA flags,
 * path length, key usage, name constraints, no SHA-1 or MD5, RSA >= 2048
 * bits, extended key usage (serverAuth, ipsecIKE, ikeIntermediate, any, or
 * absent), and the name against the subjectAltName, where "*.example.org"
 * stands for one label (PEER_DN: the subject, or a directoryName there). An
 * end entity that is itself among the anchors needs no issuer. A refusal is
 * ERR_UNTRUSTED and a diag line: why, and the next step. */
enum err ERR_MUST cert_verify(const struct trust *t, const struct bytes *certs,
			      size_t n_certs, const struct peer_name *name,
			      int64_t now, struct diag *diag);
/* The same for a client's certificate, as the test gateway sees it: extended
 * key usage is not looked at. */
enum err ERR_MUST cert_verify_client(const struct trust *t,
				     const struct bytes *certs, size_t n_certs,
				     const struct peer_name *name, int64_t now,
				     struct diag *diag);
/* Checks the AUTH data of a peer over parts with the key of cert (DER).
 * method 14: RFC 7427 (PKCS#1 v1.5 and PSS with SHA-2, ECDSA with SHA-2,
 * Ed25519); 9 and 10: RFC 4754; 1 (RSA with SHA-1): refused.
 * ERR_AUTH on a wrong signature, ERR_UNSUPPORTED on a refused algorithm. */
enum err ERR_MUST sig_verify(struct bytes cert_der, enum sig_method method,
			     struct bytes auth_data, const struct bytes *parts,
			     size_t n_parts, struct diag *diag);
/* One PEM or DER file to DER certificates: views into the returned buffer.
 * gives *out_buf (free()). ERR_MALFORMED, or ERR_NO_SPACE for more than cap,
 * with a diag line. */
enum err ERR_MUST cert_load(struct bytes file, struct bytes *out_certs,
			    size_t cap, size_t *out_n, uint8_t **out_buf,
			    struct diag *diag);
/* Subject of a certificate as a person reads it, "C=XX, O=Lab, CN=gw". */
const char *cert_subject(struct bytes cert_der, char *buf, size_t cap);
/* The same as a DER Name, a view; BYTES_NONE: not a certificate. */
struct bytes cert_subject_name(struct bytes cert_der);

/* --- EAP-MSCHAPv2 (RFC 2759, RFC 3079) ------------------------------------ */

struct mschap_in {
	struct bytes user;	    /* without a domain prefix */
	struct bytes password;	    /* UTF-8 */
	uint8_t auth_challenge[16]; /* the gateway's */
	uint8_t peer_challenge[16]; /* ours */
};
struct mschap_out {
	uint8_t nt_response[24];
	char auth_response[43]; /* "S=" and 40 hex digits, NUL */
	struct secret msk;	/* 64 octets, RFC 3079 + RFC 3748 7.10 */
};
/* The MSK is the same on both sides: the server's MasterReceiveKey, which is
 * the client's send key, then the other one, 16 octets each, then zeros to
 * 64. Wipe out->msk. ERR_MALFORMED for a password that is not UTF-8,
 * ERR_NO_SPACE for one of more than 256 UTF-16 units. */
enum err ERR_MUST mschap_compute(const struct mschap_in *in,
				 struct mschap_out *out);

#endif
