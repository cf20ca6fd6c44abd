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
/* The reply to one request, as text that ends with NUL (free); NULL where
 * none is wanted or no memory is left. *out_then is the hook to call when
 * it was sent. */
char *control_answer(const char *request, const struct control_hooks *hooks,
		     void (**out_then)(void *ctx));

#endif
