/* PKCS#12 (RFC 7292): a key and its certificates under a password, as
 * browsers, phones and certificate authorities hand them out. */
#ifndef CLIENT_CRYPTO_P12_H
#define CLIENT_CRYPTO_P12_H

#include "platform/base/bytes.h"

/* PEM texts; NULL where there is none. */
struct p12 {
	char *key;  /* PKCS#8, not encrypted: a secret */
	char *cert; /* that belongs to the key, and its chain behind it */
	char *ca;   /* all that issued themselves */
};

/* gives *out (p12_free). password: UTF-8, may be empty. ERR_NEEDS_PERSON: the
 * password is wrong; ERR_UNSUPPORTED: an algorithm we lack (RC2);
 * ERR_MALFORMED; each with a diag line. After crypto_open. */
enum err ERR_MUST p12_open(struct bytes file, const char *password,
			   struct p12 *out, struct diag *diag);
void p12_free(struct p12 *p); /* wipes */

#endif
