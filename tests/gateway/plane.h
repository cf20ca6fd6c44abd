/* Userspace ESP of the test gateway: many clients, one interface. */
#ifndef TESTS_GATEWAY_PLANE_H
#define TESTS_GATEWAY_PLANE_H

#include "client/esp/esp.h"
#include "tests/gateway/gw.h"

struct plane;

enum err ERR_MUST plane_new(struct plane **out);
void plane_free(struct plane **p);
void plane_child_add(struct plane *p, const struct gw_child_info *info);
void plane_child_del(struct plane *p, uint32_t spi_in);
void plane_path(struct plane *p, uint32_t session, const struct gw_path *path);
void plane_down(struct plane *p, uint32_t session);
/* An ESP packet, decrypted in place. ERR_NOT_FOUND: unknown SPI. *out_moved:
 * it came from elsewhere than before. A length of 0 is nothing to forward. */
enum err ERR_MUST plane_open(struct plane *p, const struct gw_path *path,
			     struct esp_pkt *pkt, uint32_t *out_spi,
			     bool *out_moved);
/* An inner packet, encrypted in place; ERR_NOT_FOUND: nobody has that
 * address. */
enum err ERR_MUST plane_seal(struct plane *p, struct esp_pkt *pkt,
			     struct gw_path *out_path);

/* --- the same in steps, for many packets at once ------------------------- */

/* Who opens packets of this SPI; NULL: nobody, and it is counted. */
struct esp_sa *plane_sa_in(struct plane *p, uint32_t spi);
/* One that did not open. */
void plane_refused(struct plane *p);
/* One that did. True: it came from elsewhere than before. A length of 0 is
 * then nothing to forward. */
bool plane_accept(struct plane *p, uint32_t spi, const struct gw_path *path,
		  struct esp_pkt *pkt);
/* Who seals an inner packet and where it goes; NULL: nobody, counted. */
struct esp_sa *plane_sa_out(struct plane *p, const struct esp_pkt *pkt,
			    struct gw_path *out_path);
void plane_sent(struct plane *p, size_t packets, size_t octets);

struct plane_counters {
	uint64_t packets_in, packets_out, octets_in, octets_out;
	uint64_t unknown_spi, refused_in, no_route, spoofed;
};
const struct plane_counters *plane_counters(const struct plane *p);

#endif
