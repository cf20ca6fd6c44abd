/* Proposals, Child SAs, and CREATE_CHILD_SA as responder. */
#include "tests/gateway/gw_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- proposals ----------------------------------------------------------- */

enum err gw_set_groups(struct gw *gw, const char *words)
{
	char text[128];
	struct proposal_list l;
	uint64_t groups = 0;

	for (const char *p = words; p != NULL && *p != '\0';) {
		size_t n = strcspn(p, " ,");

		/* A full word list is the one parser of such names. */
		if (n > 32 ||
		    snprintf(text, sizeof(text), "aes256gcm16-prfsha256-%.*s",
			     (int)n, p) < 0 ||
		    proposals_from_text(text, PROTO_IKE, &l, NULL) != OK)
			return ERR_PROFILE;
		groups |= UINT64_C(1) << proposals_first_ke(&l);
		p += n;
		p += strspn(p, " ,");
	}
	gw->groups = groups;
	return OK;
}

static bool group_ok(const struct gw *gw, uint16_t id, enum ke_method only)
{
	if (only != KE_NONE && id != (uint16_t)only)
		return false;
	return gw->groups == 0 || (id < 64 && gw->groups >> id & 1);
}

void gw_ike_offer(const struct gw *gw, enum ke_method only,
		  struct proposal_list *out)
{
	out->n = 0;
	for (size_t i = 0; i < gw->cfg.ike.n; i++) {
		const struct proposal *p = &gw->cfg.ike.p[i];
		struct proposal *to = &out->p[out->n];
		bool ke = false;

		*to = *p;
		to->n = 0;
		for (size_t k = 0; k < p->n; k++) {
			if (p->t[k].type == TRANSFORM_KE &&
			    !group_ok(gw, p->t[k].id, only))
				continue;
			ke = ke || p->t[k].type == TRANSFORM_KE;
			to->t[to->n++] = p->t[k];
		}
		out->n += ke;
	}
}

/* Our ESP proposals with the groups of our IKE proposals; NONE: any. */
static void esp_with_ke(const struct gw *gw, enum ke_method only,
			struct proposal_list *out)
{
	const struct proposal *p;
	struct proposal_list ike;

	*out = gw->cfg.esp;
	proposals_drop_ke(out);
	gw_ike_offer(gw, only, &ike);
	p = &ike.p[0];
	for (size_t i = 0; i < out->n && ike.n > 0; i++)
		for (size_t k = 0; k < p->n; k++)
			if (p->t[k].type == TRANSFORM_KE &&
			    out->p[i].n < PROPOSAL_TRANSFORMS_MAX)
				out->p[i].t[out->p[i].n++] = p->t[k];
}

enum err gw_esp_select(struct gw *gw, const struct proposal_list *offer,
		       enum ke_method prefer, struct proposal *out)
{
	struct proposal_list ours;
	enum err e = ERR_NO_PROPOSAL;

	if (prefer != KE_NONE) {
		esp_with_ke(gw, prefer, &ours);
		e = proposals_select(&ours, offer, out);
		if (e == OK)
			return OK;
		esp_with_ke(gw, KE_NONE, &ours);
		e = proposals_select(&ours, offer, out);
		if (e == OK)
			return OK;
	}
	ours = gw->cfg.esp;
	proposals_drop_ke(&ours);
	return proposals_select(&ours, offer, out);
}

struct bytes gw_spi_octets(uint64_t spi, size_t len, uint8_t buf[8])
{
	struct wr w = wr_open(buf, 8);

	if (len == 8)
		wr_u64(&w, spi);
	else if (len == 4)
		wr_u32(&w, (uint32_t)spi);
	return wr_view(&w);
}

void gw_wr_chosen(struct ike_wr *m, const struct proposal *chosen, uint64_t spi,
		  size_t spi_len)
{
	struct proposal p = *chosen;
	uint8_t buf[8];

	p.spi = gw_spi_octets(spi, spi_len, buf);
	ike_wr_sa_one(m, &p);
}

uint64_t gw_proposal_spi(const struct proposal *p)
{
	struct rd r = rd_open(p->spi);

	return p->spi.len == 8 ? rd_u64(&r) : p->spi.len == 4 ? rd_u32(&r) : 0;
}

int gw_nonce_cmp(struct bytes a, struct bytes b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = memcmp(a.p, b.p, n);

	return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

/* --- a new Child SA ------------------------------------------------------ */

static void child_announce(struct gw *gw, struct gw_ike *ike,
			   const struct gw_child *c, struct child_keys *k,
			   const struct gw_child_keys_in *in)
{
	struct gw_act *a = gw_act_new(gw, GW_DO_CHILD_ADD);
	struct gw_child_info *info = calloc(1, sizeof(*info));
	bool us = in->we_initiated;

	if (info == NULL)
		abort();
	info->session = ike->sess->id;
	info->spi_in = c->spi_in;
	info->spi_out = c->spi_out;
	info->suite = c->suite;
	info->encr_out = us ? k->encr_i : k->encr_r;
	info->integ_out = us ? k->integ_i : k->integ_r;
	info->encr_in = us ? k->encr_r : k->encr_i;
	info->integ_in = us ? k->integ_r : k->integ_i;
	info->send_now = in->send_now;
	info->inner_v4 = ike->sess->v4;
	info->inner_v6 = ike->sess->v6;
	info->path = ike->path;
	a->child = info;
	a->a.u.child = info;
}

enum err gw_child_install(struct gw *gw, struct gw_ike *ike, struct gw_child *c,
			  const struct gw_child_keys_in *in)
{
	struct bytes parts[3] = {in->shared, in->ni, in->nr};
	size_t skip = in->shared.len == 0;
	struct child_keys k;
	enum err e =
		child_keys_derive(&c->suite, ike->keys.suite.prf,
				  &ike->keys.sk_d, parts + skip, 3 - skip, &k);

	if (e != OK)
		return e;
	child_announce(gw, ike, c, &k, in);
	child_keys_wipe(&k);
	if (gw->cfg.child_rekey_ms != 0) {
		c->rekey_ms = gw->now_ms + gw->cfg.child_rekey_ms;
		gw_bound(gw, c->rekey_ms);
	}
	return OK;
}

/* --- the request --------------------------------------------------------- */

struct child_in {
	const struct ike_msg *msg;
	struct proposal_list offer;
	struct proposal chosen;
	struct suite suite;
	struct bytes ni;
	struct ike_ke ke; /* data empty: none */
	struct ike_ts_list tsi, tsr;
	struct gw_child *old; /* rekeyed by this */
};

static enum err child_read(struct gw *gw, struct child_in *in)
{
	const struct ike_payload *tsi = ike_msg_find(in->msg, PLD_TSI, 0);
	const struct ike_payload *tsr = ike_msg_find(in->msg, PLD_TSR, 0);
	const struct ike_payload *ke = ike_msg_find(in->msg, PLD_KE, 0);
	enum err e;

	if (tsi == NULL || tsr == NULL)
		return ERR_MALFORMED;
	e = ike_ts_parse(tsi->body, &in->tsi);
	if (e == OK)
		e = ike_ts_parse(tsr->body, &in->tsr);
	if (e == OK && ke != NULL)
		e = ike_ke_parse(ke->body, &in->ke);
	return e;
}

/* The DH of the exchange where one was agreed; *out_ke holds our value. */
static enum err child_dh(struct gw *gw, const struct child_in *in,
			 struct ke **out_ke, uint8_t *shared, size_t *out_len)
{
	enum err e;

	*out_len = 0;
	*out_ke = NULL;
	if (in->suite.ke == KE_NONE)
		return OK;
	gw->n.public_key_ops += 2;
	e = ke_new(in->suite.ke, &gw->rng, out_ke);
	if (e == OK)
		e = ke_shared(*out_ke, in->ke.data, shared, out_len);
	return e;
}

/* True: our own rekey of the same Child SA is under way (RFC 7296 2.8.1). */
static bool note_collision(struct gw *gw, struct gw_ike *ike,
			   const struct child_in *in, struct bytes nr,
			   const struct gw_child *made)
{
	struct bytes low = gw_nonce_cmp(in->ni, nr) < 0 ? in->ni : nr;

	if (ike->open.task != GW_TASK_REKEY_CHILD ||
	    ike->open.spi_in != in->old->spi_in)
		return false;
	gw->n.collisions++;
	ike->pend.collided = true;
	ike->pend.theirs = made->spi_in;
	memcpy(ike->pend.low, low.p, low.len);
	ike->pend.low_len = low.len;
	return true;
}

static void child_answer(struct gw *gw, struct gw_ike *ike, struct child_in *in)
{
	struct gw_sess *s = ike->sess;
	uint8_t nr[GW_NONCE_LEN], shared[KE_SHARED_MAX];
	struct gw_child_keys_in keys = {.ni = in->ni, .nr = BYTES_OF(nr)};
	struct gw_child *c = gw_child_new(gw, s);
	size_t shared_len = 0;
	struct ke *ke = NULL;
	struct ike_wr m;

	rng_draw(&gw->rng, nr, sizeof(nr));
	c->suite = in->suite;
	c->spi_out = (uint32_t)gw_proposal_spi(&in->chosen);
	keys.send_now = in->old == NULL;
	if (child_dh(gw, in, &ke, shared, &shared_len) != OK) {
		gw_child_free(gw, s, c);
		gw_answer_notify(gw, ike, CREATE_CHILD_SA, N_INVALID_SYNTAX);
		goto out;
	}
	keys.shared = bytes(shared, shared_len);
	if (gw_child_install(gw, ike, c, &keys) != OK) {
		gw_child_free(gw, s, c);
		gw_answer_notify(gw, ike, CREATE_CHILD_SA,
				 N_NO_PROPOSAL_CHOSEN);
		goto out;
	}
	gw_chain_start(gw, &m);
	gw_wr_chosen(&m, &in->chosen, c->spi_in, 4);
	ike_wr_payload(&m, PLD_NONCE, BYTES_OF(nr));
	if (ke != NULL)
		ike_wr_ke(&m, (uint16_t)in->suite.ke, ke_public(ke));
	ike_wr_ts(&m, PLD_TSI, &s->tsi);
	ike_wr_ts(&m, PLD_TSR, &s->tsr);
	gw_answer(gw, ike, CREATE_CHILD_SA, &m);
	gw->n.child_rekeys += in->old != NULL;
	if (in->old != NULL && !note_collision(gw, ike, in, BYTES_OF(nr), c))
		in->old->replaced = true;
out:
	mem_wipe(shared, sizeof(shared));
	ke_free(&ke);
}

static void wrong_group(struct gw *gw, struct gw_ike *ike, enum ke_method ke)
{
	uint8_t group[2];
	struct wr w = wr_open(group, sizeof(group));
	struct ike_wr m;

	wr_u16(&w, (uint16_t)ke);
	gw->n.invalid_ke_sent++;
	gw_chain_start(gw, &m);
	ike_wr_notify(&m, N_INVALID_KE_PAYLOAD, wr_view(&w));
	gw_answer(gw, ike, CREATE_CHILD_SA, &m);
}

static void child_request(struct gw *gw, struct gw_ike *ike,
			  struct child_in *in)
{
	struct gw_sess *s = ike->sess;
	struct ike_ts_list tsi, tsr;
	uint16_t refusal = 0;

	if (child_read(gw, in) != OK)
		refusal = N_INVALID_SYNTAX;
	else if (gw_esp_select(gw, &in->offer, (enum ke_method)in->ke.method,
			       &in->chosen) != OK ||
		 suite_from_proposal(&in->chosen, &in->suite) != OK)
		refusal = N_NO_PROPOSAL_CHOSEN;
	else if (!gw_ts_narrow(gw, s, &in->tsi, &in->tsr, &tsi, &tsr))
		refusal = N_TS_UNACCEPTABLE;
	if (refusal != 0) {
		gw->n.child_failed++;
		gw_answer_notify(gw, ike, CREATE_CHILD_SA, refusal);
	} else if (in->suite.ke != KE_NONE &&
		   (uint16_t)in->suite.ke != in->ke.method) {
		wrong_group(gw, ike, in->suite.ke);
	} else {
		s->tsi = tsi;
		s->tsr = tsr;
		child_answer(gw, ike, in);
	}
}

/* RFC 7296 2.25: what cannot be done just now. */
static bool busy(const struct gw_ike *ike, const struct child_in *in,
		 bool is_ike)
{
	enum gw_task t = ike->open.task;

	if (ike->replaced || ike->closing || t == GW_TASK_DELETE_IKE)
		return true;
	if (is_ike)
		return t == GW_TASK_REKEY_CHILD || t == GW_TASK_DELETE_CHILD;
	return t == GW_TASK_REKEY_IKE ||
	       (in->old != NULL && (in->old->deleting || in->old->replaced));
}

static void no_such_child(struct gw *gw, struct gw_ike *ike,
			  const struct ike_notify *n)
{
	struct rd r = rd_open(n->spi);
	struct ike_wr m;

	gw_chain_start(gw, &m);
	ike_wr_notify_spi(&m, N_CHILD_SA_NOT_FOUND, PROTO_ESP, rd_u32(&r));
	gw_answer(gw, ike, CREATE_CHILD_SA, &m);
}

void gw_create_child_request(struct gw *gw, struct gw_ike *ike,
			     const struct ike_msg *msg)
{
	const struct ike_payload *sa = ike_msg_find(msg, PLD_SA, 0);
	const struct ike_payload *nonce = ike_msg_find(msg, PLD_NONCE, 0);
	struct child_in in = {.msg = msg};
	struct ike_notify n;
	bool is_ike, rekey;

	if (sa == NULL || nonce == NULL ||
	    ike_nonce_parse(nonce->body, &in.ni) != OK ||
	    proposals_parse(sa->body, &in.offer) != OK || in.offer.n == 0) {
		gw_answer_notify(gw, ike, CREATE_CHILD_SA, N_INVALID_SYNTAX);
		return;
	}
	is_ike = in.offer.p[0].proto == PROTO_IKE;
	rekey = ike_msg_notify(msg, N_REKEY_SA, &n);
	if (rekey && n.spi.len == 4) {
		struct rd r = rd_open(n.spi);

		in.old = gw_child_by_out(ike->sess, rd_u32(&r));
	}
	if (gw->sw.no_additional)
		gw_answer_notify(gw, ike, CREATE_CHILD_SA, N_NO_ADDITIONAL_SAS);
	else if (busy(ike, &in, is_ike))
		gw_answer_notify(gw, ike, CREATE_CHILD_SA, N_TEMPORARY_FAILURE);
	else if (is_ike)
		gw_rekey_request(gw, ike, msg, &in.offer);
	else if (rekey && in.old == NULL)
		no_such_child(gw, ike, &n);
	else
		child_request(gw, ike, &in);
}
