/* What the tunnel interface says of a packet, and is told of one: the header
 * of a virtio network device (OASIS virtio 1.2, 5.1.6), 10 octets in the
 * host's order before each packet. */
#ifndef CLIENT_ESP_OFFLOAD_H
#define CLIENT_ESP_OFFLOAD_H

#include "platform/base/bytes.h"

#define OFFLOAD_LEN 10
/* UDP datagrams of one packet or one call that Linux takes (UDP_MAX_SEGMENTS,
 * 128 since 6.8). */
#define OFFLOAD_UDP_MAX 64

enum offload_kind {
	OFFLOAD_NONE = 0, /* a packet as it is */
	OFFLOAD_TCP4 = 1, /* many TCP segments in one */
	OFFLOAD_TCP6 = 4,
	OFFLOAD_UDP = 5 /* many UDP datagrams in one */
};

struct offload {
	bool needs_csum; /* only the pseudo header is in the checksum field */
	uint8_t kind;	 /* enum offload_kind, or one we did not ask for */
	uint16_t head_len, size; /* headers; payload of each packet */
	uint16_t csum_start, csum_offset;
};

void offload_read(const uint8_t b[OFFLOAD_LEN], struct offload *out);
void offload_write(const struct offload *o, uint8_t out[OFFLOAD_LEN]);

#endif
