/* IKE_SA_INIT (RFC 7296 1.2, 2.6, 2.23). Nothing here is protected, so an
 * answer is used where it is good and is a hint where it is a refusal. */
#include "client/ike/sa_private.h"

#include <stdio.h>
#include <string.h>

uint64_t ike_group_bit(unsigned int method)
{
	return method < 64 ? UINT64_C(1) << method : 0;
}

/* RFC 7427 4; RFC 8420 for the identity hash of Ed25519. */
static void put_signature_hashes(struct ike_wr *w)
{
	static const uint16_t hashes[] = {HASH_SHA2_256, HASH_SHA2_384,
					  HASH_SHA2_512, HASH_IDENTITY};
	uint8_t buf[sizeof(hashes)];
	struct wr b = wr_open(buf, sizeof(buf));

	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		wr_u16(&b, hashes[i]);
	ike_wr_notify(w, N_SIGNATURE_HASH_ALGORITHMS, wr_view(&b));
}

/* The zero address as source is never what the gateway sees: it takes us to
 * be behind a NAT and uses UDP for ESP. */
void ike_put_nat_notifies(struct ike_sa *sa, struct ike_wr *w)
{
	const struct ike_path *way = ike_way(sa);
	struct addr zero = {.family = way->local.family};
	const struct addr *source = &way->local;
	uint8_t hash[20];

	if (sa->cfg.force_encap || source->family == ADDR_NONE) {
		zero.family = way->remote.family;
		source = &zero;
	}
	if (ike_nat_hash(sa->cur->spi_i, sa->cur->spi_r, source, hash) == OK)
		ike_wr_notify(w, N_NAT_DETECTION_SOURCE_IP, BYTES_OF(hash));
	if (ike_nat_hash(sa->cur->spi_i, sa->cur->spi_r, &way->remote, hash) ==
	    OK)
		ike_wr_notify(w, N_NAT_DETECTION_DESTINATION_IP,
			      BYTES_OF(hash));
}

static enum err init_ke(struct ike_sa *sa, enum ke_method method)
{
	struct ike_setup *s = sa->setup;

	ke_free(&s->ke);
	s->method = method;
	s->ke_tried |= ike_group_bit(method);
	return ke_new(method, &sa->rng, &s->ke);
}

void ike_init_write(struct ike_sa *sa, struct ike_wr *w)
{
	struct ike_setup *s = sa->setup;
	struct ike_hdr hdr = {.spi_i = sa->cur->spi_i,
			      .exchange = IKE_SA_INIT,
			      .flags = IKE_FLAG_INITIATOR};

	ike_wr_start(w, sa->scratch, IKE_SCRATCH_LEN, &hdr);
	if (s->cookie_len)
		ike_wr_notify(w, N_COOKIE, bytes(s->cookie, s->cookie_len));
	ike_wr_sa(w, &sa->cfg.ike_proposals);
	ike_wr_ke(w, (uint16_t)s->method, ke_public(s->ke));
	ike_wr_payload(w, PLD_NONCE, BYTES_OF(s->ni));
	ike_put_nat_notifies(sa, w);
	if (sa->cfg.fragmentation)
		ike_wr_notify(w, N_IKEV2_FRAGMENTATION_SUPPORTED, BYTES_NONE);
	put_signature_hashes(w);
	ike_put_redirect(sa, w);
}

enum err ike_init_send(struct ike_sa *sa)
{
	struct ike_wr w;
	enum err e = OK;

	if (!sa->setup->ke)
		e = init_ke(sa, proposals_first_ke(&sa->cfg.ike_proposals));
	if (e != OK)
		return e;
	ike_init_write(sa, &w);
	e = ike_request_plain(sa, sa->cur, REQ_INIT, &w);
	return e ? e : ike_race_restart(sa);
}

bool ike_init_fallback(struct ike_sa *sa)
{
	struct ike_setup *s = sa->setup;
	uint8_t left = sa->cur->req.max_tries - sa->cur->req.tries;

	if (s->method != KE_X25519 && s->method != KE_ECP_256 &&
	    s->method != KE_ECP_384)
		return false;
	if ((s->ke_tried & ike_group_bit(KE_MODP_2048)) ||
	    !proposals_have_ke(&sa->cfg.ike_proposals, KE_MODP_2048))
		return false;
	/* A new SPI: what the silent gateway may have kept is not met. */
	sa->cur->spi_i = ike_spi_draw(sa);
	s->cookie_len = 0;
	s->cookie_due = false;
	log_info("IKE: silence; trying MODP-2048 as key exchange");
	if (init_ke(sa, KE_MODP_2048) != OK || ike_init_send(sa) != OK)
		return false;
	if (sa->cur->req.max_tries > left)
		sa->cur->req.max_tries = left < 2 ? 2 : left;
	return true;
}

void ike_note_hint(struct ike_sa *sa, enum err why, uint32_t wait_ms,
		   const char *text)
{
	/* A refusal in words tells more than an answer of no use. */
	if (sa->hint != OK && (!wait_ms || sa->hint_at_ms != IKE_NEVER))
		return;
	sa->hint = why;
	diag_clear(&sa->hint_text);
	diag_set(&sa->hint_text, why, "%s", text);
	/* RFC 9329 6.4: over TCP no better answer will come. */
	if (wait_ms)
		sa->hint_at_ms = sa->now_ms + (sa->path.tcp ? 0 : wait_ms);
	log_info("IKE: unprotected answer: %s; waiting for a better one", text);
}

enum err ike_cookie_take(struct ike_sa *sa, const struct ike_rx *rx)
{
	struct ike_setup *s = sa->setup;
	struct ike_notify n;

	if (!ike_msg_notify(rx->msg, N_COOKIE, &n) || n.data.len == 0 ||
	    n.data.len > sizeof(s->cookie) || s->cookies >= IKE_COOKIES_MAX)
		return OK;
	memcpy(s->cookie, n.data.p, n.data.len);
	s->cookie_len = n.data.len;
	s->cookie_due = true;
	log_info("IKE: unprotected answer: COOKIE");
	if (ike_way(sa)->tcp)
		return ike_cookie_send(sa);
	ike_request_hurry(sa, sa->cur);
	return OK;
}

enum err ike_cookie_send(struct ike_sa *sa)
{
	sa->setup->cookie_due = false;
	sa->setup->cookies++;
	sa->stats.round_trips++;
	ike_request_drop(sa->cur);
	return sa->setup->is_resume ? ike_resume_send(sa) : ike_init_send(sa);
}

enum ke_method ike_group_wanted(const struct ike_notify *error,
				const struct proposal_list *offered,
				uint64_t tried)
{
	struct rd r = rd_open(error->data);
	uint16_t method = rd_u16(&r);

	if (rd_finish(&r) != OK || !ke_find(method) ||
	    (tried & ike_group_bit(method)) ||
	    !proposals_have_ke(offered, (enum ke_method)method))
		return KE_NONE;
	log_info("IKE: gateway wants %s", alg_name(TRANSFORM_KE, method));
	return (enum ke_method)method;
}

static enum err init_refused(struct ike_sa *sa, const struct ike_rx *rx)
{
	const struct ike_notify *n = &rx->error;
	enum ke_method wanted;
	char text[160];

	if (n->type == N_INVALID_KE_PAYLOAD) {
		wanted = ike_group_wanted(n, &sa->cfg.ike_proposals,
					  sa->setup->ke_tried);
		if (wanted == KE_NONE || init_ke(sa, wanted) != OK)
			return OK;
		ike_request_done(sa, sa->cur);
		return ike_init_send(sa);
	}
	if (n->type == N_NO_PROPOSAL_CHOSEN) {
		ike_note_hint(sa, ERR_NO_PROPOSAL, IKE_HINT_MS,
			      "gateway accepts none of the IKE algorithms "
			      "offered; see ike= in the profile");
		return OK;
	}
	snprintf(text, sizeof(text), "gateway answers IKE_SA_INIT with %s",
		 ike_notify_name(n->type));
	ike_note_hint(sa, ERR_PEER, IKE_HINT_MS, text);
	return OK;
}

static void learn_hashes(struct ike_sa *sa, const struct ike_msg *msg)
{
	struct ike_notify n;
	struct rd r;

	if (!ike_msg_notify(msg, N_SIGNATURE_HASH_ALGORITHMS, &n))
		return;
	r = rd_open(n.data);
	while (rd_left(&r) >= 2) {
		uint16_t hash = rd_u16(&r);

		if (hash < 32)
			sa->peer_hashes |= 1u << hash;
	}
}

bool ike_nat_told(const struct ike_sa *sa, const struct ike_msg *msg,
		  bool unknown)
{
	const struct addr *local = &ike_way(sa)->local;
	struct ike_notify n;
	uint8_t hash[20];

	if (!ike_msg_notify(msg, N_NAT_DETECTION_DESTINATION_IP, &n))
		return unknown;
	if (local->family == ADDR_NONE ||
	    ike_nat_hash(sa->cur->spi_i, sa->cur->spi_r, local, hash) != OK)
		return true;
	return !bytes_eq(n.data, BYTES_OF(hash));
}

void ike_learn_notifies(struct ike_sa *sa, const struct ike_rx *rx)
{
	struct ike_notify n;

	sa->peer_fragments =
		ike_msg_notify(rx->msg, N_IKEV2_FRAGMENTATION_SUPPORTED, &n);
	/* A gateway that tells nothing has not looked; after a resumption
	 * that is no sign of a free path (libreswan). */
	sa->behind_nat = ike_nat_told(sa, rx->msg, sa->setup->is_resume);
	sa->esp_plain = !ike_msg_notify(rx->msg, N_NAT_DETECTION_SOURCE_IP, &n);
	ike_nat_note(sa, rx->msg);
	learn_hashes(sa, rx->msg);
	/* 2.23: ESP shares the port from here on. */
	if (sa->path.remote.port == IKE_PORT)
		sa->path.remote.port = IKE_PORT_NATT;
}

enum err ike_sa_answer_read(const struct ike_msg *msg,
			    const struct proposal_list *offer,
			    enum ke_method sent, struct ike_sa_answer *out)
{
	struct proposal_list answer;
	enum err e;

	e = proposals_parse(ike_msg_find(msg, PLD_SA, 0)->body, &answer);
	if (e == OK)
		e = proposals_check_answer(offer, &answer, &out->chosen);
	if (e == OK)
		e = suite_from_proposal(&out->chosen, &out->suite);
	if (e == OK)
		e = ike_nonce_parse(ike_msg_find(msg, PLD_NONCE, 0)->body,
				    &out->nr);
	if (e == OK)
		e = ike_read_ke(msg, sent, &out->ke);
	return e == OK && out->suite.ke != sent ? ERR_PEER : e;
}

static enum err init_keys(struct ike_sa *sa, const struct suite *suite,
			  const struct ike_seed *seed, struct bytes ke_data)
{
	uint8_t shared[KE_SHARED_MAX];
	size_t len;
	enum err e = ke_shared(sa->setup->ke, ke_data, shared, &len);

	if (e == OK)
		e = ike_keys_initial(suite, seed, bytes(shared, len),
				     &sa->cur->keys);
	if (e == OK)
		e = ike_gen_arm(sa, sa->cur);
	mem_wipe(shared, sizeof(shared));
	return e;
}

static enum err init_accept(struct ike_sa *sa, const struct ike_rx *rx,
			    struct bytes nr)
{
	struct ike_setup *s = sa->setup;
	char name[96];
	enum err e;

	memcpy(s->nr, nr.p, nr.len);
	s->nr_len = nr.len;
	ike_learn_notifies(sa, rx);
	e = ike_buf_set(&s->first_own, sa->cur->req.flight->d[0]);
	if (e == OK)
		e = ike_buf_set(&s->first_peer, rx->raw);
	if (e != OK)
		return e;
	ke_free(&s->ke);
	sa->hint = OK;
	sa->redirected = false;
	sa->hint_at_ms = IKE_NEVER;
	diag_clear(&sa->hint_text);
	ike_request_done(sa, sa->cur);
	sa->cur->next_id = 1;
	log_info("IKE SA: %s%s",
		 suite_str(&sa->cur->keys.suite, name, sizeof(name)),
		 sa->behind_nat ? ", behind NAT" : "");
	ike_set_state(sa, IKE_ST_AUTH, "keys are agreed");
	return ike_auth_begin(sa);
}

/* Whoever saw our nonce may have said so: the gateway's own answer, should it
 * come too, counts more. */
static enum err init_redirected(struct ike_sa *sa)
{
	enum err e = ike_redirect_told(sa);

	ike_note_hint(sa, e, IKE_REDIRECT_MS, sa->diag.text);
	diag_clear(&sa->diag);
	return OK;
}

enum err ike_init_answer(struct ike_sa *sa, const struct ike_rx *rx)
{
	struct ike_gen *g = sa->cur;
	struct ike_seed seed = {.ni = BYTES_OF(sa->setup->ni),
				.spi_i = g->spi_i,
				.spi_r = rx->msg->hdr.spi_r};
	struct ike_sa_answer answer;
	enum err e;

	if (rx->has_error)
		return init_refused(sa, rx);
	if (!ike_msg_count(rx->msg, PLD_SA)) {
		if (ike_redirect_take(sa, rx->msg, BYTES_OF(sa->setup->ni)))
			return init_redirected(sa);
		return ike_cookie_take(sa, rx);
	}
	/* Whoever is not our gateway may have written it: go on waiting. */
	if (!seed.spi_r || !ike_msg_count(rx->msg, PLD_KE) ||
	    !ike_msg_count(rx->msg, PLD_NONCE))
		return OK;
	e = ike_sa_answer_read(rx->msg, &sa->cfg.ike_proposals,
			       sa->setup->method, &answer);
	if (e == OK) {
		seed.nr = answer.nr;
		e = init_keys(sa, &answer.suite, &seed, answer.ke.data);
	}
	if (e != OK) {
		ike_note_hint(sa, ERR_PEER, 0,
			      "gateway's IKE_SA_INIT answer is not usable");
		return OK;
	}
	g->spi_r = seed.spi_r;
	return init_accept(sa, rx, seed.nr);
}
