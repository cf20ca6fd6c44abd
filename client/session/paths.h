/* Which way to the gateway to try next, and when (pure): all its addresses in
 * both families, in the manner of RFC 8305, over UDP 4500, then UDP 500, then
 * TCP (RFC 9329 5.1). */
#ifndef CLIENT_SESSION_PATHS_H
#define CLIENT_SESSION_PATHS_H

#include "platform/base/addr.h"

#define PATHS_ADDRS_MAX 8
#define PATHS_PORTS_MAX 4
#define PATHS_MAX	16 /* what an IKE SA can race, with its own */

/* What a profile allows. */
enum transport { TRANSPORT_AUTO = 0, TRANSPORT_UDP, TRANSPORT_TCP };

/* X(name, number in the ticket's file, word in status) */
#define PATH_KIND_LIST(X)                                                      \
	X(PATH_UDP, 0, "udp")                                                  \
	X(PATH_UDP_500, 1, "udp") /* begins at 500, goes to 4500 */            \
	X(PATH_TCP, 2, "tcp")
enum path_kind {
#define X(name, number, word) name = number,
	PATH_KIND_LIST(X)
#undef X
};
const char *path_kind_text(enum path_kind k);

struct path_try {
	struct addr remote; /* with the port to begin at */
	enum path_kind kind;
	uint32_t after_ms; /* since the first one was sent */
};

/* What carried the last tunnel. */
struct path_worked {
	struct addr remote; /* with port; family ADDR_NONE: nothing is known */
	enum path_kind kind;
	struct addr local; /* port 0: tells networks apart */
};

struct paths_known {
	const struct addr *addrs; /* in the system's order (RFC 6724) */
	size_t n_addrs;
	enum transport transport;
	uint16_t udp_port;
	uint16_t tcp_ports[PATHS_PORTS_MAX];
	size_t n_tcp_ports;
	struct path_worked worked;
	bool same_network; /* as when that worked */
	uint32_t rtt_ms;   /* to the gateway as last measured; 0: unknown */
};

/* In order of time; the number of them. What worked in this network comes
 * first as it was; elsewhere only its address does: UDP is tried anew on
 * every network. */
size_t paths_plan(const struct paths_known *k, struct path_try out[PATHS_MAX]);
/* The least time between the beginnings of two of them (RFC 8305 5). */
uint32_t paths_delay_ms(uint32_t rtt_ms);

#endif
