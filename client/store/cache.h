/* The ticket cache on disk: DIR/tickets, one AEAD-sealed file for each
 * profile, key in DIR/key (0600) for now.
 *
 * An entry is taken (removed from the disk) before it is presented, and the
 * folder synced before an IKE_AUTH can make use of it. The associated data
 * binds format, profile, gateway, identity and fingerprint: an entry of another
 * profile or credential does not open.
 */
#ifndef CLIENT_STORE_CACHE_H
#define CLIENT_STORE_CACHE_H

#include "client/session/profile.h"
#include "platform/os.h"

struct ticket_cache;

struct ticket_entry {
	struct ike_ticket ticket; /* opaque: into buf */
	struct addr gateway;	  /* that answered */
	int64_t stored_wall_ms;	  /* Unix time */
	int64_t expires_wall_ms;
	int64_t stored_boot_ms;
	uint32_t renewed; /* times since the last full exchange */
	uint8_t *buf;	  /* owned by the entry */
};

/* dir is made (0700) when missing. Refuses a folder or key that others can
 * read or own, or a symlink (ERR_CACHE, with the command that mends it). */
enum err ERR_MUST ticket_cache_open(const char *dir, struct ticket_cache **out,
				    struct diag *diag);
void ticket_cache_close(struct ticket_cache **c); /* wipes the key */
/* Removes and returns. ERR_NOT_FOUND; ERR_EXPIRED (removed; wall clock set
 * back before the time of storing counts as expired); ERR_CACHE for an
 * entry that does not open (removed, others intact, diag says so). */
enum err ERR_MUST ticket_cache_take(struct ticket_cache *c,
				    const struct profile *p, struct os_time now,
				    struct ticket_entry *out,
				    struct diag *diag);
/* What was taken stays taken, a loss of power included. To be called between
 * IKE_SESSION_RESUME and IKE_AUTH: the time of the disk is then hidden in
 * that of the network. Cheap when nothing was taken. */
enum err ERR_MUST ticket_cache_sync(struct ticket_cache *c, struct diag *diag);
/* Replaces. The entry stays the caller's. */
enum err ERR_MUST ticket_cache_put(struct ticket_cache *c,
				   const struct profile *p,
				   const struct ticket_entry *e,
				   struct diag *diag);
/* OK also when there was none. */
enum err ERR_MUST ticket_cache_forget(struct ticket_cache *c,
				      const char *profile_name,
				      struct diag *diag);
/* For `vpn-connect tickets`: what may be shown. Reads without taking. */
struct ticket_info {
	char profile[PROFILE_NAME_MAX];
	char gateway[256];
	char identity[IKE_NAME_MAX + 1];
	int64_t age_s, remaining_s;
	size_t size; /* octets of the ticket */
	uint32_t renewed;
};
/* At most cap; *out_n entries. Unreadable ones are skipped with a warning. */
enum err ERR_MUST ticket_cache_list(struct ticket_cache *c, struct os_time now,
				    struct ticket_info *out, size_t cap,
				    size_t *out_n);
void ticket_entry_wipe(struct ticket_entry *e);

#endif
