/* The algorithms we speak, each IANA number once.
 * Registry: "IKEv2 Parameters", transform types 1 to 5 (RFC 7296 3.3.2,
 * recommendations RFC 8247). */
#ifndef CLIENT_CRYPTO_ALGS_H
#define CLIENT_CRYPTO_ALGS_H

#include "platform/base/bytes.h"

/* X(name, IANA number, word in a profile, key octets (0: by attribute),
 *   salt octets, IV octets, ICV octets (0: needs an integrity algorithm),
 *   alignment of the encrypted part) */
#define ENCR_LIST(X)                                                           \
	X(ENCR_AES_CBC, 12, "aes", 0, 0, 16, 0, 16)	 /* RFC 3602 */        \
	X(ENCR_AES_GCM_16, 20, "aesgcm", 0, 4, 8, 16, 4) /* RFC 4106 */        \
	X(ENCR_CHACHA20_POLY1305, 28, "chacha20poly1305", 32, 4, 8, 16,        \
	  4) /* RFC 7634 */

/* X(name, number, word, output octets, preferred key octets) */
#define PRF_LIST(X)                                                            \
	X(PRF_HMAC_SHA2_256, 5, "prfsha256", 32, 32) /* RFC 4868 */            \
	X(PRF_HMAC_SHA2_384, 6, "prfsha384", 48, 48)                           \
	X(PRF_HMAC_SHA2_512, 7, "prfsha512", 64, 64)

/* X(name, number, word, key octets, ICV octets) */
#define INTEG_LIST(X)                                                          \
	X(INTEG_NONE, 0, "none", 0, 0)                                         \
	X(INTEG_HMAC_SHA2_256_128, 12, "sha256", 32, 16) /* RFC 4868 */        \
	X(INTEG_HMAC_SHA2_384_192, 13, "sha384", 48, 24)                       \
	X(INTEG_HMAC_SHA2_512_256, 14, "sha512", 64, 32)

/* X(name, number, word, octets of the public value on the wire, octets of
 *   the shared secret) */
#define KE_LIST(X)                                                             \
	X(KE_NONE, 0, "none", 0, 0)                                            \
	X(KE_MODP_2048, 14, "modp2048", 256, 256) /* RFC 3526 */               \
	X(KE_MODP_3072, 15, "modp3072", 384, 384)                              \
	X(KE_MODP_4096, 16, "modp4096", 512, 512)                              \
	X(KE_ECP_256, 19, "ecp256", 64, 32) /* RFC 5903 */                     \
	X(KE_ECP_384, 20, "ecp384", 96, 48)                                    \
	X(KE_X25519, 31, "x25519", 32, 32) /* RFC 8031 */

/* X(name, number, digest octets): RFC 7427 section 7 hash algorithms */
#define HASH_LIST(X)                                                           \
	X(HASH_SHA1, 1, 20)                                                    \
	X(HASH_SHA2_256, 2, 32)                                                \
	X(HASH_SHA2_384, 3, 48)                                                \
	X(HASH_SHA2_512, 4, 64)                                                \
	X(HASH_IDENTITY, 5, 0) /* RFC 8420: Ed25519 */

enum encr {
#define X(name, num, ...) name = num,
	ENCR_LIST(X)
#undef X
};
enum prf {
#define X(name, num, ...) name = num,
	PRF_LIST(X)
#undef X
};
enum integ {
#define X(name, num, ...) name = num,
	INTEG_LIST(X)
#undef X
};
enum ke_method {
#define X(name, num, ...) name = num,
	KE_LIST(X)
#undef X
};
enum hash {
#define X(name, num, ...) name = num,
	HASH_LIST(X)
#undef X
};

struct encr_info {
	uint16_t num;
	const char *word;
	uint8_t key_len; /* 0: the Key Length attribute says it */
	uint8_t salt_len;
	uint8_t iv_len;
	uint8_t icv_len; /* 0: not an AEAD */
	uint8_t align;
};
struct prf_info {
	uint16_t num;
	const char *word;
	uint8_t out_len;
	uint8_t key_len;
};
struct integ_info {
	uint16_t num;
	const char *word;
	uint8_t key_len;
	uint8_t icv_len;
};
struct ke_info {
	uint16_t num;
	const char *word;
	uint16_t public_len;
	uint16_t shared_len;
};

#define KE_PUBLIC_MAX 512
#define KE_SHARED_MAX 512
#define HASH_MAX      64
#define PRF_MAX	      64

/* By IANA number; NULL for a number we do not speak. */
const struct encr_info *encr_find(uint16_t num);
const struct prf_info *prf_find(uint16_t num);
const struct integ_info *integ_find(uint16_t num);
const struct ke_info *ke_find(uint16_t num);
size_t hash_len(enum hash hash); /* 0 for HASH_IDENTITY and unknown */
/* The RFC's name of an algorithm for people, also of those we refuse
 * ("3DES", "MODP-1024"); type: transform type 1 to 5. Never NULL. */
const char *alg_name(uint8_t type, uint16_t num);

#endif
