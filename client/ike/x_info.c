/* INFORMATIONAL (RFC 7296 1.4): deletes both ways, liveness, tickets. */
#include "client/ike/sa_private.h"

#include <string.h>

/* --- ours --------------------------------------------------------------------
 */

static void put_child_deletes(struct ike_sa *sa, struct ike_wr *w)
{
	uint32_t spis[IKE_CHILDREN_MAX];
	size_t n = 0;

	for (size_t i = 0; i < IKE_CHILDREN_MAX; i++) {
		struct ike_child *c = &sa->children[i];

		if (!c->spi_in || !c->want_delete || c->deleting)
			continue;
		c->deleting = true;
		spis[n++] = c->spi_in;
	}
	ike_wr_delete_esp(w, spis, n);
}

enum err ike_info_send(struct ike_sa *sa, struct ike_gen *gen,
		       enum ike_req_kind kind)
{
	struct ike_wr w;

	ike_chain_start(sa, &w);
	if (kind == REQ_DELETE_IKE)
		ike_wr_delete_ike(&w);
	else if (kind == REQ_DELETE_CHILD)
		put_child_deletes(sa, &w);
	else if (kind == REQ_TICKET)
		ike_wr_notify(&w, N_TICKET_REQUEST, BYTES_NONE);
	/* Renewals may come so often that no liveness check ever does. */
	if (kind == REQ_ALIVE || kind == REQ_TICKET)
		ike_put_path_check(sa, &w);
	return ike_request_send(sa, gen, kind, &w);
}

static void children_deleted(struct ike_sa *sa)
{
	for (size_t i = 0; i < IKE_CHILDREN_MAX; i++)
		if (sa->children[i].spi_in && sa->children[i].deleting)
			ike_child_del(sa, &sa->children[i]);
}

static void alive_told(struct ike_sa *sa, enum ike_mapping mapping)
{
	struct ike_node *n = ike_queue(sa, IKE_DO_ALIVE, 0);

	if (n)
		n->a.u.alive.mapping = mapping;
}

enum err ike_info_answer(struct ike_sa *sa, const struct ike_rx *rx)
{
	if (rx->kind == REQ_DELETE_IKE) {
		if (rx->gen == sa->cur)
			ike_close(sa, sa->why);
		else
			rx->gen->dead = true;
		return OK;
	}
	if (rx->has_error && (rx->error.type == N_INVALID_SYNTAX ||
			      rx->error.type == N_AUTHENTICATION_FAILED))
		return diag_set(&sa->diag, ERR_PEER,
				"gateway answers INFORMATIONAL with %s",
				ike_notify_name(rx->error.type));
	if (rx->kind == REQ_DELETE_CHILD) {
		children_deleted(sa);
	} else if (rx->kind == REQ_TICKET && rx->gen == sa->cur) {
		ike_ticket_answer(sa, rx->gen, rx->msg);
		(void)ike_path_checked(sa, rx);
	} else if (rx->kind == REQ_ALIVE) {
		alive_told(sa, ike_path_checked(sa, rx));
		if (sa->probe_failed)
			ike_probe_end(sa, false);
	}
	return OK;
}

/* --- the gateway's
 * ------------------------------------------------------------ */

/* What the gateway wants gone. */
struct wish {
	bool ike;
	size_t n;
	uint32_t spis_in[IKE_CHILDREN_MAX]; /* ours, to tell in the answer */
	size_t n_gone;
	uint32_t gone[IKE_CHILDREN_MAX]; /* ours, all */
};

/* RFC 7296 1.4.1, 2.25.1: one we are deleting already is not told. */
static void wish_children(struct ike_sa *sa, const struct ike_delete *d,
			  struct wish *out)
{
	for (size_t i = 0; i < d->n_spis; i++) {
		struct ike_child *c = ike_child_by_out(sa, d->spis[i]);

		/* Perhaps the one whose answer is still on its way. */
		if (!c && sa->cur->req.kind == REQ_CHILD)
			sa->rekey.gone_spi_out = d->spis[i];
		if (!c || out->n_gone >= IKE_CHILDREN_MAX)
			continue;
		out->gone[out->n_gone++] = c->spi_in;
		if (!c->deleting)
			out->spis_in[out->n++] = c->spi_in;
	}
}

static enum err wish_read(struct ike_sa *sa, const struct ike_msg *msg,
			  struct wish *out)
{
	const struct ike_payload *p;

	for (size_t i = 0; (p = ike_msg_find(msg, PLD_DELETE, i)); i++) {
		struct ike_delete d;

		if (ike_delete_parse(p->body, &d) != OK)
			return ERR_MALFORMED;
		if (d.proto == PROTO_IKE)
			out->ike = true;
		else if (d.proto == PROTO_ESP)
			wish_children(sa, &d, out);
	}
	return OK;
}

static enum err info_reply(struct ike_sa *sa, const struct ike_rx *rx,
			   const struct wish *wish)
{
	struct ike_notify n;
	struct ike_wr w;

	ike_chain_start(sa, &w);
	/* RFC 4555 3.7, 3.8: a return routability check, the NAT's mapping */
	if (ike_msg_notify(rx->msg, N_COOKIE2, &n))
		ike_wr_notify(&w, N_COOKIE2, n.data);
	if (ike_msg_notify(rx->msg, N_NAT_DETECTION_SOURCE_IP, &n))
		ike_put_nat_notifies(sa, &w);
	if (wish->n && !wish->ike)
		ike_wr_delete_esp(&w, wish->spis_in, wish->n);
	return ike_answer(sa, rx, &w);
}

static void wish_drop_children(struct ike_sa *sa, const struct wish *wish)
{
	bool any = false;

	for (size_t i = 0; i < wish->n_gone; i++) {
		struct ike_child *c = ike_child_by_in(sa, wish->gone[i]);

		if (!c)
			continue;
		ike_child_del(sa, c);
		any = true;
	}
	/* A tunnel without a Child SA is none: ask for another. */
	if (any && sa->state == IKE_ST_UP && !ike_child_live(sa) &&
	    sa->cur->req.kind != REQ_CHILD)
		sa->tasks |= TASK_NEW_CHILD;
}

static void gen_ghost(struct ike_sa *sa, struct ike_gen *gen)
{
	ike_request_drop(gen);
	gen->deleted = true;
	gen->expires_ms = sa->now_ms + IKE_GHOST_MS;
}

/* A gateway deletes its SA by its own DELETE on it. */
static void wish_drop_ike(struct ike_sa *sa, struct ike_gen *gen)
{
	struct ike_gen *next = sa->rekey.their_gen;

	gen->want_delete = false;
	if (gen != sa->cur) {
		gen_ghost(sa, gen);
		if (gen == next)
			sa->rekey.their_gen = NULL;
		else
			sa->cur->quiet_until_ms = -1;
		return;
	}
	if (sa->state == IKE_ST_DELETING || (sa->tasks & TASK_DELETE)) {
		ike_close(sa, sa->why);
		return;
	}
	/* 2.8.2: the gateway never saw our request; its rekey stands. */
	if (gen->req.kind == REQ_IKE && next) {
		ike_rekey_clear(sa);
		next->quiet_until_ms = -1;
		ike_gen_switch(sa, next, false);
		gen_ghost(sa, gen);
		ike_rekeyed(sa, NULL);
		return;
	}
	ike_queue(sa, IKE_DO_TICKET_VOID, 0);
	diag_set(&sa->diag, ERR_GONE, "gateway ended the session");
	ike_close(sa, ERR_GONE);
}

enum err ike_info_request(struct ike_sa *sa, const struct ike_rx *rx)
{
	struct wish wish = {.n = 0};
	enum err e;

	ike_children_known(sa, rx->gen);
	if (wish_read(sa, rx->msg, &wish) != OK) {
		e = ike_answer_notify(sa, rx, N_INVALID_SYNTAX, BYTES_NONE);
		return diag_set(&sa->diag, e == OK ? ERR_PEER : e,
				"gateway's DELETE is malformed");
	}
	e = info_reply(sa, rx, &wish);
	if (e != OK)
		return e;
	if (rx->gen == sa->cur && !wish.ike) {
		if (sa->cfg.take_pushed_ticket)
			ike_ticket_take(sa, rx->gen, rx->msg);
		ike_auth_lifetime_take(sa, rx->msg);
		if (sa->peer_moves)
			ike_addresses_take(sa, rx->msg);
	}
	if (rx->gen == sa->cur && !wish.ike &&
	    ike_redirect_take(sa, rx->msg, BYTES_NONE))
		ike_goodbye(sa, ike_redirect_told(sa));
	else if (wish.ike)
		wish_drop_ike(sa, rx->gen);
	else
		wish_drop_children(sa, &wish);
	return OK;
}
