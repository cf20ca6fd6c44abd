#include "client/run/kernelplane.h"

#include <string.h>

#include "platform/base/log.h"

bool kernelplane_fits(const struct ike_ts_list *local,
		      const struct ike_ts_list *remote)
{
	const struct ike_ts_list *lists[] = {local, remote};

	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < lists[i]->n; k++) {
			const struct ike_ts *ts = &lists[i]->ts[k];

			if (ts->proto || ts->port_from || ts->port_to != 65535)
				return false;
		}
	return true;
}

struct net_way kernelplane_way(const struct ike_path *path, bool plain)
{
	struct net_way way = {path->local, path->remote};

	if (plain)
		way.local.port = way.remote.port = 0;
	return way;
}

/* --- what the kernel calls it --------------------------------------------- */

static bool encr_of(enum encr encr, enum net_encr *out)
{
	switch (encr) {
	case ENCR_AES_GCM_16:
		*out = NET_ENCR_AES_GCM_16;
		return true;
	case ENCR_CHACHA20_POLY1305:
		*out = NET_ENCR_CHACHA20_POLY1305;
		return true;
	case ENCR_AES_CBC:
		*out = NET_ENCR_AES_CBC;
		return true;
	}
	return false;
}

static bool integ_of(enum integ integ, enum net_integ *out)
{
	switch (integ) {
	case INTEG_NONE:
		*out = NET_INTEG_NONE;
		return true;
	case INTEG_HMAC_SHA2_256_128:
		*out = NET_INTEG_SHA256_128;
		return true;
	case INTEG_HMAC_SHA2_384_192:
		*out = NET_INTEG_SHA384_192;
		return true;
	case INTEG_HMAC_SHA2_512_256:
		*out = NET_INTEG_SHA512_256;
		return true;
	}
	return false;
}

static enum err child_to_sa(const struct ike_child_sa *c, struct net_sa *out)
{
	if (!encr_of(c->suite.cipher.encr, &out->encr) ||
	    !integ_of(c->suite.cipher.integ, &out->integ))
		return ERR_UNSUPPORTED;
	out->spi_in = c->spi_in;
	out->spi_out = c->spi_out;
	out->esn = c->suite.esn;
	out->encr_in = c->encr_in;
	out->integ_in = c->integ_in;
	out->encr_out = c->encr_out;
	out->integ_out = c->integ_out;
	return OK;
}

/* --- the SAs -------------------------------------------------------------- */

/* The helper deletes its oldest for one too many; so do we. */
static void child_note(struct kernelplane *k, uint32_t spi_in)
{
	if (k->n == NET_SAS_MAX) {
		log_warn("esp: too many Child SAs, the oldest goes");
		memmove(&k->children[0], &k->children[1],
			(NET_SAS_MAX - 1) * sizeof(k->children[0]));
		k->n--;
	}
	k->children[k->n++] = (struct kernelplane_child){.spi_in = spi_in};
}

static void child_drop(struct kernelplane *k, size_t i)
{
	struct diag diag = DIAG_INIT;
	enum err e = net_sa_delete(k->net, k->children[i].spi_in, &diag);

	if (e)
		log_info("esp: %s", diag_text(&diag, e));
	k->n--;
	memmove(&k->children[i], &k->children[i + 1],
		(k->n - i) * sizeof(k->children[0]));
}

enum err kernelplane_add(struct kernelplane *k,
			 const struct ike_child_sa *child,
			 const struct ike_path *path, struct diag *diag)
{
	struct net_sa sa = {.way = kernelplane_way(path, child->plain),
			    .send = !child->by_peer || k->n == 0};
	enum err e = child_to_sa(child, &sa);

	if (!e)
		e = net_sa_add(k->net, &sa, diag);
	mem_wipe(&sa.encr_in, sizeof(sa.encr_in));
	mem_wipe(&sa.integ_in, sizeof(sa.integ_in));
	mem_wipe(&sa.encr_out, sizeof(sa.encr_out));
	mem_wipe(&sa.integ_out, sizeof(sa.integ_out));
	if (e)
		return e;
	child_note(k, child->spi_in);
	k->way = sa.way;
	return OK;
}

void kernelplane_del(struct kernelplane *k, uint32_t spi_in)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->children[i].spi_in == spi_in) {
			child_drop(k, i);
			return;
		}
}

void kernelplane_retire(struct kernelplane *k)
{
	for (size_t i = k->n; i-- > 0;) {
		if (k->children[i].retired)
			child_drop(k, i);
		else
			k->children[i].retired = true;
	}
}

void kernelplane_clear(struct kernelplane *k)
{
	while (k->n > 0)
		child_drop(k, k->n - 1);
}

enum err kernelplane_move(struct kernelplane *k, const struct net_way *way,
			  struct diag *diag)
{
	enum err e;

	if (k->n == 0 || (addr_eq(&k->way.local, &way->local) &&
			  addr_eq(&k->way.remote, &way->remote)))
		return OK;
	e = net_sa_move(k->net, way, diag);
	if (e)
		kernelplane_clear(k);
	k->way = *way;
	return e;
}

/* --- what went through ---------------------------------------------------- */

bool kernelplane_stats(struct kernelplane *k, struct net_stats *out)
{
	const struct net_stats *past = &k->past;
	struct diag diag = DIAG_INIT;
	enum err e = net_stats(k->net, out, &diag);

	if (e) {
		log_debug("esp: %s", diag_text(&diag, e));
		return false;
	}
	out->packets_in += past->packets_in;
	out->packets_out += past->packets_out;
	out->octets_in += past->octets_in;
	out->octets_out += past->octets_out;
	out->dropped_in += past->dropped_in;
	out->dropped_out += past->dropped_out;
	return true;
}

void kernelplane_activity(struct kernelplane *k, int64_t now_ms,
			  int64_t *out_heard_ms, int64_t *out_spoke_ms)
{
	struct net_stats s;

	*out_heard_ms = *out_spoke_ms = 0;
	if (!kernelplane_stats(k, &s))
		return;
	/* Kernels before 6.2 do not say when. That the gateway was there some
	 * time since spares it a question; of a packet of ours, and what a NAT
	 * made of it, only the time would tell. */
	if (s.packets_in != k->seen_in)
		*out_heard_ms = s.heard_ago_s < 0
					? now_ms
					: now_ms - s.heard_ago_s * 1000;
	if (s.packets_out != k->seen_out && s.spoke_ago_s >= 0)
		*out_spoke_ms = now_ms - s.spoke_ago_s * 1000;
	k->seen_in = s.packets_in;
	k->seen_out = s.packets_out;
}

void kernelplane_leave(struct kernelplane *k)
{
	struct net_stats all;

	if (kernelplane_stats(k, &all))
		k->past = all;
	k->n = 0;
}
