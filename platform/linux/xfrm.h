/* The kernel's ESP for the leases: states and policies (SAD and SPD, RFC 4301
 * section 4.4). Each has the lease's interface id, so that nothing of other
 * traffic on this machine is touched.
 *
 * By netlink messages of our own: libnl-xfrm 3.7 knows neither interface ids
 * nor output marks, and libnl's way of receiving leaves keys in freed memory.
 */
#ifndef PLATFORM_LINUX_XFRM_H
#define PLATFORM_LINUX_XFRM_H

#include "platform/linux/kernel.h"

#include <linux/xfrm.h>

/* Two states, one each direction, as they were set. */
struct xfrm_pair {
	unsigned lease;
	uint32_t spi_in, spi_out;
	struct net_way way;
};

/* A traffic selector of both directions, and the pair that protects it. */
struct xfrm_policy {
	const struct xfrm_pair *by;
	const struct addr *inner; /* our address alone */
	const struct prefix *to;  /* behind the gateway; of the same family */
};

/* ERR_UNSUPPORTED: this kernel has no XFRM. gives *out_fd. */
enum err ERR_MUST xfrm_open(int *out_fd, struct diag *diag);
/* Has this kernel ESP with AES-GCM? Loads what modules it takes, and leaves
 * nothing. ERR_UNSUPPORTED. */
enum err ERR_MUST xfrm_probe(int fd, unsigned lease, struct diag *diag);

/* Both states of the pair. On an error there is none. ERR_BUSY: an SPI is in
 * use; ERR_UNSUPPORTED: no such cipher. */
enum err ERR_MUST xfrm_pair_add(int fd, unsigned lease, const struct net_sa *sa,
				struct diag *diag);
/* Gone already is gone. */
void xfrm_pair_delete(int fd, const struct xfrm_pair *pair);
/* The states go on at another way, sequence numbers and replay window
 * included. On an error there is none of them any more. */
enum err ERR_MUST xfrm_pair_move(int fd, struct xfrm_pair *pair,
				 const struct net_way *way, struct diag *diag);
/* Seconds since any of the lease's states was last used; -1: never, or not
 * since it was moved. (Of ESP, kernels note that from 6.2 on.) */
enum err ERR_MUST xfrm_ages(int fd, unsigned lease, int64_t *out_heard,
			    int64_t *out_spoke);

/* Sets, or replaces; the state out is named by its SPI. */
enum err ERR_MUST xfrm_policy_set(int fd, const struct xfrm_policy *p,
				  struct diag *diag);
/* Gone already is gone. p->by: only its lease counts. */
void xfrm_policy_delete(int fd, const struct xfrm_policy *p);

/* Deletes the policies and states of leases that are not alive. Returns how
 * many. */
unsigned xfrm_sweep(int fd, const struct lease_set *leases);

/* --- between xfrm*.c --------------------------------------------- */

/* The lease of an object of the kernel's by its interface id; false: not of
 * ours. */
bool xfrm_lease_of(struct nlmsghdr *head, size_t head_len, unsigned *out_lease);

/* The head of a message's body, which need not lie where the processor wants
 * it. False: shorter. */
bool xfrm_head(struct nlmsghdr *head, void *out, size_t len);

/* Who gets the messages that answer a call. */
struct xfrm_reader {
	kernel_put *put;
	void *ctx;
};
/* Sends msg (takes it, NULL is ERR_NO_MEMORY), hands what is answered to the
 * reader (or NULL), and wipes both. what: for diag. ERR_NOT_FOUND, ERR_BUSY
 * (exists), ERR_UNSUPPORTED, ERR_PERMISSION, ERR_SYS. */
enum err ERR_MUST xfrm_call(int fd, struct nl_msg *msg,
			    const struct xfrm_reader *reader, const char *what,
			    struct diag *diag);
int xfrm_family(const struct addr *a);
void xfrm_addr_fill(xfrm_address_t *out, const struct addr *a);
uint32_t xfrm_id(unsigned lease);
unsigned xfrm_policy_sweep(int fd, const struct lease_set *leases);
unsigned xfrm_state_sweep(int fd, const struct lease_set *leases);

#endif
