/* Distinguished names: walking and comparing them. */
#include "client/crypto/dn.h"

#include <string.h>

#include "client/crypto/der.h"
#include "client/crypto/utf8.h"

static const uint8_t email_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7,
				    0x0d, 0x01, 0x09, 0x01};
static const uint8_t cn_oid[] = {0x55, 0x04, 0x03};
const struct bytes dn_oid_email = {email_oid, sizeof(email_oid)};
const struct bytes dn_oid_cn = {cn_oid, sizeof(cn_oid)};

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

bool text_equal(struct bytes a, struct bytes b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

bool text_ends(struct bytes name, struct bytes tail)
{
	return name.len >= tail.len &&
	       text_equal(bytes(name.p + name.len - tail.len, tail.len), tail);
}

/* The output is UTF-8 whatever comes in: it goes to terminals and into JSON. */
const char *text_safe(struct bytes b, char *buf, size_t cap)
{
	struct rd r = rd_open(b);
	size_t n = 0;

	while (rd_left(&r) > 0) {
		const uint8_t *start = r.p;
		uint32_t cp;
		size_t len;

		if (!utf8_next(&r, &cp)) {
			/* Goes on after the octet that did not fit. */
			r = rd_open(b);
			(void)rd_take(&r, (size_t)(start - b.p) + 1);
			cp = 0;
		}
		len = cp == 0 ? 1 : (size_t)(r.p - start);
		if (n + len + 1 > cap)
			break;
		if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0)) {
			buf[n++] = '?';
			continue;
		}
		memcpy(buf + n, start, len);
		n += len;
	}
	buf[n] = '\0';
	return buf;
}

/* --- walking ---------------------------------------------------------------
 */

struct rd dn_open(struct bytes name)
{
	struct rd all = rd_open(name);

	return der_open(&all, DER_SEQUENCE);
}

struct dn_attribute dn_take(struct rd *set)
{
	struct rd pair = der_open(set, DER_SEQUENCE);
	struct dn_attribute a = {.oid = der_take(&pair, DER_OID)};

	a.value = der_take_any(&pair, &a.tag);
	return a;
}

static bool is_text(uint8_t tag)
{
	return tag == DER_UTF8 || tag == DER_PRINTABLE || tag == DER_IA5 ||
	       tag == DER_TELETEX;
}

/* The next character, runs of spaces as one and none at the ends; -1 after
 * the last. */
static int next_char(struct bytes *rest, bool at_start)
{
	bool space = false;
	int c;

	while (rest->len > 0 && rest->p[0] == ' ') {
		space = true;
		*rest = bytes(rest->p + 1, rest->len - 1);
	}
	if (rest->len == 0)
		return -1;
	if (space && !at_start)
		return ' ';
	c = lower(rest->p[0]);
	*rest = bytes(rest->p + 1, rest->len - 1);
	return c;
}

static bool same_text(struct bytes a, struct bytes b)
{
	bool start = true;
	int x, y;

	do {
		x = next_char(&a, start);
		y = next_char(&b, start);
		start = false;
	} while (x == y && x >= 0);
	return x == y;
}

static bool same_attribute(const struct dn_attribute *a,
			   const struct dn_attribute *b)
{
	if (!bytes_eq(a->oid, b->oid))
		return false;
	if (a->tag == b->tag && bytes_eq(a->value, b->value))
		return true;
	return is_text(a->tag) && is_text(b->tag) &&
	       same_text(a->value, b->value);
}

/* Takes one RDN from each and compares; DER sorts the members of a set. */
static bool same_rdn(struct rd *a, struct rd *b)
{
	struct rd x = der_open(a, DER_SET), y = der_open(b, DER_SET);

	while (rd_left(&x) > 0 && rd_left(&y) > 0) {
		struct dn_attribute p = dn_take(&x);
		struct dn_attribute q = dn_take(&y);

		if (!same_attribute(&p, &q))
			return false;
	}
	return rd_finish(&x) == OK && rd_finish(&y) == OK;
}

bool dn_within(struct bytes base, struct bytes name)
{
	struct rd a = dn_open(base), b = dn_open(name);

	while (rd_left(&a) > 0)
		if (!same_rdn(&a, &b))
			return false;
	return rd_ok(&a) && rd_ok(&b);
}

bool dn_equal(struct bytes a, struct bytes b)
{
	struct rd x, y;

	if (bytes_eq(a, b))
		return true;
	x = dn_open(a);
	y = dn_open(b);
	while (rd_left(&x) > 0 && rd_left(&y) > 0)
		if (!same_rdn(&x, &y))
			return false;
	return rd_finish(&x) == OK && rd_finish(&y) == OK;
}

bool dn_find(struct bytes name, struct bytes oid, struct bytes *out)
{
	struct rd r = dn_open(name);

	while (rd_left(&r) > 0) {
		struct rd set = der_open(&r, DER_SET);

		while (rd_left(&set) > 0) {
			struct dn_attribute a = dn_take(&set);

			if (bytes_eq(a.oid, oid)) {
				*out = a.value;
				return true;
			}
		}
	}
	return false;
}
