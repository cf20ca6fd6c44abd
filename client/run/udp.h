/* The UDP socket to the gateway: IKE and ESP share it (RFC 3948). */
#ifndef CLIENT_RUN_UDP_H
#define CLIENT_RUN_UDP_H

#include "client/ike/ike_sa.h"

#define UDP_MARKER_LEN 4

/* Connects fd (of TCP: begins to) and tells the source address the kernel
 * chose. */
enum err ERR_MUST udp_connect(int fd, const struct addr *remote,
			      struct ike_path *out, struct diag *diag);
/* The socket's mark; 0: none. */
uint32_t udp_mark(int fd);
/* One IKE message behind the non-ESP marker. A full or refused socket is not
 * an error: IKE retransmits. */
void udp_send_ike(int fd, struct bytes dgram);
void udp_send_raw(int fd, struct bytes dgram);

/* What came: an IKE message (without its non-ESP marker), an ESP packet, or a
 * keepalive or garbage. NOTHING: nothing is waiting. */
enum wire_kind { WIRE_NOTHING, WIRE_IKE, WIRE_ESP, WIRE_OTHER, WIRE_BROKEN };
/* IKE, ESP or OTHER; *out is a view of msg without marker. */
enum wire_kind wire_kind_of(struct bytes msg, struct bytes *out);
/* Reads one datagram into buf; *out is a view of it without marker. BROKEN: an
 * ICMP error, say; the socket goes on. */
enum wire_kind udp_receive(int fd, uint8_t *buf, size_t cap, struct bytes *out);

#endif
