/* Rekey of the IKE SA, both ways (RFC 7296 1.3.2, 2.8, 2.18). */
#include "tests/gateway/gw_int.h"

#include <string.h>

void gw_take_over(struct gw *gw, struct gw_ike *old, struct gw_ike *to)
{
	struct gw_sess *s = to->sess;

	s->ike = to;
	/* A ticket belongs to the keys it was issued under (RFC 5723 6.2). */
	for (size_t i = 0; i < old->n_jobs; i++)
		if (old->jobs[i].task != GW_TASK_REKEY_IKE &&
		    old->jobs[i].task != GW_TASK_DELETE_IKE)
			gw_job_add(gw, to, old->jobs[i].task,
				   old->jobs[i].spi_in);
	old->n_jobs = 0;
	gw->n.ike_rekeys++;
	if (gw->sw.push)
		gw_job_add(gw, to, GW_TASK_PUSH, 0);
	if (gw->sw.qcd && to->initiator)
		gw_job_add(gw, to, GW_TASK_TOKEN, 0);
}

static struct gw_ike *successor(struct gw *gw, struct gw_ike *old,
				bool initiator, uint64_t peer_spi)
{
	struct gw_ike *ike = gw_ike_new(gw, peer_spi);

	ike->initiator = initiator;
	ike->state = GW_ST_UP;
	ike->path = old->path;
	ike->peer_fragments = old->peer_fragments;
	ike->nat = old->nat;
	ike->redirects = old->redirects;
	if (gw->cfg.ike_rekey_ms != 0) {
		ike->rekey_ms = gw->now_ms + gw->cfg.ike_rekey_ms;
		gw_bound(gw, ike->rekey_ms);
	}
	return ike;
}

/* --- as responder -------------------------------------------------------- */

struct rekey_in {
	struct bytes ni;
	struct ike_ke ke;
	struct proposal chosen;
	struct suite suite;
};

static enum err rekey_read(struct gw *gw, const struct ike_msg *msg,
			   const struct proposal_list *offer,
			   struct rekey_in *in)
{
	const struct ike_payload *ke = ike_msg_find(msg, PLD_KE, 0);
	const struct ike_payload *nonce = ike_msg_find(msg, PLD_NONCE, 0);
	struct proposal_list ours;
	enum err e;

	if (ke == NULL || nonce == NULL)
		return ERR_MALFORMED;
	e = ike_ke_parse(ke->body, &in->ke);
	if (e == OK)
		e = ike_nonce_parse(nonce->body, &in->ni);
	if (e != OK)
		return e;
	gw_ike_offer(gw, (enum ke_method)in->ke.method, &ours);
	if (proposals_select(&ours, offer, &in->chosen) != OK) {
		gw_ike_offer(gw, KE_NONE, &ours);
		e = proposals_select(&ours, offer, &in->chosen);
	}
	if (e == OK && in->chosen.spi.len != IKE_SPI_LEN)
		e = ERR_MALFORMED;
	if (e == OK)
		e = suite_from_proposal(&in->chosen, &in->suite);
	return e;
}

static enum err rekey_keys(struct gw *gw, struct gw_ike *old,
			   struct gw_ike *new, const struct rekey_in *in,
			   struct ike_wr *m)
{
	uint8_t nr[GW_NONCE_LEN], shared[KE_SHARED_MAX];
	struct ike_seed seed = {in->ni, BYTES_OF(nr), new->peer_spi,
				new->my_spi};
	size_t shared_len = 0;
	struct bytes low;
	struct ke *ke;
	enum err e = ke_new(in->suite.ke, &gw->rng, &ke);

	rng_draw(&gw->rng, nr, sizeof(nr));
	gw->n.public_key_ops += 2;
	if (e == OK)
		e = ke_shared(ke, in->ke.data, shared, &shared_len);
	if (e == OK)
		e = ike_keys_rekey(&in->suite, &seed, bytes(shared, shared_len),
				   &old->keys, &new->keys);
	if (e == OK)
		e = ike_protect_new(&new->keys, false, &gw->rng, &new->prot);
	mem_wipe(shared, sizeof(shared));
	if (e == OK) {
		gw_wr_chosen(m, &in->chosen, new->my_spi, IKE_SPI_LEN);
		ike_wr_payload(m, PLD_NONCE, BYTES_OF(nr));
		ike_wr_ke(m, (uint16_t)in->suite.ke, ke_public(ke));
		low = gw_nonce_cmp(in->ni, BYTES_OF(nr)) < 0 ? in->ni
							     : BYTES_OF(nr);
		memcpy(old->pend.low, low.p, low.len);
		old->pend.low_len = low.len;
	}
	ke_free(&ke);
	return e;
}

static void rekey_accept(struct gw *gw, struct gw_ike *old,
			 const struct ike_msg *msg, const struct rekey_in *in)
{
	struct gw_ike *new =
		successor(gw, old, false, gw_proposal_spi(&in->chosen));
	struct ike_notify n;
	struct ike_wr m;
	enum err e;

	gw_chain_start(gw, &m);
	e = rekey_keys(gw, old, new, in, &m);
	if (e == OK)
		e = gw_sess_attach(old->sess, new);
	if (e != OK) {
		gw_ike_free(gw, new);
		gw_answer_notify(gw, old, CREATE_CHILD_SA, N_INVALID_SYNTAX);
		return;
	}
	if (old->open.task == GW_TASK_REKEY_IKE) {
		/* Who wins is known when our own answer comes. */
		gw->n.collisions++;
		old->pend.collided = true;
		old->pend.theirs = new->my_spi;
	}
	gw_tickets_void(gw, old->sess);
	gw_wr_token(gw, new, &m);
	if (!gw->sw.auth_only && ike_msg_notify(msg, N_TICKET_REQUEST, &n))
		gw_wr_ticket_answer(gw, new, true, true, &m);
	gw_answer(gw, old, CREATE_CHILD_SA, &m);
	if (!old->pend.collided) {
		old->replaced = true;
		/* The peer deletes it; not for ever. */
		old->end_ms = gw->now_ms + gw->cfg.linger_ms;
		gw_take_over(gw, old, new);
	}
}

void gw_rekey_request(struct gw *gw, struct gw_ike *ike,
		      const struct ike_msg *msg,
		      const struct proposal_list *offer)
{
	struct rekey_in in = {0};
	uint8_t group[2];
	struct wr w = wr_open(group, sizeof(group));
	struct ike_wr m;
	enum err e = rekey_read(gw, msg, offer, &in);

	if (e != OK) {
		gw_answer_notify(gw, ike, CREATE_CHILD_SA,
				 e == ERR_NO_PROPOSAL ? N_NO_PROPOSAL_CHOSEN
						      : N_INVALID_SYNTAX);
	} else if ((uint16_t)in.suite.ke != in.ke.method) {
		gw->n.invalid_ke_sent++;
		wr_u16(&w, (uint16_t)in.suite.ke);
		gw_chain_start(gw, &m);
		ike_wr_notify(&m, N_INVALID_KE_PAYLOAD, wr_view(&w));
		gw_answer(gw, ike, CREATE_CHILD_SA, &m);
	} else {
		rekey_accept(gw, ike, msg, &in);
	}
}

/* --- as initiator -------------------------------------------------------- */

void gw_rekey_start(struct gw *gw, struct gw_ike *ike)
{
	struct gw_pend *p = &ike->pend;
	struct proposal_list offer;
	uint8_t spi[8];
	struct ike_wr m;

	gw_pend_clear(ike);
	gw_ike_offer(gw, KE_NONE, &offer);
	/* The group in use now is one the peer knows. */
	p->method = ike->keys.suite.ke != KE_NONE ? ike->keys.suite.ke
						  : proposals_first_ke(&offer);
	gw->n.public_key_ops++;
	if (ke_new(p->method, &gw->rng, &p->ke) != OK) {
		gw_own_done(gw, ike);
		return;
	}
	rng_draw(&gw->rng, p->ni, sizeof(p->ni));
	do
		rng_draw(&gw->rng, &p->ike_spi, sizeof(p->ike_spi));
	while (p->ike_spi == 0 || gw_ike_find(gw, p->ike_spi) != NULL);
	proposals_set_spi(&offer, gw_spi_octets(p->ike_spi, 8, spi));
	gw_chain_start(gw, &m);
	ike_wr_sa(&m, &offer);
	ike_wr_payload(&m, PLD_NONCE, BYTES_OF(p->ni));
	ike_wr_ke(&m, (uint16_t)p->method, ke_public(p->ke));
	gw_request(gw, ike, CREATE_CHILD_SA, &m);
}

/* Reads the answer and makes the SA; NULL when it is no good. */
static struct gw_ike *rekey_made(struct gw *gw, struct gw_ike *old,
				 const struct ike_msg *msg,
				 struct bytes *out_nr)
{
	const struct ike_payload *sa = ike_msg_find(msg, PLD_SA, 0);
	const struct ike_payload *ke = ike_msg_find(msg, PLD_KE, 0);
	const struct ike_payload *nonce = ike_msg_find(msg, PLD_NONCE, 0);
	struct proposal_list offer, answer;
	uint8_t shared[KE_SHARED_MAX];
	struct proposal chosen;
	struct gw_ike *new;
	struct ike_seed seed;
	struct suite suite;
	struct ike_ke k;
	size_t len;

	gw_ike_offer(gw, KE_NONE, &offer);
	if (sa == NULL || ke == NULL || nonce == NULL ||
	    proposals_parse(sa->body, &answer) != OK ||
	    proposals_check_answer(&offer, &answer, &chosen) != OK ||
	    suite_from_proposal(&chosen, &suite) != OK ||
	    chosen.spi.len != IKE_SPI_LEN || suite.ke != old->pend.method ||
	    ike_ke_parse(ke->body, &k) != OK || k.method != suite.ke ||
	    ike_nonce_parse(nonce->body, out_nr) != OK)
		return NULL;
	gw->n.public_key_ops++;
	if (ke_shared(old->pend.ke, k.data, shared, &len) != OK)
		return NULL;
	new = successor(gw, old, true, gw_proposal_spi(&chosen));
	gw_ike_set_spi(gw, new, old->pend.ike_spi);
	seed = (struct ike_seed){BYTES_OF(old->pend.ni), *out_nr, new->my_spi,
				 new->peer_spi};
	if (ike_keys_rekey(&suite, &seed, bytes(shared, len), &old->keys,
			   &new->keys) != OK ||
	    ike_protect_new(&new->keys, true, &gw->rng, &new->prot) != OK ||
	    gw_sess_attach(old->sess, new) != OK) {
		gw_ike_free(gw, new);
		new = NULL;
	}
	mem_wipe(shared, sizeof(shared));
	return new;
}

static void close_ike(struct gw *gw, struct gw_ike *ike)
{
	gw_job_add(gw, ike, GW_TASK_DELETE_IKE, 0);
	ike->closing = true;
}

/* Both rekeyed: the SA with the lowest nonce goes (2.8.2). */
static void settle(struct gw *gw, struct gw_ike *old, struct gw_ike *ours,
		   struct bytes nr)
{
	struct gw_ike *theirs = gw_ike_find(gw, old->pend.theirs);
	struct bytes ni = BYTES_OF(old->pend.ni);
	struct bytes low = gw_nonce_cmp(ni, nr) < 0 ? ni : nr;
	bool we_lose =
		theirs != NULL && theirs->sess != NULL &&
		gw_nonce_cmp(low, bytes(old->pend.low, old->pend.low_len)) < 0;

	if (we_lose) {
		ours->replaced = true;
		old->replaced = true;
		old->end_ms = gw->now_ms + gw->cfg.linger_ms;
		gw_take_over(gw, old, theirs);
		close_ike(gw, ours);
		return;
	}
	if (theirs != NULL) {
		theirs->replaced = true;
		theirs->end_ms = gw->now_ms + gw->cfg.linger_ms;
	}
	gw_take_over(gw, old, ours);
	close_ike(gw, old);
}

void gw_rekey_response(struct gw *gw, struct gw_ike *ike,
		       const struct ike_msg *msg)
{
	struct gw_ike *ours, *theirs;
	struct ike_notify n;
	struct bytes nr;

	ours = ike_msg_error(msg, &n) ? NULL : rekey_made(gw, ike, msg, &nr);
	theirs = ike->pend.collided ? gw_ike_find(gw, ike->pend.theirs) : NULL;
	if (ours != NULL) {
		gw_tickets_void(gw, ike->sess);
		ike->replaced = true;
		settle(gw, ike, ours, nr);
	} else if (theirs != NULL && theirs->sess != NULL) {
		ike->replaced = true;
		ike->end_ms = gw->now_ms + gw->cfg.linger_ms;
		gw_take_over(gw, ike, theirs);
	} else {
		/* Refused: later again. */
		ike->rekey_ms = gw->now_ms + 5000;
		gw_bound(gw, ike->rekey_ms);
	}
	gw_pend_clear(ike);
	gw_own_done(gw, ike);
}
