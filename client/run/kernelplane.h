/* The kernel's ESP: the Child SAs it holds for us, through the helper. The
 * other data plane beside dataplane.h; for the loop's thread. */
#ifndef CLIENT_RUN_KERNELPLANE_H
#define CLIENT_RUN_KERNELPLANE_H

#include "client/ike/ike_sa.h"
#include "platform/net.h"

struct kernelplane {
	struct net *net; /* borrowed */
	struct net_way way;
	struct kernelplane_child {
		uint32_t spi_in;
		bool retired;
	} children[NET_SAS_MAX]; /* oldest first */
	size_t n;
	struct net_stats past;	    /* counters of interfaces that are gone */
	uint64_t seen_in, seen_out; /* packets, when last asked */
};

/* Can the kernel keep to these selectors? It goes by addresses alone. */
bool kernelplane_fits(const struct ike_ts_list *local,
		      const struct ike_ts_list *remote);
/* Where the ESP of a path goes; plain: without UDP. */
struct net_way kernelplane_way(const struct ike_path *path, bool plain);
/* From now on sends with it, or when the one that sends now is deleted, where
 * the peer began the rekey. ERR_UNSUPPORTED: this kernel has not got its
 * cipher. */
enum err ERR_MUST kernelplane_add(struct kernelplane *k,
				  const struct ike_child_sa *child,
				  const struct ike_path *path,
				  struct diag *diag);
void kernelplane_del(struct kernelplane *k, uint32_t spi_in);
/* A new IKE SA brings its own: those here go, but for what is still on its
 * way, the next time. */
void kernelplane_retire(struct kernelplane *k);
void kernelplane_clear(struct kernelplane *k);
/* The SAs go by another way; nothing happens where it is the same. On an error
 * they are lost. */
enum err ERR_MUST kernelplane_move(struct kernelplane *k,
				   const struct net_way *way,
				   struct diag *diag);
/* All that went through since the start; false: the helper does not say. */
bool kernelplane_stats(struct kernelplane *k, struct net_stats *out);
/* When the last packet came and went, boot clock, early by up to a second; 0:
 * none since this was asked before, or nobody knows. A question to the helper:
 * not for every wake-up. */
void kernelplane_activity(struct kernelplane *k, int64_t now_ms,
			  int64_t *out_heard_ms, int64_t *out_spoke_ms);
/* The interface is about to go, and with it SAs and counters. */
void kernelplane_leave(struct kernelplane *k);

#endif
