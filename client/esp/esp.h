/* ESP as a packet transform (RFC 4303), sans-IO: no socket, no clock, no
 * random number. One struct a direction; not shared between threads. */
#ifndef CLIENT_ESP_ESP_H
#define CLIENT_ESP_ESP_H

#include "client/crypto/crypto.h"

#define ESP_HEADROOM	  24 /* SPI, sequence number, longest IV */
#define ESP_TAILROOM	  56 /* padding, pad length, next header, longest ICV */
#define ESP_REPLAY_WINDOW 4096 /* packets */
#define ESP_BATCH	  64   /* packets a call at most */

enum { ESP_NEXT_IPV4 = 4, ESP_NEXT_IPV6 = 41, ESP_NEXT_NONE = 59 };

struct esp_params {
	uint32_t spi;
	struct cipher_algs algs;
	struct secret encr_key; /* with the salt at its end */
	struct secret integ_key;
	bool esn; /* 64-bit sequence numbers, RFC 4304 / RFC 4303 2.2.1 */
};

/* A packet in a buffer the caller owns, with ESP_HEADROOM octets before p
 * and ESP_TAILROOM after p + len. The verbs move p and len. */
struct esp_pkt {
	uint8_t *p;
	size_t len;
};

/* One packet of many, each with its own outcome. */
struct esp_slot {
	struct esp_pkt pkt;
	uint8_t next_header; /* sealing: set by the caller */
	enum err result;
	uint64_t seq; /* opening: its number */
};

struct esp_counters {
	uint64_t packets;
	uint64_t octets; /* of inner packets */
	uint64_t replayed;
	uint64_t unauthentic;
	uint64_t malformed;
};

struct esp_sa;
/* Copies the keys. The SA serves one direction only: seal or open. */
enum err ERR_MUST esp_sa_new(const struct esp_params *params,
			     struct esp_sa **out);
void esp_sa_free(struct esp_sa **sa); /* wipes */
uint32_t esp_sa_spi(const struct esp_sa *sa);
const struct esp_counters *esp_sa_counters(const struct esp_sa *sa);
/* The 64-bit sequence number last used or accepted. */
uint64_t esp_sa_seq(const struct esp_sa *sa);

/* Inner packet in, ESP packet (from the SPI on) out. ERR_EXPIRED when the
 * sequence numbers are used up (2^32-1 without ESN): the packet is unsent. */
enum err ERR_MUST esp_seal(struct esp_sa *sa, uint8_t next_header,
			   struct esp_pkt *pkt);
/* ESP packet in, inner packet out. The replay window is looked at before and
 * moved after the ICV is right. ERR_REPLAY, ERR_INTEGRITY, ERR_TRUNCATED,
 * ERR_MALFORMED (padding, TFC): count and drop. A dummy packet (next header
 * 59) is OK with pkt->len 0. */
enum err ERR_MUST esp_open(struct esp_sa *sa, struct esp_pkt *pkt,
			   uint8_t *out_next_header);
/* The same for up to ESP_BATCH packets of one SA, each with its result; a
 * packet's rooms may be its neighbours' as far as it does not use them. */
void esp_seal_many(struct esp_sa *sa, struct esp_slot *slots, size_t n);
void esp_open_many(struct esp_sa *sa, struct esp_slot *slots, size_t n);
/* The length of the ESP packet that an inner one becomes, and how much of
 * that is before the inner packet. */
size_t esp_sealed_len(const struct esp_sa *sa, size_t inner_len);
size_t esp_head_len(const struct esp_sa *sa);
/* The SPI of a received packet; 0 when it is too short. */
uint32_t esp_peek_spi(struct bytes pkt);
/* Octets that ESP adds at most to an inner packet of any length: header, IV,
 * padding, trailer, ICV. For the tunnel's MTU. */
size_t esp_overhead_max(const struct esp_sa *sa);
size_t esp_overhead_of(const struct cipher_algs *algs); /* of known ones */

#endif
