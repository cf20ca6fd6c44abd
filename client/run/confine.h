/* What a client process may open from now on. */
#ifndef CLIENT_RUN_CONFINE_H
#define CLIENT_RUN_CONFINE_H

#include "client/session/profile.h"
#include "client/store/places.h"

/* The resolver's files and modules, what the profile names and what systemd
 * handed over, to read; our own folders, the terminal and /dev/null. Before
 * threads are made; see os_confine. */
enum err ERR_MUST confine_client(const struct profile *p,
				 const struct places *places,
				 struct diag *diag);

#endif
