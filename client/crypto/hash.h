/* Hashes and HMAC in pieces; private to client/crypto. */
#ifndef CLIENT_CRYPTO_HASH_H
#define CLIENT_CRYPTO_HASH_H

#include "client/crypto/crypto.h"
#include "client/crypto/wolf.h"

#include <wolfssl/wolfcrypt/sha.h>
#include <wolfssl/wolfcrypt/sha256.h>
#include <wolfssl/wolfcrypt/sha512.h>

/* A running hash. Errors are sticky in rc: what wolfSSL answered, 0 is good. */
struct hash_ctx {
	enum hash hash;
	int rc;
	union {
		wc_Sha sha1;
		wc_Sha256 sha256;
		wc_Sha512 sha512; /* SHA-384 has the same state */
	} u;
};

void hash_init(struct hash_ctx *ctx, enum hash hash);
void hash_update(struct hash_ctx *ctx, struct bytes b);
/* out: hash_len octets. Wipes ctx. */
enum err ERR_MUST hash_final(struct hash_ctx *ctx, uint8_t *out);

/* An HMAC key as the two hash states after its pads (RFC 2104): a message
 * then costs no compression for the key. */
struct hmac_key {
	enum hash hash;
	struct hash_ctx inner;
	struct hash_ctx outer;
};

enum err ERR_MUST hmac_key_set(struct hmac_key *k, enum hash hash,
			       struct bytes key);
void hmac_key_wipe(struct hmac_key *k);
/* Message: hmac_start, hash_update..., hmac_final. out: hash_len octets. */
void hmac_start(const struct hmac_key *k, struct hash_ctx *ctx);
enum err ERR_MUST hmac_final(const struct hmac_key *k, struct hash_ctx *ctx,
			     uint8_t *out);

#endif
