/* One side of a TLS 1.2 handshake over octets, for EAP-TLS (RFC 5216): who
 * has them sent is the caller's business, no data goes through it. */
#ifndef CLIENT_CRYPTO_TLS_H
#define CLIENT_CRYPTO_TLS_H

#include "client/crypto/crypto.h"

/* Borrowed until tls_free. */
struct tls_config {
	bool is_server;		   /* the tests' */
	const struct bytes *certs; /* ours, DER, end entity first */
	size_t n_certs;
	const struct privkey *key;
	const struct trust *trust; /* of the other side */
	struct peer_name peer;	   /* as its certificate must name it */
	int64_t now;		   /* Unix seconds */
};

struct tls;
enum err ERR_MUST tls_new(const struct tls_config *c, struct tls **out,
			  struct diag *diag);
void tls_free(struct tls **t); /* wipes */
/* Takes a whole flight of the other side (none, for a client that begins) and
 * gives ours, a view until the next call; empty when nothing is to be sent, an
 * alert perhaps with an error. *out_done: both sides have proved themselves.
 * ERR_UNTRUSTED: the other side's certificate; ERR_AUTH: it refused ours;
 * ERR_PEER: anything else. */
enum err ERR_MUST tls_step(struct tls *t, struct bytes in,
			   struct bytes *out_flight, bool *out_done,
			   struct diag *diag);
/* The MSK, 64 octets (RFC 5216 2.3). ERR_STATE before the end. */
enum err ERR_MUST tls_msk(struct tls *t, struct secret *out);

#endif
