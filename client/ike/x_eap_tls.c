/* EAP-TLS (RFC 5216) as peer: flights of TLS in fragments; the handshake
 * itself is the caller's (ike_sa_give_tls). */
#include "client/ike/sa_private.h"

#include <stdlib.h>
#include <string.h>

/* RFC 5216 3.1 */
#define TLS_LENGTH 0x80
#define TLS_MORE   0x40
#define TLS_START  0x20

#define TLS_FLIGHT_MAX 65536 /* in all, of the server */
#define TLS_PIECE      1000  /* of ours in one packet */

static enum err broken(struct ike_sa *sa, const char *what)
{
	return diag_set(&sa->diag, ERR_PEER, "EAP-TLS: %s", what);
}

static enum err send_nothing(struct ike_sa *sa)
{
	static const uint8_t no_flags[] = {0};

	return ike_eap_send(sa, EAP_TYPE_TLS, BYTES_OF(no_flags));
}

static enum err send_piece(struct ike_sa *sa)
{
	struct ike_eap_tls *t = &sa->setup->eap.tls;
	uint8_t buf[1 + 4 + TLS_PIECE];
	struct wr w = wr_open(buf, sizeof(buf));
	size_t left = t->out.len - t->out_at;
	size_t len = left < TLS_PIECE ? left : TLS_PIECE;
	bool first = t->out_at == 0, more = len < left;

	wr_u8(&w, (first && more ? TLS_LENGTH : 0) | (more ? TLS_MORE : 0));
	if (first && more)
		wr_u32(&w, (uint32_t)t->out.len);
	wr_bytes(&w, bytes(t->out.p + t->out_at, len));
	t->out_at += len;
	return ike_eap_send(sa, EAP_TYPE_TLS, wr_view(&w));
}

static enum err ask(struct ike_sa *sa, bool start)
{
	struct ike_eap_tls *t = &sa->setup->eap.tls;
	struct ike_node *n = ike_queue(sa, IKE_DO_ASK_TLS, t->in.len + 1);

	if (!n)
		return ERR_NO_MEMORY;
	if (t->in.len)
		memcpy(n->own, t->in.p, t->in.len);
	n->a.u.ask_tls.start = start;
	n->a.u.ask_tls.in = bytes(n->own, t->in.len);
	n->a.u.ask_tls.id = sa->id_remote;
	sa->ask = ASK_TLS;
	ike_buf_free(&t->in);
	ike_buf_free(&t->out);
	t->out_at = 0;
	return OK;
}

static enum err flight_add(struct ike_sa *sa, struct bytes piece)
{
	struct ike_eap_tls *t = &sa->setup->eap.tls;
	uint8_t *p;

	if (piece.len > TLS_FLIGHT_MAX - t->in.len)
		return broken(sa, "the server's flight is too long");
	p = realloc(t->in.p, t->in.len + piece.len + 1);
	if (!p)
		return ERR_NO_MEMORY;
	if (piece.len)
		memcpy(p + t->in.len, piece.p, piece.len);
	t->in = (struct ike_buf){p, t->in.len + piece.len};
	return OK;
}

static enum err take_piece(struct ike_sa *sa, uint8_t flags, struct rd *r)
{
	uint32_t total = flags & TLS_LENGTH ? rd_u32(r) : 0;
	enum err e;

	if (!rd_ok(r) || total > TLS_FLIGHT_MAX)
		return broken(sa, "malformed packet");
	e = flight_add(sa, rd_rest(r));
	if (e != OK)
		return e;
	return flags & TLS_MORE ? send_nothing(sa) : ask(sa, false);
}

enum err ike_eap_tls_input(struct ike_sa *sa, struct bytes data)
{
	struct ike_eap_state *s = &sa->setup->eap;
	struct rd r = rd_open(data);
	uint8_t flags = rd_u8(&r);

	if (!rd_ok(&r))
		return broken(sa, "malformed packet");
	if (flags & TLS_START) {
		if (s->step != EAP_STEP_START)
			return broken(sa, "start in the wrong state");
		s->step = EAP_STEP_PROOF;
		return ask(sa, true);
	}
	if (s->step != EAP_STEP_PROOF)
		return broken(sa, "packet in the wrong state");
	if (s->tls.out_at < s->tls.out.len) {
		/* 2.1.5: the server acknowledges the piece before */
		if (rd_left(&r) || flags)
			return broken(sa, "data while we speak");
		return send_piece(sa);
	}
	return take_piece(sa, flags, &r);
}

enum err ike_eap_tls_step(struct ike_sa *sa, const struct ike_tls_step *step)
{
	struct ike_eap_state *s = &sa->setup->eap;
	enum err e;

	if (step->verdict != OK)
		return diag_set(&sa->diag, step->verdict, "%s",
				step->detail ? step->detail
					     : err_text(step->verdict));
	if (step->done) {
		s->msk = step->msk;
		s->step = EAP_STEP_DONE;
	}
	if (step->out.len == 0)
		return send_nothing(sa);
	e = ike_buf_set(&s->tls.out, step->out);
	return e == OK ? send_piece(sa) : e;
}
