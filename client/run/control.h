/* The control socket of a running tunnel: DIR/NAME.sock, Varlink (JSON
 * objects that end with NUL), interface org.vpnconnect.
 *
 * Only the user that runs the tunnel, and root, may speak on it. Whoever holds
 * the lock DIR/NAME.lock is the one running tunnel of that name; a socket
 * without it is left from a process that died.
 */
#ifndef CLIENT_RUN_CONTROL_H
#define CLIENT_RUN_CONTROL_H

#include <jansson.h>

#include "client/run/loop.h"
#include "client/session/profile.h"

struct control;

/* Called from the loop. */
struct control_hooks {
	void *ctx;
	json_t *(*status)(void *ctx); /* gives the object */
	void (*down)(void *ctx);
	void (*suspend)(void *ctx);
	void (*forget)(void *ctx); /* the ticket */
};

struct control_place {
	const char *dir; /* made, 0700; refused when others may enter */
	const char *name;
};

/* Takes the lock: ERR_BUSY when another process has it. Listens later. */
enum err ERR_MUST control_open(const struct control_place *place,
			       struct control **out, struct diag *diag);
/* Listens, and answers from the loop; hooks are copied. */
enum err ERR_MUST control_serve(struct control *c, struct loop *loop,
				const struct control_hooks *hooks,
				struct diag *diag);
/* Something changed that nobody should wait for: who watches is told now. The
 * counters of traffic need no call. */
void control_changed(struct control *c);
/* Ends every connection and removes the socket: who waits for the end of the
 * tunnel is told by that. Before loop_free. */
void control_close(struct control **c);

struct control_call {
	struct control_place place;
	const char *method; /* "Status", "Down", "Suspend", "ForgetTicket" */
	int timeout_ms;	    /* for all of it */
	bool until_end;	    /* wait until the other process has ended, too */
};
/* Client side. gives *out, the reply's parameters. ERR_NOT_RUNNING when no
 * process answers there; ERR_NO_ANSWER past the time. */
enum err ERR_MUST control_ask(const struct control_call *call, json_t **out,
			      struct diag *diag);
/* Client side: the status, and again whenever it changes (Status with "more"),
 * at most once a second for traffic alone. */
struct control_watch;
enum err ERR_MUST control_watch_open(const struct control_place *place,
				     struct control_watch **out,
				     struct diag *diag);
int control_watch_fd(const struct control_watch *w); /* readable: read it */
/* Reads once. gives *out, the newest whole object; NULL: none is whole yet.
 * ERR_NOT_RUNNING: the tunnel ended. */
enum err ERR_MUST control_watch_read(struct control_watch *w, json_t **out,
				     struct diag *diag);
void control_watch_close(struct control_watch **w);
/* Names of the running tunnels; at most cap, returns the count. */
size_t control_list(const char *dir, char (*out)[PROFILE_NAME_MAX], size_t cap);

#endif
