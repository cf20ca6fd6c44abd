/* One lease: all that one client's connection set on this machine. The
 * process vpn-netd holds exactly one, for one client. */
#ifndef PLATFORM_HELPER_LEASE_H
#define PLATFORM_HELPER_LEASE_H

#include "platform/helper/slots.h"
#include "platform/linux/xfrm.h"

struct lease {
	struct slot slot;
	struct nl_sock *nl;
	int xfrm_fd;	      /* -1: this kernel has no ESP */
	enum net_plane plane; /* of the interface */
	int tun_fd; /* a copy: the interface stays as long as the lease */
	int ifindex;
	char name[NET_NAME_LEN];
	bool resolved; /* DNS by systemd-resolved, else by file */
	bool rules_v4, rules_v6;
	bool block_v4, block_v6;
	bool held; /* see lease_conf_hold */
	struct slot_wish wish;
	struct net_conf conf;		   /* what is set */
	struct xfrm_pair sas[NET_SAS_MAX]; /* the oldest first */
	unsigned n_sas;
	uint32_t sends; /* spi_in of the pair that does, if there is any */
};

/* Sweeps what a crashed helper left in this network namespace and takes a
 * free index for user uid. ERR_BUSY when there is none. */
enum err ERR_MUST lease_start(struct lease *l, uint32_t uid, struct diag *diag);
/* Only the sweep. */
enum err ERR_MUST lease_sweep(struct diag *diag);
/* OPEN; for the other plane, the interface is replaced. ERR_STATE: it is of
 * that plane; ERR_UNSUPPORTED: no ESP in this kernel. After an error while it
 * was replaced there is none, and nothing goes past it. gives *out_fd, -1 with
 * the kernel's plane. */
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
/* SA_ADD, SA_DEL, SA_MOVE, STATS, see platform/net.h. Already validated. */
enum err ERR_MUST lease_sa_add(struct lease *l, const struct net_sa *sa,
			       struct diag *diag);
enum err ERR_MUST lease_sa_delete(struct lease *l, uint32_t spi_in,
				  struct diag *diag);
enum err ERR_MUST lease_sa_move(struct lease *l, const struct net_way *way,
				struct diag *diag);
enum err ERR_MUST lease_stats(struct lease *l, struct net_stats *out,
			      struct diag *diag);
/* Takes everything back and lets the index go. Twice is no error. */
void lease_end(struct lease *l);

/* --- between lease*.c -------------------------------------------- */

/* Takes the interface away with all that is on it. None is no error. */
void lease_close_link(struct lease *l);
/* Until lease_conf_again what CONF sends into the tunnel goes nowhere, also
 * without the interface. */
enum err ERR_MUST lease_conf_hold(struct lease *l, struct diag *diag);
/* What CONF set on an interface that is gone, on this one. */
enum err ERR_MUST lease_conf_again(struct lease *l, struct diag *diag);
bool lease_conf_has_addr(const struct net_conf *c, const struct addr *a);
bool lease_conf_has_route(const struct net_conf *c, const struct prefix *p);
/* The policies of c, by the pair that sends; without one there is nothing to
 * do. */
enum err ERR_MUST lease_policies_set(struct lease *l, const struct net_conf *c,
				     struct diag *diag);
/* Those of from that keep does not want. */
void lease_policies_remove(struct lease *l, const struct net_conf *from,
			   const struct net_conf *keep);
/* Deletes all states and policies of the lease. */
void lease_sa_forget(struct lease *l);

#endif
