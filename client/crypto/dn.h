/* Distinguished names (RFC 5280 4.1.2.4) in DER. */
#ifndef CLIENT_CRYPTO_DN_H
#define CLIENT_CRYPTO_DN_H

#include "platform/base/bytes.h"

/* RFC 5280 7.1, short of internationalisation: the same attributes in the same
 * order; strings compare without case and with spaces squeezed. */
bool dn_equal(struct bytes a, struct bytes b);
/* Does name begin with all the RDNs of base? */
bool dn_within(struct bytes base, struct bytes name);
/* The content of the value of the first attribute of this kind; any string
 * type. */
bool dn_find(struct bytes name, struct bytes oid, struct bytes *out);
extern const struct bytes dn_oid_email;
extern const struct bytes dn_oid_cn;

/* "C=XX, O=Lab, CN=gw", cut to cap; what is no text becomes '?'. */
const char *dn_text(struct bytes name, char *buf, size_t cap);
/* The other way, also from "/C=XX/O=Lab/CN=gw": attributes in the order of the
 * certificate, which RFC 4514 turns around. A comma (or slash) that no
 * attribute follows is part of the value, and so is what stands behind a
 * backslash. ERR_MALFORMED with a diag line; what does not fit w is its
 * overflow. */
enum err ERR_MUST dn_parse(struct bytes text, struct wr *w, struct diag *diag);

/* Walking: a cursor over the RDNs, each a DER_SET; the next attribute of one.
 */
struct dn_attribute {
	struct bytes oid;
	uint8_t tag; /* of the value: DER_UTF8, say */
	struct bytes value;
};
struct rd dn_open(struct bytes name);
struct dn_attribute dn_take(struct rd *set);

/* Octets as a line of UTF-8, cut to cap; what is no text becomes '?'. */
const char *text_safe(struct bytes b, char *buf, size_t cap);
/* Equal without ASCII case. */
bool text_equal(struct bytes a, struct bytes b);
/* Does name end in tail, without ASCII case? */
bool text_ends(struct bytes name, struct bytes tail);

#endif
