/* Headers of inner packets, IPv4 and IPv6: checksums, ECN, segment size and
 * the message that a packet is too big. */
#ifndef CLIENT_ESP_INET_H
#define CLIENT_ESP_INET_H

#include "platform/base/bytes.h"

#define INET_V4_LEN	20
#define INET_V6_LEN	40
#define INET_TCP_LEN	20
#define INET_UDP_LEN	8
#define INET_TOOBIG_MAX 1280

enum { INET_TCP = 6, INET_UDP = 17 };
enum {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_CWR = 0x80
};
/* Places of fields in a TCP and a UDP header. */
enum { TCP_AT_SEQ = 4, TCP_AT_OFFSET = 12, TCP_AT_FLAGS = 13, TCP_AT_SUM = 16 };
enum { UDP_AT_LEN = 4, UDP_AT_SUM = 6 };

/* Ones' complement sum (RFC 1071) of b and what was summed before, folded. */
uint16_t inet_sum(struct bytes b, uint16_t before);
/* The same of the pseudo header of an IP packet (whole header there). */
uint16_t inet_pseudo_sum(const uint8_t *ip, uint8_t proto, size_t len);
/* Writes a 16-bit number at p, network order. */
void inet_put16(uint8_t *p, uint16_t v);
uint16_t inet_get16(const uint8_t *p);
/* Sets the total length of an IP packet, and the header checksum of IPv4. */
void inet_set_len(uint8_t *ip, size_t len);
/* Where the transport header is, and its protocol; false for fragments, for
 * headers between and for what is not whole. Checks nothing behind. */
bool inet_transport(struct bytes pkt, size_t *out_at, uint8_t *out_proto);

/* The ECN field (RFC 3168); 0: none. */
uint8_t inet_ecn(struct bytes pkt);
/* Combines it with the outer header's (RFC 6040 4.2). False: drop. */
bool inet_ecn_decap(uint8_t *pkt, uint8_t outer);
/* A TCP SYN's maximum segment size becomes what fits into mtu. */
void inet_clamp_mss(uint8_t *pkt, size_t len, size_t mtu);
/* The ICMP message that tells pkt's sender to send no more than mtu octets
 * (RFC 1191, RFC 4443 3.2), from pkt's destination. Its length, or 0 where
 * none may be sent: fragments, multicast, ICMP errors. */
size_t inet_too_big(struct bytes pkt, size_t mtu, uint8_t out[INET_TOOBIG_MAX]);
/* False where IPv4 lets routers fragment it. */
bool inet_dont_fragment(struct bytes pkt);

#endif
