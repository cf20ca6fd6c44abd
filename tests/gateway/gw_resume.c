/* IKE_SESSION_RESUME (RFC 5723 4.3.2). */
#include "tests/gateway/gw_int.h"

#include <string.h>

struct resume_in {
	struct ike_msg msg;
	struct bytes ni, ticket;
	struct gw_tstate state;
};

static enum err resume_read(struct bytes dgram, struct resume_in *in)
{
	const struct ike_payload *nonce;
	struct ike_notify n;
	enum err e = ike_msg_parse(dgram, &in->msg);

	if (e != OK)
		return e;
	nonce = ike_msg_find(&in->msg, PLD_NONCE, 0);
	if (nonce == NULL || !ike_msg_notify(&in->msg, N_TICKET_OPAQUE, &n))
		return ERR_MALFORMED;
	in->ticket = n.data;
	return ike_nonce_parse(nonce->body, &in->ni);
}

static enum err resume_answer(struct gw *gw, struct gw_ike *ike,
			      const struct resume_in *in)
{
	struct ike_hdr h = {.spi_i = ike->peer_spi,
			    .spi_r = ike->my_spi,
			    .exchange = IKE_SESSION_RESUME,
			    .flags = IKE_FLAG_RESPONSE};
	struct ike_notify n;
	struct ike_wr m;

	ike_wr_start(&m, gw->dgram, GW_BUF_LEN, &h);
	ike_wr_payload(&m, PLD_NONCE, BYTES_OF(ike->auth->nr));
	if (!gw->sw.plain_resume)
		gw_wr_nat(&m, h.spi_i, h.spi_r, &ike->path);
	ike->nat = gw_nat_seen(&in->msg, h.spi_i, 0, &ike->path);
	ike->redirects = gw_redirect_knows(&in->msg);
	ike->peer_fragments =
		ike_msg_notify(&in->msg, N_IKEV2_FRAGMENTATION_SUPPORTED, &n);
	if (ike->peer_fragments && gw->cfg.fragmentation)
		ike_wr_notify(&m, N_IKEV2_FRAGMENTATION_SUPPORTED, BYTES_NONE);
	return gw_first_answer(gw, ike, &m);
}

static void nack(struct gw *gw, const struct ike_hdr *hdr,
		 const struct gw_path *path)
{
	gw->n.nacks_sent++;
	gw_plain_notify(gw, hdr, path, N_TICKET_NACK, BYTES_NONE);
}

static void resume_accept(struct gw *gw, const struct resume_in *in,
			  struct bytes dgram, const struct gw_path *path,
			  const uint8_t hash[32])
{
	struct gw_ike *ike = gw_ike_new(gw, in->msg.hdr.spi_i);
	struct ike_seed seed;
	enum err e = gw_auth_start(gw, ike, dgram, in->ni);

	memcpy(ike->first_hash, hash, sizeof(ike->first_hash));
	ike->path = *path;
	if (e == OK) {
		seed = (struct ike_seed){in->ni, BYTES_OF(ike->auth->nr),
					 ike->peer_spi, ike->my_spi};
		ike->auth->resuming = true;
		ike->auth->ticket = in->state;
		e = ike_keys_resume(&in->state.suite, &seed,
				    secret_view(&in->state.sk_d), &ike->keys);
	}
	if (e == OK)
		e = ike_protect_new(&ike->keys, false, &gw->rng, &ike->prot);
	if (e == OK && gw->sw.forged_nack)
		nack(gw, &in->msg.hdr, path);
	if (e == OK)
		e = resume_answer(gw, ike, in);
	if (e == OK)
		return;
	gw_ike_free(gw, ike);
	nack(gw, &in->msg.hdr, path);
}

static void resume_decide(struct gw *gw, struct resume_in *in,
			  struct bytes dgram, const struct gw_path *path)
{
	uint8_t hash[32];

	if (gw_first_repeated(gw, dgram, &in->msg.hdr, path, hash) ||
	    !gw_cookie_ok(gw, &in->msg, in->ni, path) ||
	    gw_redirect_first(gw, &in->msg, in->ni, path))
		return;
	if (gw->sw.nack || gw_ticket_find(gw, in->ticket, &in->state) != OK)
		nack(gw, &in->msg.hdr, path);
	else
		resume_accept(gw, in, dgram, path, hash);
}

void gw_resume_input(struct gw *gw, struct bytes dgram,
		     const struct gw_path *path)
{
	struct resume_in in;
	enum err e;

	if (gw->sw.silent_resume) {
		gw->n.dropped++;
		return;
	}
	e = resume_read(dgram, &in);
	if (e != OK) {
		gw->n.malformed++;
		return;
	}
	gw->n.resumes++;
	if (gw->sw.refuse_proposal)
		gw_plain_notify(gw, &in.msg.hdr, path, N_NO_PROPOSAL_CHOSEN,
				BYTES_NONE);
	else if (gw->sw.refuse_syntax)
		gw_plain_notify(gw, &in.msg.hdr, path, N_INVALID_SYNTAX,
				BYTES_NONE);
	else
		resume_decide(gw, &in, dgram, path);
	mem_wipe(&in.state, sizeof(in.state));
}
