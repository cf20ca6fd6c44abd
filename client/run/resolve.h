/* The gateway's name to addresses, without keeping the loop waiting: a thread
 * asks the system's resolver, which may take many seconds. */
#ifndef CLIENT_RUN_RESOLVE_H
#define CLIENT_RUN_RESOLVE_H

#include "platform/base/addr.h"

#define RESOLVE_MAX 8

struct resolver;

/* One question. name: a host name; copied. */
enum err ERR_MUST resolver_ask(const char *name, struct resolver **out,
			       struct diag *diag);
/* Readable when the answer is there. */
int resolver_fd(const struct resolver *r);
/* Takes the answer and frees: at most cap addresses without port, in the
 * system's order (RFC 6724). ERR_NAME with the next step in diag. */
enum err ERR_MUST resolver_take(struct resolver **r, struct addr *out,
				size_t cap, size_t *out_n, struct diag *diag);
/* Nobody waits for the answer any more; the thread ends by itself. */
void resolver_cancel(struct resolver **r);

#endif
