/* The last answer of IKE_AUTH: Child SA, configuration, ticket. */
#include "client/ike/sa_private.h"

#include <string.h>

#define IP6_ATTR_LEN 17 /* address and prefix length, RFC 7296 3.15.1 */

/* --- configuration payload -------------------------------------------- */

static void cp_put(struct ike_cp *cp, uint16_t type, struct bytes value)
{
	cp->attrs[cp->n++] = (struct ike_cp_attr){type, value};
}

void ike_put_cp(struct ike_sa *sa, struct ike_wr *w)
{
	const struct ike_config *c = &sa->cfg;
	struct ike_cp cp = {.type = CFG_REQUEST};
	uint8_t v6[IP6_ATTR_LEN];
	struct wr b = wr_open(v6, sizeof(v6));

	wr_bytes(&b, bytes(c->inner_v6.b, sizeof(c->inner_v6.b)));
	wr_u8(&b, 128);
	if (c->want_ipv4)
		cp_put(&cp, CFG_INTERNAL_IP4_ADDRESS,
		       c->inner_v4.family == ADDR_V4 ? addr_view(&c->inner_v4)
						     : BYTES_NONE);
	if (c->want_ipv6)
		cp_put(&cp, CFG_INTERNAL_IP6_ADDRESS,
		       c->inner_v6.family == ADDR_V6 ? BYTES_OF(v6)
						     : BYTES_NONE);
	if (c->want_dns && c->want_ipv4)
		cp_put(&cp, CFG_INTERNAL_IP4_DNS, BYTES_NONE);
	if (c->want_dns && c->want_ipv6)
		cp_put(&cp, CFG_INTERNAL_IP6_DNS, BYTES_NONE);
	/* RFC 8598 3.1: never without the servers */
	if (c->want_dns && (c->want_ipv4 || c->want_ipv6))
		cp_put(&cp, CFG_INTERNAL_DNS_DOMAIN, BYTES_NONE);
	if (cp.n)
		ike_wr_cp(w, &cp);
}

static bool addr_is_zero(const struct addr *a)
{
	static const uint8_t zero[16];

	return bytes_eq(addr_view(a), bytes(zero, addr_len(a)));
}

static void read_addr(struct bytes value, uint8_t family, struct addr *out)
{
	struct addr a;

	if (out->family == ADDR_NONE && addr_from_bytes(value, 0, &a) == OK &&
	    a.family == family && !addr_is_zero(&a))
		*out = a;
}

static void read_v6(const struct ike_cp_attr *at, struct ike_netconf *out)
{
	struct rd r = rd_open(at->value);
	struct bytes a = rd_take(&r, IP6_ATTR_LEN - 1);
	uint8_t bits = rd_left(&r) ? rd_u8(&r) : 128;

	if (rd_finish(&r) != OK || bits > 128 ||
	    out->inner_v6.family != ADDR_NONE)
		return;
	read_addr(a, ADDR_V6, &out->inner_v6);
	out->inner_v6_bits = bits;
}

static void read_dns(struct bytes value, uint8_t family,
		     struct ike_netconf *out)
{
	struct addr a = {0};

	read_addr(value, family, &a);
	if (a.family != ADDR_NONE && out->n_dns < IKE_DNS_MAX)
		out->dns[out->n_dns++] = a;
}

static bool label_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* RFC 1035 2.3.4: labels of 1 to 63 octets. */
bool ike_domain_ok(struct bytes v)
{
	size_t label = 0;

	if (v.len == 0 || v.len > 253)
		return false;
	for (size_t i = 0; i < v.len; i++) {
		if (v.p[i] == '.' && label > 0) {
			label = 0;
			continue;
		}
		if (!label_char(v.p[i]) || (v.p[i] == '-' && label == 0) ||
		    ++label > 63)
			return false;
	}
	return true;
}

static void read_domain(struct bytes value, struct ike_netconf *out)
{
	if (!ike_domain_ok(value) || out->n_domains >= IKE_DOMAINS_MAX)
		return;
	memcpy(out->domains[out->n_domains], value.p, value.len);
	out->domains[out->n_domains][value.len] = '\0';
	out->n_domains++;
}

static void read_attr(const struct ike_config *c, const struct ike_cp_attr *at,
		      struct ike_netconf *out)
{
	if (at->type == CFG_INTERNAL_IP4_ADDRESS && c->want_ipv4)
		read_addr(at->value, ADDR_V4, &out->inner_v4);
	else if (at->type == CFG_INTERNAL_IP6_ADDRESS && c->want_ipv6)
		read_v6(at, out);
	else if (at->type == CFG_INTERNAL_IP4_DNS && c->want_dns)
		read_dns(at->value, ADDR_V4, out);
	else if (at->type == CFG_INTERNAL_IP6_DNS && c->want_dns)
		read_dns(at->value, ADDR_V6, out);
	else if (at->type == CFG_INTERNAL_DNS_DOMAIN && c->want_dns)
		read_domain(at->value, out);
}

void ike_cp_read(const struct ike_sa *sa, const struct ike_msg *msg,
		 struct ike_netconf *out)
{
	const struct ike_payload *p = ike_msg_find(msg, PLD_CP, 0);
	struct ike_cp cp;

	if (!p || ike_cp_parse(p->body, &cp) != OK || cp.type != CFG_REPLY)
		return;
	for (size_t i = 0; i < cp.n; i++)
		read_attr(&sa->cfg, &cp.attrs[i], out);
	/* RFC 8598 3.2: the domains are those of the servers. */
	if (out->n_dns == 0)
		out->n_domains = 0;
}

/* --- the whole -------------------------------------------------------- */

static enum err check_addresses(struct ike_sa *sa,
				const struct ike_netconf *conf)
{
	if (!sa->cfg.want_ipv4 && !sa->cfg.want_ipv6)
		return OK;
	if (conf->inner_v4.family != ADDR_NONE ||
	    conf->inner_v6.family != ADDR_NONE)
		return OK;
	return diag_set(&sa->diag, ERR_PEER,
			"gateway gave us no inner address");
}

/* The gateway is authenticated, so it hears that we leave. */
static enum err leave_politely(struct ike_sa *sa, enum err why)
{
	ike_setup_free(sa);
	ike_goodbye(sa, why);
	return OK;
}

static void queue_netconf(struct ike_sa *sa, const struct ike_netconf *conf)
{
	struct ike_node *n = ike_queue(sa, IKE_DO_NETCONF, sizeof(*conf));

	if (!n)
		return;
	memcpy(n->own, conf, sizeof(*conf));
	n->a.u.netconf = n->own;
	sa->inner_v4 = conf->inner_v4;
	sa->inner_v6 = conf->inner_v6;
	sa->ts_local = conf->ts_local;
	sa->ts_remote = conf->ts_remote;
}

void ike_auth_lifetime_take(struct ike_sa *sa, const struct ike_msg *msg)
{
	struct ike_notify n;
	uint32_t life_s;
	struct rd r;

	if (!ike_msg_notify(msg, N_AUTH_LIFETIME, &n))
		return;
	r = rd_open(n.data);
	life_s = rd_u32(&r);
	if (rd_finish(&r) != OK)
		return;
	sa->reauth_at_ms = sa->now_ms + (int64_t)life_s * 1000;
	log_info("IKE: gateway wants a new authentication within %u s", life_s);
}

enum err ike_auth_finish(struct ike_sa *sa, const struct ike_msg *msg)
{
	struct ike_child_deal deal = {.ours = true,
				      .spi_in = sa->setup->spi_in,
				      .ni = BYTES_OF(sa->setup->ni)};
	struct ike_netconf conf = {0};
	struct ike_child_answer answer;
	struct ike_notify error;
	enum err e;

	if (ike_redirect_take(sa, msg, BYTES_NONE))
		return leave_politely(sa, ike_redirect_told(sa));
	if (ike_msg_error(msg, &error))
		return leave_politely(sa, ike_auth_refusal(sa, &error));
	e = ike_child_read(sa, msg, false, &answer);
	if (e != OK)
		return leave_politely(sa, e);
	ike_cp_read(sa, msg, &conf);
	conf.ts_local = answer.tsi;
	conf.ts_remote = answer.tsr;
	e = check_addresses(sa, &conf);
	if (e != OK)
		return leave_politely(sa, e);
	ike_auth_lifetime_take(sa, msg);
	ike_moves_learn(sa, msg);
	ike_qcd_take(sa->cur, msg);
	queue_netconf(sa, &conf);
	deal.nr = bytes(sa->setup->nr, sa->setup->nr_len);
	deal.spi_out = answer.spi_out;
	deal.suite = answer.suite;
	e = ike_child_add(sa, sa->cur, &deal);
	if (e != OK)
		return e;
	ike_ticket_answer(sa, sa->cur, msg);
	ike_established(sa);
	return OK;
}
