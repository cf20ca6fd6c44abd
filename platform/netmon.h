/* Watches the host's network: which path leads to an address now, and when
 * that may have changed. Unprivileged. One thread. No wake-up while nothing
 * happens. Linux: rtnetlink (libnl-3); BSD: the routing socket. */
#ifndef PLATFORM_NETMON_H
#define PLATFORM_NETMON_H

#include "platform/base/addr.h"

struct netmon;

/* How packets to an address leave this host now. */
struct netmon_path {
	int ifindex;
	struct addr source; /* port 0 */
	struct addr via;    /* next hop; family ADDR_NONE: on the link */
};

enum err ERR_MUST netmon_open(struct netmon **out, struct diag *diag);
void netmon_close(struct netmon **m);
/* Readable when something happened to links, addresses or routes. */
int netmon_fd(const struct netmon *m);
/* Reads all that waits. True: paths may have changed, look again (an
 * overflow of the socket means the same). */
bool netmon_drain(struct netmon *m);
/* The path to dst for a socket with this mark (0: none), as the kernel would
 * choose it with no source address given. ERR_NOT_FOUND: no route, or the
 * interface is down or has no carrier. */
enum err ERR_MUST netmon_path(struct netmon *m, const struct addr *dst,
			      uint32_t mark, struct netmon_path *out);
/* Who forwards on that path: the link-layer address of its next hop, which
 * tells one network from another. Length in octets; 0: there is no next hop,
 * or the kernel does not know it now. */
#define NETMON_LLADDR_MAX 32
size_t netmon_neighbour(struct netmon *m, const struct netmon_path *path,
			uint8_t out[NETMON_LLADDR_MAX]);
bool netmon_path_eq(const struct netmon_path *a, const struct netmon_path *b);

#endif
