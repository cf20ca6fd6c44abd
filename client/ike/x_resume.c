/* IKE_SESSION_RESUME (RFC 5723 4.3, 5): the ticket for an IKE SA, without
 * public keys. Unprotected too: refusals are hints. */
#include "client/ike/sa_private.h"

#include <stdio.h>
#include <string.h>

void ike_resume_write(struct ike_sa *sa, struct ike_wr *w)
{
	struct ike_setup *s = sa->setup;
	struct ike_hdr hdr = {.spi_i = sa->cur->spi_i,
			      .exchange = IKE_SESSION_RESUME,
			      .flags = IKE_FLAG_INITIATOR};

	ike_wr_start(w, sa->scratch, IKE_SCRATCH_LEN, &hdr);
	if (s->cookie_len)
		ike_wr_notify(w, N_COOKIE, bytes(s->cookie, s->cookie_len));
	ike_wr_payload(w, PLD_NONCE, BYTES_OF(s->ni));
	ike_wr_notify(w, N_TICKET_OPAQUE, s->ticket.opaque);
	ike_put_nat_notifies(sa, w);
	if (sa->cfg.fragmentation)
		ike_wr_notify(w, N_IKEV2_FRAGMENTATION_SUPPORTED, BYTES_NONE);
	ike_put_redirect(sa, w);
}

size_t ike_ticket_request_len(const struct ike_config *config,
			      const struct ike_ticket *ticket)
{
	const size_t udp = 8, marker = 4, generic = 4, notify = 8;
	size_t len = udp + marker + IKE_HDR_LEN;

	len += generic + IKE_NONCE_LEN;
	len += notify + ticket->opaque.len;
	len += 2 * (notify + 20); /* NAT detection: SHA-1 */
	if (config->fragmentation)
		len += notify;
	if (config->redirects)
		len += notify;
	if (config->redirects && config->redirected_from.family != ADDR_NONE)
		len += 2 + addr_len(&config->redirected_from);
	return len;
}

enum err ike_resume_send(struct ike_sa *sa)
{
	struct ike_wr w;
	enum err e;

	ike_resume_write(sa, &w);
	e = ike_request_plain(sa, sa->cur, REQ_RESUME, &w);
	return e ? e : ike_race_restart(sa);
}

static void resume_refused(struct ike_sa *sa, const char *how)
{
	bool keep = sa->cfg.keep_after_refusal, is_first = sa->hint == OK;
	struct ike_node *n;
	char text[160];

	snprintf(text, sizeof(text), "gateway refused the ticket (%s)", how);
	ike_note_hint(sa, ERR_TICKET_REFUSED, keep ? 0 : IKE_NACK_MS, text);
	if (!keep || !is_first)
		return;
	n = ike_queue(sa, IKE_DO_REFUSED, 0);
	if (n) {
		n->a.u.refused.why = sa->hint;
		n->a.u.refused.detail = diag_text(&sa->hint_text, sa->hint);
		if (sa->redirected)
			n->a.u.refused.redirect = &sa->redirect;
	}
}

static enum err resume_accept(struct ike_sa *sa, const struct ike_rx *rx,
			      struct bytes nr)
{
	struct ike_setup *s = sa->setup;
	bool fragments = s->ticket.peer_fragments;
	enum err e;

	memcpy(s->nr, nr.p, nr.len);
	s->nr_len = nr.len;
	e = ike_buf_set(&s->first_own, sa->cur->req.flight->d[0]);
	if (e == OK)
		e = ike_buf_set(&s->first_peer, rx->raw);
	if (e != OK)
		return e;
	ike_learn_notifies(sa, rx);
	sa->peer_fragments |= fragments;
	sa->redirected = false;
	sa->hint = OK;
	sa->hint_at_ms = IKE_NEVER;
	diag_clear(&sa->hint_text);
	ike_request_done(sa, sa->cur);
	sa->cur->next_id = 1;
	ike_set_state(sa, IKE_ST_AUTH, "ticket is accepted");
	return ike_auth_begin(sa);
}

/* No private address gets to a public one without. */
static bool nat_is_certain(const struct ike_path *path)
{
	return addr_is_private(&path->local) && !addr_is_private(&path->remote);
}

enum err ike_resume_answer(struct ike_sa *sa, const struct ike_rx *rx)
{
	struct ike_setup *s = sa->setup;
	struct ike_gen *g = sa->cur;
	struct ike_seed seed = {.ni = BYTES_OF(s->ni),
				.spi_i = g->spi_i,
				.spi_r = rx->msg->hdr.spi_r};
	const struct ike_payload *p = ike_msg_find(rx->msg, PLD_NONCE, 0);
	struct ike_notify n;
	enum err e;

	if (rx->has_error) {
		resume_refused(sa, ike_notify_name(rx->error.type));
		return OK;
	}
	if (ike_msg_notify(rx->msg, N_TICKET_NACK, &n) ||
	    ike_redirect_take(sa, rx->msg, BYTES_OF(s->ni))) {
		resume_refused(sa, sa->redirected ? "REDIRECT" : "TICKET_NACK");
		return OK;
	}
	if (!p)
		return ike_cookie_take(sa, rx);
	if (!seed.spi_r || ike_nonce_parse(p->body, &seed.nr) != OK)
		return OK;
	if ((sa->cfg.need_encap || nat_is_certain(rx->path)) &&
	    !ike_msg_notify(rx->msg, N_NAT_DETECTION_SOURCE_IP, &n)) {
		resume_refused(sa, "it would resume to ESP without UDP");
		return OK;
	}
	e = ike_keys_resume(&s->ticket.suite, &seed,
			    secret_view(&s->ticket.sk_d), &g->keys);
	if (e == OK)
		e = ike_gen_arm(sa, g);
	if (e != OK)
		return e;
	g->spi_r = seed.spi_r;
	return resume_accept(sa, rx, seed.nr);
}
