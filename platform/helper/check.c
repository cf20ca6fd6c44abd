/* What a CONF and an SA may mean. The sender is not trusted, and the gateway
 * behind it still less: these addresses and names end up in the kernel and in
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

/* --- security associations --------------------------------------- */

/* 0 to 255 are reserved (RFC 4303 section 2.1). */
enum err netd_check_spi(uint32_t spi, struct diag *diag)
{
	if (spi <= 255)
		return diag_set(diag, ERR_MALFORMED, "SPI %u is reserved", spi);
	return OK;
}

static bool endpoint_is_host(const struct addr *a)
{
	struct addr host = *a;

	host.port = 0;
	return addr_is_host(&host);
}

enum err netd_check_way(const struct net_way *way, struct diag *diag)
{
	if (way->local.family != way->remote.family ||
	    !endpoint_is_host(&way->local) || !endpoint_is_host(&way->remote))
		return diag_set(diag, ERR_MALFORMED,
				"not two hosts of one address family");
	if ((way->local.port == 0) != (way->remote.port == 0))
		return diag_set(diag, ERR_MALFORMED, "one port without other");
	return OK;
}

/* With the salt: RFC 4106 section 8.1, RFC 7634 section 2. */
static bool encr_key_ok(enum net_encr encr, size_t len)
{
	switch (encr) {
	case NET_ENCR_AES_GCM_16:
		return len == 20 || len == 28 || len == 36;
	case NET_ENCR_CHACHA20_POLY1305:
		return len == 36;
	case NET_ENCR_AES_CBC:
		return len == 16 || len == 24 || len == 32;
	}
	return false;
}

/* As long as the hash (RFC 2404 section 3, RFC 4868 section 2.1.1). */
static bool integ_key_ok(enum net_integ integ, size_t len)
{
	switch (integ) {
	case NET_INTEG_NONE:
		return len == 0;
	case NET_INTEG_SHA1_96:
		return len == 20;
	case NET_INTEG_SHA256_128:
		return len == 32;
	case NET_INTEG_SHA384_192:
		return len == 48;
	case NET_INTEG_SHA512_256:
		return len == 64;
	}
	return false;
}

enum err netd_check_sa(const struct net_sa *sa, struct diag *diag)
{
	enum err e = netd_check_spi(sa->spi_in, diag);

	if (!e)
		e = netd_check_spi(sa->spi_out, diag);
	if (!e)
		e = netd_check_way(&sa->way, diag);
	if (e)
		return e;
	if ((sa->encr == NET_ENCR_AES_CBC) == (sa->integ == NET_INTEG_NONE))
		return diag_set(diag, ERR_MALFORMED,
				"cipher and integrity do not fit");
	if (!encr_key_ok(sa->encr, sa->encr_in.len) ||
	    !encr_key_ok(sa->encr, sa->encr_out.len) ||
	    !integ_key_ok(sa->integ, sa->integ_in.len) ||
	    !integ_key_ok(sa->integ, sa->integ_out.len))
		return diag_set(diag, ERR_MALFORMED,
				"no such cipher, or key of another length");
	return OK;
}
