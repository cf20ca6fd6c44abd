/* What the key exchange methods share; private to client/crypto. */
#ifndef CLIENT_CRYPTO_KE_H
#define CLIENT_CRYPTO_KE_H

#include "client/crypto/crypto.h"

#define KE_PRIVATE_MAX 48

struct ke {
	const struct ke_info *info;
	uint8_t priv[KE_PRIVATE_MAX]; /* big-endian but for X25519 */
	size_t priv_len;
	uint8_t pub[KE_PUBLIC_MAX];
};

/* Each draws ke's private value from rng and computes the public one. */
enum err ERR_MUST ke_x25519_make(struct ke *ke, struct rng *rng);
enum err ERR_MUST ke_ecp_make(struct ke *ke, struct rng *rng);
enum err ERR_MUST ke_modp_make(struct ke *ke, struct rng *rng);

/* Each checks peer (of the right length) and writes info->shared_len octets. */
enum err ERR_MUST ke_x25519_agree(struct ke *ke, const uint8_t *peer,
				  uint8_t *out);
enum err ERR_MUST ke_ecp_agree(struct ke *ke, const uint8_t *peer,
			       uint8_t *out);
enum err ERR_MUST ke_modp_agree(struct ke *ke, const uint8_t *peer,
				uint8_t *out);

/* The prime of a MODP group, big-endian; BYTES_NONE for another method. */
struct bytes ke_prime(enum ke_method method);

#endif
