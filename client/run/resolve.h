/* The gateway's name to addresses. May block for as long as the system's
 * resolver does. */
#ifndef CLIENT_RUN_RESOLVE_H
#define CLIENT_RUN_RESOLVE_H

#include "platform/base/addr.h"

/* name: a host name or an address. At most cap, in the system's order;
 * ERR_NAME with the next step in diag. */
enum err ERR_MUST resolve_name(const char *name, uint16_t port,
			       struct addr *out, size_t cap, size_t *out_n,
			       struct diag *diag);

#endif
