/* What a CONF may mean. The sender is not trusted, and the gateway behind
 * it still less: these addresses and names end up in the kernel and in
 * /etc/resolv.conf. */
#include "platform/helper/proto.h"

#include <string.h>

static bool in_net(const struct addr *a, const char *net)
{
	struct prefix p;

	return prefix_parse(net, &p) == OK && prefix_contains(&p, a);
}

/* Zero behind its length and without a port, so that equal means equal. */
static bool addr_shape_ok(const struct addr *a)
{
	static const uint8_t zeros[12];

	if (a->port != 0)
		return false;
	if (a->family == ADDR_V4)
		return memcmp(a->b + 4, zeros, sizeof(zeros)) == 0;
	return a->family == ADDR_V6;
}

/* An address that a host in a network can have. */
static bool addr_is_host(const struct addr *a)
{
	static const char *const never[] = {
		"0.0.0.0/8", "127.0.0.0/8",   "224.0.0.0/3", "::/128",
		"::1/128",   "::ffff:0:0/96", "ff00::/8",
	};

	if (!addr_shape_ok(a))
		return false;
	for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++)
		if (in_net(a, never[i]))
			return false;
	return true;
}

static bool bits_ok(const struct prefix *p)
{
	return addr_shape_ok(&p->addr) && p->bits <= addr_len(&p->addr) * 8;
}

static bool host_bits_zero(const struct prefix *p)
{
	for (size_t i = p->bits; i < addr_len(&p->addr) * 8; i++)
		if (p->addr.b[i / 8] & (0x80 >> i % 8))
			return false;
	return true;
}

static bool label_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* One to 253 octets in labels of one to 63; no dot at either end. */
static bool domain_ok(const char *d)
{
	size_t len = strnlen(d, NET_DOMAIN_LEN), label = 0;

	if (len == 0 || len == NET_DOMAIN_LEN)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (d[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if (!label_char(d[i]) || ++label > 63 ||
			   (label == 1 && d[i] == '-')) {
			return false;
		}
	}
	return label > 0;
}

static bool has_v6(const struct prefix *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i].addr.family == ADDR_V6)
			return true;
	return false;
}

/* IPv6 needs links of 1280 octets (RFC 8200 section 5), IPv4 hosts take
 * 576 (RFC 791). */
static bool mtu_ok(const struct net_conf *c)
{
	bool v6 =
		has_v6(c->addrs, c->n_addrs) || has_v6(c->routes, c->n_routes);

	return c->mtu >= (v6 ? 1280 : 576) && c->mtu <= 9000;
}

enum err netd_check_conf(const struct net_conf *c, struct diag *diag)
{
	if (c->n_addrs > NET_ADDRS_MAX || c->n_routes > NET_ROUTES_MAX ||
	    c->n_dns > NET_DNS_MAX || c->n_domains > NET_DOMAINS_MAX)
		return diag_set(diag, ERR_MALFORMED, "too many entries");
	for (size_t i = 0; i < c->n_addrs; i++)
		if (!bits_ok(&c->addrs[i]) || !addr_is_host(&c->addrs[i].addr))
			return diag_set(diag, ERR_MALFORMED,
					"inner address %zu is not usable", i);
	for (size_t i = 0; i < c->n_routes; i++)
		if (!bits_ok(&c->routes[i]) || !host_bits_zero(&c->routes[i]))
			return diag_set(diag, ERR_MALFORMED,
					"route %zu is not a network", i);
	for (size_t i = 0; i < c->n_dns; i++)
		if (!addr_is_host(&c->dns[i]) ||
		    in_net(&c->dns[i], "fe80::/10"))
			return diag_set(diag, ERR_MALFORMED,
					"name server %zu is not usable", i);
	for (size_t i = 0; i < c->n_domains; i++)
		if (!domain_ok(c->domains[i]))
			return diag_set(diag, ERR_MALFORMED,
					"domain %zu is not a name", i);
	if (!mtu_ok(c))
		return diag_set(diag, ERR_MALFORMED, "MTU %u is out of range",
				c->mtu);
	return OK;
}
