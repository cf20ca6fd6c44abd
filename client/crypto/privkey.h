/* A private key, loaded; private to client/crypto. */
#ifndef CLIENT_CRYPTO_PRIVKEY_H
#define CLIENT_CRYPTO_PRIVKEY_H

#include "client/crypto/ec.h"
#include "client/crypto/sig.h"

#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/rsa.h>

struct privkey {
	struct pubkey pub; /* views into the two below */
	uint8_t value[SIG_MAX];
	uint8_t exponent[8];
	union {
		RsaKey rsa;
		ecc_key ec;
		ed25519_key ed;
	} u;
};

#endif
