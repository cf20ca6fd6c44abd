/* MOBIKE (RFC 4555) as initiator: the SA goes to another path, and what the
 * gateway says of its own addresses. No packet's source ever changes the path
 * (3.8): only ike_sa_move does. */
#include "client/ike/sa_private.h"

#include <string.h>

#define MOVE_ASKS_MAX 3 /* after UNEXPECTED_NAT_DETECTED (3.9) */

bool ike_sa_can_move(const struct ike_sa *sa)
{
	return sa->state == IKE_ST_UP && sa->peer_moves;
}

const struct ike_path *ike_way(const struct ike_sa *sa)
{
	return sa->move.on ? &sa->move.path : &sa->path;
}

const struct addr *ike_sa_addresses(const struct ike_sa *sa, size_t *out_n)
{
	*out_n = sa->n_extra;
	return sa->extra;
}

/* 3.5: what is open goes on over the new path; what it asks is answered
 * before the move is told, for the window is 1. */
static void requests_move(struct ike_sa *sa)
{
	for (size_t i = 0; i < IKE_GENS_MAX; i++) {
		struct ike_gen *g = sa->gens[i];

		if (!g || g->req.kind == REQ_NONE)
			continue;
		if (g == sa->cur && g->req.kind == REQ_MOVE)
			sa->move.stale = true;
		ike_request_again(sa, g);
	}
}

static void move_begin(struct ike_sa *sa, const struct ike_path *to)
{
	sa->move.path = *to;
	sa->move.on = true;
	sa->move.heard = false;
	sa->move.asks = 0;
	requests_move(sa);
}

enum err ike_sa_move(struct ike_sa *sa, const struct ike_path *new_path,
		     int64_t now_ms)
{
	char to[ADDR_STR_MAX];

	if (!ike_sa_can_move(sa))
		return ERR_UNSUPPORTED;
	ike_enter(sa, now_ms);
	log_info("IKE SA moves to a path from %s",
		 addr_str_port(&new_path->local, to));
	sa->move.n_tried = 0;
	move_begin(sa, new_path);
	ike_leave(sa);
	return OK;
}

/* RFC 9329 7.1: the same exchange, by another transport. */
enum err ike_move_race(struct ike_sa *sa, const struct ike_path *path)
{
	struct ike_move *m = &sa->move;

	if (m->n_tried == IKE_RACERS_MAX)
		return ERR_NO_SPACE;
	m->tried[m->n_tried++] = m->path;
	move_begin(sa, path);
	return OK;
}

static bool path_eq(const struct ike_path *a, const struct ike_path *b)
{
	return a->tcp == b->tcp && addr_eq(&a->local, &b->local) &&
	       addr_eq(&a->remote, &b->remote);
}

/* The path that an answer came over is good, whatever became of the others. */
static void move_decide(struct ike_sa *sa, const struct ike_path *from)
{
	struct ike_move *m = &sa->move;

	for (size_t i = 0; i < m->n_tried; i++)
		if (path_eq(&m->tried[i], from))
			m->path = *from;
	m->n_tried = 0;
	m->heard = true;
}

enum err ike_move_send(struct ike_sa *sa)
{
	struct ike_move *m = &sa->move;
	struct ike_wr w;

	m->stale = false;
	m->asks++;
	rng_draw(&sa->rng, m->cookie, sizeof(m->cookie));
	ike_chain_start(sa, &w);
	ike_wr_notify(&w, N_UPDATE_SA_ADDRESSES, BYTES_NONE);
	ike_put_nat_notifies(sa, &w);
	ike_wr_notify(&w, N_COOKIE2, BYTES_OF(m->cookie));
	return ike_request_send(sa, sa->cur, REQ_MOVE, &w);
}

static void move_end(struct ike_sa *sa, bool ok)
{
	struct ike_node *n;

	if (ok)
		sa->path = sa->move.path;
	sa->move.on = false;
	n = ike_queue(sa, IKE_DO_MOVED, 0);
	if (!n)
		return;
	n->a.u.moved.ok = ok;
	n->a.u.moved.behind_nat = sa->behind_nat;
}

void ike_nat_note(struct ike_sa *sa, const struct ike_msg *msg)
{
	struct ike_notify n;

	sa->nat_seen_len = 0;
	if (ike_msg_notify(msg, N_NAT_DETECTION_DESTINATION_IP, &n) &&
	    n.data.len == sizeof(sa->nat_seen)) {
		memcpy(sa->nat_seen, n.data.p, n.data.len);
		sa->nat_seen_len = n.data.len;
	}
}

/* 3.7: a value that is not the one sent closes the SA. A refusal need not
 * carry it (3.5). */
static bool cookie_ok(const struct ike_sa *sa, const struct ike_rx *rx)
{
	struct ike_notify n;

	if (!ike_msg_notify(rx->msg, N_COOKIE2, &n))
		return rx->has_error;
	return bytes_eq(n.data, BYTES_OF(sa->move.cookie));
}

enum err ike_move_answer(struct ike_sa *sa, const struct ike_rx *rx)
{
	struct ike_notify n;

	/* On an IKE SA replaced meanwhile, whose Child SAs are no longer
	 * there: it was asked again, with another cookie. */
	if (rx->gen != sa->cur || !sa->move.on)
		return OK;
	if (!cookie_ok(sa, rx))
		return diag_set(&sa->diag, ERR_PEER,
				"gateway answers a change of addresses "
				"without the COOKIE2 sent");
	if (!rx->has_error)
		move_decide(sa, rx->path);
	/* 3.5: for an older path: it is asked again. */
	if (sa->move.stale)
		return OK;
	if (rx->has_error) {
		log_info("IKE: gateway answers the change of addresses with %s",
			 ike_notify_name(rx->error.type));
		if (rx->error.type != N_UNEXPECTED_NAT_DETECTED ||
		    sa->move.asks >= MOVE_ASKS_MAX)
			move_end(sa, false);
		return OK;
	}
	if (ike_msg_notify(rx->msg, N_NAT_DETECTION_SOURCE_IP, &n))
		sa->esp_plain = false;
	/* Where nothing is told: a keepalive too many costs little. */
	sa->behind_nat = ike_nat_told(sa, rx->msg, true);
	ike_nat_note(sa, rx->msg);
	move_end(sa, true);
	return OK;
}

/* --- changes of a NAT's mapping (3.8) ----------------------------------- */

void ike_put_path_check(struct ike_sa *sa, struct ike_wr *w)
{
	if (ike_sa_can_move(sa) && sa->behind_nat)
		ike_put_nat_notifies(sa, w);
}

enum ike_mapping ike_path_checked(struct ike_sa *sa, const struct ike_rx *rx)
{
	struct ike_notify n;

	if (!ike_sa_can_move(sa) || sa->move.on || rx->gen != sa->cur ||
	    !ike_msg_notify(rx->msg, N_NAT_DETECTION_DESTINATION_IP, &n))
		return IKE_MAPPING_UNTOLD;
	if (bytes_eq(n.data, bytes(sa->nat_seen, sa->nat_seen_len)))
		return IKE_MAPPING_SAME;
	/* Also after a rekey, for the SPIs are in it: harmless. */
	log_info("IKE: the gateway sees another address of ours than before");
	move_begin(sa, &sa->path);
	return IKE_MAPPING_OTHER;
}

/* --- what we tell (3.1, 3.4) -------------------------------------------- */

void ike_put_mobike(const struct ike_sa *sa, struct ike_wr *w)
{
	ike_wr_notify(w, N_MOBIKE_SUPPORTED, BYTES_NONE);
	for (size_t i = 0; i < sa->cfg.n_addresses; i++) {
		const struct addr *a = &sa->cfg.addresses[i];

		if (a->family != ADDR_NONE && !addr_eq_host(a, &sa->path.local))
			ike_wr_notify(w,
				      a->family == ADDR_V4
					      ? N_ADDITIONAL_IP4_ADDRESS
					      : N_ADDITIONAL_IP6_ADDRESS,
				      addr_view(a));
	}
}

/* --- what the gateway tells (3.2, 3.4, 3.6) ----------------------------- */

static void take_addresses(struct ike_sa *sa, const struct ike_msg *msg,
			   uint16_t type)
{
	const struct ike_payload *p;
	struct ike_notify n;

	for (size_t i = 0; (p = ike_msg_find(msg, PLD_NOTIFY, i)); i++) {
		if (sa->n_extra == IKE_ADDRS_MAX)
			return;
		if (ike_notify_parse(p->body, &n) == OK && n.type == type &&
		    addr_from_bytes(n.data, 0, &sa->extra[sa->n_extra]) == OK)
			sa->n_extra++;
	}
}

void ike_addresses_take(struct ike_sa *sa, const struct ike_msg *msg)
{
	struct ike_notify n;

	if (!ike_msg_notify(msg, N_ADDITIONAL_IP4_ADDRESS, &n) &&
	    !ike_msg_notify(msg, N_ADDITIONAL_IP6_ADDRESS, &n) &&
	    !ike_msg_notify(msg, N_NO_ADDITIONAL_ADDRESSES, &n))
		return;
	sa->n_extra = 0;
	take_addresses(sa, msg, N_ADDITIONAL_IP4_ADDRESS);
	take_addresses(sa, msg, N_ADDITIONAL_IP6_ADDRESS);
}

void ike_moves_learn(struct ike_sa *sa, const struct ike_msg *msg)
{
	struct ike_notify n;

	sa->peer_moves =
		sa->cfg.mobike && ike_msg_notify(msg, N_MOBIKE_SUPPORTED, &n);
	if (sa->peer_moves)
		ike_addresses_take(sa, msg);
}
