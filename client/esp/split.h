/* One packet of the interface into the packets it stands for: TCP and UDP
 * segmentation, and checksums that were left open. */
#ifndef CLIENT_ESP_SPLIT_H
#define CLIENT_ESP_SPLIT_H

#include "client/esp/inet.h"
#include "client/esp/offload.h"

struct split {
	struct bytes pkt; /* borrowed */
	struct offload o;
	size_t n;	 /* packets */
	size_t next;	 /* the first that outq_add did not take yet */
	size_t head_len; /* headers that each has; n > 1 only */
	size_t size;	 /* payload of each but the last */
	uint16_t id;	 /* IPv4 identification of the first */
	uint32_t seq;	 /* TCP sequence number of the first */
};

/* ERR_MALFORMED: what o says and what the packet is do not agree. */
enum err ERR_MUST split_open(struct split *s, struct bytes pkt,
			     const struct offload *o);
/* Octets of packet i. */
size_t split_len(const struct split *s, size_t i);
/* Writes packet i, split_len octets. */
void split_take(const struct split *s, size_t i, uint8_t *out);

#endif
