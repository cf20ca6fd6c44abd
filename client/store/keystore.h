/* vpn-keystore-tpm and vpn-keystore-secret: small programs without privilege
 * that keep one key, so that their libraries stay out of vpn-connect. Each
 * links one file that defines these; keystore_main.c does the rest.
 */
#ifndef CLIENT_STORE_KEYSTORE_H
#define CLIENT_STORE_KEYSTORE_H

#include "client/store/keystore_proto.h"

/* Each fills out, which is zeroed, and its status. */
void keystore_put(const struct keystore_request *request,
		  struct keystore_reply *out);
void keystore_get(const struct keystore_request *request,
		  struct keystore_reply *out);
void keystore_drop(const struct keystore_request *request,
		   struct keystore_reply *out);

/* Not OK, with a line for a person. */
void keystore_refuse(struct keystore_reply *out, enum keystore_status status,
		     const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
