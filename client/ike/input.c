/* From a datagram to a message that may be believed: whose it is, where it
 * stands in the window, and what is inside. */
#include "client/ike/sa_private.h"

#include <stdlib.h>

static void input_plain(struct ike_sa *sa, struct ike_gen *gen,
			struct bytes dgram, const struct ike_path *path)
{
	struct ike_msg msg;
	struct ike_rx rx = {
		.gen = gen, .msg = &msg, .path = path, .raw = dgram};

	if (ike_msg_parse(dgram, &msg) != OK || msg.sk_type)
		return;
	if (msg.hdr.flags != IKE_FLAG_RESPONSE || msg.hdr.msg_id != 0 ||
	    gen->has_keys || gen->req.kind == REQ_NONE ||
	    gen->req.exchange != msg.hdr.exchange)
		return;
	rx.kind = gen->req.kind;
	ike_race_decide(sa, msg.hdr.spi_i);
	ike_dispatch(sa, &rx);
}

/* Does it answer our open request, or is it the gateway's next one or a copy
 * of the last? */
enum place { PLACE_NONE, PLACE_ANSWER, PLACE_REQUEST, PLACE_COPY };

static enum place window_place(const struct ike_sa *sa,
			       const struct ike_gen *gen,
			       const struct ike_hdr *h)
{
	if (!(h->flags & IKE_FLAG_INITIATOR) != gen->is_initiator)
		return PLACE_NONE;
	if (h->flags & IKE_FLAG_RESPONSE) {
		if (gen->req.kind == REQ_NONE || h->msg_id != gen->req.msg_id ||
		    h->exchange != gen->req.exchange)
			return PLACE_NONE;
		return PLACE_ANSWER;
	}
	if (sa->state != IKE_ST_UP && sa->state != IKE_ST_DELETING)
		return PLACE_NONE;
	if (h->msg_id == gen->expected_id)
		return PLACE_REQUEST;
	if (gen->answer && h->msg_id + 1 == gen->expected_id)
		return PLACE_COPY;
	return PLACE_NONE;
}

/* The other errors tell of a message that nobody vouches for. */
static bool is_authentic(enum err e)
{
	return e == OK || e == ERR_MALFORMED || e == ERR_TRUNCATED ||
	       e == ERR_UNSUPPORTED;
}

static enum err open_frag(struct ike_gen *gen, enum place place, uint8_t *dgram,
			  struct ike_msg *msg, bool *out_done)
{
	struct ike_reasm **r = &gen->reasm_request;
	size_t len = msg->hdr.len;
	struct rd rd = rd_open(msg->sk_body);
	uint16_t number = rd_u16(&rd);
	enum err e;

	if (place == PLACE_ANSWER)
		r = &gen->reasm_answer;
	/* RFC 7383 2.6.1: the first fragment alone brings the answer again */
	if (place == PLACE_COPY && number != 1)
		return ERR_INTEGRITY;
	if (!*r && ike_reasm_new(r) != OK)
		return ERR_NO_MEMORY;
	if (place == PLACE_COPY)
		ike_reasm_reset(*r);
	e = ike_reasm_add(*r, &gen->protect, dgram, len, msg, out_done);
	if (place == PLACE_COPY)
		ike_reasm_reset(*r);
	return e;
}

/* Authentic and yet not to be understood. */
static void input_bad(struct ike_sa *sa, const struct ike_rx *rx, enum err e)
{
	uint8_t type = rx->msg->unknown_critical;
	enum err sent;

	if (rx->kind == REQ_NONE && e == ERR_UNSUPPORTED) {
		sent = ike_answer_notify(sa, rx, N_UNSUPPORTED_CRITICAL_PAYLOAD,
					 bytes(&type, 1));
		if (sent != OK)
			ike_close(sa, sent);
		return;
	}
	if (rx->kind == REQ_NONE &&
	    ike_answer_notify(sa, rx, N_INVALID_SYNTAX, BYTES_NONE) != OK)
		log_debug("IKE: no answer could be made");
	if (e == ERR_UNSUPPORTED)
		diag_set(&sa->diag, ERR_PEER,
			 "gateway's %s holds the critical payload %u, which "
			 "is unknown",
			 ike_exchange_name(rx->msg->hdr.exchange), type);
	else
		diag_set(&sa->diag, ERR_PEER, "gateway's %s is malformed",
			 ike_exchange_name(rx->msg->hdr.exchange));
	ike_close(sa, ERR_PEER);
}

/* The window moves when the handler is through: it writes the answer. */
static void input_take(struct ike_sa *sa, struct ike_rx *rx, enum err e)
{
	struct ike_gen *gen = rx->gen;

	if (rx->kind != REQ_NONE) {
		ike_request_done(sa, gen);
	} else {
		ike_flight_put(&gen->answer);
	}
	/* RFC 6290 4.3, 4.4: it may come, and be replaced, at any time */
	if (e == OK && rx->msg->hdr.exchange == INFORMATIONAL)
		ike_qcd_take(gen, rx->msg);
	if (e != OK)
		input_bad(sa, rx, e);
	else
		ike_dispatch(sa, rx);
	/* The message's views lie in there: not before. */
	ike_reasm_free(rx->kind != REQ_NONE ? &gen->reasm_answer
					    : &gen->reasm_request);
	if (rx->kind != REQ_NONE || !gen->answer)
		return;
	if (gen->expected_id == UINT32_MAX) {
		diag_set(&sa->diag, ERR_PEER,
			 "gateway used up the message IDs; connect again");
		ike_close(sa, ERR_PEER);
		return;
	}
	gen->expected_id++;
}

static void input_protected(struct ike_sa *sa, struct ike_gen *gen,
			    struct bytes dgram, uint8_t *writable,
			    const struct ike_path *path)
{
	struct ike_msg msg;
	struct ike_rx rx = {.gen = gen, .msg = &msg, .path = path};
	enum place place;
	bool done = true;
	enum err e;

	if (!gen->has_keys || ike_msg_parse(dgram, &msg) != OK)
		return;
	if (!msg.sk_type)
		ike_qcd_input(sa, gen, &msg);
	if (!msg.sk_type || msg.n_payloads)
		return;
	place = window_place(sa, gen, &msg.hdr);
	if (place == PLACE_NONE)
		return;
	if (msg.sk_type == PLD_SKF) {
		if (!sa->cfg.fragmentation || !sa->peer_fragments)
			return;
		e = open_frag(gen, place, writable, &msg, &done);
	} else {
		e = ike_open(&gen->protect, writable, dgram.len, &msg);
	}
	if (!is_authentic(e))
		return;
	/* Of a probe it says nothing about the path in use. */
	if (place != PLACE_ANSWER || gen->req.kind != REQ_PROBE)
		sa->heard_ms = sa->now_ms;
	gen->quiet_until_ms = -1;
	ike_rivals_settle(sa, gen);
	if (place == PLACE_COPY) {
		ike_answer_again(sa, gen, path);
		return;
	}
	if (e == OK && !done)
		return;
	rx.kind = place == PLACE_ANSWER ? gen->req.kind : REQ_NONE;
	input_take(sa, &rx, e);
}

enum err ike_input(struct ike_sa *sa, uint8_t *dgram, size_t len,
		   const struct ike_path *path)
{
	struct bytes view = bytes(dgram, len);
	struct ike_gen *gen;
	struct ike_hdr h;

	if (!ike_sa_owns(sa, view))
		return ERR_NOT_FOUND;
	sa->stats.received_packets++;
	sa->stats.received_octets += len;
	if (sa->state == IKE_ST_CLOSED || ike_hdr_parse(view, &h) != OK)
		return OK;
	gen = ike_gen_find(sa, h.spi_i, h.spi_r);
	if (!gen && ike_race_has(sa, h.spi_i))
		gen = sa->cur;
	if (!gen && h.exchange == IKE_SESSION_RESUME)
		ike_rival_take(sa, view);
	if (!gen)
		return OK;
	if (h.exchange == IKE_SA_INIT || h.exchange == IKE_SESSION_RESUME)
		input_plain(sa, gen, view, path);
	else
		input_protected(sa, gen, view, dgram, path);
	return OK;
}
