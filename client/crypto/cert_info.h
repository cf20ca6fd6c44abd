/* What may be told of a certificate, without judging it. */
#ifndef CLIENT_CRYPTO_CERT_INFO_H
#define CLIENT_CRYPTO_CERT_INFO_H

#include "platform/base/bytes.h"

#include <stdint.h>

/* Unix seconds. ERR_MALFORMED. */
enum err ERR_MUST cert_validity(struct bytes der, int64_t *out_not_before,
				int64_t *out_not_after);
/* The first e-mail address, else the first DNS name in its subjectAltName, else
 * its subject as dn_parse takes it: what its holder may call himself in IKE.
 * ERR_NOT_FOUND, ERR_MALFORMED. */
enum err ERR_MUST cert_identity(struct bytes der, char *buf, size_t cap);

#endif
