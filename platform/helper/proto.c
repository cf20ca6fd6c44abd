#include "platform/helper/proto.h"

#include <string.h>

#define NETD_MAGIC   0x56504e44u /* "VPND" */
#define NETD_VERSION 2

/* --- requests ---------------------------------------------------- */

/* -1 for one that does not exist. */
static int verb_body_len(uint8_t verb)
{
	switch (verb) {
#define X(name, num, len)                                                      \
	case num:                                                              \
		return len;
		NETD_VERB_LIST(X)
#undef X
	}
	return -1;
}

static void head_write(struct wr *w, uint8_t verb)
{
	wr_u32(w, NETD_MAGIC);
	wr_u8(w, NETD_VERSION);
	wr_u8(w, verb);
	wr_u16(w, 0);
}

static void addr_write(struct wr *w, const struct addr *a)
{
	wr_u8(w, a->family);
	wr_bytes(w, BYTES_OF(a->b));
}

static void prefix_write(struct wr *w, const struct prefix *p)
{
	wr_u8(w, p->addr.family);
	wr_u8(w, p->bits);
	wr_bytes(w, BYTES_OF(p->addr.b));
}

static void domain_write(struct wr *w, const char *domain)
{
	size_t len = strnlen(domain, NET_DOMAIN_LEN - 1);

	wr_bytes(w, bytes(domain, len));
	wr_zeros(w, NET_DOMAIN_LEN - len);
}

static void conf_write(struct wr *w, const struct net_conf *c)
{
	static const struct prefix no_prefix;
	static const struct addr no_addr;

	wr_u16(w, c->mtu);
	wr_u8(w, c->n_addrs);
	wr_u8(w, c->n_routes);
	wr_u8(w, c->n_dns);
	wr_u8(w, c->n_domains);
	wr_u8(w, c->dns_all);
	wr_u8(w, c->allow_lan);
	wr_u8(w, c->block_rest);
	for (size_t i = 0; i < NET_ADDRS_MAX; i++)
		prefix_write(w, i < c->n_addrs ? &c->addrs[i] : &no_prefix);
	for (size_t i = 0; i < NET_ROUTES_MAX; i++)
		prefix_write(w, i < c->n_routes ? &c->routes[i] : &no_prefix);
	for (size_t i = 0; i < NET_DNS_MAX; i++)
		addr_write(w, i < c->n_dns ? &c->dns[i] : &no_addr);
	for (size_t i = 0; i < NET_DOMAINS_MAX; i++)
		domain_write(w, i < c->n_domains ? c->domains[i] : "");
}

static void way_write(struct wr *w, const struct net_way *way)
{
	addr_write(w, &way->local);
	wr_u16(w, way->local.port);
	addr_write(w, &way->remote);
	wr_u16(w, way->remote.port);
}

/* A key longer than its room is refused by netd_check_sa before. */
static void key_write(struct wr *w, const struct secret *key, size_t room)
{
	size_t len = key->len < room ? key->len : room;

	wr_u8(w, (uint8_t)key->len);
	wr_bytes(w, bytes(key->b, len));
	wr_zeros(w, room - len);
}

static void sa_write(struct wr *w, const struct net_sa *sa)
{
	wr_u32(w, sa->spi_in);
	wr_u32(w, sa->spi_out);
	way_write(w, &sa->way);
	wr_u8(w, (uint8_t)sa->encr);
	wr_u8(w, (uint8_t)sa->integ);
	wr_u8(w, sa->esn);
	wr_u8(w, sa->send);
	key_write(w, &sa->encr_in, NETD_ENCR_KEY_MAX);
	key_write(w, &sa->integ_in, NETD_INTEG_KEY_MAX);
	key_write(w, &sa->encr_out, NETD_ENCR_KEY_MAX);
	key_write(w, &sa->integ_out, NETD_INTEG_KEY_MAX);
}

enum err netd_write_request(const struct netd_request *req, struct wr *w)
{
	head_write(w, (uint8_t)req->verb);
	switch (req->verb) {
	case NETD_OPEN:
		wr_u8(w, (uint8_t)req->plane);
		break;
	case NETD_UDP:
		wr_u8(w, (uint8_t)req->family);
		wr_u8(w, req->stream);
		break;
	case NETD_SA_ADD:
		sa_write(w, &req->sa);
		break;
	case NETD_SA_MOVE:
		way_write(w, &req->way);
		break;
	case NETD_SA_DEL:
		wr_u32(w, req->spi_in);
		break;
	case NETD_CONF:
		conf_write(w, &req->conf);
		break;
	case NETD_STATS:
	case NETD_CLOSE:
		break;
	}
	return wr_finish(w);
}

static void addr_read(struct rd *r, struct addr *out)
{
	memset(out, 0, sizeof(*out));
	out->family = rd_u8(r);
	rd_copy(r, out->b, sizeof(out->b));
}

static void prefix_read(struct rd *r, struct prefix *out)
{
	memset(out, 0, sizeof(*out));
	out->addr.family = rd_u8(r);
	out->bits = rd_u8(r);
	rd_copy(r, out->addr.b, sizeof(out->addr.b));
}

/* Only structure: a flag is 0 or 1. */
static bool flag_read(struct rd *r, bool *out)
{
	uint8_t v = rd_u8(r);

	*out = v == 1;
	return v <= 1;
}

static enum err conf_read(struct rd *r, struct net_conf *c, struct diag *diag)
{
	bool flags_ok;

	c->mtu = rd_u16(r);
	c->n_addrs = rd_u8(r);
	c->n_routes = rd_u8(r);
	c->n_dns = rd_u8(r);
	c->n_domains = rd_u8(r);
	flags_ok = flag_read(r, &c->dns_all);
	flags_ok = flag_read(r, &c->allow_lan) && flags_ok;
	flags_ok = flag_read(r, &c->block_rest) && flags_ok;
	for (size_t i = 0; i < NET_ADDRS_MAX; i++)
		prefix_read(r, &c->addrs[i]);
	for (size_t i = 0; i < NET_ROUTES_MAX; i++)
		prefix_read(r, &c->routes[i]);
	for (size_t i = 0; i < NET_DNS_MAX; i++)
		addr_read(r, &c->dns[i]);
	for (size_t i = 0; i < NET_DOMAINS_MAX; i++)
		rd_copy(r, c->domains[i], NET_DOMAIN_LEN);
	if (!flags_ok)
		return diag_set(diag, ERR_MALFORMED, "flag is not 0 or 1");
	return netd_check_conf(c, diag);
}

static void way_read(struct rd *r, struct net_way *out)
{
	addr_read(r, &out->local);
	out->local.port = rd_u16(r);
	addr_read(r, &out->remote);
	out->remote.port = rd_u16(r);
}

/* False: longer than its room, or not zero behind its length. */
static bool key_read(struct rd *r, size_t room, struct secret *out)
{
	static const uint8_t zeros[NETD_INTEG_KEY_MAX];
	size_t len = rd_u8(r);
	struct bytes b = rd_take(r, room);

	if (len > room || b.len < room)
		return false;
	memcpy(out->b, b.p, len);
	out->len = len;
	return memcmp(b.p + len, zeros, room - len) == 0;
}

static enum err sa_read(struct rd *r, struct net_sa *sa, struct diag *diag)
{
	bool flags_ok, keys_ok;

	sa->spi_in = rd_u32(r);
	sa->spi_out = rd_u32(r);
	way_read(r, &sa->way);
	sa->encr = (enum net_encr)rd_u8(r);
	sa->integ = (enum net_integ)rd_u8(r);
	flags_ok = flag_read(r, &sa->esn);
	flags_ok = flag_read(r, &sa->send) && flags_ok;
	keys_ok = key_read(r, NETD_ENCR_KEY_MAX, &sa->encr_in);
	keys_ok = key_read(r, NETD_INTEG_KEY_MAX, &sa->integ_in) && keys_ok;
	keys_ok = key_read(r, NETD_ENCR_KEY_MAX, &sa->encr_out) && keys_ok;
	keys_ok = key_read(r, NETD_INTEG_KEY_MAX, &sa->integ_out) && keys_ok;
	if (!flags_ok)
		return diag_set(diag, ERR_MALFORMED, "flag is not 0 or 1");
	if (!keys_ok)
		return diag_set(diag, ERR_MALFORMED, "key is not in its room");
	return netd_check_sa(sa, diag);
}

static enum err plane_read(struct rd *r, enum net_plane *out, struct diag *diag)
{
	uint8_t plane = rd_u8(r);

	*out = (enum net_plane)plane;
	if (plane < NET_PLANE_USER || plane > NET_PLANE_AUTO)
		return diag_set(diag, ERR_MALFORMED, "no such plane: %u",
				plane);
	return OK;
}

static enum err udp_read(struct rd *r, struct netd_request *out,
			 struct diag *diag)
{
	out->family = (enum addr_family)rd_u8(r);
	if (out->family != ADDR_V4 && out->family != ADDR_V6)
		return diag_set(diag, ERR_MALFORMED, "no such address family");
	if (!flag_read(r, &out->stream))
		return diag_set(diag, ERR_MALFORMED, "neither UDP nor TCP");
	return OK;
}

static enum err spi_read(struct rd *r, uint32_t *out, struct diag *diag)
{
	*out = rd_u32(r);
	return netd_check_spi(*out, diag);
}

/* The length is the verb's already. */
static enum err body_read(struct rd *r, struct netd_request *out,
			  struct diag *diag)
{
	switch (out->verb) {
	case NETD_OPEN:
		return plane_read(r, &out->plane, diag);
	case NETD_UDP:
		return udp_read(r, out, diag);
	case NETD_SA_ADD:
		return sa_read(r, &out->sa, diag);
	case NETD_SA_MOVE:
		way_read(r, &out->way);
		return netd_check_way(&out->way, diag);
	case NETD_SA_DEL:
		return spi_read(r, &out->spi_in, diag);
	case NETD_CONF:
		return conf_read(r, &out->conf, diag);
	case NETD_STATS:
	case NETD_CLOSE:
		break;
	}
	return OK;
}

static enum err head_read(struct rd *r, uint8_t *out_verb)
{
	uint32_t magic = rd_u32(r);
	uint8_t version = rd_u8(r);

	*out_verb = rd_u8(r);
	if (rd_u16(r) != 0 || magic != NETD_MAGIC || version != NETD_VERSION ||
	    !rd_ok(r))
		return ERR_MALFORMED;
	return OK;
}

enum err netd_read_request(struct bytes msg, struct netd_request *out,
			   struct diag *diag)
{
	struct rd r = rd_open(msg);
	uint8_t verb;
	enum err e;
	int len;

	memset(out, 0, sizeof(*out));
	if (head_read(&r, &verb))
		return diag_set(diag, ERR_MALFORMED,
				"not a request of this version");
	len = verb_body_len(verb);
	if (len < 0)
		return diag_set(diag, ERR_MALFORMED, "no such verb: %u", verb);
	out->verb = (enum netd_verb)verb;
	if (rd_left(&r) != (size_t)len)
		return diag_set(diag, ERR_MALFORMED,
				"verb %u: wrong length %zu", verb, msg.len);
	e = body_read(&r, out, diag);
	return e ? e : rd_finish(&r);
}

/* --- replies ----------------------------------------------------- */

/* The numbers of `enum err` may move from version to version; these do not.
 */
static const enum err reply_errs[] = {
	OK,
	ERR_MALFORMED,
	ERR_UNSUPPORTED,
	ERR_STATE,
	ERR_PERMISSION,
	ERR_NO_MEMORY,
	ERR_IO,
	ERR_SYS,
	ERR_BUSY,
	ERR_NOT_FOUND,
};

static uint32_t reply_err_number(enum err e)
{
	for (uint32_t i = 0; i < sizeof(reply_errs) / sizeof(*reply_errs); i++)
		if (reply_errs[i] == e)
			return i;
	return reply_err_number(ERR_SYS);
}

/* Fixed room, with a NUL at its end and only printable ASCII before it. */
static void text_write(struct wr *w, const char *text, size_t room)
{
	size_t len = strnlen(text, room - 1);

	for (size_t i = 0; i < len; i++)
		wr_u8(w, text[i] >= ' ' && text[i] <= '~' ? (uint8_t)text[i]
							  : '?');
	wr_zeros(w, room - len);
}

static void stats_write(struct wr *w, const struct net_stats *s)
{
	wr_u64(w, s->packets_in);
	wr_u64(w, s->packets_out);
	wr_u64(w, s->octets_in);
	wr_u64(w, s->octets_out);
	wr_u64(w, s->dropped_in);
	wr_u64(w, s->dropped_out);
	wr_u64(w, (uint64_t)s->heard_ago_s);
	wr_u64(w, (uint64_t)s->spoke_ago_s);
}

static void stats_read(struct rd *r, struct net_stats *out)
{
	out->packets_in = rd_u64(r);
	out->packets_out = rd_u64(r);
	out->octets_in = rd_u64(r);
	out->octets_out = rd_u64(r);
	out->dropped_in = rd_u64(r);
	out->dropped_out = rd_u64(r);
	out->heard_ago_s = (int64_t)rd_u64(r);
	out->spoke_ago_s = (int64_t)rd_u64(r);
}

enum err netd_write_reply(const struct netd_reply *reply, struct wr *w)
{
	head_write(w, reply->verb);
	wr_u32(w, reply_err_number(reply->err));
	wr_u32(w, reply->ifindex);
	wr_u8(w, (uint8_t)reply->plane);
	text_write(w, reply->name, NET_NAME_LEN);
	stats_write(w, &reply->stats);
	text_write(w, reply->text, NETD_TEXT_LEN);
	return wr_finish(w);
}

enum err netd_read_reply(struct bytes msg, struct netd_reply *out)
{
	struct rd r = rd_open(msg);
	uint32_t number;
	uint8_t plane;

	memset(out, 0, sizeof(*out));
	if (head_read(&r, &out->verb))
		return ERR_MALFORMED;
	number = rd_u32(&r);
	out->ifindex = rd_u32(&r);
	plane = rd_u8(&r);
	out->plane = (enum net_plane)plane;
	rd_copy(&r, out->name, NET_NAME_LEN);
	stats_read(&r, &out->stats);
	rd_copy(&r, out->text, NETD_TEXT_LEN);
	out->name[NET_NAME_LEN - 1] = '\0';
	out->text[NETD_TEXT_LEN - 1] = '\0';
	if (number >= sizeof(reply_errs) / sizeof(*reply_errs) ||
	    plane > NET_PLANE_KERNEL)
		return ERR_MALFORMED;
	out->err = reply_errs[number];
	return rd_finish(&r);
}
