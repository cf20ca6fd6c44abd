/* Exchanges the gateway starts: liveness, rekeys, DELETE, tickets pushed. */
#include "tests/gateway/gw_int.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_MS      3000 /* after TEMPORARY_FAILURE */
#define AUTH_GRACE_MS 5000

/* --- Child SA rekey as initiator ----------------------------------------- */

static void child_rekey_start(struct gw *gw, struct gw_ike *ike,
			      struct gw_child *old)
{
	struct gw_pend *p = &ike->pend;
	struct proposal_list offer = gw->cfg.esp;
	struct gw_sess *s = ike->sess;
	uint8_t spi[8];
	struct ike_wr m;

	gw_pend_clear(ike);
	proposals_drop_ke(&offer);
	/* With PFS where the SA had it. */
	p->method = old->suite.ke;
	if (p->method != KE_NONE) {
		for (size_t i = 0; i < offer.n; i++)
			offer.p[i].t[offer.p[i].n++] = (struct transform){
				TRANSFORM_KE, (uint16_t)p->method, 0};
		gw->n.public_key_ops++;
		if (ke_new(p->method, &gw->rng, &p->ke) != OK) {
			gw_own_done(gw, ike);
			return;
		}
	}
	rng_draw(&gw->rng, p->ni, sizeof(p->ni));
	do
		rng_draw(&gw->rng, &p->spi_in, sizeof(p->spi_in));
	while (p->spi_in < 256);
	proposals_set_spi(&offer, gw_spi_octets(p->spi_in, 4, spi));
	gw_chain_start(gw, &m);
	ike_wr_notify_spi(&m, N_REKEY_SA, PROTO_ESP, old->spi_in);
	ike_wr_sa(&m, &offer);
	ike_wr_payload(&m, PLD_NONCE, BYTES_OF(p->ni));
	if (p->ke != NULL)
		ike_wr_ke(&m, (uint16_t)p->method, ke_public(p->ke));
	/* The initiator of this exchange is we: TSi are our networks. */
	ike_wr_ts(&m, PLD_TSI, &s->tsr);
	ike_wr_ts(&m, PLD_TSR, &s->tsi);
	gw_request(gw, ike, CREATE_CHILD_SA, &m);
}

static enum err child_shared(struct gw *gw, struct gw_ike *ike,
			     const struct ike_msg *msg, uint8_t *shared,
			     size_t *out_len)
{
	const struct ike_payload *ke = ike_msg_find(msg, PLD_KE, 0);
	struct ike_ke k;
	enum err e;

	*out_len = 0;
	if (ike->pend.ke == NULL)
		return OK;
	if (ke == NULL)
		return ERR_MALFORMED;
	e = ike_ke_parse(ke->body, &k);
	gw->n.public_key_ops++;
	if (e == OK && k.method != (uint16_t)ike->pend.method)
		e = ERR_MALFORMED;
	return e == OK ? ke_shared(ike->pend.ke, k.data, shared, out_len) : e;
}

/* Reads the answer and makes the Child SA; NULL when it is no good. */
static struct gw_child *child_made(struct gw *gw, struct gw_ike *ike,
				   const struct ike_msg *msg,
				   struct bytes *out_nr)
{
	const struct ike_payload *sa = ike_msg_find(msg, PLD_SA, 0);
	const struct ike_payload *nonce = ike_msg_find(msg, PLD_NONCE, 0);
	struct gw_child_keys_in in = {.we_initiated = true, .send_now = true};
	uint8_t shared[KE_SHARED_MAX];
	struct proposal_list answer;
	struct gw_child *c;
	size_t len;
	enum err e = ERR_MALFORMED;

	if (sa == NULL || nonce == NULL ||
	    ike_nonce_parse(nonce->body, out_nr) != OK ||
	    proposals_parse(sa->body, &answer) != OK || answer.n != 1 ||
	    answer.p[0].spi.len != 4)
		return NULL;
	c = gw_child_new(gw, ike->sess);
	c->spi_in = ike->pend.spi_in;
	c->spi_out = (uint32_t)gw_proposal_spi(&answer.p[0]);
	in.ni = BYTES_OF(ike->pend.ni);
	in.nr = *out_nr;
	if (suite_from_proposal(&answer.p[0], &c->suite) == OK)
		e = child_shared(gw, ike, msg, shared, &len);
	if (e == OK) {
		in.shared = bytes(shared, len);
		e = gw_child_install(gw, ike, c, &in);
	}
	mem_wipe(shared, sizeof(shared));
	if (e == OK)
		return c;
	gw_child_free(gw, ike->sess, c);
	return NULL;
}

static void child_close(struct gw *gw, struct gw_ike *ike, struct gw_child *c)
{
	c->deleting = true;
	gw_job_add(gw, ike, GW_TASK_DELETE_CHILD, c->spi_in);
}

static void child_later(struct gw *gw, struct gw_child *c)
{
	c->rekey_ms = gw->now_ms + RETRY_MS;
	gw_bound(gw, c->rekey_ms);
}

static void child_rekey_response(struct gw *gw, struct gw_ike *ike,
				 const struct ike_msg *msg)
{
	struct gw_child *old = gw_child_by_in(ike->sess, ike->open.spi_in);
	struct gw_pend *p = &ike->pend;
	struct bytes nr, low, ni = BYTES_OF(p->ni);
	struct gw_child *ours = NULL, *theirs;
	struct ike_notify n;

	if (!ike_msg_error(msg, &n))
		ours = child_made(gw, ike, msg, &nr);
	if (ours == NULL) {
		/* With a collision the peer's new SA is there; else later,
		 * unless the peer does not have it any more (2.25). */
		if (old == NULL)
			return;
		if (p->collided)
			old->replaced = true;
		else if (ike_msg_notify(msg, N_CHILD_SA_NOT_FOUND, &n))
			gw_child_free(gw, ike->sess, old);
		else
			child_later(gw, old);
		return;
	}
	gw->n.child_rekeys++;
	low = gw_nonce_cmp(ni, nr) < 0 ? ni : nr;
	if (old != NULL)
		old->replaced = true;
	if (p->collided && gw_nonce_cmp(low, bytes(p->low, p->low_len)) < 0) {
		/* Ours has the lowest nonce: we made it, we close it. */
		ours->replaced = true;
		child_close(gw, ike, ours);
		return;
	}
	theirs = p->collided ? gw_child_by_in(ike->sess, (uint32_t)p->theirs)
			     : NULL;
	if (theirs != NULL)
		theirs->replaced = true; /* the peer closes it */
	if (old != NULL)
		child_close(gw, ike, old);
}

/* --- the queue ----------------------------------------------------------- */

static void start_informational(struct gw *gw, struct gw_ike *ike)
{
	struct ike_wr m;

	gw_chain_start(gw, &m);
	switch (ike->open.task) {
	case GW_TASK_DELETE_IKE:
		gw->n.deletes_sent++;
		ike_wr_delete_ike(&m);
		break;
	case GW_TASK_DELETE_CHILD:
		gw->n.deletes_sent++;
		ike_wr_delete_esp(&m, &ike->open.spi_in, 1);
		break;
	case GW_TASK_PUSH:
		gw_wr_ticket(gw, ike, &m);
		break;
	case GW_TASK_TOKEN:
		gw_wr_token(gw, ike, &m);
		break;
	case GW_TASK_AUTH_LIFETIME:
		gw_wr_auth_lifetime(gw, ike->sess, &m);
		break;
	case GW_TASK_REDIRECT:
		gw_wr_redirect(gw, &m);
		break;
	case GW_TASK_CHECK_PATH:
		rng_draw(&gw->rng, ike->cookie2, sizeof(ike->cookie2));
		ike_wr_notify(&m, N_COOKIE2, BYTES_OF(ike->cookie2));
		break;
	case GW_TASK_NONE:
	case GW_TASK_ALIVE:
	case GW_TASK_REKEY_IKE:
	case GW_TASK_REKEY_CHILD:
		break;
	}
	gw_request(gw, ike, INFORMATIONAL, &m);
}

/* Still to be done? The world may have changed while it waited. */
static bool worth_it(const struct gw_ike *ike, const struct gw_job *j)
{
	struct gw_child *c;

	switch (j->task) {
	case GW_TASK_REKEY_CHILD:
		c = gw_child_by_in(ike->sess, j->spi_in);
		return c != NULL && !c->replaced && !c->deleting;
	case GW_TASK_DELETE_CHILD:
		return gw_child_by_in(ike->sess, j->spi_in) != NULL;
	case GW_TASK_REKEY_IKE:
		return !ike->replaced && !ike->closing;
	case GW_TASK_NONE:
	case GW_TASK_ALIVE:
	case GW_TASK_CHECK_PATH:
	case GW_TASK_PUSH:
	case GW_TASK_TOKEN:
	case GW_TASK_AUTH_LIFETIME:
	case GW_TASK_REDIRECT:
	case GW_TASK_DELETE_IKE:
		break;
	}
	return true;
}

void gw_own_next(struct gw *gw, struct gw_ike *ike)
{
	while (ike->state == GW_ST_UP && ike->sess != NULL &&
	       ike->open.task == GW_TASK_NONE && ike->n_jobs > 0) {
		ike->open = ike->jobs[0];
		memmove(ike->jobs, ike->jobs + 1,
			--ike->n_jobs * sizeof(ike->jobs[0]));
		if (!worth_it(ike, &ike->open)) {
			ike->open.task = GW_TASK_NONE;
			continue;
		}
		if (ike->open.task == GW_TASK_REKEY_IKE)
			gw_rekey_start(gw, ike);
		else if (ike->open.task == GW_TASK_REKEY_CHILD)
			child_rekey_start(
				gw, ike,
				gw_child_by_in(ike->sess, ike->open.spi_in));
		else
			start_informational(gw, ike);
	}
}

void gw_own_done(struct gw *gw, struct gw_ike *ike)
{
	ike->open.task = GW_TASK_NONE;
	ike->resend_ms = INT64_MAX;
	gw_flight_clear(&ike->request);
	gw_own_next(gw, ike);
}

void gw_own_response(struct gw *gw, struct gw_ike *ike,
		     const struct ike_msg *msg)
{
	struct gw_child *c;
	struct ike_notify n;

	ike->send_id++;
	switch (ike->open.task) {
	case GW_TASK_REKEY_IKE:
		gw_rekey_response(gw, ike, msg);
		return;
	case GW_TASK_REKEY_CHILD:
		child_rekey_response(gw, ike, msg);
		gw_pend_clear(ike);
		break;
	case GW_TASK_DELETE_IKE:
		/* The client's end of the last SA ends its tickets too. */
		if (!ike->replaced && ike->sess->ike == ike)
			gw_tickets_void(gw, ike->sess);
		gw_ike_dead(gw, ike, gw->cfg.linger_ms);
		return;
	case GW_TASK_DELETE_CHILD:
		c = gw_child_by_in(ike->sess, ike->open.spi_in);
		if (c != NULL)
			gw_child_free(gw, ike->sess, c);
		break;
	case GW_TASK_CHECK_PATH:
		if (ike_msg_notify(msg, N_COOKIE2, &n) &&
		    bytes_eq(n.data, BYTES_OF(ike->cookie2)))
			gw->n.paths_checked++;
		break;
	case GW_TASK_NONE:
	case GW_TASK_ALIVE:
	case GW_TASK_PUSH:
	case GW_TASK_TOKEN:
	case GW_TASK_AUTH_LIFETIME:
	case GW_TASK_REDIRECT:
		break;
	}
	gw_own_done(gw, ike);
}

/* --- time ---------------------------------------------------------------- */

static void lost(struct gw *gw, struct gw_ike *ike)
{
	gw->n.peers_lost++;
	/* Silently: what it issued stays good for a resumption. */
	if (ike->replaced || ike->closing)
		gw_ike_dead(gw, ike, 0);
	else
		gw_sess_end(gw, ike->sess);
}

static void resend(struct gw *gw, struct gw_ike *ike)
{
	if (ike->tries >= gw->cfg.max_tries) {
		lost(gw, ike);
		return;
	}
	gw->n.retransmitted++;
	ike->resend_ms = gw->now_ms + ((int64_t)gw->cfg.rto_ms << ike->tries);
	ike->tries++;
	gw_flight_send(gw, &ike->path, &ike->request);
}

static void timers(struct gw *gw, struct gw_ike *ike)
{
	struct gw_sess *s = ike->sess;

	if (s->ike != ike)
		return;
	/* RFC 4478 2: soon after the end, for the client may be at it. */
	if (s->auth_end_s &&
	    gw_auth_end_ms(gw, s) + AUTH_GRACE_MS <= gw->now_ms) {
		s->auth_end_s = 0;
		gw_job_add(gw, ike, GW_TASK_DELETE_IKE, 0);
	}
	if (ike->rekey_ms <= gw->now_ms) {
		ike->rekey_ms = INT64_MAX;
		gw_job_add(gw, ike, GW_TASK_REKEY_IKE, 0);
	}
	for (struct gw_child *c = s->children; c != NULL; c = c->next) {
		if (c->rekey_ms > gw->now_ms)
			continue;
		c->rekey_ms = INT64_MAX;
		if (!c->replaced && !c->deleting)
			gw_job_add(gw, ike, GW_TASK_REKEY_CHILD, c->spi_in);
	}
	if (gw->cfg.dpd_ms != 0 && ike->open.task == GW_TASK_NONE &&
	    ike->heard_ms + gw->cfg.dpd_ms <= gw->now_ms)
		gw_job_add(gw, ike, GW_TASK_ALIVE, 0);
}

void gw_own_timeout(struct gw *gw, struct gw_ike *ike)
{
	if (ike->state == GW_ST_DEAD)
		return;
	if (ike->end_ms <= gw->now_ms) {
		gw->n.half_open_expired += ike->state != GW_ST_UP;
		gw_ike_dead(gw, ike, 0);
		return;
	}
	if (ike->state != GW_ST_UP)
		return;
	if (ike->open.task != GW_TASK_NONE && ike->resend_ms <= gw->now_ms)
		resend(gw, ike);
	if (ike->state == GW_ST_UP)
		timers(gw, ike);
}

int64_t gw_own_deadline(const struct gw *gw, const struct gw_ike *ike)
{
	int64_t t = ike->end_ms;
	const struct gw_sess *s = ike->sess;

	if (ike->state != GW_ST_UP || s == NULL)
		return t;
	if (ike->resend_ms < t)
		t = ike->resend_ms;
	if (s->ike != ike)
		return t;
	if (ike->rekey_ms < t)
		t = ike->rekey_ms;
	if (s->auth_end_s && gw_auth_end_ms(gw, s) + AUTH_GRACE_MS < t)
		t = gw_auth_end_ms(gw, s) + AUTH_GRACE_MS;
	for (const struct gw_child *c = s->children; c != NULL; c = c->next)
		if (c->rekey_ms < t)
			t = c->rekey_ms;
	if (gw->cfg.dpd_ms != 0 && ike->open.task == GW_TASK_NONE &&
	    ike->heard_ms + gw->cfg.dpd_ms < t)
		t = ike->heard_ms + gw->cfg.dpd_ms;
	return t;
}
