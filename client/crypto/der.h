/* Strict DER over the read cursor; private to client/crypto.
 *
 * Whatever is not DER (another tag than asked for, an indefinite or padded
 * length) makes the cursor's error stick, as a short read does. */
#ifndef CLIENT_CRYPTO_DER_H
#define CLIENT_CRYPTO_DER_H

#include "platform/base/bytes.h"

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_UTF8 = 0x0c,
	DER_PRINTABLE = 0x13,
	DER_TELETEX = 0x14,
	DER_IA5 = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31
};
#define DER_CONTEXT(n)	(0x80 | (n)) /* implicit, primitive */
#define DER_EXPLICIT(n) (0xa0 | (n)) /* context, constructed */

/* Is this the next element's tag? false at the end. */
bool der_next_is(const struct rd *r, uint8_t tag);
/* Content of the next element, which has this tag. */
struct bytes der_take(struct rd *r, uint8_t tag);
/* The next element with its header. */
struct bytes der_take_whole(struct rd *r, uint8_t tag);
/* The next element, whatever it is. */
struct bytes der_take_any(struct rd *r, uint8_t *out_tag);
/* A cursor over the content; when that fails both are in error. */
struct rd der_open(struct rd *r, uint8_t tag);
/* An INTEGER of at most 31 bits that is not negative. */
uint32_t der_uint(struct rd *r);
/* A positive INTEGER without its sign octet, as in RSA keys. */
struct bytes der_positive(struct rd *r);
/* A BOOLEAN that is there or has its default. */
bool der_bool(struct rd *r, bool absent);
/* A BIT STRING of whole octets. */
struct bytes der_bits(struct rd *r);
/* UTCTime or GeneralizedTime as RFC 5280 4.1.2.5 has them: Unix seconds. */
int64_t der_time(struct rd *r);
void der_fail(struct rd *r);

/* Writing: an element's length with so much content; its header; the whole. */
size_t der_len(size_t content);
void der_write_head(struct wr *w, uint8_t tag, size_t content);
void der_write(struct wr *w, uint8_t tag, struct bytes content);
/* One number of an object identifier, less than 2^28. */
void der_write_arc(struct wr *w, uint32_t arc);

/* Unix seconds as "2026-01-02" in UTC; needs no clock and no time zone. */
const char *der_date(int64_t t, char buf[16]);
/* An object identifier as "2.5.29.17". */
const char *der_oid_text(struct bytes oid, char *buf, size_t cap);

#endif
