/* What a process that carries a tunnel has open, and may open from then on. */
#ifndef CLIENT_RUN_CONFINE_H
#define CLIENT_RUN_CONFINE_H

#include "client/session/profile.h"
#include "client/store/cache.h"
#include "client/store/places.h"

/* Everything between reading the profile and the first packet: memory that is
 * not swapped, crypto_open (crypto_close is the caller's), the cache of
 * tickets, and then the confinement. To be read from then on: the resolver's
 * files and modules, what the profile names and what systemd handed over; to
 * be written: our own folders, the terminal and /dev/null. Before threads are
 * made; see os_confine. gives *out_cache (ticket_cache_close), also with an
 * error; NULL where there is none: a cache that cannot be used costs the
 * resumption, not the connection. */
enum err ERR_MUST confine_client(const struct profile *p,
				 const struct places *places,
				 struct ticket_cache **out_cache,
				 struct diag *diag);

#endif
