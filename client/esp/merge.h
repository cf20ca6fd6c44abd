/* Packets that came one by one into the large ones that they were cut from:
 * what split.h does, the other way round. Nothing is copied: a large packet
 * is a list of parts. */
#ifndef CLIENT_ESP_MERGE_H
#define CLIENT_ESP_MERGE_H

#include "client/esp/inet.h"
#include "client/esp/offload.h"

#define MERGE_MAX 256 /* packets: some large ones */

struct merge_pkt {
	uint8_t *p;
	size_t len;
	size_t at, head_len; /* transport header; payload. 0: stays alone */
	uint8_t proto;
	bool checked, good; /* its checksum */
	/* Of the first of a group: */
	size_t last, n, total_len;
	uint32_t next_seq;
	bool closed;
	/* Of each: the one behind it in its group, or MERGE_MAX. */
	size_t next;
};

struct merge {
	bool tcp, udp; /* what the interface takes */
	size_t n_pkts, n_groups;
	struct merge_pkt pkts[MERGE_MAX];
	size_t groups[MERGE_MAX]; /* their first packets */
};

/* Empties it. */
void merge_start(struct merge *m, bool tcp, bool udp);
/* A whole IP packet, which must stay where it is until the groups are done
 * with. At most MERGE_MAX. Packets of one flow keep their order. */
void merge_add(struct merge *m, uint8_t *p, size_t len);
/* Group i below m->n_groups: once, since it writes to the headers. parts:
 * OFFLOAD_LEN octets at head, then what belongs behind them; room for
 * MERGE_MAX + 1. Returns how many parts. */
size_t merge_take(struct merge *m, size_t i, uint8_t head[OFFLOAD_LEN],
		  struct bytes *parts);

#endif
