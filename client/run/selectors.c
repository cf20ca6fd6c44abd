#include "client/run/selectors.h"

#include <string.h>

void selectors_set(struct selectors *s, const struct ike_ts_list *local,
		   const struct ike_ts_list *remote)
{
	s->local = *local;
	s->remote = *remote;
	s->key_len = 0;
}

/* Source, destination, next header and ports of an inner packet. */
struct inner {
	struct addr src, dst;
	uint8_t proto;
	uint16_t sport, dport;
	bool has_ports;
};

static void inner_ports(struct inner *in, struct rd *r)
{
	if (in->proto != 6 && in->proto != 17 && in->proto != 132)
		return;
	in->sport = rd_u16(r);
	in->dport = rd_u16(r);
	in->has_ports = rd_ok(r);
}

static bool inner_parse_v4(struct bytes pkt, struct inner *out)
{
	struct rd r = rd_open(pkt);
	size_t header_len = (size_t)(rd_u8(&r) & 15) * 4;
	bool later_fragment;

	rd_take(&r, 5);
	later_fragment = (rd_u16(&r) & 0x1fff) != 0;
	rd_take(&r, 1);
	out->proto = rd_u8(&r);
	rd_take(&r, 2);
	if (addr_from_bytes(rd_take(&r, 4), 0, &out->src) ||
	    addr_from_bytes(rd_take(&r, 4), 0, &out->dst) || header_len < 20)
		return false;
	rd_take(&r, header_len - 20);
	if (!later_fragment)
		inner_ports(out, &r);
	return true;
}

static bool inner_parse_v6(struct bytes pkt, struct inner *out)
{
	struct rd r = rd_open(pkt);

	rd_take(&r, 6);
	out->proto = rd_u8(&r);
	rd_take(&r, 1);
	if (addr_from_bytes(rd_take(&r, 16), 0, &out->src) ||
	    addr_from_bytes(rd_take(&r, 16), 0, &out->dst))
		return false;
	inner_ports(out, &r);
	return true;
}

static bool inner_parse(struct bytes pkt, struct inner *out)
{
	memset(out, 0, sizeof(*out));
	if (pkt.len == 0)
		return false;
	if (pkt.p[0] >> 4 == 4)
		return inner_parse_v4(pkt, out);
	return pkt.p[0] >> 4 == 6 && inner_parse_v6(pkt, out);
}

static bool ts_matches(const struct ike_ts_list *list, const struct addr *a,
		       const struct inner *in, uint16_t port)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct ike_ts *ts = &list->ts[i];
		bool any_port = ts->port_from == 0 && ts->port_to == 0xffff;

		if (ts->from.family != a->family ||
		    addr_cmp_host(a, &ts->from) < 0 ||
		    addr_cmp_host(a, &ts->to) > 0)
			continue;
		if (ts->proto && ts->proto != in->proto)
			continue;
		if (any_port || (in->has_ports && port >= ts->port_from &&
				 port <= ts->port_to))
			return true;
	}
	return false;
}

static bool allow(const struct selectors *s, struct bytes pkt, bool inbound)
{
	struct inner in;

	if (!inner_parse(pkt, &in))
		return false;
	if (inbound)
		return ts_matches(&s->remote, &in.src, &in, in.sport) &&
		       ts_matches(&s->local, &in.dst, &in, in.dport);
	return ts_matches(&s->local, &in.src, &in, in.sport) &&
	       ts_matches(&s->remote, &in.dst, &in, in.dport);
}

/* All that the answer depends on, of the usual packet: no options and no
 * fragment, with ports. 0: another kind. */
static size_t key_of(struct bytes pkt, uint8_t key[SELECTORS_KEY_MAX])
{
	bool v4 = pkt.len >= 24 && pkt.p[0] == 0x45 && !(pkt.p[6] & 0x3f) &&
		  !pkt.p[7];
	bool v6 = pkt.len >= 44 && pkt.p[0] >> 4 == 6;
	size_t addrs = v4 ? 12 : 8, len = v4 ? 12 : 36; /* ports behind */

	if (!v4 && !v6)
		return 0;
	key[0] = v4 ? pkt.p[9] : pkt.p[6];
	memcpy(key + 1, pkt.p + addrs, len);
	return 1 + len;
}

bool selectors_allow(struct selectors *s, struct bytes pkt, bool inbound)
{
	uint8_t key[SELECTORS_KEY_MAX];
	size_t len = key_of(pkt, key);

	if (len && len == s->key_len && memcmp(key, s->key, len) == 0)
		return true;
	if (!allow(s, pkt, inbound))
		return false;
	s->key_len = len;
	memcpy(s->key, key, len);
	return true;
}
