/* EAP-TLS as server (RFC 5216). */
#include "tests/gateway/gw_int.h"

#include <stdlib.h>
#include <string.h>

#include "client/crypto/tls.h"
#include "platform/base/log.h"

enum { TLS_LENGTH = 0x80, TLS_MORE = 0x40, TLS_START = 0x20 };
#define PIECE 1000

struct gw_tls {
	struct tls *tls;
	uint8_t in[65536];
	size_t in_len;
	struct bytes out; /* a view into tls */
	size_t out_at;
	bool done;
};

static void wr_tls(struct gw_ike *ike, struct ike_wr *m, struct bytes data)
{
	struct ike_eap eap = {EAP_REQUEST, ++ike->auth->eap_id, EAP_TYPE_TLS,
			      data};

	ike_wr_eap(m, &eap);
}

static void wr_piece(struct gw_ike *ike, struct ike_wr *m)
{
	struct gw_tls *t = ike->auth->tls;
	uint8_t buf[5 + PIECE];
	struct wr w = wr_open(buf, sizeof(buf));
	size_t left = t->out.len - t->out_at;
	size_t len = left < PIECE ? left : PIECE;
	bool first = t->out_at == 0, more = len < left;

	wr_u8(&w, (first && more ? TLS_LENGTH : 0) | (more ? TLS_MORE : 0));
	if (first && more)
		wr_u32(&w, (uint32_t)t->out.len);
	wr_bytes(&w, bytes(t->out.p + t->out_at, len));
	t->out_at += len;
	wr_tls(ike, m, wr_view(&w));
}

/* What its certificate has to say: the identity told in EAP, else IDi. */
static enum err client_name(const struct gw_auth *a, struct peer_name *out)
{
	if (!a->user[0])
		return gw_cert_name(&a->idi, out);
	out->type = strchr(a->user, '@') ? PEER_EMAIL : PEER_DNS;
	out->value = bytes_str(a->user);
	return OK;
}

bool gw_tls_start(struct gw *gw, struct gw_ike *ike, struct ike_wr *m)
{
	static const uint8_t start[] = {TLS_START};
	struct diag diag = DIAG_INIT;
	struct tls_config c = {.is_server = true,
			       .certs = gw->cfg.certs,
			       .n_certs = gw->cfg.n_certs,
			       .key = gw->cfg.key,
			       .trust = gw->cfg.trust,
			       .now = gw_wall_s(gw)};
	struct gw_auth *a = ike->auth;

	a->tls = calloc(1, sizeof(*a->tls));
	if (!a->tls || !gw->cfg.trust || client_name(a, &c.peer) != OK ||
	    tls_new(&c, &a->tls->tls, &diag) != OK)
		return false;
	wr_tls(ike, m, BYTES_OF(start));
	return true;
}

void gw_tls_free(struct gw_auth *a)
{
	if (!a->tls)
		return;
	tls_free(&a->tls->tls);
	mem_wipe(a->tls, sizeof(*a->tls));
	free(a->tls);
	a->tls = NULL;
}

static void wr_success(struct gw_ike *ike, struct ike_wr *m)
{
	struct ike_eap eap = {EAP_SUCCESS, ike->auth->eap_id, 0, BYTES_NONE};

	ike_wr_eap(m, &eap);
	ike->state = GW_ST_EAP_DONE;
}

static bool flight_done(struct gw *gw, struct gw_ike *ike, struct ike_wr *m)
{
	struct gw_tls *t = ike->auth->tls;
	struct diag diag = DIAG_INIT;
	enum err e = tls_step(t->tls, bytes(t->in, t->in_len), &t->out,
			      &t->done, &diag);

	t->in_len = t->out_at = 0;
	gw->n.public_key_ops += 3;
	if (e == OK && t->done)
		e = tls_msk(t->tls, &ike->auth->msk);
	if (e != OK) {
		log_info("EAP-TLS: %s", diag_text(&diag, e));
		return false;
	}
	wr_piece(ike, m);
	return true;
}

bool gw_tls_input(struct gw *gw, struct gw_ike *ike, struct bytes data,
		  struct ike_wr *m)
{
	struct gw_tls *t = ike->auth->tls;
	struct rd r = rd_open(data);
	uint8_t flags = rd_u8(&r);
	struct bytes piece;

	if (!t || !rd_ok(&r))
		return false;
	if (flags & TLS_LENGTH)
		(void)rd_u32(&r);
	piece = rd_rest(&r);
	if (t->out_at < t->out.len && piece.len == 0) {
		wr_piece(ike, m);
		return true;
	}
	if (t->done && piece.len == 0) {
		wr_success(ike, m);
		return true;
	}
	if (!rd_ok(&r) || piece.len > sizeof(t->in) - t->in_len)
		return false;
	memcpy(t->in + t->in_len, piece.p, piece.len);
	t->in_len += piece.len;
	if (!(flags & TLS_MORE))
		return flight_done(gw, ike, m);
	wr_tls(ike, m, bytes("", 1));
	return true;
}
