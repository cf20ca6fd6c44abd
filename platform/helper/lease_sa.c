/* SA_ADD, SA_MOVE, SA_DEL, STATS: the lease's pairs of SAs, and the policies
 * between the addresses and the routes of CONF, which name the pair that
 * sends. */
#include "platform/helper/lease.h"

#include "platform/base/log.h"

#include <string.h>

static enum err plane_check(const struct lease *l, struct diag *diag)
{
	if (l->ifindex == 0 || l->plane != NET_PLANE_KERNEL)
		return diag_set(diag, ERR_STATE,
				"the interface is not the kernel's ESP");
	return OK;
}

/* --- policies ---------------------------------------------------- */

static const struct xfrm_pair *pair_sends(const struct lease *l)
{
	for (unsigned i = 0; i < l->n_sas; i++)
		if (l->sas[i].spi_in == l->sends)
			return &l->sas[i];
	return NULL;
}

enum err lease_policies_set(struct lease *l, const struct net_conf *c,
			    struct diag *diag)
{
	struct xfrm_policy p = {.by = pair_sends(l)};
	enum err e = OK;

	for (size_t i = 0; p.by && i < c->n_addrs; i++) {
		p.inner = &c->addrs[i].addr;
		for (size_t j = 0; j < c->n_routes && !e; j++) {
			p.to = &c->routes[j];
			if (p.to->addr.family == p.inner->family)
				e = xfrm_policy_set(l->xfrm_fd, &p, diag);
		}
	}
	return e;
}

void lease_policies_remove(struct lease *l, const struct net_conf *from,
			   const struct net_conf *keep)
{
	struct xfrm_policy p = {.by = pair_sends(l)};

	for (size_t i = 0; p.by && i < from->n_addrs; i++) {
		bool stays = lease_conf_has_addr(keep, &from->addrs[i].addr);

		p.inner = &from->addrs[i].addr;
		for (size_t j = 0; j < from->n_routes; j++) {
			p.to = &from->routes[j];
			if (p.to->addr.family == p.inner->family &&
			    !(stays && lease_conf_has_route(keep, p.to)))
				xfrm_policy_delete(l->xfrm_fd, &p);
		}
	}
}

/* --- pairs ------------------------------------------------------- */

static void pair_forget(struct lease *l, unsigned at)
{
	l->n_sas--;
	memmove(&l->sas[at], &l->sas[at + 1],
		(l->n_sas - at) * sizeof(*l->sas));
}

/* Deletes it; if it was the one that sends, the newest of the others does
 * from before on. */
static enum err pair_end(struct lease *l, unsigned at, struct diag *diag)
{
	static const struct net_conf nothing;
	const struct xfrm_pair pair = l->sas[at];
	enum err e = OK;

	if (pair.spi_in == l->sends && l->n_sas == 1)
		lease_policies_remove(l, &l->conf, &nothing);
	pair_forget(l, at);
	if (pair.spi_in == l->sends && l->n_sas > 0) {
		l->sends = l->sas[l->n_sas - 1].spi_in;
		e = lease_policies_set(l, &l->conf, diag);
	}
	xfrm_pair_delete(l->xfrm_fd, &pair);
	return e;
}

enum err lease_sa_add(struct lease *l, const struct net_sa *sa,
		      struct diag *diag)
{
	enum err e = plane_check(l, diag), undone;

	if (!e && l->n_sas == NET_SAS_MAX)
		e = pair_end(l, 0, diag);
	if (!e)
		e = xfrm_pair_add(l->xfrm_fd, l->slot.n, sa, diag);
	if (e)
		return e;
	l->sas[l->n_sas++] =
		(struct xfrm_pair){l->slot.n, sa->spi_in, sa->spi_out, sa->way};
	if (l->n_sas > 1 && !sa->send)
		return OK;
	l->sends = sa->spi_in;
	e = lease_policies_set(l, &l->conf, diag);
	if (!e)
		return OK;
	undone = pair_end(l, l->n_sas - 1, NULL);
	if (undone)
		log_warn("policies of an SA that failed are left");
	return e;
}

enum err lease_sa_delete(struct lease *l, uint32_t spi_in, struct diag *diag)
{
	enum err e = plane_check(l, diag);

	if (e)
		return e;
	for (unsigned i = 0; i < l->n_sas; i++)
		if (l->sas[i].spi_in == spi_in)
			return pair_end(l, i, diag);
	return diag_set(diag, ERR_NOT_FOUND, "no such SA");
}

/* One that cannot be moved is gone; the others are moved all the same. */
enum err lease_sa_move(struct lease *l, const struct net_way *way,
		       struct diag *diag)
{
	enum err e = plane_check(l, diag), failed = OK;
	unsigned i = 0;

	if (e)
		return e;
	while (i < l->n_sas) {
		e = xfrm_pair_move(l->xfrm_fd, &l->sas[i], way, diag);
		if (e) {
			failed = e;
			e = pair_end(l, i, NULL);
		} else {
			i++;
		}
	}
	e = lease_policies_set(l, &l->conf, diag);
	return failed ? failed : e;
}

void lease_sa_forget(struct lease *l)
{
	struct lease_set all;

	if (l->n_sas == 0)
		return;
	memset(all.alive, true, sizeof(all.alive));
	all.alive[l->slot.n] = false;
	xfrm_sweep(l->xfrm_fd, &all);
	l->n_sas = 0;
}

enum err lease_stats(struct lease *l, struct net_stats *out, struct diag *diag)
{
	enum err e = plane_check(l, diag);

	if (!e)
		e = link_stats(l->nl, l->ifindex, out, diag);
	if (!e)
		e = xfrm_ages(l->xfrm_fd, l->slot.n, &out->heard_ago_s,
			      &out->spoke_ago_s);
	return e;
}
