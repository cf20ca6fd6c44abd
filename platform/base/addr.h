/* IPv4 and IPv6 addresses, endpoints and prefixes, without sockets. */
#ifndef PLATFORM_BASE_ADDR_H
#define PLATFORM_BASE_ADDR_H

#include "platform/base/bytes.h"

enum addr_family { ADDR_NONE = 0, ADDR_V4 = 4, ADDR_V6 = 6 };

/* An address, with a port where it is an endpoint (else 0). b holds 4 or 16
 * octets in network order, the rest is zero; port is in host order. */
struct addr {
	uint8_t family; /* enum addr_family */
	uint16_t port;
	uint8_t b[16];
};

struct prefix {
	struct addr addr;
	uint8_t bits; /* 0 to 32 or 128 */
};

#define ADDR_STR_MAX 64

size_t addr_len(const struct addr *a); /* 0, 4 or 16 */
struct bytes addr_view(const struct addr *a);
/* b: 4 or 16 octets, else ERR_MALFORMED. */
enum err ERR_MUST addr_from_bytes(struct bytes b, uint16_t port,
				  struct addr *out);
/* "192.0.2.1", "2001:db8::1". */
enum err ERR_MUST addr_parse(const char *text, struct addr *out);
/* "10.0.0.0/8"; without a slash the whole address. Host bits must be 0. */
enum err ERR_MUST prefix_parse(const char *text, struct prefix *out);
/* Without the port. buf: at least ADDR_STR_MAX. Returns buf. */
const char *addr_str(const struct addr *a, char buf[ADDR_STR_MAX]);
/* "192.0.2.1:4500", "[2001:db8::1]:4500". */
const char *addr_str_port(const struct addr *a, char buf[ADDR_STR_MAX]);
const char *prefix_str(const struct prefix *p, char buf[ADDR_STR_MAX]);
bool addr_eq(const struct addr *a, const struct addr *b); /* port too */
bool addr_eq_host(const struct addr *a, const struct addr *b);
/* <0, 0, >0 by octets; of the same family. */
int addr_cmp_host(const struct addr *a, const struct addr *b);
/* IPv4 that only some networks know: RFC 1918, and between a provider and its
 * customers (RFC 6598). */
bool addr_is_private(const struct addr *a);
bool prefix_contains(const struct prefix *p, const struct addr *a);

#endif
