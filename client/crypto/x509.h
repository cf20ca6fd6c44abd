/* One certificate, read; private to client/crypto.
 *
 * Why not wolfSSL's own certificate code: it takes the time from the system,
 * ignores some name constraints (5.5.4: addresses), copies into tens of
 * kilobytes for each certificate, and its error numbers do not tell a person
 * what to do. The signatures are wolfSSL's; reading and path rules are ours.
 */
#ifndef CLIENT_CRYPTO_X509_H
#define CLIENT_CRYPTO_X509_H

#include "client/crypto/crypto.h"
#include "client/crypto/dn.h"
#include "client/crypto/sig.h"

/* KeyUsage bits as they stand in the first octet (RFC 5280 4.2.1.3). */
#define KU_DIGITAL_SIGNATURE 0x80
#define KU_NON_REPUDIATION   0x40
#define KU_KEY_CERT_SIGN     0x04

/* GeneralName choices (RFC 5280 4.2.1.6) as tags. */
enum general_name {
	GN_EMAIL = 0x81,
	GN_DNS = 0x82,
	GN_DIRECTORY = 0xa4, /* explicit: Name is a CHOICE */
	GN_URI = 0x86,
	GN_IP = 0x87
};

/* Everything is a view into der. */
struct x509 {
	struct bytes der;
	struct bytes tbs;     /* whole, as signed */
	struct bytes sig_alg; /* whole AlgorithmIdentifier */
	struct bytes sig;
	struct bytes issuer, subject; /* whole Names */
	struct bytes spki;	      /* whole */
	struct pubkey key;
	int64_t not_before, not_after; /* Unix seconds */
	uint8_t version;	       /* 1 to 3 */
	bool is_ca;
	int path_len; /* -1: no limit */
	bool has_key_usage;
	uint8_t key_usage;
	bool has_ext_usage;
	bool for_gateway; /* an extended key usage fit for a gateway */
	struct bytes san; /* content of GeneralNames; len 0: none */
	bool has_constraints;
	struct bytes permitted, excluded; /* content of GeneralSubtrees */
	struct bytes subject_key_id, authority_key_id;
	struct bytes unknown_critical; /* OID; len 0: none */
};

/* der: one certificate and nothing behind it. ERR_MALFORMED. */
enum err ERR_MUST x509_parse(struct bytes der, struct x509 *out);
/* Is subject also issuer? */
bool x509_self_issued(const struct x509 *c);

/* --- names --- */

/* Is peer among the names of the certificate? ERR_UNTRUSTED with a line. */
enum err ERR_MUST x509_check_name(const struct x509 *c,
				  const struct peer_name *peer,
				  struct diag *diag);
/* Are all names of c within the name constraints of ca? ERR_UNTRUSTED with a
 * line (RFC 5280 4.2.1.10). */
enum err ERR_MUST x509_check_constraints(const struct x509 *ca,
					 const struct x509 *c,
					 struct diag *diag);

/* --- trust anchors --- */

struct anchor {
	struct x509 cert;
	uint8_t keyid[20];
};

struct trust {
	struct anchor *list;
	size_t n;
	uint8_t **bufs; /* what the anchors point into */
	size_t n_bufs;
};

#endif
