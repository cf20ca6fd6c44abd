/* The one way in to wolfSSL; private to client/crypto. */
#ifndef CLIENT_CRYPTO_WOLF_H
#define CLIENT_CRYPTO_WOLF_H

/* A C library header first: options.h defines _FORTIFY_SOURCE, which must
 * not change what our own build asked for. */
#include <stdint.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/settings.h>
#include <wolfssl/wolfcrypt/types.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/random.h>

/* The process's generator, for blinding and for signatures. It lives from
 * crypto_open to crypto_close; NULL outside. Not for several threads. */
WC_RNG *wolf_rng(void);

#endif
