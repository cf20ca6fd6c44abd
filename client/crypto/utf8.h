/* UTF-8 (RFC 3629); private to client/crypto. */
#ifndef CLIENT_CRYPTO_UTF8_H
#define CLIENT_CRYPTO_UTF8_H

#include "platform/base/bytes.h"

/* The next code point. false: malformed, or nothing left. */
bool utf8_next(struct rd *r, uint32_t *out);
/* Takes an unfinished sequence off the end of a text that was cut. */
void utf8_trim(char *text);

#endif
