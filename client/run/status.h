/* A tunnel's state as a JSON object: what status --json prints and what the
 * control socket answers. */
#ifndef CLIENT_RUN_STATUS_H
#define CLIENT_RUN_STATUS_H

#include <jansson.h>

#include "client/run/tunnel.h"

/* gives the object; NULL without memory. */
json_t *status_to_json(const char *name, const struct tunnel_status *s);
/* Of a tunnel that does not run; ticket may be NULL. */
json_t *status_of_none(const char *name, const struct ticket_info *ticket);

/* Is nothing different but what time alone changes? */
bool status_same(const json_t *a, const json_t *b);

#endif
