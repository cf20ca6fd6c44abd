/* Tickets as they come in (RFC 5723 6): only from a message inside SK of an
 * authenticated gateway; the caller sees to that. */
#include "client/ike/sa_private.h"

#include <string.h>

/* lifetime | ticket. Nothing to keep: no octets, no time, more than we
 * store. */
static bool ticket_read(const struct ike_notify *n, uint32_t *out_lifetime_s,
			struct bytes *out_opaque)
{
	struct rd r = rd_open(n->data);

	*out_lifetime_s = rd_u32(&r);
	*out_opaque = rd_rest(&r);
	return rd_ok(&r) && *out_lifetime_s != 0 && out_opaque->len != 0 &&
	       out_opaque->len <= IKE_TICKET_MAX;
}

static bool ticket_find(const struct ike_msg *msg, uint32_t *out_lifetime_s,
			struct bytes *out_opaque)
{
	const struct ike_payload *p;
	bool found = false;

	for (size_t i = 0; (p = ike_msg_find(msg, PLD_NOTIFY, i)); i++) {
		struct ike_notify n;
		struct bytes opaque;
		uint32_t lifetime_s;

		if (ike_notify_parse(p->body, &n) != OK)
			continue;
		if (n.type != N_TICKET_LT_OPAQUE ||
		    !ticket_read(&n, &lifetime_s, &opaque))
			continue;
		*out_lifetime_s = lifetime_s;
		*out_opaque = opaque;
		found = true;
	}
	return found;
}

/* RFC 5723 6.2: it dies with the authentication. */
static void bound_by_auth(const struct ike_sa *sa, struct ike_ticket *t)
{
	int64_t left_s = (sa->reauth_at_ms - sa->now_ms) / 1000;

	if (sa->reauth_at_ms == IKE_NEVER)
		return;
	if (left_s < 1)
		left_s = 1;
	if (t->lifetime_s > left_s)
		t->lifetime_s = (uint32_t)left_s;
	t->auth_limited = true;
	t->auth_extra_s = (uint32_t)(left_s - t->lifetime_s);
}

bool ike_ticket_take(struct ike_sa *sa, const struct ike_gen *gen,
		     const struct ike_msg *msg)
{
	struct bytes opaque;
	uint32_t lifetime_s;
	struct ike_ticket *t;
	struct ike_node *n;

	if (!sa->cfg.want_ticket || !ticket_find(msg, &lifetime_s, &opaque))
		return false;
	n = ike_queue(sa, IKE_DO_TICKET, sizeof(*t) + opaque.len);
	if (!n)
		return false;
	t = n->own;
	memcpy((uint8_t *)n->own + sizeof(*t), opaque.p, opaque.len);
	t->opaque = bytes((uint8_t *)n->own + sizeof(*t), opaque.len);
	t->lifetime_s = lifetime_s;
	t->sk_d = gen->keys.sk_d;
	t->suite = gen->keys.suite;
	t->id_local = sa->cfg.id_local;
	t->id_remote = sa->id_remote;
	t->auth = sa->auth;
	t->inner_v4 = sa->inner_v4;
	t->inner_v6 = sa->inner_v6;
	t->peer_fragments = sa->peer_fragments;
	t->auth_first_only = sa->auth_first_only;
	bound_by_auth(sa, t);
	n->a.u.ticket = t;
	log_info("IKE: ticket of %zu octets, valid %u s", opaque.len,
		 t->lifetime_s);
	return true;
}

void ike_ticket_answer(struct ike_sa *sa, const struct ike_gen *gen,
		       const struct ike_msg *msg)
{
	struct ike_notify n;
	struct ike_node *node;

	if (!sa->cfg.want_ticket || ike_ticket_take(sa, gen, msg))
		return;
	node = ike_queue(sa, IKE_DO_TICKET_NONE, 0);
	if (!node)
		return;
	node->a.u.ticket_none.later = ike_msg_notify(msg, N_TICKET_ACK, &n);
	log_info("IKE: the gateway gave no ticket (%s)",
		 node->a.u.ticket_none.later		  ? "later"
		 : ike_msg_notify(msg, N_TICKET_NACK, &n) ? "refused"
							  : "no answer to it");
}
