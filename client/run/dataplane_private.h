/* Shared by dataplane*.c only. */
#ifndef CLIENT_RUN_DATAPLANE_PRIVATE_H
#define CLIENT_RUN_DATAPLANE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "client/esp/inq.h"
#include "client/esp/outq.h"
#include "client/run/dataplane.h"
#include "client/run/selectors.h"
#include "platform/pktio.h"

#define CHILDREN_MAX 4 /* old and new one of each of two rekeys */

struct child {
	uint32_t spi_in;
	struct esp_sa *in, *out;
	uint64_t born;
	bool retired;
	bool waits; /* for the peer to use it, before we send on it */
	atomic_bool used;
};

/* Who may work on a direction. Two locks make a turnstile: who waits has the
 * first, so that a thread which is always busy lets others in between two of
 * its batches. Nobody waits for packets in it. */
struct turn {
	pthread_mutex_t gate, work;
};

struct out_side {
	struct turn turn; /* holds all below, child.out, sender */
	struct outq *q;
	struct selectors selectors;
	struct pktio_tun tun;
	struct pktio_udp udp; /* fd -1: none */
	struct pktio_run runs[OUTQ_PKTS];
	uint64_t packets, octets, dropped;
	int64_t mtu_at_ms; /* when the path's MTU was looked at */
	pthread_t thread;
	int wake_fd;
	_Atomic int64_t spoke_ms;
	atomic_bool tell; /* the loop wants to know of the next packet */
};

struct in_side {
	struct turn turn; /* holds all below, child.in */
	struct inq q;
	struct pktio_in *io;
	struct selectors selectors;
	struct pktio_tun tun;
	struct pktio_udp udp[2]; /* now, and before a move; fd -1: none */
	struct pktio_run runs[PKTIO_RUNS_MAX];
	struct child *last; /* that a packet was for */
	uint64_t packets, octets, dropped;
	pthread_t thread;
	int wake_fd;
	_Atomic int64_t heard_ms;
};

struct dataplane {
	struct child children[CHILDREN_MAX];
	struct child *sender; /* NULL: nothing can be sent */
	uint64_t births;
	_Atomic size_t mtu; /* of inner packets, by the path */
	atomic_bool careful;
	struct out_side out;
	struct in_side in;
	int ike[2]; /* the loop's end, the pump's */
	bool running;
	atomic_bool stop;
};

void turn_init(struct turn *t);
void turn_take(struct turn *t);
void turn_give(struct turn *t);

/* dataplane_out.c: a batch out of the interface, in out.turn. sink NULL: by
 * the UDP socket. Returns how many reads found a packet. */
size_t out_batch(struct dataplane *d, dataplane_sink *sink, void *ctx);

/* dataplane_in.c, in in.turn. */
/* All that waits in a socket. True when something did. */
bool in_batch(struct dataplane *d, const struct pktio_udp *u);
/* One ESP packet; true when it was authentic. */
bool in_one(struct dataplane *d, struct bytes esp);

#endif
