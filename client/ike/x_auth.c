/* IKE_AUTH (RFC 7296 1.2, 2.15, 2.16). The gateway proves who it is before
 * anything of ours that is worth stealing leaves. */
#include "client/ike/sa_private.h"

#include <stdlib.h>
#include <string.h>

static enum prf sa_prf(const struct ike_sa *sa)
{
	return sa->cur->keys.suite.prf;
}

static struct ike_id id_view(const struct ike_name *n)
{
	return (struct ike_id){n->type, bytes(n->b, n->len)};
}

/* What an AUTH covers; libreswan covers only the message on resumption. */
static size_t octets(const struct ike_sa *sa, bool ours, struct bytes out[3])
{
	const struct ike_setup *s = sa->setup;

	if (ours) {
		out[0] = bytes(s->first_own.p, s->first_own.len);
		out[1] = bytes(s->nr, s->nr_len);
		out[2] = secret_view(&s->maced_own);
	} else {
		out[0] = bytes(s->first_peer.p, s->first_peer.len);
		out[1] = BYTES_OF(s->ni);
		out[2] = secret_view(&s->maced_peer);
	}
	return s->is_resume && sa->auth_first_only ? 1 : 3;
}

/* --- request ---------------------------------------------------------- */

static void put_child(struct ike_sa *sa, struct ike_wr *w)
{
	struct proposal_list offer = sa->cfg.esp_proposals;
	uint8_t spi[4];
	struct wr b = wr_open(spi, sizeof(spi));

	if (!sa->setup->spi_in)
		sa->setup->spi_in = ike_child_spi(sa);
	wr_u32(&b, sa->setup->spi_in);
	proposals_drop_ke(&offer);
	proposals_set_spi(&offer, BYTES_OF(spi));
	ike_wr_sa(w, &offer);
	ike_wr_ts(w, PLD_TSI, &sa->cfg.ts_local);
	ike_wr_ts(w, PLD_TSR, &sa->cfg.ts_remote);
}

static void put_ids(struct ike_sa *sa, struct ike_wr *w)
{
	struct ike_id own = id_view(&sa->cfg.id_local);
	struct ike_id peer = id_view(&sa->id_remote);
	bool by_cert = !sa->setup->is_resume && sa->auth != IKE_AUTH_PSK;

	ike_wr_id(w, PLD_IDI, &own);
	if (by_cert && sa->auth == IKE_AUTH_CERT)
		for (size_t i = 0; i < sa->cfg.n_certs; i++)
			ike_wr_cert(w, PLD_CERT, sa->cfg.certs[i]);
	if (!sa->setup->is_resume)
		ike_wr_notify(w, N_INITIAL_CONTACT, BYTES_NONE);
	if (by_cert && sa->cfg.ca_keyids.len)
		ike_wr_cert(w, PLD_CERTREQ, sa->cfg.ca_keyids);
	if (peer.type)
		ike_wr_id(w, PLD_IDR, &peer);
}

static enum ike_req_kind first_kind(const struct ike_sa *sa)
{
	if (sa->setup->is_resume)
		return REQ_AUTH_RESUMED;
	return ike_auth_is_eap(sa->auth) ? REQ_AUTH_EAP : REQ_AUTH;
}

enum err ike_auth_send(struct ike_sa *sa, uint8_t method, struct bytes data)
{
	struct ike_wr w;

	ike_chain_start(sa, &w);
	put_ids(sa, &w);
	if (data.len)
		ike_wr_auth(&w, method, data);
	ike_put_cp(sa, &w);
	put_child(sa, &w);
	if (sa->cfg.mobike)
		ike_put_mobike(sa, &w);
	if (sa->cfg.want_ticket)
		ike_wr_notify(&w, N_TICKET_REQUEST, BYTES_NONE);
	return ike_request_send(sa, sa->cur, first_kind(sa), &w);
}

static enum err send_resumed(struct ike_sa *sa)
{
	struct bytes parts[3];
	size_t n = octets(sa, true, parts);
	struct secret auth = {0};
	enum err e;

	e = ike_auth_resume(sa_prf(sa), &sa->cur->keys.sk_pi, parts, n, &auth);
	if (e == OK)
		e = ike_auth_send(sa, AUTH_SHARED_KEY, secret_view(&auth));
	secret_wipe(&auth);
	return e;
}

static void ask_sign(struct ike_sa *sa)
{
	struct ike_node *n = ike_queue(sa, IKE_DO_ASK_SIGN, 0);

	sa->ask = ASK_SIGN;
	if (!n)
		return;
	octets(sa, true, n->a.u.ask_sign.octets);
	n->a.u.ask_sign.peer_hashes = sa->peer_hashes;
}

enum err ike_auth_begin(struct ike_sa *sa)
{
	struct ike_id own = id_view(&sa->cfg.id_local);
	enum err e;

	e = ike_maced_id(sa_prf(sa), &sa->cur->keys.sk_pi, &own,
			 &sa->setup->maced_own);
	if (e != OK)
		return e;
	if (sa->setup->is_resume)
		return send_resumed(sa);
	switch (sa->auth) {
	case IKE_AUTH_PSK:
		sa->ask = ASK_PSK;
		ike_queue(sa, IKE_DO_ASK_SECRET, 0);
		return OK;
	case IKE_AUTH_CERT:
		ask_sign(sa);
		return OK;
	case IKE_AUTH_EAP_MSCHAPV2:
	case IKE_AUTH_EAP_TLS:
		return ike_auth_send(sa, 0, BYTES_NONE);
	}
	return ERR_UNSUPPORTED;
}

enum err ike_auth_with_psk(struct ike_sa *sa, const struct secret *psk)
{
	struct bytes parts[3];
	size_t n = octets(sa, true, parts);
	struct secret auth = {0};
	enum err e;

	sa->setup->psk = *psk;
	e = ike_auth_psk(sa_prf(sa), secret_view(psk), parts, n, &auth);
	if (e == OK)
		e = ike_auth_send(sa, AUTH_SHARED_KEY, secret_view(&auth));
	secret_wipe(&auth);
	return e;
}

enum err ike_auth_send_last(struct ike_sa *sa)
{
	struct bytes parts[3];
	size_t n = octets(sa, true, parts);
	struct secret auth = {0};
	struct ike_wr w;
	enum err e;

	e = ike_auth_psk(sa_prf(sa), secret_view(&sa->setup->eap.msk), parts, n,
			 &auth);
	if (e == OK) {
		ike_chain_start(sa, &w);
		ike_wr_auth(&w, AUTH_SHARED_KEY, secret_view(&auth));
		e = ike_request_send(sa, sa->cur, REQ_AUTH_LAST, &w);
	}
	secret_wipe(&auth);
	return e;
}

/* --- answer ----------------------------------------------------------- */

enum err ike_auth_refusal(struct ike_sa *sa, const struct ike_notify *error)
{
	switch (error->type) {
	case N_AUTHENTICATION_FAILED:
		return diag_set(&sa->diag, ERR_AUTH,
				"gateway refused our authentication; check "
				"identity and credentials");
	case N_NO_PROPOSAL_CHOSEN:
		return diag_set(&sa->diag, ERR_NO_PROPOSAL,
				"gateway accepts none of the ESP algorithms "
				"offered; see esp= in the profile");
	case N_TS_UNACCEPTABLE:
	case N_SINGLE_PAIR_REQUIRED:
		return diag_set(&sa->diag, ERR_TS_UNACCEPTABLE,
				"gateway refused the networks asked for");
	case N_INTERNAL_ADDRESS_FAILURE:
	case N_FAILED_CP_REQUIRED:
		return diag_set(&sa->diag, ERR_PEER,
				"gateway has no inner address for us (%s)",
				ike_notify_name(error->type));
	default:
		return diag_set(&sa->diag, ERR_PEER,
				"gateway answers IKE_AUTH with %s (%u)",
				ike_notify_name(error->type), error->type);
	}
}

/* Our expectation, else what the answer says. A distinguished name is kept as
 * the gateway writes it, for the ticket: its strings may be of other types. */
static enum err check_name(struct ike_sa *sa, const struct ike_name *told)
{
	char a[IKE_NAME_MAX + 1], b[IKE_NAME_MAX + 1];
	struct ike_name *want = &sa->id_remote;

	if (want->type != 0 && !ike_name_equal(want, told))
		return diag_set(&sa->diag, ERR_UNTRUSTED,
				"gateway names itself '%.100s', not '%.100s': "
				"check [gateway] id in the profile",
				ike_name_str(told, a, sizeof(a)),
				ike_name_str(want, b, sizeof(b)));
	*want = *told;
	return OK;
}

static enum err check_idr(struct ike_sa *sa, const struct ike_msg *msg)
{
	struct ike_name told = {0};
	struct ike_id id;
	enum err e = ike_id_parse(ike_msg_find(msg, PLD_IDR, 0)->body, &id);

	if (e != OK)
		return diag_set(&sa->diag, ERR_PEER, "malformed IDr");
	if (ike_name_set(&told, id.type, id.data) != OK)
		return diag_set(&sa->diag, ERR_PEER, "IDr too long");
	e = check_name(sa, &told);
	if (e != OK)
		return e;
	return ike_maced_id(sa_prf(sa), &sa->cur->keys.sk_pr, &id,
			    &sa->setup->maced_peer);
}

/* AUTH by a shared key: the PSK, the MSK, or on resumption SK_pr itself. */
static enum err check_shared(struct ike_sa *sa, const struct ike_msg *msg)
{
	struct ike_setup *s = sa->setup;
	const struct secret *key =
		sa->auth == IKE_AUTH_PSK ? &s->psk : &s->eap.msk;
	struct bytes parts[3];
	size_t n = octets(sa, false, parts);
	struct secret want = {0};
	struct ike_auth auth;
	enum err e =
		ike_auth_parse(ike_msg_find(msg, PLD_AUTH, 0)->body, &auth);

	if (e != OK)
		return diag_set(&sa->diag, ERR_PEER, "malformed AUTH");
	if (s->is_resume)
		e = ike_auth_resume(sa_prf(sa), &sa->cur->keys.sk_pr, parts, n,
				    &want);
	else
		e = ike_auth_psk(sa_prf(sa), secret_view(key), parts, n, &want);
	if (e == OK && (auth.method != AUTH_SHARED_KEY ||
			!bytes_eq_secret(auth.data, secret_view(&want))))
		e = diag_set(&sa->diag, ERR_UNTRUSTED,
			     "gateway's proof (AUTH) is wrong: other key than "
			     "ours, or not our gateway");
	secret_wipe(&want);
	return e;
}

/* A copy of the payloads that outlives the datagram. */
static enum err hold(struct ike_sa *sa, const struct ike_msg *msg)
{
	struct ike_setup *s = sa->setup;
	struct ike_wr w;
	struct bytes chain;
	enum err e;

	ike_chain_start(sa, &w);
	for (size_t i = 0; i < msg->n_payloads; i++)
		ike_wr_payload(&w, msg->payloads[i].type,
			       msg->payloads[i].body);
	e = ike_wr_end(&w, &chain);
	if (e == OK)
		e = ike_buf_set(&s->held, chain);
	memset(&s->held_msg, 0, sizeof(s->held_msg));
	s->held_msg.hdr = msg->hdr;
	if (e == OK)
		e = ike_chain_parse(ike_wr_first(&w),
				    bytes(s->held.p, s->held.len),
				    &s->held_msg);
	return e;
}

static size_t collect_certs(const struct ike_msg *msg,
			    struct bytes out[CERT_CHAIN_MAX])
{
	const struct ike_payload *p;
	size_t n = 0;

	for (size_t i = 0; (p = ike_msg_find(msg, PLD_CERT, i)); i++) {
		struct ike_cert c;

		if (ike_cert_parse(p->body, &c) == OK &&
		    c.encoding == CERT_X509_SIGNATURE && n < CERT_CHAIN_MAX)
			out[n++] = c.data;
	}
	return n;
}

static enum err ask_verify(struct ike_sa *sa, const struct ike_msg *msg)
{
	const struct ike_msg *held = &sa->setup->held_msg;
	struct ike_node *n;
	struct ike_auth auth;
	enum err e = hold(sa, msg);

	if (e == OK)
		e = ike_auth_parse(ike_msg_find(held, PLD_AUTH, 0)->body,
				   &auth);
	if (e != OK)
		return diag_set(&sa->diag, e, "malformed AUTH");
	if (auth.method == AUTH_SHARED_KEY || !ike_msg_count(held, PLD_CERT))
		return diag_set(&sa->diag, ERR_UNTRUSTED,
				"gateway did not prove itself by a "
				"certificate");
	sa->ask = ASK_VERIFY;
	n = ike_queue(sa, IKE_DO_ASK_VERIFY, 0);
	if (!n)
		return ERR_NO_MEMORY;
	n->a.u.ask_verify.n_certs =
		collect_certs(held, n->a.u.ask_verify.certs);
	n->a.u.ask_verify.method = auth.method;
	n->a.u.ask_verify.auth_data = auth.data;
	n->a.u.ask_verify.id = sa->id_remote;
	octets(sa, false, n->a.u.ask_verify.octets);
	return OK;
}

/* Whoever is there is not our gateway, or thinks we are not its client. */
static enum err reject(struct ike_sa *sa, enum err e)
{
	ike_send_once(sa, sa->cur, N_AUTHENTICATION_FAILED);
	return e;
}

enum err ike_auth_verified(struct ike_sa *sa)
{
	const struct ike_msg *msg = &sa->setup->held_msg;

	if (!ike_auth_is_eap(sa->auth))
		return ike_auth_finish(sa, msg);
	/* RFC 5685 6: before EAP there is no SA that were to be deleted. */
	if (ike_redirect_take(sa, msg, BYTES_NONE))
		return ike_redirect_told(sa);
	return ike_eap_start(sa, msg);
}

/* Over TCP answers come in the order of the requests. */
static void note_doubt(struct ike_sa *sa, const struct ike_notify *error)
{
	sa->init_in_doubt = sa->setup->cookies > 0 && !sa->setup->is_resume &&
			    !ike_way(sa)->tcp &&
			    error->type == N_AUTHENTICATION_FAILED;
}

enum err ike_auth_answer(struct ike_sa *sa, const struct ike_rx *rx)
{
	const struct ike_msg *msg = rx->msg;
	enum err e;

	if (!ike_msg_count(msg, PLD_IDR) || !ike_msg_count(msg, PLD_AUTH)) {
		if (!rx->has_error)
			return diag_set(&sa->diag, ERR_PEER,
					"gateway sent no AUTH");
		sa->resume_auth_failed =
			sa->setup->is_resume &&
			rx->error.type == N_AUTHENTICATION_FAILED;
		note_doubt(sa, &rx->error);
		return ike_auth_refusal(sa, &rx->error);
	}
	e = check_idr(sa, msg);
	if (e == OK && (sa->setup->is_resume || sa->auth == IKE_AUTH_PSK))
		e = check_shared(sa, msg);
	else if (e == OK)
		e = ask_verify(sa, msg);
	if (e != OK)
		return reject(sa, e);
	if (sa->ask == ASK_VERIFY)
		return OK;
	if (sa->setup->is_resume) {
		sa->resumed = true;
		ike_queue(sa, IKE_DO_TICKET_SPENT, 0);
	}
	return ike_auth_finish(sa, msg);
}

enum err ike_auth_last_answer(struct ike_sa *sa, const struct ike_rx *rx)
{
	enum err e;

	if (!ike_msg_count(rx->msg, PLD_AUTH)) {
		if (rx->has_error) {
			note_doubt(sa, &rx->error);
			return ike_auth_refusal(sa, &rx->error);
		}
		return diag_set(&sa->diag, ERR_PEER, "gateway sent no AUTH");
	}
	e = check_shared(sa, rx->msg);
	if (e != OK)
		return reject(sa, e);
	return ike_auth_finish(sa, rx->msg);
}
