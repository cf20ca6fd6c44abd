/* What vpn-netd does to the kernel: TUN, link, addresses, routes, rules.
 * Only the helper links this. Numbers of interface, table and mark come from
 * the lease's index (platform/helper/proto.h), never from a message.
 */
#ifndef PLATFORM_LINUX_KERNEL_H
#define PLATFORM_LINUX_KERNEL_H

#include "platform/helper/proto.h"

struct nl_sock;
struct nl_msg;

/* Which leases have a living helper in this network namespace. */
struct lease_set {
	bool alive[NETD_LEASES];
};

/* --- netlink ----------------------------------------------------- */

enum err ERR_MUST kernel_open(struct nl_sock **out, struct diag *diag);
void kernel_close(struct nl_sock **sk);
/* Sends msg (takes it, NULL is ERR_NO_MEMORY) and waits for the kernel's
 * answer. ERR_NOT_FOUND for what is not there, ERR_BUSY for what is there
 * already, ERR_UNSUPPORTED without that address family. what: for diag. */
enum err ERR_MUST kernel_call(struct nl_sock *sk, struct nl_msg *msg,
			      const char *what, struct diag *diag);
/* One dump; each object goes to put(head, ctx). */
struct nlmsghdr;
typedef void kernel_put(struct nlmsghdr *head, void *ctx);
enum err ERR_MUST kernel_dump(struct nl_sock *sk, int type, kernel_put *put,
			      void *ctx);

/* --- the interface ----------------------------------------------- */

/* A new interface; ERR_BUSY where the name is taken, by whom ever. gives
 * *out_fd, non-blocking. */
enum err ERR_MUST tun_open(const char *name, int *out_fd, struct diag *diag);
/* The same for an xfrm interface, whose packets the kernel's ESP handles:
 * those of SAs and policies with this id. ERR_UNSUPPORTED: the kernel has no
 * such interfaces. */
enum err ERR_MUST link_add_xfrm(struct nl_sock *sk, const char *name,
				uint32_t id, struct diag *diag);
/* Marks it as ours, no IPv6 address of its own, up. */
enum err ERR_MUST link_setup(struct nl_sock *sk, int ifindex,
			     struct diag *diag);
enum err ERR_MUST link_set_mtu(struct nl_sock *sk, int ifindex, uint16_t mtu,
			       struct diag *diag);
enum err ERR_MUST link_delete(struct nl_sock *sk, int ifindex,
			      struct diag *diag);
/* Its counters; the ages are not touched. */
enum err ERR_MUST link_stats(struct nl_sock *sk, int ifindex,
			     struct net_stats *out, struct diag *diag);
/* Deletes the interfaces that are ours by name and mark, of no living lease.
 * Returns how many. */
unsigned link_sweep(struct nl_sock *sk, const struct lease_set *leases);

/* addr: host bits count, the length of the prefix does not: the interface
 * has the address alone, its networks are routes. */
enum err ERR_MUST addr_add(struct nl_sock *sk, int ifindex,
			   const struct addr *addr, struct diag *diag);
enum err ERR_MUST addr_delete(struct nl_sock *sk, int ifindex,
			      const struct addr *addr, struct diag *diag);

/* --- routes and rules -------------------------------------------- */

struct route {
	int ifindex;
	uint32_t table;
	const struct prefix *to;
	const struct addr *source; /* preferred, or NULL */
};
enum err ERR_MUST route_set(struct nl_sock *sk, const struct route *r,
			    struct diag *diag);
enum err ERR_MUST route_delete(struct nl_sock *sk, const struct route *r,
			       struct diag *diag);
/* What of the family has no other route in r's table goes nowhere, and again
 * as it was. r->to and r->source are not looked at. */
enum err ERR_MUST route_block(struct nl_sock *sk, const struct route *r,
			      enum addr_family family, struct diag *diag);
void route_unblock(struct nl_sock *sk, const struct route *r,
		   enum addr_family family);
/* What r sends to its interface goes nowhere where that route is missing. */
enum err ERR_MUST route_hold(struct nl_sock *sk, const struct route *r,
			     struct diag *diag);
void route_release(struct nl_sock *sk, const struct route *r);

/* The rules of lease n in one family, see route.c; with allow_lan all of
 * table main but its default routes comes first. Sets and takes away; again
 * is no error. */
enum err ERR_MUST rules_set(struct nl_sock *sk, enum addr_family family,
			    unsigned n, bool allow_lan, struct diag *diag);
void rules_clear(struct nl_sock *sk, enum addr_family family, unsigned n);
unsigned rules_sweep(struct nl_sock *sk, const struct lease_set *leases);

/* --- settings below /proc/sys/net -------------------------------- */

/* A small number; -1 where it is not there. path: below /proc/sys/net/. */
int sysctl_read(const char *path);
enum err ERR_MUST sysctl_write(const char *path, int value);
/* Some interface drops what would not be answered on the way it came (strict
 * reverse path filter): the gateway's packets, under a full tunnel. */
bool rp_filter_is_strict(void);
bool ipv6_is_on(const char *ifname);

#endif
