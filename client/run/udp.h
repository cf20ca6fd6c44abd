/* The UDP socket to the gateway: IKE and ESP share it (RFC 3948). */
#ifndef CLIENT_RUN_UDP_H
#define CLIENT_RUN_UDP_H

#include "client/ike/ike_sa.h"

#define UDP_MARKER_LEN 4

/* Connects fd to remote and tells the source address the kernel chose. */
enum err ERR_MUST udp_connect(int fd, const struct addr *remote,
			      struct ike_path *out, struct diag *diag);
/* The socket's mark; 0: none. */
uint32_t udp_mark(int fd);
/* One IKE message behind the non-ESP marker. A full or refused socket is not
 * an error: IKE retransmits. */
void udp_send_ike(int fd, struct bytes dgram);
void udp_send_raw(int fd, struct bytes dgram);

enum udp_kind { UDP_NOTHING, UDP_IKE, UDP_ESP, UDP_OTHER };
/* Reads one datagram into buf; *out is a view of it without marker. UDP_OTHER:
 * a keepalive or garbage. UDP_NOTHING: none is waiting. */
enum udp_kind udp_receive(int fd, uint8_t *buf, size_t cap, struct bytes *out);

#endif
