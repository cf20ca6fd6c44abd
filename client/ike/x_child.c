/* CREATE_CHILD_SA for Child SAs (RFC 7296 1.3, 2.8, 2.25), and what it
 * shares with the rekey of the IKE SA. */
#include "client/ike/sa_private.h"

#include <string.h>

/* --- shared with x_rekey.c
 * ---------------------------------------------------- */

void ike_rekey_clear(struct ike_sa *sa)
{
	ke_free(&sa->rekey.ke);
	mem_wipe(&sa->rekey, sizeof(sa->rekey));
}

/* 2.8.1: octet by octet; where one ends, it is the lower. */
static int nonce_cmp(struct bytes a, struct bytes b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = memcmp(a.p, b.p, n);

	if (c)
		return c;
	return a.len < b.len ? -1 : a.len > b.len;
}

void ike_rekey_crossed(struct ike_rekey *rk, struct bytes ni, struct bytes nr)
{
	struct bytes low = nonce_cmp(ni, nr) < 0 ? ni : nr;

	rk->crossed = true;
	memcpy(rk->low, low.p, low.len);
	rk->low_len = low.len;
}

bool ike_rekey_lost(const struct ike_rekey *rk, struct bytes nr)
{
	struct bytes ni = BYTES_OF(rk->ni);
	struct bytes low = nonce_cmp(ni, nr) < 0 ? ni : nr;

	return rk->crossed && nonce_cmp(low, bytes(rk->low, rk->low_len)) < 0;
}

enum err ike_rekey_begin(struct ike_sa *sa, enum ke_method method)
{
	struct ike_rekey *rk = &sa->rekey;

	ke_free(&rk->ke);
	rk->method = method;
	rng_draw(&sa->rng, rk->ni, sizeof(rk->ni));
	if (method == KE_NONE)
		return OK;
	rk->ke_tried |= ike_group_bit(method);
	return ke_new(method, &sa->rng, &rk->ke);
}

bool ike_rekey_take_group(struct ike_sa *sa, const struct ike_notify *error,
			  const struct proposal_list *offered)
{
	enum ke_method wanted =
		ike_group_wanted(error, offered, sa->rekey.ke_tried);

	return wanted != KE_NONE && ike_rekey_begin(sa, wanted) == OK;
}

static void rekey_later(struct ike_sa *sa, uint32_t ms)
{
	struct ike_child *old = ike_child_by_in(sa, sa->rekey.old_spi_in);

	sa->not_before_ms = sa->now_ms + ms + ms - ike_jitter(sa, ms);
	if (sa->rekey.is_ike)
		sa->tasks |= TASK_REKEY;
	else if (old)
		old->want_rekey = true;
	else
		sa->tasks |= TASK_NEW_CHILD;
}

enum err ike_rekey_refused(struct ike_sa *sa, const struct ike_notify *error)
{
	bool is_new = !sa->rekey.is_ike && !sa->rekey.old_spi_in;

	log_warn("IKE: gateway refused to rekey: %s",
		 ike_notify_name(error->type));
	if (error->type == N_INVALID_SYNTAX ||
	    error->type == N_UNSUPPORTED_CRITICAL_PAYLOAD)
		return diag_set(&sa->diag, ERR_PEER,
				"gateway answers CREATE_CHILD_SA with %s",
				ike_notify_name(error->type));
	if (error->type == N_TEMPORARY_FAILURE) {
		rekey_later(sa, IKE_RETRY_MS);
	} else if (error->type == N_NO_ADDITIONAL_SAS || is_new ||
		   ++sa->refusals > IKE_REFUSED_MAX) {
		/* 1.3: it wants a new connection instead. */
		diag_set(&sa->diag, ERR_GONE,
			 "gateway does not renew keys (%s); connect again",
			 ike_notify_name(error->type));
		ike_goodbye(sa, ERR_GONE);
	} else {
		rekey_later(sa, IKE_REFUSED_MS);
	}
	ike_rekey_clear(sa);
	return OK;
}

enum err ike_read_ke(const struct ike_msg *msg, enum ke_method method,
		     struct ike_ke *out)
{
	const struct ike_payload *p = ike_msg_find(msg, PLD_KE, 0);
	enum err e;

	if (!p)
		return ERR_NOT_FOUND;
	e = ike_ke_parse(p->body, out);
	if (e == OK && out->method != (uint16_t)method)
		e = ERR_NOT_FOUND;
	return e;
}

/* Only this group, where a proposal has it: the KE that was sent is used
 * when we can agree on it. */
static void keep_group(struct proposal_list *l, uint16_t method)
{
	for (size_t i = 0; i < l->n; i++) {
		struct proposal *p = &l->p[i];
		size_t kept = 0;

		for (size_t k = 0; k < p->n; k++)
			if (p->t[k].type != TRANSFORM_KE ||
			    p->t[k].id == method)
				p->t[kept++] = p->t[k];
		p->n = kept;
	}
}

enum err ike_rekey_select(const struct proposal_list *ours,
			  const struct proposal_list *theirs,
			  const struct ike_msg *msg, struct proposal *out)
{
	struct proposal_list theirs_one = *theirs;
	struct proposal_list ours_one = *ours;
	const struct ike_payload *p = ike_msg_find(msg, PLD_KE, 0);
	struct ike_ke ke;

	if (p && ike_ke_parse(p->body, &ke) == OK &&
	    proposals_have_ke(theirs, (enum ke_method)ke.method)) {
		keep_group(&theirs_one, ke.method);
		keep_group(&ours_one, ke.method);
		if (proposals_select(&ours_one, &theirs_one, out) == OK)
			return OK;
	}
	return proposals_select(ours, theirs, out);
}

enum err ike_answer_group(struct ike_sa *sa, const struct ike_rx *rx,
			  enum ke_method method)
{
	uint8_t data[2];
	struct wr w = wr_open(data, sizeof(data));

	wr_u16(&w, (uint16_t)method);
	return ike_answer_notify(sa, rx, N_INVALID_KE_PAYLOAD, wr_view(&w));
}

/* --- our request
 * ---------------------------------------------------------------- */

static enum err child_write(struct ike_sa *sa)
{
	struct ike_rekey *rk = &sa->rekey;
	struct proposal_list offer = sa->cfg.esp_proposals;
	uint8_t spi[4];
	struct wr b = wr_open(spi, sizeof(spi));
	struct ike_wr w;

	wr_u32(&b, rk->new_spi_in);
	proposals_set_spi(&offer, BYTES_OF(spi));
	ike_chain_start(sa, &w);
	if (rk->old_spi_in)
		ike_wr_notify_spi(&w, N_REKEY_SA, PROTO_ESP, rk->old_spi_in);
	ike_wr_sa(&w, &offer);
	ike_wr_payload(&w, PLD_NONCE, BYTES_OF(rk->ni));
	if (rk->ke)
		ike_wr_ke(&w, (uint16_t)rk->method, ke_public(rk->ke));
	ike_wr_ts(&w, PLD_TSI, ike_child_ts(sa, true));
	ike_wr_ts(&w, PLD_TSR, ike_child_ts(sa, false));
	return ike_request_send(sa, sa->cur, REQ_CHILD, &w);
}

enum err ike_child_rekey_send(struct ike_sa *sa, struct ike_child *old)
{
	enum err e;

	ike_rekey_clear(sa);
	sa->rekey.old_spi_in = old ? old->spi_in : 0;
	sa->rekey.new_spi_in = ike_child_spi(sa);
	e = ike_rekey_begin(sa, proposals_first_ke(&sa->cfg.esp_proposals));
	return e == OK ? child_write(sa) : e;
}

static enum err child_refused(struct ike_sa *sa, const struct ike_notify *error)
{
	struct ike_rekey *rk = &sa->rekey;
	struct ike_child *old = ike_child_by_in(sa, rk->old_spi_in);

	/* The gateway's own rekey is through: ours is not needed (2.8.1). */
	if (rk->crossed) {
		ike_rekey_clear(sa);
		/* It may have deleted that one meanwhile. */
		if (!ike_child_live(sa))
			sa->tasks |= TASK_NEW_CHILD;
		return OK;
	}
	if (error->type == N_INVALID_KE_PAYLOAD &&
	    ike_rekey_take_group(sa, error, &sa->cfg.esp_proposals))
		return child_write(sa);
	if (error->type == N_CHILD_SA_NOT_FOUND && rk->old_spi_in) {
		if (old)
			ike_child_del(sa, old);
		sa->tasks |= TASK_NEW_CHILD;
		ike_rekey_clear(sa);
		return OK;
	}
	return ike_rekey_refused(sa, error);
}

/* Who stays and who goes, now that both new ones are known. */
static void settle(struct ike_sa *sa, bool lost)
{
	struct ike_rekey *rk = &sa->rekey;
	struct ike_child *old = ike_child_by_in(sa, rk->old_spi_in);
	struct ike_child *new = ike_child_by_in(sa, rk->new_spi_in);
	struct ike_child *theirs = ike_child_by_in(sa, rk->their_spi_in);

	if (lost) {
		if (new)
			new->replaced = new->want_delete = true;
		return;
	}
	if (old)
		old->replaced = old->want_delete = true;
	if (theirs)
		theirs->replaced = true;
}

static enum err child_accept(struct ike_sa *sa, const struct ike_rx *rx,
			     struct ike_child_deal *deal)
{
	struct ike_rekey *rk = &sa->rekey;
	uint32_t before = rk->crossed ? rk->their_spi_in : rk->old_spi_in;
	/* Theirs may have been rekeyed again before our answer came. */
	bool lost = ike_rekey_lost(rk, deal->nr) && ike_child_live(sa);
	enum err e;

	deal->silent = lost;
	deal->old_spi_in = ike_child_by_in(sa, before) ? before : 0;
	e = ike_child_add(sa, rx->gen, deal);
	if (e != OK)
		return e;
	settle(sa, lost);
	sa->refusals = 0;
	log_info("Child SA %s by us%s", rk->old_spi_in ? "rekeyed" : "made",
		 lost ? ", and the gateway's is kept" : "");
	ike_rekey_clear(sa);
	return OK;
}

static enum err bad_answer(struct ike_sa *sa, enum err e)
{
	diag_set(&sa->diag, e,
		 "gateway's answer to CREATE_CHILD_SA is not usable");
	ike_rekey_clear(sa);
	ike_goodbye(sa, e);
	return OK;
}

enum err ike_create_answer(struct ike_sa *sa, const struct ike_rx *rx)
{
	struct ike_rekey *rk = &sa->rekey;
	struct ike_child_deal deal = {.ours = true, .spi_in = rk->new_spi_in};
	uint8_t shared[KE_SHARED_MAX], ni[IKE_NONCE_LEN];
	struct ike_child_answer answer;
	struct ike_ke ke;
	size_t len = 0;
	enum err e;

	if (rx->has_error)
		return child_refused(sa, &rx->error);
	e = ike_child_read(sa, rx->msg, true, &answer);
	if (e == OK)
		e = ike_nonce_parse(ike_msg_find(rx->msg, PLD_NONCE, 0)->body,
				    &deal.nr);
	if (e == OK && answer.suite.ke != KE_NONE) {
		e = answer.suite.ke == rk->method
			    ? ike_read_ke(rx->msg, rk->method, &ke)
			    : ERR_PEER;
		if (e == OK)
			e = ke_shared(rk->ke, ke.data, shared, &len);
	}
	if (e != OK)
		return bad_answer(sa, e);
	if (rk->gone_spi_out && answer.spi_out == rk->gone_spi_out) {
		mem_wipe(shared, sizeof(shared));
		/* The rekey stood all the same: the old one goes. */
		settle(sa, ike_rekey_lost(rk, deal.nr) && ike_child_live(sa));
		ike_rekey_clear(sa);
		if (!ike_child_live(sa))
			sa->tasks |= TASK_NEW_CHILD;
		return OK;
	}
	memcpy(ni, rk->ni, sizeof(ni));
	deal.ni = BYTES_OF(ni);
	deal.shared = bytes(shared, len);
	deal.suite = answer.suite;
	deal.spi_out = answer.spi_out;
	e = child_accept(sa, rx, &deal);
	mem_wipe(shared, sizeof(shared));
	return e;
}

/* --- the gateway's request
 * -------------------------------------------------------- */

/* One rekey of a Child SA on its way through. */
struct child_ask {
	struct ike_child *old;
	struct proposal chosen;
	struct suite suite;
	struct ike_ts_list tsi, tsr;
	struct bytes ni;
	uint8_t nr[IKE_NONCE_LEN];
	uint8_t shared[KE_SHARED_MAX];
	size_t shared_len;
	struct ke *ke;
	uint32_t spi_in;
};

static enum err malformed(struct ike_sa *sa, const struct ike_rx *rx)
{
	enum err e = ike_answer_notify(sa, rx, N_INVALID_SYNTAX, BYTES_NONE);

	return diag_set(&sa->diag, e == OK ? ERR_PEER : e,
			"gateway's CREATE_CHILD_SA is malformed");
}

static enum err not_found(struct ike_sa *sa, const struct ike_rx *rx,
			  uint32_t spi)
{
	struct ike_wr w;

	ike_chain_start(sa, &w);
	ike_wr_notify_spi(&w, N_CHILD_SA_NOT_FOUND, PROTO_ESP, spi);
	return ike_answer(sa, rx, &w);
}

static enum err ask_ts(struct ike_sa *sa, const struct ike_rx *rx,
		       struct child_ask *a, uint16_t *out_refusal)
{
	const struct ike_payload *i = ike_msg_find(rx->msg, PLD_TSI, 0);
	const struct ike_payload *r = ike_msg_find(rx->msg, PLD_TSR, 0);
	struct ike_ts_list offer;

	if (!i || !r || ike_ts_parse(i->body, &offer) != OK)
		return ERR_MALFORMED;
	ike_ts_narrow(&offer, ike_child_ts(sa, false), &a->tsi);
	if (ike_ts_parse(r->body, &offer) != OK)
		return ERR_MALFORMED;
	ike_ts_narrow(&offer, ike_child_ts(sa, true), &a->tsr);
	if (a->tsi.n == 0 || a->tsr.n == 0)
		*out_refusal = N_TS_UNACCEPTABLE;
	return OK;
}

static enum err ask_ke(struct ike_sa *sa, const struct ike_rx *rx,
		       struct child_ask *a, uint16_t *out_refusal)
{
	struct ike_ke theirs;
	enum err e;

	if (a->suite.ke == KE_NONE)
		return OK;
	e = ike_read_ke(rx->msg, a->suite.ke, &theirs);
	if (e == ERR_NOT_FOUND) {
		*out_refusal = N_INVALID_KE_PAYLOAD;
		return OK;
	}
	if (e == OK)
		e = ke_new(a->suite.ke, &sa->rng, &a->ke);
	if (e == OK)
		e = ke_shared(a->ke, theirs.data, a->shared, &a->shared_len);
	return e == ERR_CRYPTO ? ERR_MALFORMED : e;
}

static enum err ask_answer(struct ike_sa *sa, const struct ike_rx *rx,
			   struct child_ask *a)
{
	uint8_t spi[4];
	struct wr b = wr_open(spi, sizeof(spi));
	struct ike_wr w;

	a->spi_in = ike_child_spi(sa);
	wr_u32(&b, a->spi_in);
	a->chosen.spi = BYTES_OF(spi);
	rng_draw(&sa->rng, a->nr, sizeof(a->nr));
	ike_chain_start(sa, &w);
	ike_wr_sa_one(&w, &a->chosen);
	ike_wr_payload(&w, PLD_NONCE, BYTES_OF(a->nr));
	if (a->ke)
		ike_wr_ke(&w, (uint16_t)a->suite.ke, ke_public(a->ke));
	ike_wr_ts(&w, PLD_TSI, &a->tsi);
	ike_wr_ts(&w, PLD_TSR, &a->tsr);
	return ike_answer(sa, rx, &w);
}

static enum err ask_grant(struct ike_sa *sa, const struct ike_rx *rx,
			  struct child_ask *a)
{
	struct rd r = rd_open(a->chosen.spi);
	struct ike_child_deal deal = {.spi_out = rd_u32(&r),
				      .old_spi_in = a->old->spi_in,
				      .suite = a->suite,
				      .ni = a->ni,
				      .nr = BYTES_OF(a->nr)};
	enum err e;

	if (rd_finish(&r) != OK)
		return malformed(sa, rx);
	e = ask_answer(sa, rx, a);
	if (e != OK)
		return e;
	/* What earlier rekeys left behind and nobody deleted. */
	for (size_t i = 0; i < IKE_CHILDREN_MAX; i++)
		if (sa->children[i].spi_in && sa->children[i].replaced)
			sa->children[i].want_delete = true;
	deal.spi_in = a->spi_in;
	deal.shared = bytes(a->shared, a->shared_len);
	e = ike_child_add(sa, rx->gen, &deal);
	if (e != OK)
		return e;
	a->old->replaced = true;
	a->old->want_rekey = false;
	a->old->rekey_at_ms = IKE_NEVER;
	if (rx->gen->req.kind == REQ_CHILD &&
	    sa->rekey.old_spi_in == a->old->spi_in) {
		ike_rekey_crossed(&sa->rekey, a->ni, BYTES_OF(a->nr));
		sa->rekey.their_spi_in = a->spi_in;
	}
	log_info("Child SA rekeyed by the gateway");
	return OK;
}

static enum err child_rekey(struct ike_sa *sa, const struct ike_rx *rx,
			    const struct proposal_list *theirs,
			    struct child_ask *a)
{
	uint16_t refusal = 0;
	enum err e;

	e = ike_nonce_parse(ike_msg_find(rx->msg, PLD_NONCE, 0)->body, &a->ni);
	if (e == OK)
		e = ask_ts(sa, rx, a, &refusal);
	if (e != OK)
		return malformed(sa, rx);
	if (refusal)
		return ike_answer_notify(sa, rx, refusal, BYTES_NONE);
	if (ike_rekey_select(&sa->cfg.esp_proposals, theirs, rx->msg,
			     &a->chosen) != OK ||
	    suite_from_proposal(&a->chosen, &a->suite) != OK)
		return ike_answer_notify(sa, rx, N_NO_PROPOSAL_CHOSEN,
					 BYTES_NONE);
	e = ask_ke(sa, rx, a, &refusal);
	if (refusal)
		return ike_answer_group(sa, rx, a->suite.ke);
	if (e == ERR_MALFORMED)
		return malformed(sa, rx);
	return e == OK ? ask_grant(sa, rx, a) : e;
}

static enum err child_request(struct ike_sa *sa, const struct ike_rx *rx,
			      const struct proposal_list *theirs)
{
	struct child_ask ask = {.ke = NULL};
	struct ike_notify n;
	struct rd r;
	uint32_t spi;
	enum err e;

	/* One tunnel has one Child SA; a further one is not wanted. */
	if (!ike_msg_notify(rx->msg, N_REKEY_SA, &n))
		return ike_answer_notify(sa, rx, N_NO_ADDITIONAL_SAS,
					 BYTES_NONE);
	if (rx->gen->req.kind == REQ_IKE)
		return ike_answer_notify(sa, rx, N_TEMPORARY_FAILURE,
					 BYTES_NONE);
	r = rd_open(n.spi);
	spi = rd_u32(&r);
	if (n.proto == PROTO_ESP && rd_finish(&r) == OK)
		ask.old = ike_child_by_out(sa, spi);
	/* It may be the one whose answer we wait for: then it is not gone. */
	if (!ask.old && rx->gen->req.kind == REQ_CHILD)
		return ike_answer_notify(sa, rx, N_TEMPORARY_FAILURE,
					 BYTES_NONE);
	if (!ask.old)
		return not_found(sa, rx, spi);
	if (ask.old->replaced || ask.old->want_delete || ask.old->deleting)
		return ike_answer_notify(sa, rx, N_TEMPORARY_FAILURE,
					 BYTES_NONE);
	e = child_rekey(sa, rx, theirs, &ask);
	ke_free(&ask.ke);
	mem_wipe(ask.shared, sizeof(ask.shared));
	return e;
}

enum err ike_create_request(struct ike_sa *sa, const struct ike_rx *rx)
{
	struct proposal_list theirs;

	ike_children_known(sa, rx->gen);
	/* 2.25: nothing new on what is being closed. */
	if (sa->state == IKE_ST_DELETING || (sa->tasks & TASK_DELETE) ||
	    rx->gen != sa->cur)
		return ike_answer_notify(sa, rx, N_TEMPORARY_FAILURE,
					 BYTES_NONE);
	if (proposals_parse(ike_msg_find(rx->msg, PLD_SA, 0)->body, &theirs) !=
	    OK)
		return malformed(sa, rx);
	if (theirs.n && theirs.p[0].proto == PROTO_IKE)
		return ike_rekey_request(sa, rx, &theirs);
	return child_request(sa, rx, &theirs);
}
