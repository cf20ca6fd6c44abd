/* The Child SAs as the IKE SA knows them. */
#include "client/ike/sa_private.h"

#include <string.h>

#define ESP_SPI_MIN 256 /* RFC 4303 2.1: 1 to 255 are reserved */

uint32_t ike_child_spi(struct ike_sa *sa)
{
	uint32_t spi;

	do
		rng_draw(&sa->rng, &spi, sizeof(spi));
	while (spi < ESP_SPI_MIN || ike_child_by_in(sa, spi));
	return spi;
}

struct ike_child *ike_child_by_in(struct ike_sa *sa, uint32_t spi_in)
{
	for (size_t i = 0; i < IKE_CHILDREN_MAX; i++)
		if (spi_in && sa->children[i].spi_in == spi_in)
			return &sa->children[i];
	return NULL;
}

struct ike_child *ike_child_by_out(struct ike_sa *sa, uint32_t spi_out)
{
	for (size_t i = 0; i < IKE_CHILDREN_MAX; i++)
		if (sa->children[i].spi_in &&
		    sa->children[i].spi_out == spi_out)
			return &sa->children[i];
	return NULL;
}

struct ike_child *ike_child_live(struct ike_sa *sa)
{
	for (size_t i = 0; i < IKE_CHILDREN_MAX; i++) {
		struct ike_child *c = &sa->children[i];

		if (c->spi_in && !c->replaced && !c->deleting &&
		    !c->want_delete)
			return c;
	}
	return NULL;
}

void ike_children_known(struct ike_sa *sa, const struct ike_gen *gen)
{
	for (size_t i = 0; i < IKE_CHILDREN_MAX; i++)
		if (sa->children[i].made_on == gen->spi_i)
			sa->children[i].quiet_until_ms = 0;
}

static struct ike_child *child_place(struct ike_sa *sa)
{
	for (size_t i = 0; i < IKE_CHILDREN_MAX; i++)
		if (!sa->children[i].spi_in)
			return &sa->children[i];
	return NULL;
}

/* Data flows by who began the exchange: i carries the initiator's. */
static enum err queue_child(struct ike_sa *sa, const struct ike_child_deal *d,
			    const struct child_keys *k)
{
	struct ike_node *n =
		ike_queue(sa, IKE_DO_CHILD_ADD, sizeof(struct ike_child_sa));
	struct ike_child_sa *c;

	if (!n)
		return ERR_NO_MEMORY;
	c = n->own;
	n->a.u.child = c;
	c->spi_in = d->spi_in;
	c->spi_out = d->spi_out;
	c->suite = d->suite;
	c->encr_out = d->ours ? k->encr_i : k->encr_r;
	c->integ_out = d->ours ? k->integ_i : k->integ_r;
	c->encr_in = d->ours ? k->encr_r : k->encr_i;
	c->integ_in = d->ours ? k->integ_r : k->integ_i;
	c->is_rekey = d->old_spi_in != 0;
	c->spi_in_old = d->old_spi_in;
	c->by_peer = c->is_rekey && !d->ours;
	c->plain = ike_sa_esp_is_plain(sa);
	/* It may send on it as soon as it has our answer. */
	if (c->by_peer)
		ike_queue_before_send(sa);
	return OK;
}

enum err ike_child_add(struct ike_sa *sa, const struct ike_gen *gen,
		       const struct ike_child_deal *d)
{
	struct ike_child *c = child_place(sa);
	struct child_keys keys = {0};
	struct bytes parts[3];
	size_t n = 0;
	enum err e = OK;

	if (!c)
		return diag_set(&sa->diag, ERR_PEER, "too many Child SAs");
	if (d->shared.len)
		parts[n++] = d->shared;
	parts[n++] = d->ni;
	parts[n++] = d->nr;
	if (!d->silent) {
		e = child_keys_derive(&d->suite, gen->keys.suite.prf,
				      &gen->keys.sk_d, parts, n, &keys);
		if (e == OK)
			e = queue_child(sa, d, &keys);
		child_keys_wipe(&keys);
	}
	if (e != OK)
		return e;
	*c = (struct ike_child){.spi_in = d->spi_in,
				.spi_out = d->spi_out,
				.suite = d->suite,
				.silent = d->silent,
				.made_on = gen->spi_i,
				.rekey_at_ms = IKE_NEVER};
	if (!d->ours && d->old_spi_in)
		c->quiet_until_ms = sa->now_ms + IKE_QUIET_MS;
	if (sa->cfg.child_rekey_ms)
		c->rekey_at_ms =
			sa->now_ms + ike_jitter(sa, sa->cfg.child_rekey_ms);
	return OK;
}

void ike_child_del(struct ike_sa *sa, struct ike_child *c)
{
	struct ike_node *n = NULL;

	if (!c->silent)
		n = ike_queue(sa, IKE_DO_CHILD_DEL, 0);
	if (n) {
		n->a.u.child_del.spi_in = c->spi_in;
		/* It hears the old one no longer when it has our answer. */
		ike_queue_before_send(sa);
	}
	*c = (struct ike_child){.spi_in = 0};
}

const struct ike_ts_list *ike_child_ts(const struct ike_sa *sa, bool ours)
{
	bool narrowed = sa->ts_local.n && sa->ts_remote.n;

	if (ours)
		return narrowed ? &sa->ts_local : &sa->cfg.ts_local;
	return narrowed ? &sa->ts_remote : &sa->cfg.ts_remote;
}

static enum err read_ts(struct ike_sa *sa, const struct ike_msg *msg,
			uint8_t payload, const struct ike_ts_list *asked,
			struct ike_ts_list *out)
{
	const struct ike_payload *p = ike_msg_find(msg, payload, 0);

	if (!p || ike_ts_parse(p->body, out) != OK || out->n == 0)
		return diag_set(&sa->diag, ERR_PEER,
				"gateway's %s is malformed",
				ike_payload_name(payload));
	if (!ike_ts_subset(out, asked))
		return diag_set(&sa->diag, ERR_TS_UNACCEPTABLE,
				"gateway wants other networks than asked for");
	return OK;
}

static enum err read_suite(const struct ike_msg *msg,
			   const struct proposal_list *offer,
			   struct ike_child_answer *out)
{
	const struct ike_payload *p = ike_msg_find(msg, PLD_SA, 0);
	struct proposal_list answer;
	struct proposal chosen;
	struct rd r;
	enum err e;

	if (!p)
		return ERR_MALFORMED;
	e = proposals_parse(p->body, &answer);
	if (e == OK)
		e = proposals_check_answer(offer, &answer, &chosen);
	if (e == OK)
		e = suite_from_proposal(&chosen, &out->suite);
	if (e != OK)
		return e;
	r = rd_open(chosen.spi);
	out->spi_out = rd_u32(&r);
	e = rd_finish(&r);
	return e == OK && out->spi_out < ESP_SPI_MIN ? ERR_MALFORMED : e;
}

enum err ike_child_read(struct ike_sa *sa, const struct ike_msg *msg,
			bool with_ke, struct ike_child_answer *out)
{
	const struct ike_ts_list *local = ike_child_ts(sa, true);
	const struct ike_ts_list *remote = ike_child_ts(sa, false);
	struct proposal_list offer = sa->cfg.esp_proposals;
	enum err e;

	if (!with_ke)
		proposals_drop_ke(&offer);
	if (read_suite(msg, &offer, out) != OK)
		return diag_set(&sa->diag, ERR_NO_PROPOSAL,
				"gateway chose ESP algorithms we did not "
				"offer");
	e = read_ts(sa, msg, PLD_TSI, local, &out->tsi);
	if (e == OK)
		e = read_ts(sa, msg, PLD_TSR, remote, &out->tsr);
	return e;
}
