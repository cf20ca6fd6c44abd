/* Userspace ESP between the tunnel interface and the UDP socket. No
 * allocation per packet. */
#ifndef CLIENT_RUN_DATAPLANE_H
#define CLIENT_RUN_DATAPLANE_H

#include "client/esp/esp.h"
#include "client/ike/ike_sa.h"

#define DATAPLANE_BATCH 64 /* packets per wake-up and direction */

struct dataplane;

struct dataplane_counters {
	uint64_t packets_in, packets_out, octets_in, octets_out;
	uint64_t dropped_in, dropped_out; /* no SA, not authentic, outside the
					   * agreed networks */
};

enum err ERR_MUST dataplane_new(struct dataplane **out);
void dataplane_free(struct dataplane **d); /* wipes the keys */
/* tun_fd stays the caller's. */
void dataplane_set_tun(struct dataplane *d, int tun_fd);
/* The agreed selectors: inner packets outside them are dropped. Copied. */
void dataplane_set_networks(struct dataplane *d,
			    const struct ike_ts_list *local,
			    const struct ike_ts_list *remote);
/* From now on sends with it, and receives with it and the older ones. */
enum err ERR_MUST dataplane_add(struct dataplane *d,
				const struct ike_child_sa *child);
void dataplane_del(struct dataplane *d, uint32_t spi_in);
/* A new IKE SA brings its own: those here only receive what is still on its
 * way, until the next time. */
void dataplane_retire(struct dataplane *d);
void dataplane_clear(struct dataplane *d);

/* --- a packet at a time, in the caller's loop ---------------------------- */

/* Takes one ESP packet, from the SPI on; borrowed for the call. */
typedef void dataplane_sink(void *ctx, struct bytes esp);
/* Drains the interface, at most DATAPLANE_BATCH reads, and gives what it held
 * to sink as ESP packets. sink NULL, or no SA: all is dropped. True when at
 * least one packet was given. */
bool dataplane_send(struct dataplane *d, dataplane_sink *sink, void *ctx);
/* One ESP packet in a buffer that is transformed in place. True when it was
 * authentic. */
bool dataplane_receive(struct dataplane *d, uint8_t *pkt, size_t len);
const struct dataplane_counters *dataplane_counters(const struct dataplane *d);

#endif
