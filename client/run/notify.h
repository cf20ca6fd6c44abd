/* What a service manager is told of a tunnel (sd_notify(3)): that it has
 * started, one line of status, and signs of life for its watchdog. */
#ifndef CLIENT_RUN_NOTIFY_H
#define CLIENT_RUN_NOTIFY_H

#include "client/run/tunnel.h"

struct notify;

/* Fills in how the tunnel is now. */
typedef void notify_look(void *ctx, struct tunnel_status *out);

/* To the socket $NOTIFY_SOCKET; *out is NULL where there is none, which all
 * below take. Signs of life come from the loop, twice in each
 * $WATCHDOG_USEC: who hangs in it misses them. look is borrowed. gives *out. */
enum err ERR_MUST notify_open(struct loop *loop, notify_look *look, void *ctx,
			      struct notify **out, struct diag *diag);
/* Something changed: the new line is sent if it is another one. With the
 * first outcome, connected or not, the service counts as started. */
void notify_changed(struct notify *n);
/* Says that the service stops. */
void notify_close(struct notify **n);

/* "connected to vpn.example.org: resumed in 2 round trips, ticket until
 * 23:41": state, gateway, how, life of the ticket. */
void notify_line(const struct tunnel_status *s, char *buf, size_t cap);

#endif
