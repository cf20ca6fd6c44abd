#include "platform/base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t addr_len(const struct addr *a)
{
	return a->family == ADDR_V4 ? 4 : a->family == ADDR_V6 ? 16 : 0;
}

struct bytes addr_view(const struct addr *a)
{
	return bytes(a->b, addr_len(a));
}

enum err addr_from_bytes(struct bytes b, uint16_t port, struct addr *out)
{
	memset(out, 0, sizeof(*out));
	if (b.len != 4 && b.len != 16)
		return ERR_MALFORMED;
	out->family = b.len == 4 ? ADDR_V4 : ADDR_V6;
	out->port = port;
	memcpy(out->b, b.p, b.len);
	return OK;
}

enum err addr_parse(const char *text, struct addr *out)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, out->b) == 1)
		out->family = ADDR_V4;
	else if (inet_pton(AF_INET6, text, out->b) == 1)
		out->family = ADDR_V6;
	else
		return ERR_MALFORMED;
	return OK;
}

static bool host_bits_zero(const struct prefix *p)
{
	size_t total = addr_len(&p->addr) * 8;

	for (size_t i = p->bits; i < total; i++)
		if (p->addr.b[i / 8] & (0x80 >> i % 8))
			return false;
	return true;
}

static enum err bits_parse(const char *text, size_t max, uint8_t *out)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || text[0] == '-' || text[0] == '+' ||
	    v > max)
		return ERR_MALFORMED;
	*out = (uint8_t)v;
	return OK;
}

enum err prefix_parse(const char *text, struct prefix *out)
{
	char host[ADDR_STR_MAX];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	enum err e;

	memset(out, 0, sizeof(*out));
	if (len >= sizeof(host))
		return ERR_MALFORMED;
	memcpy(host, text, len);
	host[len] = '\0';
	e = addr_parse(host, &out->addr);
	if (e)
		return e;
	out->bits = (uint8_t)(addr_len(&out->addr) * 8);
	if (slash)
		e = bits_parse(slash + 1, out->bits, &out->bits);
	if (!e && !host_bits_zero(out))
		e = ERR_MALFORMED;
	return e;
}

const char *addr_str(const struct addr *a, char buf[ADDR_STR_MAX])
{
	int af = a->family == ADDR_V4 ? AF_INET : AF_INET6;

	if (a->family == ADDR_NONE || !inet_ntop(af, a->b, buf, ADDR_STR_MAX))
		snprintf(buf, ADDR_STR_MAX, "none");
	return buf;
}

const char *addr_str_port(const struct addr *a, char buf[ADDR_STR_MAX])
{
	char host[ADDR_STR_MAX];

	addr_str(a, host);
	snprintf(buf, ADDR_STR_MAX,
		 a->family == ADDR_V6 ? "[%.46s]:%u" : "%.46s:%u", host,
		 a->port);
	return buf;
}

const char *prefix_str(const struct prefix *p, char buf[ADDR_STR_MAX])
{
	char host[ADDR_STR_MAX];

	snprintf(buf, ADDR_STR_MAX, "%.46s/%u", addr_str(&p->addr, host),
		 p->bits);
	return buf;
}

bool addr_eq_host(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
	return addr_eq_host(a, b) && a->port == b->port;
}

int addr_cmp_host(const struct addr *a, const struct addr *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

bool addr_is_private(const struct addr *a)
{
	const uint8_t *b = a->b;

	if (a->family != ADDR_V4)
		return false;
	return b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) ||
	       (b[0] == 192 && b[1] == 168) ||
	       (b[0] == 100 && (b[1] & 0xc0) == 64);
}

bool prefix_contains(const struct prefix *p, const struct addr *a)
{
	if (p->addr.family != a->family)
		return false;
	for (size_t i = 0; i < p->bits; i++)
		if ((p->addr.b[i / 8] ^ a->b[i / 8]) & (0x80 >> i % 8))
			return false;
	return true;
}
