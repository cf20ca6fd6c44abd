#include "client/run/dataplane.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/base/log.h"

#define CHILDREN_MAX 4 /* old and new one of each of two rekeys */
#define INNER_MAX    9216

struct child {
	uint32_t spi_in;
	struct esp_sa *in, *out;
	uint64_t born;
	bool retired;
};

struct dataplane {
	int tun_fd;
	struct child children[CHILDREN_MAX];
	struct child *sender; /* NULL: nothing can be sent */
	uint64_t births;
	struct ike_ts_list local, remote;
	struct dataplane_counters counters;
	uint8_t buf[ESP_HEADROOM + INNER_MAX + ESP_TAILROOM];
};

enum err dataplane_new(struct dataplane **out)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return ERR_NO_MEMORY;
	(*out)->tun_fd = -1;
	return OK;
}

static void child_clear(struct child *c)
{
	esp_sa_free(&c->in);
	esp_sa_free(&c->out);
	memset(c, 0, sizeof(*c));
}

void dataplane_clear(struct dataplane *d)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		child_clear(&d->children[i]);
	d->sender = NULL;
}

void dataplane_retire(struct dataplane *d)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		if (d->children[i].retired)
			child_clear(&d->children[i]);
		d->children[i].retired = d->children[i].in != NULL;
	}
}

void dataplane_free(struct dataplane **d)
{
	if (!*d)
		return;
	dataplane_clear(*d);
	free(*d);
	*d = NULL;
}

void dataplane_set_tun(struct dataplane *d, int tun_fd)
{
	d->tun_fd = tun_fd;
}

void dataplane_set_networks(struct dataplane *d,
			    const struct ike_ts_list *local,
			    const struct ike_ts_list *remote)
{
	d->local = *local;
	d->remote = *remote;
}

static struct child *child_find(struct dataplane *d, uint32_t spi_in)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (d->children[i].in && d->children[i].spi_in == spi_in)
			return &d->children[i];
	return NULL;
}

static struct child *child_newest(struct dataplane *d)
{
	struct child *best = NULL;

	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (d->children[i].in &&
		    (!best || d->children[i].born > best->born))
			best = &d->children[i];
	return best;
}

/* A free place, or the oldest one's. */
static struct child *child_place(struct dataplane *d)
{
	struct child *oldest = &d->children[0];

	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		if (!d->children[i].in)
			return &d->children[i];
		if (d->children[i].born < oldest->born)
			oldest = &d->children[i];
	}
	log_warn("esp: too many Child SAs, the oldest goes");
	child_clear(oldest);
	return oldest;
}

enum err dataplane_add(struct dataplane *d, const struct ike_child_sa *child)
{
	struct esp_params p = {.algs = child->suite.cipher,
			       .esn = child->suite.esn};
	struct child *c = child_place(d);
	enum err e;

	p.spi = child->spi_in;
	p.encr_key = child->encr_in;
	p.integ_key = child->integ_in;
	e = esp_sa_new(&p, &c->in);
	if (!e) {
		p.spi = child->spi_out;
		p.encr_key = child->encr_out;
		p.integ_key = child->integ_out;
		e = esp_sa_new(&p, &c->out);
	}
	mem_wipe(&p, sizeof(p));
	if (e) {
		child_clear(c);
		d->sender = child_newest(d);
		return e;
	}
	c->spi_in = child->spi_in;
	c->born = ++d->births;
	d->sender = c;
	return OK;
}

void dataplane_del(struct dataplane *d, uint32_t spi_in)
{
	struct child *c = child_find(d, spi_in);

	if (!c)
		return;
	child_clear(c);
	d->sender = child_newest(d);
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

/* RFC 4301 5.2: what comes in must be what was agreed on. */
static bool inner_allowed(const struct dataplane *d, struct bytes pkt,
			  bool inbound)
{
	struct inner in;

	if (!inner_parse(pkt, &in))
		return false;
	if (inbound)
		return ts_matches(&d->remote, &in.src, &in, in.sport) &&
		       ts_matches(&d->local, &in.dst, &in, in.dport);
	return ts_matches(&d->local, &in.src, &in, in.sport) &&
	       ts_matches(&d->remote, &in.dst, &in, in.dport);
}

static bool send_one(struct dataplane *d, size_t len, dataplane_sink *sink,
		     void *ctx)
{
	struct esp_pkt pkt = {d->buf + ESP_HEADROOM, len};
	uint8_t next = pkt.p[0] >> 4 == 4 ? ESP_NEXT_IPV4 : ESP_NEXT_IPV6;

	if (!d->sender || !inner_allowed(d, bytes(pkt.p, len), false) ||
	    esp_seal(d->sender->out, next, &pkt) != OK) {
		d->counters.dropped_out++;
		return false;
	}
	sink(ctx, bytes(pkt.p, pkt.len));
	d->counters.packets_out++;
	d->counters.octets_out += len;
	return true;
}

bool dataplane_send(struct dataplane *d, dataplane_sink *sink, void *ctx)
{
	bool sent = false;
	ssize_t n;

	for (size_t i = 0; i < DATAPLANE_BATCH; i++) {
		n = read(d->tun_fd, d->buf + ESP_HEADROOM, INNER_MAX);
		if (n <= 0)
			break;
		if (sink && send_one(d, (size_t)n, sink, ctx))
			sent = true;
	}
	return sent;
}

bool dataplane_receive(struct dataplane *d, uint8_t *p, size_t len)
{
	struct esp_pkt pkt = {p, len};
	struct child *c = child_find(d, esp_peek_spi(bytes(p, len)));
	uint8_t next = 0;

	if (!c || esp_open(c->in, &pkt, &next) != OK) {
		d->counters.dropped_in++;
		return false;
	}
	if (pkt.len == 0)
		return true;
	if ((next != ESP_NEXT_IPV4 && next != ESP_NEXT_IPV6) ||
	    (next == ESP_NEXT_IPV4) != (pkt.p[0] >> 4 == 4) ||
	    !inner_allowed(d, bytes(pkt.p, pkt.len), true)) {
		d->counters.dropped_in++;
		return true;
	}
	if (write(d->tun_fd, pkt.p, pkt.len) < 0)
		d->counters.dropped_in++;
	d->counters.packets_in++;
	d->counters.octets_in += pkt.len;
	return true;
}

const struct dataplane_counters *dataplane_counters(const struct dataplane *d)
{
	return &d->counters;
}
