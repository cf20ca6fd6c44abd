/* Points of NIST curves; private to client/crypto. */
#ifndef CLIENT_CRYPTO_EC_H
#define CLIENT_CRYPTO_EC_H

#include "client/crypto/crypto.h"
#include "client/crypto/wolf.h"

#include <wolfssl/wolfcrypt/ecc.h>

#define EC_FIELD_MAX 48

/* The curve of P-256 or P-384 by octets of a coordinate: 32 or 48. */
int ec_curve_id(size_t field_len);
/* Loads the public point x | y (both coordinates at full length) and checks
 * it: in range, on the curve, not at infinity. These curves have cofactor 1,
 * so this is full validation (SP 800-56A 5.6.2.3). ERR_CRYPTO for a bad
 * point. wc_ecc_free(out) after OK only. */
enum err ERR_MUST ec_load_public(struct bytes xy, ecc_key *out);

/* Points multiplied on a NIST curve are cached by this build of wolfSSL, 0.8
 * MB for each, and a second use takes a path that is slow at first, then not
 * constant in time. Called after each such use, all that is avoided. */
void ec_drop_points(void);

#endif
