/* What was learnt of networks, for the next visit: a text file in the state
 * folder, a line for each of the last ones. Which networks they are is not
 * told by it, only to who knows them: they go by the hash of what identifies
 * them. */
#ifndef CLIENT_STORE_NETWORKS_H
#define CLIENT_STORE_NETWORKS_H

#include "client/session/keepalive.h"
#include "platform/base/bytes.h"

#define NETWORK_ID_LEN 16

/* Of whatever octets tell one network from another. */
enum err ERR_MUST network_id(struct bytes what, uint8_t out[NETWORK_ID_LEN]);
/* dir: the state folder. Zeros where nothing is known, or the file is not
 * there or is not readable. */
void networks_get(const char *dir, const uint8_t id[NETWORK_ID_LEN],
		  struct keepalive_known *out);
/* Replaces what was known of it; the oldest of many is forgotten. */
enum err ERR_MUST networks_put(const char *dir,
			       const uint8_t id[NETWORK_ID_LEN],
			       const struct keepalive_known *known,
			       struct diag *diag);

#endif
