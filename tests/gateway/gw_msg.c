/* Protected messages in and out, answers from memory, retransmission. */
#include "tests/gateway/gw_int.h"

#include <stdlib.h>
#include <string.h>

void gw_send(struct gw *gw, const struct gw_path *path, struct bytes dgram)
{
	struct gw_act *a = gw_act_new(gw, GW_DO_SEND);

	a->buf = malloc(dgram.len);
	if (a->buf == NULL)
		abort();
	memcpy(a->buf, dgram.p, dgram.len);
	a->a.u.send.dgram = bytes(a->buf, dgram.len);
	a->a.u.send.path = *path;
	gw->n.sent++;
}

void gw_flight_clear(struct gw_flight *f)
{
	free(f->buf);
	memset(f, 0, sizeof(*f));
}

static void flight_add(struct gw_flight *f, struct bytes dgram)
{
	size_t old = f->n == 0 ? 0 : f->end[f->n - 1];
	uint8_t *grown = realloc(f->buf, old + dgram.len);

	if (grown == NULL)
		abort();
	f->buf = grown;
	memcpy(f->buf + old, dgram.p, dgram.len);
	f->end[f->n++] = old + dgram.len;
}

void gw_flight_send(struct gw *gw, const struct gw_path *path,
		    const struct gw_flight *f)
{
	size_t at = 0;

	for (size_t i = 0; i < f->n; i++) {
		gw_send(gw, path, bytes(f->buf + at, f->end[i] - at));
		at = f->end[i];
	}
}

void gw_chain_start(struct gw *gw, struct ike_wr *m)
{
	ike_wr_start_chain(m, gw->chain, GW_BUF_LEN);
}

static enum err seal_all(struct gw *gw, struct gw_ike *ike,
			 const struct ike_hdr *hdr, struct ike_wr *m,
			 struct gw_flight *f)
{
	struct ike_frag frag = {.number = 1, .max_len = gw->cfg.max_datagram};
	struct bytes chain;
	struct wr w;
	enum err e = ike_wr_end(m, &chain);
	uint8_t first = ike_wr_first(m);
	size_t n = 1;

	gw_flight_clear(f);
	if (e != OK)
		return e;
	if (ike->peer_fragments && gw->cfg.fragmentation)
		n = ike_fragments(&ike->prot, chain.len, frag.max_len);
	if (n == 0 || n > GW_FRAGS_MAX)
		return ERR_NO_SPACE;
	frag.total = (uint16_t)n;
	for (; frag.number <= n; frag.number++) {
		w = wr_open(gw->dgram, GW_BUF_LEN);
		e = n == 1 ? ike_seal(&ike->prot, hdr, first, chain, &w)
			   : ike_seal_frag(&ike->prot, hdr, first, chain, &frag,
					   &w);
		if (e != OK)
			return e;
		flight_add(f, wr_view(&w));
		gw->n.fragments_out += n > 1;
	}
	return OK;
}

static struct ike_hdr header(const struct gw_ike *ike, uint8_t exchange)
{
	struct ike_hdr h = {.exchange = exchange};

	h.spi_i = ike->initiator ? ike->my_spi : ike->peer_spi;
	h.spi_r = ike->initiator ? ike->peer_spi : ike->my_spi;
	h.flags = ike->initiator ? IKE_FLAG_INITIATOR : 0;
	return h;
}

void gw_answer(struct gw *gw, struct gw_ike *ike, uint8_t exchange,
	       struct ike_wr *m)
{
	struct ike_hdr h = header(ike, exchange);

	h.flags |= IKE_FLAG_RESPONSE;
	h.msg_id = ike->recv_id - 1;
	if (seal_all(gw, ike, &h, m, &ike->answer) != OK)
		gw_flight_clear(&ike->answer);
	/* Back where the request came from (RFC 4555 3.4 and before). */
	gw_flight_send(gw, &ike->reply, &ike->answer);
}

void gw_answer_notify(struct gw *gw, struct gw_ike *ike, uint8_t exchange,
		      uint16_t type)
{
	struct ike_wr m;

	gw_chain_start(gw, &m);
	ike_wr_notify(&m, type, BYTES_NONE);
	gw_answer(gw, ike, exchange, &m);
}

void gw_request(struct gw *gw, struct gw_ike *ike, uint8_t exchange,
		struct ike_wr *m)
{
	struct ike_hdr h = header(ike, exchange);

	h.msg_id = ike->send_id;
	if (seal_all(gw, ike, &h, m, &ike->request) != OK)
		gw_flight_clear(&ike->request);
	ike->tries = 1;
	ike->resend_ms = gw->now_ms + gw->cfg.rto_ms;
	gw_bound(gw, ike->resend_ms);
	gw_flight_send(gw, &ike->path, &ike->request);
}

/* --- in ------------------------------------------------------------------ */

static bool repeated_request(const struct gw_ike *ike,
			     const struct ike_msg *msg)
{
	struct rd r = rd_open(msg->sk_body);

	if (msg->hdr.msg_id + 1 != ike->recv_id || ike->answer.n == 0)
		return false;
	/* Of a fragmented request only the first fragment brings the answer
	 * again (RFC 7383 2.6.1). */
	return msg->sk_type == PLD_SK || rd_u16(&r) == 1;
}

/* Decrypts; true when a whole message is in msg. */
static bool open_message(struct gw *gw, struct gw_ike *ike, uint8_t *dgram,
			 size_t len, struct ike_msg *msg)
{
	bool done = true;
	enum err e;

	if (msg->sk_type == PLD_SKF) {
		gw->n.fragments_in++;
		if (!gw->cfg.fragmentation)
			return false;
		if (ike->reasm == NULL && ike_reasm_new(&ike->reasm) != OK)
			return false;
		e = ike_reasm_add(ike->reasm, &ike->prot, dgram, len, msg,
				  &done);
	} else {
		e = ike_open(&ike->prot, dgram, len, msg);
	}
	if (e == ERR_INTEGRITY)
		gw->n.unauthentic++;
	else if (e != OK && e != ERR_UNSUPPORTED)
		gw->n.malformed++;
	return done && (e == OK || e == ERR_UNSUPPORTED);
}

static void take_request(struct gw *gw, struct gw_ike *ike,
			 const struct ike_msg *msg, const struct gw_path *path)
{
	struct ike_wr m;

	ike->recv_id++;
	if (msg->unknown_critical != 0) {
		gw_chain_start(gw, &m);
		ike_wr_notify(&m, N_UNSUPPORTED_CRITICAL_PAYLOAD,
			      bytes(&msg->unknown_critical, 1));
		gw_answer(gw, ike, msg->hdr.exchange, &m);
		return;
	}
	if (msg->hdr.exchange == IKE_AUTH)
		gw_auth_request(gw, ike, msg);
	else if (ike->state != GW_ST_UP)
		gw_answer_notify(gw, ike, msg->hdr.exchange, N_INVALID_SYNTAX);
	else if (msg->hdr.exchange == CREATE_CHILD_SA)
		gw_create_child_request(gw, ike, msg);
	else if (msg->hdr.exchange == INFORMATIONAL)
		gw_info_request(gw, ike, msg, path);
	else
		gw_answer_notify(gw, ike, msg->hdr.exchange, N_INVALID_SYNTAX);
}

static bool wanted(struct gw *gw, struct gw_ike *ike, const struct ike_msg *msg,
		   const struct gw_path *path)
{
	if (msg->sk_type == 0)
		return false;
	if (msg->hdr.flags & IKE_FLAG_RESPONSE)
		return ike->open.task != GW_TASK_NONE &&
		       msg->hdr.msg_id == ike->send_id;
	if (repeated_request(ike, msg)) {
		gw->n.retransmits_answered++;
		gw_flight_send(gw, path, &ike->answer);
		return false;
	}
	return msg->hdr.msg_id == ike->recv_id && ike->state != GW_ST_DEAD;
}

void gw_msg_input(struct gw *gw, struct gw_ike *ike, uint8_t *dgram, size_t len,
		  const struct gw_path *path)
{
	struct ike_msg msg;
	enum err e = ike_msg_parse(bytes(dgram, len), &msg);

	if (e != OK || !wanted(gw, ike, &msg, path)) {
		gw->n.dropped++;
		return;
	}
	if (!open_message(gw, ike, dgram, len, &msg))
		return;
	ike->heard_ms = gw->now_ms;
	ike->reply = *path;
	if (ike->sess == NULL)
		ike->path = *path;
	else if (ike->sess->nat && !ike->sess->mobike)
		gw_path_set(gw, ike, path);
	if (msg.hdr.flags & IKE_FLAG_RESPONSE)
		gw_own_response(gw, ike, &msg);
	else
		take_request(gw, ike, &msg, path);
	gw_bound(gw, gw_own_deadline(gw, ike));
}

/* --- plain answers ------------------------------------------------------- */

void gw_plain_notify(struct gw *gw, const struct ike_hdr *hdr,
		     const struct gw_path *path, uint16_t type,
		     struct bytes data)
{
	struct ike_hdr h = *hdr;
	struct bytes dgram;
	struct ike_wr m;

	/* The answer carries the SPIs of the request; our own is not made. */
	h.flags = IKE_FLAG_RESPONSE;
	if (!(hdr->flags & IKE_FLAG_INITIATOR))
		h.flags |= IKE_FLAG_INITIATOR;
	ike_wr_start(&m, gw->dgram, GW_BUF_LEN, &h);
	ike_wr_notify(&m, type, data);
	if (ike_wr_end(&m, &dgram) == OK)
		gw_send(gw, path, dgram);
}

void gw_wr_nat(struct ike_wr *m, uint64_t spi_i, uint64_t spi_r,
	       const struct gw_path *path)
{
	uint8_t h[20];

	if (ike_nat_hash(spi_i, spi_r, &path->local, h) == OK)
		ike_wr_notify(m, N_NAT_DETECTION_SOURCE_IP, BYTES_OF(h));
	if (ike_nat_hash(spi_i, spi_r, &path->remote, h) == OK)
		ike_wr_notify(m, N_NAT_DETECTION_DESTINATION_IP, BYTES_OF(h));
}

bool gw_nat_seen(const struct ike_msg *msg, uint64_t spi_i, uint64_t spi_r,
		 const struct gw_path *path)
{
	struct ike_notify n;
	uint8_t h[20];

	if (!ike_msg_notify(msg, N_NAT_DETECTION_SOURCE_IP, &n))
		return false;
	return ike_nat_hash(spi_i, spi_r, &path->remote, h) == OK &&
	       !bytes_eq(n.data, BYTES_OF(h));
}
