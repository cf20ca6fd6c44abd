/* Names through the tunnel: systemd-resolved where it runs, else
 * /etc/resolv.conf. */
#ifndef PLATFORM_LINUX_DNS_H
#define PLATFORM_LINUX_DNS_H

#include "platform/net.h"

#define DNS_PATH "/etc/resolv.conf"

/* --- resolv.conf -------------------------------------------------- */

/* While ours is in place the file itself holds the original, as comments: one
 * rename changes both, so no crash can lose it, and a reboot cannot either
 * (RUNSTATEDIR is gone then, /etc is not). What somebody else wrote
 * meanwhile is not ours and is left alone. */

/* Lines of resolv.conf for conf into buf; returns their octets, 0 for no
 * name servers. */
size_t dns_file_lines(const struct net_conf *conf, char *buf, size_t cap);
/* Puts lines into the file at path in the place of the original, or puts
 * the original back when there are none. ERR_IO; ERR_MALFORMED where ours was
 * changed by hand. */
enum err ERR_MUST dns_file_apply(const char *path, struct bytes lines,
				 struct diag *diag);
/* Does path hold what dns_file_apply wrote? */
bool dns_file_is_ours(const char *path);

/* --- systemd-resolved -------------------------------------------- */

/* Does it answer for this network namespace? */
bool dns_resolved_runs(void);
enum err ERR_MUST dns_resolved_set(int ifindex, const struct net_conf *conf,
				   struct diag *diag);
void dns_resolved_revert(int ifindex);

/* --- whose namespace --------------------------------------------- */

/* Compares with process 1; call it while still fully privileged. */
void dns_look_around(void);
/* Are we in a network namespace beside the system's? Then the system's
 * resolved and the system's resolv.conf are not ours to change. */
bool dns_is_elsewhere(void);
bool dns_file_is_the_systems(void);

#endif
