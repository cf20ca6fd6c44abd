/* Traffic selectors, RFC 7296 3.13, and what may be done with them. */
#include "client/ike/msg.h"

#include <string.h>

#define TS_HDR_LEN  8 /* type, protocol, length, ports */
#define PORT_ANY_TO 65535

/* --- parse and write -------------------------------------------------------
 */

static enum err ts_read(uint8_t type, struct rd *r, struct ike_ts *out)
{
	size_t len = type == TS_IPV4_ADDR_RANGE ? 4 : 16;
	struct bytes from, to;
	bool opaque;
	enum err e;

	out->port_from = rd_u16(r);
	out->port_to = rd_u16(r);
	from = rd_take(r, len);
	to = rd_take(r, len);
	e = rd_finish(r);
	if (e == OK)
		e = addr_from_bytes(from, 0, &out->from);
	if (e == OK)
		e = addr_from_bytes(to, 0, &out->to);
	if (e != OK)
		return e;
	/* 65535 to 0 is OPAQUE: ports exist and cannot be seen (3.13.1). */
	opaque = out->port_from == PORT_ANY_TO && out->port_to == 0;
	if (out->port_from > out->port_to && !opaque)
		return ERR_MALFORMED;
	return addr_cmp_host(&out->from, &out->to) <= 0 ? OK : ERR_MALFORMED;
}

enum err ike_ts_parse(struct bytes body, struct ike_ts_list *out)
{
	struct rd r = rd_open(body);
	struct ike_ts ts;
	struct rd sub;
	uint8_t count = rd_u8(&r);
	uint8_t type;
	uint16_t len;
	enum err e;

	out->n = 0;
	rd_take(&r, 3); /* reserved */
	if (!rd_ok(&r))
		return ERR_TRUNCATED;
	if (count == 0)
		return ERR_MALFORMED;
	for (; count > 0; count--) {
		type = rd_u8(&r);
		ts.proto = rd_u8(&r);
		len = rd_u16(&r);
		if (rd_ok(&r) && len < 4)
			return ERR_MALFORMED;
		sub = rd_sub(&r, (size_t)len - 4);
		if (!rd_ok(&r))
			return ERR_TRUNCATED;
		if (type != TS_IPV4_ADDR_RANGE && type != TS_IPV6_ADDR_RANGE)
			continue;
		e = ts_read(type, &sub, &ts);
		/* Short inside its own length: wrong, not cut off. */
		if (e != OK)
			return ERR_MALFORMED;
		if (out->n < IKE_TS_MAX)
			out->ts[out->n++] = ts;
	}
	return rd_finish(&r);
}

void ike_wr_ts(struct ike_wr *m, uint8_t payload,
	       const struct ike_ts_list *list)
{
	const struct ike_ts *ts;

	ike_wr_open_payload(m, payload);
	wr_u8(&m->w, (uint8_t)list->n);
	wr_zeros(&m->w, 3);
	for (size_t i = 0; i < list->n; i++) {
		ts = &list->ts[i];
		wr_u8(&m->w, ts->from.family == ADDR_V4 ? TS_IPV4_ADDR_RANGE
							: TS_IPV6_ADDR_RANGE);
		wr_u8(&m->w, ts->proto);
		wr_u16(&m->w, (uint16_t)(TS_HDR_LEN + 2 * addr_len(&ts->from)));
		wr_u16(&m->w, ts->port_from);
		wr_u16(&m->w, ts->port_to);
		wr_bytes(&m->w, addr_view(&ts->from));
		wr_bytes(&m->w, addr_view(&ts->to));
	}
	ike_wr_close_payload(m);
}

/* --- sets of addresses -----------------------------------------------------
 */

/* The last address of the block that begins at a and fixes its first bits. */
static struct addr block_last(const struct addr *a, size_t bits)
{
	struct addr last = *a;

	for (size_t i = bits; i < addr_len(a) * 8; i++)
		last.b[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return last;
}

void ike_ts_from_prefix(const struct prefix *p, struct ike_ts *out)
{
	memset(out, 0, sizeof(*out));
	out->port_to = PORT_ANY_TO;
	out->from = p->addr;
	out->from.port = 0;
	out->to = block_last(&out->from, p->bits);
}

static bool ports_all(const struct ike_ts *ts)
{
	return ts->port_from == 0 && ts->port_to == PORT_ANY_TO;
}

static bool ports_opaque(const struct ike_ts *ts)
{
	return ts->port_from > ts->port_to;
}

/* What a and b share; false when nothing. OPAQUE lies inside "all ports" and
 * meets no other range (RFC 4301 4.4.1.1). */
static bool ts_intersect(const struct ike_ts *a, const struct ike_ts *b,
			 struct ike_ts *out)
{
	if (a->from.family != b->from.family ||
	    (a->proto != b->proto && a->proto != 0 && b->proto != 0))
		return false;
	*out = *a;
	out->proto = a->proto != 0 ? a->proto : b->proto;
	if (addr_cmp_host(&b->from, &out->from) > 0)
		out->from = b->from;
	if (addr_cmp_host(&b->to, &out->to) < 0)
		out->to = b->to;
	if (addr_cmp_host(&out->from, &out->to) > 0)
		return false;
	if (ports_opaque(a) || ports_opaque(b)) {
		if (ports_opaque(b)) {
			out->port_from = b->port_from;
			out->port_to = b->port_to;
		}
		return (ports_opaque(a) || ports_all(a)) &&
		       (ports_opaque(b) || ports_all(b));
	}
	if (b->port_from > out->port_from)
		out->port_from = b->port_from;
	if (b->port_to < out->port_to)
		out->port_to = b->port_to;
	return out->port_from <= out->port_to;
}

static bool ts_same(const struct ike_ts *a, const struct ike_ts *b)
{
	return a->proto == b->proto && a->port_from == b->port_from &&
	       a->port_to == b->port_to && addr_eq_host(&a->from, &b->from) &&
	       addr_eq_host(&a->to, &b->to);
}

static bool ts_inside(const struct ike_ts *inner, const struct ike_ts *outer)
{
	struct ike_ts both;

	return ts_intersect(inner, outer, &both) && ts_same(&both, inner);
}

static bool ts_inside_list(const struct ike_ts *inner,
			   const struct ike_ts_list *outer)
{
	for (size_t i = 0; i < outer->n; i++)
		if (ts_inside(inner, &outer->ts[i]))
			return true;
	return false;
}

bool ike_ts_subset(const struct ike_ts_list *inner,
		   const struct ike_ts_list *outer)
{
	for (size_t i = 0; i < inner->n; i++)
		if (!ts_inside_list(&inner->ts[i], outer))
			return false;
	return true;
}

void ike_ts_narrow(const struct ike_ts_list *offer,
		   const struct ike_ts_list *policy, struct ike_ts_list *out)
{
	struct ike_ts both;

	out->n = 0;
	for (size_t i = 0; i < offer->n; i++)
		for (size_t k = 0; k < policy->n && out->n < IKE_TS_MAX; k++)
			if (ts_intersect(&offer->ts[i], &policy->ts[k],
					 &both) &&
			    !ts_inside_list(&both, out))
				out->ts[out->n++] = both;
}

static size_t trailing_zero_bits(const struct addr *a)
{
	size_t total = addr_len(a) * 8;
	size_t n = 0;

	while (n < total && !(a->b[(total - 1 - n) / 8] >> n % 8 & 1))
		n++;
	return n;
}

static void addr_increment(struct addr *a)
{
	for (size_t i = addr_len(a); i > 0; i--)
		if (++a->b[i - 1] != 0)
			return;
}

size_t ike_ts_to_prefixes(const struct ike_ts *ts, struct prefix *out,
			  size_t cap)
{
	struct addr at = ts->from;
	struct addr last;
	size_t total = addr_len(&at) * 8;
	size_t bits;

	at.port = 0;
	if (total == 0 || at.family != ts->to.family ||
	    addr_cmp_host(&at, &ts->to) > 0)
		return 0;
	for (size_t n = 0; n < cap; n++) {
		bits = total - trailing_zero_bits(&at);
		last = block_last(&at, bits);
		while (addr_cmp_host(&last, &ts->to) > 0)
			last = block_last(&at, ++bits);
		out[n] = (struct prefix){at, (uint8_t)bits};
		if (addr_eq_host(&last, &ts->to))
			return n + 1;
		at = last;
		addr_increment(&at);
	}
	return 0;
}
