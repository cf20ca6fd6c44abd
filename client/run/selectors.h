/* The traffic selectors that were agreed on, asked packet by packet. */
#ifndef CLIENT_RUN_SELECTORS_H
#define CLIENT_RUN_SELECTORS_H

#include "client/ike/ike_sa.h"

#define SELECTORS_KEY_MAX 37

struct selectors {
	struct ike_ts_list local, remote;
	/* What was allowed last: packets come in trains. */
	size_t key_len;
	uint8_t key[SELECTORS_KEY_MAX];
};

void selectors_set(struct selectors *s, const struct ike_ts_list *local,
		   const struct ike_ts_list *remote);
/* RFC 4301 5.1 and 5.2: may this IP packet go in, or out? One direction a
 * struct. */
bool selectors_allow(struct selectors *s, struct bytes pkt, bool inbound);

#endif
