/* What the session needs of the operating system's network: a lease held by
 * the helper vpn-netd. Everything set through it is taken back when the
 * lease's socket closes, for whatever reason.
 *
 * The same functions exist for each platform (linux/, bsd/). No verb carries
 * a path, an interface name, a command or a raw kernel message: the helper
 * chooses interface, mark and routing table itself.
 */
#ifndef PLATFORM_NET_H
#define PLATFORM_NET_H

#include "platform/base/addr.h"

#define NET_ADDRS_MAX	4
#define NET_ROUTES_MAX	64
#define NET_DNS_MAX	8
#define NET_DOMAINS_MAX 16
#define NET_DOMAIN_LEN	254
#define NET_NAME_LEN	16

struct net;

/* The tunnel interface as the helper made it. */
struct net_link {
	int tun_fd; /* gives: the caller closes; non-blocking, whole packets */
	char name[NET_NAME_LEN]; /* for people */
	int ifindex;
};

/* What CONF sets; replaces what an earlier CONF of this lease set, without a
 * gap for what stays the same. */
struct net_conf {
	uint16_t mtu; /* 576 or 1280 to 9000 */
	uint8_t n_addrs, n_routes, n_dns, n_domains;
	bool dns_all;	 /* every name through dns[], else only domains[] */
	bool allow_lan;	 /* the local network stays reachable under a full
			  * tunnel; off by default (routes from DHCP could
			  * draw traffic out of the tunnel) */
	bool block_rest; /* when one address family has a default route here,
			  * what of the other one has no route here goes
			  * nowhere, and not outside the tunnel */
	struct prefix addrs[NET_ADDRS_MAX];   /* inner addresses */
	struct prefix routes[NET_ROUTES_MAX]; /* networks behind the gateway */
	struct addr dns[NET_DNS_MAX];
	char domains[NET_DOMAINS_MAX][NET_DOMAIN_LEN];
};

/* For root only, before any input is read: starts vpn-netd (from
 * LIBEXECDIR) on a socketpair. The caller then gives up its privilege. */
enum err ERR_MUST net_spawn(struct net **out, struct diag *diag);
/* Connects to the helper that runs as a service (RUNSTATEDIR/vpn-netd.sock)
 * and asks for the interface. ERR_NO_HELPER: there is none; ERR_PERMISSION:
 * it refuses this user; ERR_BUSY: too many tunnels; the next step in diag. */
enum err ERR_MUST net_connect(struct net **out, struct diag *diag);
/* OPEN: makes the tunnel interface (up, without addresses). Once. */
enum err ERR_MUST net_open_link(struct net *n, struct net_link *out,
				struct diag *diag);
/* UDP: a socket outside the tunnel (marked), non-blocking, unbound.
 * gives *out_fd. */
enum err ERR_MUST net_open_udp(struct net *n, enum addr_family family,
			       int *out_fd, struct diag *diag);
/* The same verb for TCP; without delay of small segments. */
enum err ERR_MUST net_open_tcp(struct net *n, enum addr_family family,
			       int *out_fd, struct diag *diag);
/* Does the lease carry ESP that is not in UDP? */
bool net_carries_esp(const struct net *n);
/* CONF. Waits for the helper's answer. */
enum err ERR_MUST net_configure(struct net *n, const struct net_conf *conf,
				struct diag *diag);
/* Readable (EOF) when the helper is gone. */
int net_fd(const struct net *n);
/* CLOSE: everything is taken back before this returns. */
void net_close(struct net **n);

#endif
