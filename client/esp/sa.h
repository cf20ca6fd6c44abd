/* Inside of an ESP SA, for esp.c and its tests. */
#ifndef CLIENT_ESP_SA_H
#define CLIENT_ESP_SA_H

#include "client/crypto/esp_cipher.h"
#include "client/esp/replay.h"

_Static_assert(ESP_BATCH <= ESP_JOBS_MAX, "a batch is one call of the cipher");

#define ESP_EXTRA 12 /* SPI and a 64-bit sequence number */

struct esp_sa {
	uint32_t spi;
	bool esn;
	struct esp_cipher *cipher;
	struct rng iv_rng;    /* CBC: unpredictable IVs (RFC 3602 section 3) */
	uint64_t seq;	      /* sending: last used */
	struct replay replay; /* receiving */
	struct esp_counters counters;
	/* Room for one call's work. */
	struct esp_job jobs[ESP_BATCH];
	uint8_t extra[ESP_BATCH][ESP_EXTRA];
};

/* esp_open without a look at what is inside: ICV, replay window, trailer.
 * pkt becomes the payload with whatever padding for traffic flow
 * confidentiality it has. Counts nothing. */
enum err ERR_MUST esp_unwrap(struct esp_sa *sa, struct esp_pkt *pkt,
			     uint8_t *out_next_header);

#endif
