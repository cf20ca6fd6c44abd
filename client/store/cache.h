/* The ticket cache on disk: DIR/tickets, one AEAD-sealed file for each
 * profile, under a key that [resumption] key chooses (client/store/key.h).
 *
 * An entry is taken (removed from the disk) before it is presented, and the
 * folder synced before an IKE_AUTH can make use of it. The associated data
 * binds format, profile, gateway, identity and fingerprint: an entry of another
 * profile or credential does not open. Each entry has a generation: an older
 * copy that is put back is noticed until the next reboot (guard.h).
 */
#ifndef CLIENT_STORE_CACHE_H
#define CLIENT_STORE_CACHE_H

#include "client/session/paths.h"
#include "client/session/profile.h"
#include "platform/os.h"

struct ticket_cache;

struct ticket_entry {
	struct ike_ticket ticket; /* opaque: into buf */
	struct path_worked worked; /* how the gateway was reached */
	int64_t stored_wall_ms;	  /* Unix time */
	int64_t expires_wall_ms;
	int64_t stored_boot_ms;
	uint32_t renewed;    /* times since the last full exchange */
	uint64_t generation; /* these two the cache sets */
	enum cache_key key;  /* what protects it */
	uint8_t *buf;	     /* owned by the entry */
};

/* For looking. dir is made (0700) when missing. Refuses a folder or key that
 * others can read or own, or a symlink (ERR_CACHE, with the command that mends
 * it). Keys are obtained when they are first needed, which may start a
 * program: not after os_confine. */
enum err ERR_MUST ticket_cache_open(const char *dir, struct ticket_cache **out,
				    struct diag *diag);
/* For a tunnel of this profile: obtains all keys it will need. A key that
 * cannot be obtained now is ERR_CACHE, and no entry is touched. */
enum err ERR_MUST ticket_cache_open_for(const char *dir,
					const struct profile *p,
					struct ticket_cache **out,
					struct diag *diag);
void ticket_cache_close(struct ticket_cache **c); /* wipes the keys */
/* Puts every entry under a new key (a new one for each backend in use; auto
 * chooses again) and has the old ones forgotten. Killed at any moment, every
 * entry can still be opened, and the next to open the cache finishes.
 * ERR_BUSY: a tunnel is running. ERR_CACHE: some could not be replaced, and
 * stay under the key they have. */
enum err ERR_MUST ticket_cache_rotate(struct ticket_cache *c,
				      struct diag *diag);
/* Removes and returns. ERR_NOT_FOUND; ERR_EXPIRED (removed; wall clock set
 * back before the time of storing counts as expired); ERR_CACHE for an
 * entry that does not open (removed, others intact, diag says so). */
enum err ERR_MUST ticket_cache_take(struct ticket_cache *c,
				    const struct profile *p, struct os_time now,
				    struct ticket_entry *out,
				    struct diag *diag);
/* How the gateway was reached when the ticket that waits was stored; looks only.
 * False: there is none, or nothing is known. */
bool ticket_cache_worked(struct ticket_cache *c, const struct profile *p,
			 struct path_worked *out);
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
/* The same without keys, so also where these are damaged or not to be had. */
enum err ERR_MUST ticket_cache_delete(const char *dir, const char *profile_name,
				      bool *out_had, struct diag *diag);
/* For `vpn-connect tickets`: what may be shown. Reads without taking. */
struct ticket_info {
	char profile[PROFILE_NAME_MAX];
	char gateway[256];
	char identity[IKE_NAME_MAX + 1];
	int64_t age_s, remaining_s;
	size_t size; /* octets of the ticket */
	uint32_t renewed;
	enum cache_key key; /* what protects it */
};
/* At most cap; *out_n entries. Unreadable ones are skipped with a warning. */
enum err ERR_MUST ticket_cache_list(struct ticket_cache *c, struct os_time now,
				    struct ticket_info *out, size_t cap,
				    size_t *out_n);
void ticket_entry_wipe(struct ticket_entry *e);

#endif
