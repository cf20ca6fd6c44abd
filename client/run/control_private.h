/* Shared by control*.c only. */
#ifndef CLIENT_RUN_CONTROL_PRIVATE_H
#define CLIENT_RUN_CONTROL_PRIVATE_H

#include <sys/un.h>

#include "client/run/control.h"

#define CONTROL_INTERFACE   "org.vpnconnect"
#define CONTROL_REQUEST_MAX 4096
#define CONTROL_REPLY_MAX   (64 * 1024)

/* DIR/NAME and the suffix. ERR_NO_SPACE where the kernel's limit for socket
 * names is too small for it. */
enum err ERR_MUST control_address(const struct control_place *place,
				  struct sockaddr_un *out, struct diag *diag);
/* Client side: *out_fd (close) waits at most timeout_ms in connect and send.
 * ERR_NOT_RUNNING, ERR_NO_ANSWER. */
enum err ERR_MUST control_connect(const struct control_place *place,
				  int timeout_ms, int *out_fd,
				  struct diag *diag);
/* Client side: the parameters of a reply (gives). */
enum err ERR_MUST control_reply_parse(const char *name, const char *text,
				      json_t **out, struct diag *diag);

/* What is to be done when the reply was sent. */
struct control_after {
	void (*then)(void *ctx); /* a hook, or NULL */
	bool watch;		 /* keep telling the status */
};
/* The reply to one request, as text that ends with NUL (free); NULL where
 * none is wanted or no memory is left. */
char *control_answer(const char *request, const struct control_hooks *hooks,
		     struct control_after *out);
/* A status as one of many replies; the same rules. Borrows status. */
char *control_more(json_t *status);

#endif
