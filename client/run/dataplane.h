/* Userspace ESP between the tunnel interface and the way to the gateway.
 *
 * Either the caller's loop moves the packets (while there is no SA, and over
 * TCP), or the pump does: one thread a direction, between dataplane_start and
 * dataplane_stop. All functions here are for the loop's thread. No allocation
 * and no lock a packet. */
#ifndef CLIENT_RUN_DATAPLANE_H
#define CLIENT_RUN_DATAPLANE_H

#include "client/esp/esp.h"
#include "client/ike/ike_sa.h"

#define DATAPLANE_BATCH 64 /* reads per wake-up and direction */
/* No more reads once a sink got so much: its queue is short. */
#define DATAPLANE_SINK_OCTETS 65536
/* An inner packet that every path takes: 1280 (RFC 8200 5), less IPv6, UDP and
 * 73 octets of ESP at most. */
#define DATAPLANE_CAREFUL_MTU 1152

struct dataplane;

struct dataplane_counters {
	uint64_t packets_in, packets_out, octets_in, octets_out;
	uint64_t dropped_in, dropped_out; /* no SA, not authentic, outside the
					   * agreed networks, too big */
};

enum err ERR_MUST dataplane_new(struct dataplane **out);
void dataplane_free(struct dataplane **d); /* wipes the keys */
/* tun_fd stays the caller's. */
void dataplane_set_tun(struct dataplane *d, int tun_fd);
/* The agreed selectors: inner packets outside them are dropped. Copied. */
void dataplane_set_networks(struct dataplane *d,
			    const struct ike_ts_list *local,
			    const struct ike_ts_list *remote);
/* As long as it is not known what the path takes, as from the beginning: TCP
 * connections that begin are told segments that every path takes. Later there
 * is no way to make the other end's shorter. */
void dataplane_be_careful(struct dataplane *d, bool on);
/* From now on sends with it, or as soon as the peer does where the peer began
 * the rekey; receives with it and the older ones. */
enum err ERR_MUST dataplane_add(struct dataplane *d,
				const struct ike_child_sa *child);
void dataplane_del(struct dataplane *d, uint32_t spi_in);
/* A new IKE SA brings its own: those here only receive what is still on its
 * way, until the next time. */
void dataplane_retire(struct dataplane *d);
void dataplane_clear(struct dataplane *d);
/* Is there an SA to send with? */
bool dataplane_has_sa(const struct dataplane *d);
void dataplane_counters(struct dataplane *d, struct dataplane_counters *out);
/* For people: offloads and cipher in use. */
struct dataplane_how {
	bool pump;	       /* threads; else packet by packet in the loop */
	bool tun_tcp, tun_udp; /* segmentation at the interface */
	bool udp_gso, udp_gro;
	const char *cipher; /* esp_cipher_backend */
};
void dataplane_how(struct dataplane *d, struct dataplane_how *out);

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

/* --- the pump ------------------------------------------------------------ */

/* From now on threads read the interface and the connected socket udp_fd; the
 * caller watches neither. Both stay the caller's. */
enum err ERR_MUST dataplane_start(struct dataplane *d, int udp_fd);
/* Sends by another socket; the one before is still heard. */
void dataplane_move(struct dataplane *d, int udp_fd);
/* Does not use a socket any more: after it the caller may close it. */
void dataplane_forget(struct dataplane *d, int udp_fd);
/* No thread is left when it returns. */
void dataplane_stop(struct dataplane *d);
/* Readable when an IKE message came to a socket of the pump. */
int dataplane_ike_fd(const struct dataplane *d);
/* Takes one, without its non-ESP marker, into buf; false: none is there. */
bool dataplane_next_ike(struct dataplane *d, uint8_t *buf, size_t cap,
			size_t *out_len);
/* When the pump last opened an authentic packet and last sent one, boot clock;
 * 0: not yet. It wakes nobody for it, but once: for the first packet sent after
 * all that was sent had been answered when this was called, dataplane_ike_fd
 * is readable without a message. So an answer that stays away can be missed in
 * time. */
void dataplane_activity(struct dataplane *d, int64_t *out_heard_ms,
			int64_t *out_spoke_ms);

#endif
