/* Many packets a system call: the tunnel interface and a UDP socket, with the
 * segmentation offloads of both where the kernel has them, and a packet or a
 * few a call where it does not.
 *
 * What is there is found out when they are opened and shown in the structs;
 * an offload that fails later on is switched off by itself. All descriptors
 * are non-blocking and stay the caller's. Each struct is for one thread at a
 * time; a struct and its copy may be used by one thread each way.
 */
#ifndef PLATFORM_PKTIO_H
#define PLATFORM_PKTIO_H

#include <sys/uio.h>

#include "platform/base/addr.h"

#define PKTIO_HEAD_LEN 10    /* virtio header before each packet */
#define PKTIO_PKT_MAX  65535 /* octets of a packet without it */
#define PKTIO_RUNS_MAX 128   /* of one pktio_udp_receive */

/* --- the tunnel interface ------------------------------------------------ */

struct pktio_tun {
	int fd;
	bool vnet;     /* packets come and go with a header */
	bool tcp, udp; /* segmentation of each, both ways */
};

/* Switches on what the interface can do. */
void pktio_tun_open(int fd, struct pktio_tun *out);
/* One packet and, before it, its header of PKTIO_HEAD_LEN octets (zeros where
 * the interface has none). 0: none is waiting. */
size_t pktio_tun_read(const struct pktio_tun *t, uint8_t *head, uint8_t *pkt,
		      size_t cap);
/* One packet in parts, of which the first is the header. False when the
 * kernel did not take it; where it finds fault with a large packet, it gets
 * none of that kind any more (t->tcp, t->udp). */
bool pktio_tun_write(struct pktio_tun *t, struct iovec *parts, int n);

/* --- the UDP socket ------------------------------------------------------ */

struct pktio_udp {
	int fd;
	bool v6;
	bool gso, gro; /* UDP_SEGMENT, UDP_GRO */
};

/* Datagrams of one peer in one piece of memory: each stride octets long, the
 * last may be shorter. */
struct pktio_run {
	uint8_t *p;
	size_t len, stride;
	uint8_t ecn;	  /* of the IP header */
	struct addr peer; /* family ADDR_NONE: the connected one */
};

/* Buffers for receiving. */
struct pktio_in;
/* gap: octets kept free before the first and behind the last datagram of each
 * run. */
enum err ERR_MUST pktio_in_new(size_t gap, struct pktio_in **out);
void pktio_in_free(struct pktio_in **in);

void pktio_udp_open(int fd, struct pktio_udp *out);
/* Others may read the socket again, a datagram a call. */
void pktio_udp_close(struct pktio_udp *u);
/* What waits, at most PKTIO_RUNS_MAX runs, which live until the next call
 * with in. Returns how many; errors that the network told are passed over. */
size_t pktio_udp_receive(const struct pktio_udp *u, struct pktio_in *in,
			 struct pktio_run *out);
/* Sends all, waiting a moment where the socket is full. Returns the number of
 * datagrams that did not go. */
size_t pktio_udp_send(struct pktio_udp *u, const struct pktio_run *runs,
		      size_t n);
/* The largest IP packet that the path of a connected socket takes; 0:
 * unknown. */
size_t pktio_udp_mtu(const struct pktio_udp *u);

#endif
