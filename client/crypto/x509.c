/* RFC 5280 section 4: the structure of a certificate. */
#include "client/crypto/x509.h"

#include <string.h>

#include "client/crypto/der.h"

/* --- extensions ------------------------------------------------------------
 */

static void parse_basic_constraints(struct rd *value, struct x509 *c)
{
	struct rd r = der_open(value, DER_SEQUENCE);

	c->is_ca = der_bool(&r, false);
	if (rd_left(&r) > 0) {
		uint32_t n = der_uint(&r);

		/* A limit without CA has no meaning: 4.2.1.9 forbids it. */
		if (!c->is_ca)
			der_fail(&r);
		c->path_len = n > 255 ? 255 : (int)n;
	}
	if (rd_finish(&r) != OK)
		der_fail(value);
}

static void parse_key_usage(struct rd *value, struct x509 *c)
{
	struct bytes b = der_take(value, DER_BIT_STRING);

	if (b.len < 2 || b.len > 3 || b.p[0] > 7) {
		der_fail(value);
		return;
	}
	c->has_key_usage = true;
	c->key_usage = b.p[1];
}

/* serverAuth, IKE intermediate, ipsecIKE (RFC 4945 5.1.3.12), any. */
static void parse_ext_key_usage(struct rd *value, struct x509 *c)
{
	static const uint8_t server_auth[] = {0x2b, 0x06, 0x01, 0x05,
					      0x05, 0x07, 0x03, 0x01};
	static const uint8_t ipsec_ike[] = {0x2b, 0x06, 0x01, 0x05,
					    0x05, 0x07, 0x03, 0x11};
	static const uint8_t ike_intermediate[] = {0x2b, 0x06, 0x01, 0x05,
						   0x05, 0x08, 0x02, 0x02};
	static const uint8_t any[] = {0x55, 0x1d, 0x25, 0x00};
	struct rd r = der_open(value, DER_SEQUENCE);

	c->has_ext_usage = true;
	if (rd_left(&r) == 0)
		der_fail(&r);
	while (rd_left(&r) > 0) {
		struct bytes oid = der_take(&r, DER_OID);

		if (bytes_eq(oid, BYTES_OF(server_auth)) ||
		    bytes_eq(oid, BYTES_OF(ipsec_ike)) ||
		    bytes_eq(oid, BYTES_OF(ike_intermediate)) ||
		    bytes_eq(oid, BYTES_OF(any)))
			c->for_gateway = true;
	}
	if (!rd_ok(&r))
		der_fail(value);
}

static void parse_alt_names(struct rd *value, struct x509 *c)
{
	struct rd r;
	uint8_t tag;

	c->san = der_take(value, DER_SEQUENCE);
	if (c->san.len == 0) /* SIZE (1..MAX) */
		der_fail(value);
	/* Walked once here, so that later walks cannot fail. */
	r = rd_open(c->san);
	while (rd_left(&r) > 0)
		(void)der_take_any(&r, &tag);
	if (!rd_ok(&r))
		der_fail(value);
}

static void parse_name_constraints(struct rd *value, struct x509 *c)
{
	struct rd r = der_open(value, DER_SEQUENCE);

	c->has_constraints = true;
	if (der_next_is(&r, DER_EXPLICIT(0)))
		c->permitted = der_take(&r, DER_EXPLICIT(0));
	if (der_next_is(&r, DER_EXPLICIT(1)))
		c->excluded = der_take(&r, DER_EXPLICIT(1));
	if (rd_finish(&r) != OK || c->permitted.len + c->excluded.len == 0)
		der_fail(value);
}

static void parse_subject_key_id(struct rd *value, struct x509 *c)
{
	c->subject_key_id = der_take(value, DER_OCTET_STRING);
}

static void parse_authority_key_id(struct rd *value, struct x509 *c)
{
	struct rd r = der_open(value, DER_SEQUENCE);

	if (der_next_is(&r, DER_CONTEXT(0)))
		c->authority_key_id = der_take(&r, DER_CONTEXT(0));
	(void)rd_rest(&r); /* issuer and serial number: not needed */
	if (!rd_ok(&r))
		der_fail(value);
}

/* Policies bind nobody who asks for none (RFC 5280 6.1.1 c): any will do. */
static void parse_policies(struct rd *value, struct x509 *c)
{
	(void)der_take(value, DER_SEQUENCE);
}

/* All are 2.5.29.last. */
static const struct {
	uint8_t last;
	void (*parse)(struct rd *value, struct x509 *c);
} known[] = {
	{14, parse_subject_key_id},   {15, parse_key_usage},
	{17, parse_alt_names},	      {19, parse_basic_constraints},
	{30, parse_name_constraints}, {32, parse_policies},
	{35, parse_authority_key_id}, {37, parse_ext_key_usage},
};

static void parse_extension(struct rd *list, struct x509 *c, uint32_t *seen)
{
	struct rd r = der_open(list, DER_SEQUENCE);
	struct bytes oid = der_take(&r, DER_OID);
	bool critical = der_bool(&r, false);
	struct rd value = der_open(&r, DER_OCTET_STRING);

	if (rd_finish(&r) != OK) {
		der_fail(list);
		return;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const uint8_t own[] = {0x55, 0x1d, known[i].last};

		if (!bytes_eq(oid, BYTES_OF(own)))
			continue;
		if (*seen & 1u << i) /* 4.2: no extension twice */
			der_fail(list);
		*seen |= 1u << i;
		known[i].parse(&value, c);
		if (rd_finish(&value) != OK)
			der_fail(list);
		return;
	}
	if (critical && c->unknown_critical.len == 0)
		c->unknown_critical = oid;
}

static void parse_extensions(struct rd *tbs, struct x509 *c)
{
	struct rd outer, list;
	uint32_t seen = 0;

	outer = der_open(tbs, DER_EXPLICIT(3));
	list = der_open(&outer, DER_SEQUENCE);
	while (rd_left(&list) > 0)
		parse_extension(&list, c, &seen);
	if (!rd_ok(&list) || rd_finish(&outer) != OK || c->version != 3)
		der_fail(tbs);
}

/* --- the whole ---------------------------------------------------------------
 */

static uint8_t parse_version(struct rd *tbs)
{
	struct rd r;
	uint32_t v;

	if (!der_next_is(tbs, DER_EXPLICIT(0)))
		return 1;
	r = der_open(tbs, DER_EXPLICIT(0));
	v = der_uint(&r);
	if (rd_finish(&r) != OK || v > 2)
		der_fail(tbs);
	return (uint8_t)(v + 1);
}

/* The Name's structure, once, so that later walks cannot fail. */
static struct bytes take_name(struct rd *tbs)
{
	struct bytes whole = der_take_whole(tbs, DER_SEQUENCE);
	struct rd all = rd_open(whole);
	struct rd name = der_open(&all, DER_SEQUENCE);
	uint8_t tag;

	while (rd_left(&name) > 0) {
		struct rd set = der_open(&name, DER_SET);

		while (rd_left(&set) > 0) {
			struct rd pair = der_open(&set, DER_SEQUENCE);

			(void)der_take(&pair, DER_OID);
			(void)der_take_any(&pair, &tag);
			if (rd_finish(&pair) != OK)
				der_fail(&set);
		}
		if (!rd_ok(&set))
			der_fail(&name);
	}
	if (!rd_ok(&name))
		der_fail(tbs);
	return whole;
}

static void parse_validity(struct rd *tbs, struct x509 *c)
{
	struct rd r = der_open(tbs, DER_SEQUENCE);

	c->not_before = der_time(&r);
	c->not_after = der_time(&r);
	if (rd_finish(&r) != OK)
		der_fail(tbs);
}

static enum err parse_tbs(struct x509 *c)
{
	struct rd all = rd_open(c->tbs);
	struct rd tbs = der_open(&all, DER_SEQUENCE);
	struct bytes inner_alg;

	c->version = parse_version(&tbs);
	(void)der_take(&tbs, DER_INTEGER); /* serial number */
	inner_alg = der_take_whole(&tbs, DER_SEQUENCE);
	c->issuer = take_name(&tbs);
	parse_validity(&tbs, c);
	c->subject = take_name(&tbs);
	c->spki = der_take_whole(&tbs, DER_SEQUENCE);
	if (der_next_is(&tbs, DER_CONTEXT(1)))
		(void)der_take(&tbs, DER_CONTEXT(1));
	if (der_next_is(&tbs, DER_CONTEXT(2)))
		(void)der_take(&tbs, DER_CONTEXT(2));
	if (rd_left(&tbs) > 0)
		parse_extensions(&tbs, c);
	/* 4.1.1.2: the signed algorithm is the one that is used. */
	if (rd_finish(&tbs) != OK || !bytes_eq(inner_alg, c->sig_alg))
		return ERR_MALFORMED;
	return pubkey_parse(c->spki, &c->key);
}

enum err x509_parse(struct bytes der, struct x509 *out)
{
	struct rd all = rd_open(der);
	struct rd cert = der_open(&all, DER_SEQUENCE);

	memset(out, 0, sizeof(*out));
	out->der = der;
	out->path_len = -1;
	out->tbs = der_take_whole(&cert, DER_SEQUENCE);
	out->sig_alg = der_take_whole(&cert, DER_SEQUENCE);
	out->sig = der_bits(&cert);
	if (rd_finish(&cert) != OK || rd_finish(&all) != OK)
		return ERR_MALFORMED;
	return parse_tbs(out);
}

bool x509_self_issued(const struct x509 *c)
{
	return dn_equal(c->issuer, c->subject);
}
