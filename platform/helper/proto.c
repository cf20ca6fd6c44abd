#include "platform/helper/proto.h"

#include <string.h>

#define NETD_MAGIC   0x56504e44u /* "VPND" */
#define NETD_VERSION 1

/* --- requests ---------------------------------------------------- */

/* NETD_ANY for a reserved verb, -1 for one that does not exist. */
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

enum err netd_write_request(const struct netd_request *req, struct wr *w)
{
	head_write(w, (uint8_t)req->verb);
	if (req->verb == NETD_UDP) {
		wr_u8(w, (uint8_t)req->family);
		wr_u8(w, req->stream);
	} else if (req->verb == NETD_CONF) {
		conf_write(w, &req->conf);
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
	int len;

	memset(out, 0, sizeof(*out));
	if (head_read(&r, &verb))
		return diag_set(diag, ERR_MALFORMED,
				"not a request of this version");
	len = verb_body_len(verb);
	if (len < 0)
		return diag_set(diag, ERR_MALFORMED, "no such verb: %u", verb);
	out->verb = (enum netd_verb)verb;
	if (len == NETD_ANY)
		return diag_set(diag, ERR_UNSUPPORTED,
				"verb %u is not supported yet", verb);
	if (rd_left(&r) != (size_t)len)
		return diag_set(diag, ERR_MALFORMED,
				"verb %u: wrong length %zu", verb, msg.len);
	if (verb == NETD_CONF)
		return conf_read(&r, &out->conf, diag);
	if (verb == NETD_UDP) {
		out->family = (enum addr_family)rd_u8(&r);
		if (out->family != ADDR_V4 && out->family != ADDR_V6)
			return diag_set(diag, ERR_MALFORMED,
					"no such address family");
		if (!flag_read(&r, &out->stream))
			return diag_set(diag, ERR_MALFORMED,
					"neither UDP nor TCP");
	}
	return rd_finish(&r);
}

/* --- replies ----------------------------------------------------- */

/* The numbers of `enum err` may move from version to version; these do not.
 */
static const enum err reply_errs[] = {
	OK,	   ERR_MALFORMED,  ERR_UNSUPPORTED,
	ERR_STATE, ERR_PERMISSION, ERR_NO_MEMORY,
	ERR_IO,	   ERR_SYS,	   ERR_BUSY,
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

enum err netd_write_reply(const struct netd_reply *reply, struct wr *w)
{
	head_write(w, reply->verb);
	wr_u32(w, reply_err_number(reply->err));
	wr_u32(w, reply->ifindex);
	text_write(w, reply->name, NET_NAME_LEN);
	text_write(w, reply->text, NETD_TEXT_LEN);
	return wr_finish(w);
}

enum err netd_read_reply(struct bytes msg, struct netd_reply *out)
{
	struct rd r = rd_open(msg);
	uint32_t number;

	memset(out, 0, sizeof(*out));
	if (head_read(&r, &out->verb))
		return ERR_MALFORMED;
	number = rd_u32(&r);
	out->ifindex = rd_u32(&r);
	rd_copy(&r, out->name, NET_NAME_LEN);
	rd_copy(&r, out->text, NETD_TEXT_LEN);
	out->name[NET_NAME_LEN - 1] = '\0';
	out->text[NETD_TEXT_LEN - 1] = '\0';
	if (number >= sizeof(reply_errs) / sizeof(*reply_errs))
		return ERR_MALFORMED;
	out->err = reply_errs[number];
	return rd_finish(&r);
}
