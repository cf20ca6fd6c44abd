/* IKE_SA_INIT, and what IKE_SESSION_RESUME has in common with it: cookies,
 * first messages kept for AUTH, answers to retransmissions. */
#include "tests/gateway/gw_int.h"

#include <stdlib.h>
#include <string.h>

bool gw_first_repeated(struct gw *gw, struct bytes dgram,
		       const struct ike_hdr *hdr, const struct gw_path *path,
		       uint8_t out_hash[32])
{
	struct gw_ike *ike;

	if (crypto_hash(HASH_SHA2_256, &dgram, 1, out_hash) != OK)
		return true;
	ike = gw_ike_find_peer(gw, hdr->spi_i, out_hash);
	if (ike == NULL)
		return false;
	/* The same octets: the answer got lost, or they come late. */
	if (ike->recv_id == 1 && ike->answer.n > 0 &&
	    !(gw->sw.resume_once && hdr->exchange == IKE_SESSION_RESUME)) {
		gw->n.retransmits_answered++;
		gw_flight_send(gw, path, &ike->answer);
	} else {
		gw->n.dropped++;
	}
	return true;
}

/* --- cookies ------------------------------------------------------------- */

bool gw_cookie_ok(struct gw *gw, const struct ike_msg *msg, struct bytes ni,
		  const struct gw_path *path)
{
	uint8_t where[10];
	struct wr w = wr_open(where, sizeof(where));
	struct bytes parts[3] = {ni, addr_view(&path->remote), BYTES_NONE};
	struct secret want;
	struct ike_notify n;
	bool ok;

	if (!gw->sw.cookie)
		return true;
	wr_u64(&w, msg->hdr.spi_i);
	wr_u16(&w, path->remote.port);
	parts[2] = wr_view(&w);
	if (crypto_prf(PRF_HMAC_SHA2_256, BYTES_OF(gw->cookie_key), parts, 3,
		       &want) != OK)
		return false;
	ok = ike_msg_notify(msg, N_COOKIE, &n) &&
	     bytes_eq(n.data, secret_view(&want));
	/* RFC 7296 2.6: the cookie is the first payload. */
	if (ok && msg->payloads[0].type != PLD_NOTIFY)
		ok = false;
	if (!ok) {
		gw->n.cookies_sent++;
		gw_plain_notify(gw, &msg->hdr, path, N_COOKIE,
				secret_view(&want));
	}
	return ok;
}

/* --- first messages ------------------------------------------------------ */

static uint8_t *copy(struct bytes b)
{
	uint8_t *p = malloc(b.len > 0 ? b.len : 1);

	if (p == NULL)
		abort();
	memcpy(p, b.p, b.len);
	return p;
}

enum err gw_auth_start(struct gw *gw, struct gw_ike *ike, struct bytes first,
		       struct bytes ni)
{
	struct gw_auth *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return ERR_NO_MEMORY;
	ike->auth = a;
	a->their_first = copy(first);
	a->their_first_len = first.len;
	memcpy(a->ni, ni.p, ni.len);
	a->ni_len = ni.len;
	rng_draw(&gw->rng, a->nr, sizeof(a->nr));
	return OK;
}

enum err gw_first_answer(struct gw *gw, struct gw_ike *ike, struct ike_wr *m)
{
	struct bytes dgram;
	enum err e = ike_wr_end(m, &dgram);

	if (e != OK)
		return e;
	ike->auth->our_first = copy(dgram);
	ike->auth->our_first_len = dgram.len;
	ike->answer.buf = copy(dgram);
	ike->answer.end[0] = dgram.len;
	ike->answer.n = 1;
	ike->recv_id = 1;
	ike->end_ms = gw->now_ms + gw->cfg.half_open_ms;
	gw_bound(gw, ike->end_ms);
	gw_flight_send(gw, &ike->path, &ike->answer);
	return OK;
}

/* --- IKE_SA_INIT --------------------------------------------------------- */

struct init_in {
	struct ike_msg msg;
	struct bytes ni;
	struct ike_ke ke;
	struct proposal_list offer;
	struct proposal chosen;
	struct suite suite;
};

static enum err init_read(struct bytes dgram, struct init_in *in)
{
	const struct ike_payload *sa, *ke, *nonce;
	enum err e = ike_msg_parse(dgram, &in->msg);

	if (e != OK)
		return e;
	sa = ike_msg_find(&in->msg, PLD_SA, 0);
	ke = ike_msg_find(&in->msg, PLD_KE, 0);
	nonce = ike_msg_find(&in->msg, PLD_NONCE, 0);
	if (sa == NULL || ke == NULL || nonce == NULL)
		return ERR_MALFORMED;
	e = ike_nonce_parse(nonce->body, &in->ni);
	if (e == OK)
		e = ike_ke_parse(ke->body, &in->ke);
	if (e == OK)
		e = proposals_parse(sa->body, &in->offer);
	return e;
}

/* Chooses with the group of the KE payload, else with any of ours. */
static enum err init_choose(struct gw *gw, struct init_in *in)
{
	struct proposal_list ours;
	enum err e;

	gw_ike_offer(gw, (enum ke_method)in->ke.method, &ours);
	e = proposals_select(&ours, &in->offer, &in->chosen);
	if (e != OK) {
		gw_ike_offer(gw, KE_NONE, &ours);
		e = proposals_select(&ours, &in->offer, &in->chosen);
	}
	if (e == OK)
		e = suite_from_proposal(&in->chosen, &in->suite);
	return e;
}

static void init_wrong_group(struct gw *gw, const struct init_in *in,
			     const struct gw_path *path)
{
	uint8_t group[2];
	struct wr w = wr_open(group, sizeof(group));

	if (gw->sw.silent_ke) {
		gw->n.dropped++;
		return;
	}
	wr_u16(&w, (uint16_t)in->suite.ke);
	gw->n.invalid_ke_sent++;
	gw_plain_notify(gw, &in->msg.hdr, path, N_INVALID_KE_PAYLOAD,
			wr_view(&w));
}

static enum err init_keys(struct gw *gw, struct gw_ike *ike,
			  const struct init_in *in, struct ke **out_ke)
{
	uint8_t shared[KE_SHARED_MAX];
	struct ike_seed seed = {in->ni, BYTES_OF(ike->auth->nr), ike->peer_spi,
				ike->my_spi};
	size_t shared_len = 0;
	enum err e = ke_new(in->suite.ke, &gw->rng, out_ke);

	gw->n.public_key_ops += 2;
	if (e == OK)
		e = ke_shared(*out_ke, in->ke.data, shared, &shared_len);
	if (e == OK)
		e = ike_keys_initial(&in->suite, &seed,
				     bytes(shared, shared_len), &ike->keys);
	if (e == OK)
		e = ike_protect_new(&ike->keys, false, &gw->rng, &ike->prot);
	mem_wipe(shared, sizeof(shared));
	return e;
}

static void wr_hashes(struct ike_wr *m)
{
	uint8_t b[8];
	struct wr w = wr_open(b, sizeof(b));

	wr_u16(&w, HASH_SHA2_256);
	wr_u16(&w, HASH_SHA2_384);
	wr_u16(&w, HASH_SHA2_512);
	wr_u16(&w, HASH_IDENTITY);
	ike_wr_notify(m, N_SIGNATURE_HASH_ALGORITHMS, wr_view(&w));
}

static void wr_certreq(struct gw *gw, struct ike_wr *m)
{
	uint8_t ids[1 + 20 * CERT_CHAIN_MAX] = {CERT_X509_SIGNATURE};
	size_t n;

	if (gw->cfg.trust == NULL)
		return;
	n = trust_keyids(gw->cfg.trust, ids + 1, CERT_CHAIN_MAX);
	ike_wr_payload(m, PLD_CERTREQ, bytes(ids, 1 + 20 * n));
}

void gw_read_hashes(const struct ike_msg *msg, struct gw_auth *a)
{
	struct ike_notify n;
	struct rd r;

	if (!ike_msg_notify(msg, N_SIGNATURE_HASH_ALGORITHMS, &n))
		return;
	r = rd_open(n.data);
	while (rd_left(&r) >= 2) {
		uint16_t h = rd_u16(&r);

		if (h < 32)
			a->peer_hashes |= UINT32_C(1) << h;
	}
}

static enum err init_answer(struct gw *gw, struct gw_ike *ike,
			    const struct init_in *in, const struct ke *ke)
{
	struct ike_hdr h = {.spi_i = ike->peer_spi,
			    .spi_r = ike->my_spi,
			    .exchange = IKE_SA_INIT,
			    .flags = IKE_FLAG_RESPONSE};
	struct ike_notify n;
	struct ike_wr m;

	ike_wr_start(&m, gw->dgram, GW_BUF_LEN, &h);
	gw_wr_chosen(&m, &in->chosen, 0, 0);
	ike_wr_ke(&m, (uint16_t)in->suite.ke, ke_public(ke));
	ike_wr_payload(&m, PLD_NONCE, BYTES_OF(ike->auth->nr));
	gw_wr_nat(&m, h.spi_i, h.spi_r, &ike->path);
	wr_certreq(gw, &m);
	ike->peer_fragments =
		ike_msg_notify(&in->msg, N_IKEV2_FRAGMENTATION_SUPPORTED, &n);
	if (ike->peer_fragments && gw->cfg.fragmentation)
		ike_wr_notify(&m, N_IKEV2_FRAGMENTATION_SUPPORTED, BYTES_NONE);
	ike->nat = gw_nat_seen(&in->msg, h.spi_i, 0, &ike->path);
	ike->redirects = gw_redirect_knows(&in->msg);
	gw_read_hashes(&in->msg, ike->auth);
	if (ike->auth->peer_hashes != 0)
		wr_hashes(&m);
	ike_wr_notify(&m, N_CHILDLESS_IKEV2_SUPPORTED, BYTES_NONE);
	return gw_first_answer(gw, ike, &m);
}

static void init_accept(struct gw *gw, const struct init_in *in,
			struct bytes dgram, const struct gw_path *path,
			const uint8_t hash[32])
{
	struct gw_ike *ike = gw_ike_new(gw, in->msg.hdr.spi_i);
	struct ke *ke = NULL;
	enum err e = gw_auth_start(gw, ike, dgram, in->ni);

	memcpy(ike->first_hash, hash, sizeof(ike->first_hash));
	ike->path = *path;
	if (e == OK)
		e = init_keys(gw, ike, in, &ke);
	if (e == OK)
		e = init_answer(gw, ike, in, ke);
	ke_free(&ke);
	if (e == OK)
		return;
	gw_ike_free(gw, ike);
	gw_plain_notify(gw, &in->msg.hdr, path, N_INVALID_SYNTAX, BYTES_NONE);
}

void gw_init_input(struct gw *gw, struct bytes dgram,
		   const struct gw_path *path)
{
	struct init_in in;
	uint8_t hash[32];
	enum err e = init_read(dgram, &in);

	if (gw->sw.silent_init || e != OK) {
		gw->n.malformed += e != OK;
		gw->n.dropped++;
		return;
	}
	gw->n.sa_inits++;
	if (gw_first_repeated(gw, dgram, &in.msg.hdr, path, hash) ||
	    !gw_cookie_ok(gw, &in.msg, in.ni, path) ||
	    gw_redirect_first(gw, &in.msg, in.ni, path))
		return;
	e = init_choose(gw, &in);
	if (e != OK)
		gw_plain_notify(gw, &in.msg.hdr, path, N_NO_PROPOSAL_CHOSEN,
				BYTES_NONE);
	else if ((uint16_t)in.suite.ke != in.ke.method)
		init_wrong_group(gw, &in, path);
	else
		init_accept(gw, &in, dgram, path, hash);
}
