/* Packets on their way out: split, sealed, and laid one behind the other so
 * that many leave in one system call. Sans-IO. */
#ifndef CLIENT_ESP_OUTQ_H
#define CLIENT_ESP_OUTQ_H

#include "client/esp/esp.h"
#include "client/esp/split.h"

#define OUTQ_PKTS      256
#define OUTQ_FRAME_MAX 65535 /* octets of a packet of the interface */

/* ESP packets of one destination in one piece of memory: each stride octets
 * long, the last may be shorter. */
struct outq_run {
	uint8_t *p;
	size_t len, stride;
	uint8_t ecn; /* for the outer header, RFC 6040 4.1 */
	uint32_t to; /* as given to outq_add */
};

struct outq;
enum err ERR_MUST outq_new(struct outq **out);
void outq_free(struct outq **q);
/* Where the next frame may be read to: room for OUTQ_FRAME_MAX. */
uint8_t *outq_frame(struct outq *q);
/* Adds what is left of a packet of the interface, to be sealed by sa; to: any
 * number that tells destinations apart. TCP's segment size is clamped to mtu.
 * ERR_NO_SPACE: not all went in; call outq_seal, then this again. */
enum err ERR_MUST outq_add(struct outq *q, struct esp_sa *sa, struct split *s,
			   size_t mtu, uint32_t to);
/* Seals all that was added and empties the queue. The runs, which live until
 * the next call, are in *out_runs; returns how many. What could not be sealed
 * (ERR_EXPIRED) is in no run. */
size_t outq_seal(struct outq *q, const struct outq_run **out_runs);

#endif
