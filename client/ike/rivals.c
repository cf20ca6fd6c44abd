/* More than one answer to IKE_SESSION_RESUME. It is not protected, so the
 * first may come from somebody who was only faster than the gateway: others
 * are kept, and when the IKE_AUTH for the first goes unanswered they get one
 * of their own. The first message with the right keys decides, all the other
 * half-made SAs are dropped (RFC 7296 2.4). Not at once, since a gateway that
 * answered twice would make two SAs. */
#include "client/ike/sa_private.h"

#include <string.h>

static bool is_open(const struct ike_sa *sa)
{
	return sa->state == IKE_ST_AUTH && sa->setup && sa->setup->is_resume &&
	       sa->cur && sa->cur->req.kind == REQ_AUTH_RESUMED;
}

bool ike_rival_fits(const struct ike_sa *sa, uint64_t spi_i, uint64_t spi_r)
{
	return is_open(sa) && spi_r != 0 && spi_i == sa->cur->spi_i &&
	       !ike_gen_find(sa, spi_i, spi_r);
}

void ike_rivals_clear(struct ike_setup *s)
{
	for (size_t i = 0; i < IKE_RIVALS_MAX; i++)
		ike_buf_free(&s->rivals[i].first_peer);
	memset(s->rivals, 0, sizeof(s->rivals));
}

/* A free place, that of the same answer, or the one that waits longest. */
static struct ike_rival *place_for(struct ike_setup *s, uint64_t spi_r)
{
	struct ike_rival *waiting = NULL;

	for (size_t i = 0; i < IKE_RIVALS_MAX; i++) {
		struct ike_rival *r = &s->rivals[i];

		if (!r->spi_r || r->spi_r == spi_r)
			return r->started ? NULL : r;
		if (!r->started && (!waiting || r->at_ms < waiting->at_ms))
			waiting = r;
	}
	return waiting;
}

void ike_rival_take(struct ike_sa *sa, struct bytes dgram)
{
	const struct ike_payload *p;
	struct ike_rival *r;
	struct ike_msg msg;
	struct bytes nr;

	if (ike_msg_parse(dgram, &msg) != OK || msg.sk_type ||
	    msg.hdr.flags != IKE_FLAG_RESPONSE || msg.hdr.msg_id != 0)
		return;
	p = ike_msg_find(&msg, PLD_NONCE, 0);
	r = place_for(sa->setup, msg.hdr.spi_r);
	if (!p || !r || ike_nonce_parse(p->body, &nr) != OK ||
	    ike_buf_set(&r->first_peer, dgram) != OK)
		return;
	r->spi_r = msg.hdr.spi_r;
	r->at_ms = sa->now_ms;
	memcpy(r->nr, nr.p, nr.len);
	r->nr_len = nr.len;
	log_info("IKE: another answer to the ticket; kept");
}

/* The answer that the SA goes by, for the one of r. */
static void swap(struct ike_setup *s, struct ike_rival *r)
{
	struct ike_buf first_peer = s->first_peer;
	uint8_t nr[IKE_NONCE_MAX];
	size_t nr_len = s->nr_len;

	memcpy(nr, s->nr, sizeof(nr));
	memcpy(s->nr, r->nr, sizeof(nr));
	memcpy(r->nr, nr, sizeof(nr));
	s->nr_len = r->nr_len;
	r->nr_len = nr_len;
	s->first_peer = r->first_peer;
	r->first_peer = first_peer;
}

static enum err gen_key(struct ike_sa *sa, struct ike_gen *gen,
			const struct ike_rival *r)
{
	struct ike_seed seed = {.ni = BYTES_OF(sa->setup->ni),
				.nr = bytes(r->nr, r->nr_len),
				.spi_i = sa->cur->spi_i,
				.spi_r = r->spi_r};
	enum err e = ike_keys_resume(&sa->setup->ticket.suite, &seed,
				     secret_view(&sa->setup->ticket.sk_d),
				     &gen->keys);

	gen->spi_i = seed.spi_i;
	gen->spi_r = seed.spi_r;
	gen->next_id = 1;
	return e == OK ? ike_gen_arm(sa, gen) : e;
}

static void start(struct ike_sa *sa, struct ike_rival *r)
{
	struct ike_gen *first = sa->cur, *gen = ike_gen_new(sa, true);
	enum err e;

	r->started = true;
	if (!gen)
		return;
	e = gen_key(sa, gen, r);
	if (e == OK) {
		swap(sa->setup, r);
		sa->cur = gen;
		e = ike_auth_begin(sa);
		sa->cur = first;
		swap(sa->setup, r);
	}
	if (e != OK)
		gen->dead = true;
}

void ike_rivals_start(struct ike_sa *sa, const struct ike_gen *gen)
{
	if (!is_open(sa) || gen != sa->cur)
		return;
	for (size_t i = 0; i < IKE_RIVALS_MAX; i++)
		if (sa->setup->rivals[i].spi_r && !sa->setup->rivals[i].started)
			start(sa, &sa->setup->rivals[i]);
}

/* What it tells unprotected is authentic in a moment: AUTH covers it. */
static void learn(struct ike_sa *sa)
{
	struct ike_msg msg;
	struct ike_rx rx = {.gen = sa->cur, .msg = &msg, .path = &sa->path};

	if (ike_msg_parse(
		    bytes(sa->setup->first_peer.p, sa->setup->first_peer.len),
		    &msg) != OK)
		return;
	ike_learn_notifies(sa, &rx);
	sa->peer_fragments |= sa->setup->ticket.peer_fragments;
}

void ike_rivals_settle(struct ike_sa *sa, struct ike_gen *gen)
{
	struct ike_setup *s = sa->setup;

	if (!s || !s->is_resume || sa->state != IKE_ST_AUTH)
		return;
	for (size_t i = 0; i < IKE_RIVALS_MAX && gen != sa->cur; i++) {
		if (s->rivals[i].spi_r != gen->spi_r)
			continue;
		log_info("IKE: the other answer was the gateway's");
		swap(s, &s->rivals[i]);
		sa->cur = gen;
		learn(sa);
	}
	for (size_t i = 0; i < IKE_GENS_MAX; i++)
		if (sa->gens[i] && sa->gens[i] != sa->cur)
			sa->gens[i]->dead = true;
	ike_rivals_clear(s);
}
