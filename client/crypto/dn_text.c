/* Distinguished names as people read and write them. */
#include <stdio.h>
#include <string.h>

#include "client/crypto/der.h"
#include "client/crypto/dn.h"
#include "client/crypto/utf8.h"

#define OID_MAX	  24
#define VALUE_MAX 200
#define NAME_MAX  512

/* A kind of attribute; the first label of an OID is the one shown. tag: what
 * RFC 5280 A.1 wants of its values; 0: a DirectoryString. */
struct kind {
	const char *label;
	uint8_t tag;
	uint8_t oid_len;
	uint8_t oid[OID_MAX];
};

#define X520(last)                                                             \
	3,                                                                     \
	{                                                                      \
		0x55, 0x04, last                                               \
	}
#define PILOT(last)                                                            \
	10,                                                                    \
	{                                                                      \
		0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, last     \
	}
#define EMAIL                                                                  \
	9,                                                                     \
	{                                                                      \
		0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01           \
	}

static const struct kind kinds[] = {
	{"CN", 0, X520(3)},
	{"SN", 0, X520(4)},
	{"surname", 0, X520(4)},
	{"serialNumber", DER_PRINTABLE, X520(5)},
	{"C", DER_PRINTABLE, X520(6)},
	{"L", 0, X520(7)},
	{"ST", 0, X520(8)},
	{"S", 0, X520(8)},
	{"street", 0, X520(9)},
	{"O", 0, X520(10)},
	{"OU", 0, X520(11)},
	{"title", 0, X520(12)},
	{"T", 0, X520(12)},
	{"GN", 0, X520(42)},
	{"G", 0, X520(42)},
	{"givenName", 0, X520(42)},
	{"dnQualifier", DER_PRINTABLE, X520(46)},
	{"DC", DER_IA5, PILOT(0x19)},
	{"UID", 0, PILOT(0x01)},
	{"E", DER_IA5, EMAIL},
	{"emailAddress", DER_IA5, EMAIL},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static struct bytes kind_oid(const struct kind *k)
{
	return bytes(k->oid, k->oid_len);
}

/* --- showing ---------------------------------------------------------------
 */

static const char *attribute_label(struct bytes oid, char buf[48])
{
	for (size_t i = 0; i < KINDS; i++)
		if (bytes_eq(oid, kind_oid(&kinds[i])))
			return kinds[i].label;
	return der_oid_text(oid, buf, 48);
}

const char *dn_text(struct bytes name, char *buf, size_t cap)
{
	struct rd r = dn_open(name);
	size_t at = 0;

	buf[0] = '\0';
	while (rd_left(&r) > 0) {
		struct rd set = der_open(&r, DER_SET);

		while (rd_left(&set) > 0 && at < cap) {
			struct dn_attribute a = dn_take(&set);
			char label[48], value[128];
			int n;

			n = snprintf(buf + at, cap - at, "%s%s=%s",
				     at > 0 ? ", " : "",
				     attribute_label(a.oid, label),
				     text_safe(a.value, value, sizeof(value)));
			at += n > 0 ? (size_t)n : 0;
		}
	}
	utf8_trim(buf);
	return buf;
}

/* --- reading ---------------------------------------------------------------
 */

static void skip_spaces(struct rd *r)
{
	while (rd_left(r) > 0 && *r->p == ' ')
		(void)rd_u8(r);
}

/* "2.5.4.97" */
static bool oid_parse(struct bytes text, struct kind *out)
{
	struct wr w = wr_open(out->oid, sizeof(out->oid));
	struct rd r = rd_open(text);
	uint32_t arc = 0, top = 0;
	bool digits = false, end = false;
	size_t arcs = 0;

	while (!end) {
		uint8_t c = '.';

		end = rd_left(&r) == 0;
		if (!end)
			c = rd_u8(&r);
		if (c >= '0' && c <= '9' && arc < 10000000) {
			arc = arc * 10 + (c - '0');
			digits = true;
			continue;
		}
		if (c != '.' || !digits)
			return false;
		if (arcs == 0)
			top = arc;
		else
			der_write_arc(&w, arcs == 1 ? top * 40 + arc : arc);
		arcs++;
		arc = 0;
		digits = false;
	}
	out->oid_len = (uint8_t)wr_len(&w);
	return arcs > 1 && top < 3 && wr_ok(&w);
}

/* "CN=" and the like, with spaces around; takes it. */
static bool take_label(struct rd *r, struct kind *out)
{
	const uint8_t *start;
	struct bytes label;

	skip_spaces(r);
	start = r->p;
	while (rd_left(r) > 0 && *r->p != '=' && *r->p != ' ')
		(void)rd_u8(r);
	label = bytes(start, (size_t)(r->p - start));
	skip_spaces(r);
	if (label.len == 0 || rd_u8(r) != '=')
		return false;
	for (size_t i = 0; i < KINDS; i++)
		if (text_equal(label, bytes_str(kinds[i].label))) {
			*out = kinds[i];
			return true;
		}
	*out = (struct kind){.tag = 0};
	return oid_parse(label, out);
}

/* Up to the separator behind which another attribute begins; without spaces at
 * the ends. */
static void take_value(struct rd *r, uint8_t separator, struct wr *out)
{
	size_t keep = 0;

	skip_spaces(r);
	while (rd_left(r) > 0) {
		struct rd ahead;
		struct kind next;
		uint8_t c = rd_u8(r);

		ahead = *r;
		if (c == separator && take_label(&ahead, &next))
			break;
		if (c == '\\' && rd_left(r) > 0) {
			c = rd_u8(r);
			keep = wr_len(out) + 1;
		}
		wr_u8(out, c);
		if (c != ' ')
			keep = wr_len(out);
	}
	if (wr_ok(out))
		wr_rewind(out, keep);
}

static bool is_printable(struct bytes v)
{
	for (size_t i = 0; i < v.len; i++) {
		uint8_t c = v.p[i], l = c | 0x20;

		if (!(l >= 'a' && l <= 'z') && !(c >= '0' && c <= '9') &&
		    (c == 0 || !strchr(" '()+,-./:=?", c)))
			return false;
	}
	return true;
}

static void write_attribute(struct wr *w, const struct kind *k, struct bytes v)
{
	uint8_t tag =
		k->tag ? k->tag : (is_printable(v) ? DER_PRINTABLE : DER_UTF8);
	size_t len = der_len(k->oid_len) + der_len(v.len);

	der_write_head(w, DER_SET, der_len(len));
	der_write_head(w, DER_SEQUENCE, len);
	der_write(w, DER_OID, kind_oid(k));
	der_write(w, tag, v);
}

enum err dn_parse(struct bytes text, struct wr *w, struct diag *diag)
{
	uint8_t all[NAME_MAX], value[VALUE_MAX];
	struct wr rdns = wr_open(all, sizeof(all));
	struct rd r = rd_open(text);
	uint8_t separator = ',';
	struct kind k;

	if (text.len > 0 && text.p[0] == '/')
		separator = rd_u8(&r);
	while (take_label(&r, &k)) {
		struct wr v = wr_open(value, sizeof(value));

		take_value(&r, separator, &v);
		if (!wr_ok(&v) || wr_len(&v) == 0)
			return diag_set(diag, ERR_MALFORMED,
					"an attribute of a distinguished name "
					"is %s: write e.g. C=DE, O=Example, "
					"CN=gw.example.org",
					wr_ok(&v) ? "empty" : "too long");
		write_attribute(&rdns, &k, wr_view(&v));
		if (rd_left(&r) == 0) {
			if (!wr_ok(&rdns))
				return diag_set(diag, ERR_MALFORMED,
						"the distinguished name is "
						"too long");
			der_write(w, DER_SEQUENCE, wr_view(&rdns));
			return OK;
		}
		/* The separator is taken: an attribute follows. */
	}
	return diag_set(diag, ERR_MALFORMED,
			"no attribute of a distinguished name that is known: "
			"write e.g. C=DE, O=Example, CN=gw.example.org");
}
