/* One lease: all that one client's connection set on this machine. The
 * process vpn-netd holds exactly one, for one client. */
#ifndef PLATFORM_HELPER_LEASE_H
#define PLATFORM_HELPER_LEASE_H

#include "platform/helper/slots.h"

struct lease {
	struct slot slot;
	struct nl_sock *nl;
	enum net_plane plane; /* of the interface */
	int tun_fd; /* a copy: the interface stays as long as the lease */
	int ifindex;
	char name[NET_NAME_LEN];
	bool resolved; /* DNS by systemd-resolved, else by file */
	bool rules_v4, rules_v6;
	bool block_v4, block_v6;
	struct slot_wish wish;
	struct net_conf conf; /* what is set */
};

/* Sweeps what a crashed helper left in this network namespace and takes a
 * free index for user uid. ERR_BUSY when there is none. */
enum err ERR_MUST lease_start(struct lease *l, uint32_t uid, struct diag *diag);
/* Only the sweep. */
enum err ERR_MUST lease_sweep(struct diag *diag);
/* OPEN. ERR_STATE the second time. gives *out_fd. */
enum err ERR_MUST lease_open_link(struct lease *l, enum net_plane plane,
				  int *out_fd, struct diag *diag);
/* UDP. gives *out_fd. */
enum err ERR_MUST lease_open_udp(struct lease *l, enum addr_family family,
				 int *out_fd, struct diag *diag);
enum err ERR_MUST lease_open_tcp(struct lease *l, enum addr_family family,
				 int *out_fd, struct diag *diag);
/* CONF, already validated. On an error what was set before stays. diag may
 * hold a warning together with OK. */
enum err ERR_MUST lease_configure(struct lease *l, const struct net_conf *conf,
				  struct diag *diag);
/* Takes everything back and lets the index go. Twice is no error. */
void lease_end(struct lease *l);

#endif
