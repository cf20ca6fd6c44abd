/* Packets on their way in: opened where they lie, then merged for the
 * interface. Sans-IO. */
#ifndef CLIENT_ESP_INQ_H
#define CLIENT_ESP_INQ_H

#include "client/esp/esp.h"
#include "client/esp/merge.h"

#define INQ_PKTS MERGE_MAX

struct inq_pkt {
	struct esp_sa *sa;
	uint8_t ecn; /* of the outer header */
	uint32_t tag;
};

/* In this order: inq_start, inq_add..., inq_open, inq_pass..., merge_take. */
struct inq {
	size_t n;
	struct esp_slot slots[INQ_PKTS];
	struct inq_pkt pkts[INQ_PKTS];
	struct merge merge;
};

void inq_start(struct inq *q, bool tcp, bool udp);
/* An ESP packet of at most INQ_PKTS; it stays where it is. tag: the caller's
 * own. */
void inq_add(struct inq *q, struct bytes esp, const struct inq_pkt *pkt);
/* Opens all. After it slot i holds the result and the inner packet; a length
 * of 0 is nothing to forward: a dummy, or what RFC 6040 says to drop. */
void inq_open(struct inq *q);
/* Slot i goes on to the interface. TCP's segment size is clamped to mtu. */
void inq_pass(struct inq *q, size_t i, size_t mtu);

#endif
