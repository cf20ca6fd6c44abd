/* Inside of an ESP SA, for esp.c and its tests. */
#ifndef CLIENT_ESP_SA_H
#define CLIENT_ESP_SA_H

#include "client/esp/replay.h"

struct esp_sa {
	uint32_t spi;
	bool esn;
	struct cipher *cipher;
	struct rng iv_rng;    /* CBC: unpredictable IVs (RFC 3602 section 3) */
	uint64_t seq;	      /* sending: last used */
	struct replay replay; /* receiving */
	struct esp_counters counters;
};

/* esp_open without a look at what is inside: ICV, replay window, trailer.
 * pkt becomes the payload with whatever padding for traffic flow
 * confidentiality it has. Counts nothing. */
enum err ERR_MUST esp_unwrap(struct esp_sa *sa, struct esp_pkt *pkt,
			     uint8_t *out_next_header);

#endif
