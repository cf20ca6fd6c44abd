/* CREATE_CHILD_SA that rekeys the IKE SA (RFC 7296 1.3.2, 2.8.2, 2.18). */
#include "client/ike/sa_private.h"

#include <string.h>

/* RFC 5723 6.2: the old ticket stands for keys that are gone. */
void ike_rekeyed(struct ike_sa *sa, const struct ike_msg *msg)
{
	struct ike_notify n;

	ike_queue(sa, IKE_DO_TICKET_VOID, 0);
	if (!sa->cfg.want_ticket)
		return;
	if (msg && (ike_msg_notify(msg, N_TICKET_LT_OPAQUE, &n) ||
		    ike_msg_notify(msg, N_TICKET_ACK, &n) ||
		    ike_msg_notify(msg, N_TICKET_NACK, &n)))
		ike_ticket_answer(sa, sa->cur, msg);
	else
		sa->tasks |= TASK_TICKET;
}

static void spi_bytes(uint64_t spi, uint8_t out[IKE_SPI_LEN])
{
	struct wr w = wr_open(out, IKE_SPI_LEN);

	wr_u64(&w, spi);
}

static bool spi_read(const struct proposal *p, uint64_t *out)
{
	struct rd r = rd_open(p->spi);

	*out = rd_u64(&r);
	return rd_finish(&r) == OK && *out != 0;
}

/* --- our request ------------------------------------------------------ */

static enum err rekey_write(struct ike_sa *sa)
{
	struct ike_rekey *rk = &sa->rekey;
	struct proposal_list offer = sa->cfg.ike_proposals;
	uint8_t spi[IKE_SPI_LEN];
	struct ike_wr w;

	spi_bytes(rk->new_spi, spi);
	proposals_set_spi(&offer, BYTES_OF(spi));
	ike_chain_start(sa, &w);
	ike_wr_sa(&w, &offer);
	ike_wr_payload(&w, PLD_NONCE, BYTES_OF(rk->ni));
	ike_wr_ke(&w, (uint16_t)rk->method, ke_public(rk->ke));
	if (sa->cfg.want_ticket)
		ike_wr_notify(&w, N_TICKET_REQUEST, BYTES_NONE);
	return ike_request_send(sa, sa->cur, REQ_IKE, &w);
}

enum err ike_rekey_send(struct ike_sa *sa)
{
	enum ke_method method = sa->cur->keys.suite.ke;
	enum err e;

	if (ike_gens_full(sa, 1)) {
		sa->tasks |= TASK_REKEY;
		sa->not_before_ms = sa->now_ms + IKE_RETRY_MS;
		return OK;
	}
	/* The group the gateway took before spares a round trip. */
	if (method == KE_NONE ||
	    !proposals_have_ke(&sa->cfg.ike_proposals, method))
		method = proposals_first_ke(&sa->cfg.ike_proposals);
	ike_rekey_clear(sa);
	sa->rekey.is_ike = true;
	sa->rekey.new_spi = ike_spi_draw(sa);
	e = ike_rekey_begin(sa, method);
	return e == OK ? rekey_write(sa) : e;
}

static enum err rekey_refused(struct ike_sa *sa, const struct ike_notify *error)
{
	struct ike_gen *theirs = sa->rekey.their_gen;

	if (theirs) {
		ike_rekey_clear(sa);
		ike_gen_switch(sa, theirs, false);
		ike_rekeyed(sa, NULL);
		return OK;
	}
	if (error->type == N_INVALID_KE_PAYLOAD &&
	    ike_rekey_take_group(sa, error, &sa->cfg.ike_proposals))
		return rekey_write(sa);
	return ike_rekey_refused(sa, error);
}

/* Keys and ciphers of a new generation; shared is from ke and data. */
static enum err gen_key(struct ike_sa *sa, struct ike_gen *gen,
			const struct suite *suite, const struct ike_seed *seed,
			struct bytes shared)
{
	enum err e;

	gen->spi_i = seed->spi_i;
	gen->spi_r = seed->spi_r;
	e = ike_keys_rekey(suite, seed, shared, &sa->cur->keys, &gen->keys);
	return e == OK ? ike_gen_arm(sa, gen) : e;
}

static void rekey_settle(struct ike_sa *sa, struct ike_gen *ours,
			 const struct ike_rx *rx, bool lost)
{
	struct ike_gen *theirs = sa->rekey.their_gen;

	ike_rekey_clear(sa);
	if (lost) {
		ours->want_delete = true;
		ours->expires_ms = sa->now_ms + IKE_OLD_MS;
		ike_gen_switch(sa, theirs, false);
		ike_rekeyed(sa, NULL);
		return;
	}
	if (theirs)
		theirs->expires_ms = sa->now_ms + IKE_OLD_MS;
	ike_gen_switch(sa, ours, true);
	ike_rekeyed(sa, rx->msg);
}

enum err ike_rekey_answer(struct ike_sa *sa, const struct ike_rx *rx)
{
	struct ike_rekey *rk = &sa->rekey;
	struct ike_seed seed = {.ni = BYTES_OF(rk->ni), .spi_i = rk->new_spi};
	uint8_t shared[KE_SHARED_MAX];
	struct ike_gen *gen = NULL;
	struct ike_sa_answer answer;
	size_t len;
	enum err e;

	if (rx->has_error)
		return rekey_refused(sa, &rx->error);
	e = ike_sa_answer_read(rx->msg, &sa->cfg.ike_proposals, rk->method,
			       &answer);
	if (e == OK && !spi_read(&answer.chosen, &seed.spi_r))
		e = ERR_PEER;
	if (e == OK)
		e = ke_shared(rk->ke, answer.ke.data, shared, &len);
	if (e == OK) {
		seed.nr = answer.nr;
		gen = ike_gen_new(sa, true);
		e = gen ? gen_key(sa, gen, &answer.suite, &seed,
				  bytes(shared, len))
			: ERR_NO_MEMORY;
		mem_wipe(shared, sizeof(shared));
	}
	if (e != OK) {
		if (gen)
			gen->dead = true;
		diag_set(&sa->diag, e,
			 "gateway's answer to the rekey is not usable");
		ike_rekey_clear(sa);
		ike_goodbye(sa, e);
		return OK;
	}
	ike_qcd_take(gen, rx->msg);
	rekey_settle(sa, gen, rx,
		     rk->their_gen && ike_rekey_lost(rk, answer.nr));
	return OK;
}

/* --- the gateway's request -------------------------------------------- */

struct rekey_ask {
	struct proposal chosen;
	struct suite suite;
	struct ike_seed seed;
	uint8_t nr[IKE_NONCE_LEN];
	uint8_t shared[KE_SHARED_MAX];
	size_t shared_len;
	struct ke *ke;
	struct ike_gen *gen;
};

/* 2.25.1, 2.25.2: not while a Child SA is in the making or going. */
static bool busy(const struct ike_sa *sa)
{
	enum ike_req_kind kind = sa->cur->req.kind;

	/* When both rekey, ours needs a place too. */
	return kind == REQ_CHILD || kind == REQ_DELETE_CHILD ||
	       kind == REQ_DELETE_IKE ||
	       (kind == REQ_IKE && sa->rekey.their_gen) ||
	       ike_gens_full(sa, kind == REQ_IKE ? 2 : 1);
}

static enum err malformed(struct ike_sa *sa, const struct ike_rx *rx)
{
	enum err e = ike_answer_notify(sa, rx, N_INVALID_SYNTAX, BYTES_NONE);

	return diag_set(&sa->diag, e == OK ? ERR_PEER : e,
			"gateway's rekey of the IKE SA is malformed");
}

static enum err ask_answer(struct ike_sa *sa, const struct ike_rx *rx,
			   struct rekey_ask *a)
{
	uint8_t spi[IKE_SPI_LEN];
	struct ike_wr w;

	spi_bytes(a->seed.spi_r, spi);
	a->chosen.spi = BYTES_OF(spi);
	ike_chain_start(sa, &w);
	ike_wr_sa_one(&w, &a->chosen);
	ike_wr_payload(&w, PLD_NONCE, BYTES_OF(a->nr));
	ike_wr_ke(&w, (uint16_t)a->suite.ke, ke_public(a->ke));
	return ike_answer(sa, rx, &w);
}

static enum err ask_grant(struct ike_sa *sa, const struct ike_rx *rx,
			  struct rekey_ask *a)
{
	enum err e;

	rng_draw(&sa->rng, a->nr, sizeof(a->nr));
	a->seed.nr = BYTES_OF(a->nr);
	a->seed.spi_r = ike_spi_draw(sa);
	a->gen = ike_gen_new(sa, false);
	if (!a->gen)
		return ERR_NO_MEMORY;
	e = gen_key(sa, a->gen, &a->suite, &a->seed,
		    bytes(a->shared, a->shared_len));
	if (e == OK)
		e = ask_answer(sa, rx, a);
	if (e != OK) {
		a->gen->dead = true;
		return e;
	}
	if (rx->gen->req.kind == REQ_IKE) {
		ike_rekey_crossed(&sa->rekey, a->seed.ni, a->seed.nr);
		sa->rekey.their_gen = a->gen;
		return OK;
	}
	ike_gen_switch(sa, a->gen, false);
	ike_rekeyed(sa, NULL);
	return OK;
}

static enum err ask_check(struct ike_sa *sa, const struct ike_rx *rx,
			  struct rekey_ask *a)
{
	struct ike_ke theirs;
	enum err e;

	if (!spi_read(&a->chosen, &a->seed.spi_i) ||
	    ike_nonce_parse(ike_msg_find(rx->msg, PLD_NONCE, 0)->body,
			    &a->seed.ni) != OK ||
	    !ike_msg_count(rx->msg, PLD_KE))
		return malformed(sa, rx);
	e = ike_read_ke(rx->msg, a->suite.ke, &theirs);
	if (e == ERR_NOT_FOUND)
		return ike_answer_group(sa, rx, a->suite.ke);
	if (e == OK)
		e = ke_new(a->suite.ke, &sa->rng, &a->ke);
	if (e == OK)
		e = ke_shared(a->ke, theirs.data, a->shared, &a->shared_len);
	if (e != OK)
		return malformed(sa, rx);
	return ask_grant(sa, rx, a);
}

enum err ike_rekey_request(struct ike_sa *sa, const struct ike_rx *rx,
			   const struct proposal_list *theirs)
{
	struct rekey_ask ask = {.ke = NULL};
	enum err e;

	if (busy(sa))
		return ike_answer_notify(sa, rx, N_TEMPORARY_FAILURE,
					 BYTES_NONE);
	if (ike_rekey_select(&sa->cfg.ike_proposals, theirs, rx->msg,
			     &ask.chosen) != OK ||
	    suite_from_proposal(&ask.chosen, &ask.suite) != OK ||
	    ask.suite.ke == KE_NONE)
		return ike_answer_notify(sa, rx, N_NO_PROPOSAL_CHOSEN,
					 BYTES_NONE);
	e = ask_check(sa, rx, &ask);
	ke_free(&ask.ke);
	mem_wipe(ask.shared, sizeof(ask.shared));
	return e;
}
