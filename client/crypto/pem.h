/* PEM blocks (RFC 7468). */
#ifndef CLIENT_CRYPTO_PEM_H
#define CLIENT_CRYPTO_PEM_H

#include "platform/base/bytes.h"

struct pem_block {
	struct bytes label; /* "CERTIFICATE" */
	struct bytes body;  /* between the two lines */
};

/* The next block of *rest, which moves behind it. false: none is left. */
bool pem_next(struct bytes *rest, struct pem_block *out);
/* Decodes the body. out: as long as the body. ERR_MALFORMED. */
enum err ERR_MUST pem_decode(const struct pem_block *block, uint8_t *out,
			     size_t *out_len);
/* gives *out, a text with the block (free). */
enum err ERR_MUST pem_encode(const char *label, struct bytes der, char **out);

#endif
