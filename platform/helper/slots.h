/* Which leases there are on this machine: one file lease-<n> each in
 * RUNSTATEDIR/vpn-netd, locked while its helper lives. The kernel lets go of
 * a lock when its holder dies, however it dies, so that "locked" and "alive"
 * are the same.
 *
 * Leases of all network namespaces share the folder; each notes its own.
 */
#ifndef PLATFORM_HELPER_SLOTS_H
#define PLATFORM_HELPER_SLOTS_H

#include "platform/linux/kernel.h"

#define SLOT_DNS_MAX  5120
#define SLOT_USER_MAX 8 /* leases of one user other than root */

/* What a lease wants of things that the leases of a namespace share. */
struct slot_wish {
	uint64_t since_ns;    /* boot time of the wish: the newest wins */
	bool loose_rp_filter; /* see sysctl.c */
	uint16_t dns_len;     /* lines for resolv.conf, 0: none */
	char dns[SLOT_DNS_MAX];
};

struct slot {
	int dir_fd;   /* RUNSTATEDIR/vpn-netd */
	int guard_fd; /* its file "guard": one change at a time */
	int own_fd;   /* our lease's file, locked; -1: none */
	unsigned n;
	uint32_t uid;	/* whose lease it is */
	uint64_t netns; /* inode of our network namespace */
};

/* Opens the folder (makes it, 0700), for a lease of user uid. */
enum err ERR_MUST slot_open(struct slot *s, uint32_t uid, struct diag *diag);
void slot_close(struct slot *s);

/* All below: between slot_enter and slot_leave, which keep other helpers of
 * this machine out. */
enum err ERR_MUST slot_enter(struct slot *s, struct diag *diag);
void slot_leave(struct slot *s);

/* Who lives in this network namespace, and the newest wish for DNS (dns_len
 * 0 where nobody has one) and the sum of the others. */
void slot_scan(struct slot *s, struct lease_set *out_leases,
	       struct slot_wish *out_wish);
/* Takes the first lease whose lock is free and whose interface name is not
 * in use. ERR_BUSY when all are taken, or SLOT_USER_MAX by this user. */
enum err ERR_MUST slot_take(struct slot *s, struct diag *diag);
/* Notes what our lease wants, for those who come after a crash and for the
 * other leases. */
enum err ERR_MUST slot_wish_set(struct slot *s, const struct slot_wish *wish,
				struct diag *diag);
/* A small number kept for this namespace while any lease lives; -1: none.
 * value -1 forgets it. name: ours, without a slash. */
int slot_note_read(struct slot *s, const char *name);
enum err ERR_MUST slot_note_write(struct slot *s, const char *name, int value);

#endif
