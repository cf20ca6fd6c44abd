/* IKE_AUTH: who the client is, who we are, and the first Child SA. */
#include "platform/base/log.h"
#include "tests/gateway/gw_int.h"

#include <stdlib.h>
#include <string.h>

/* --- the octets of AUTH (RFC 7296 2.15) ---------------------------------- */

static struct gw_id our_id(const struct gw *gw)
{
	struct gw_id id = gw->cfg.id;

	if (gw->sw.wrong_idr && id.len > 0)
		id.b[0] ^= 1;
	return id;
}

static struct ike_id id_view(const struct gw_id *id)
{
	return (struct ike_id){id->type, bytes(id->b, id->len)};
}

struct octets {
	struct bytes parts[3];
	size_t n;
	struct secret maced;
};

static enum err octets_of(struct gw *gw, struct gw_ike *ike, bool theirs,
			  struct octets *out)
{
	const struct gw_auth *a = ike->auth;
	struct gw_id mine = our_id(gw);
	struct ike_id id = theirs ? id_view(&a->idi) : id_view(&mine);
	enum err e = ike_maced_id(ike->keys.suite.prf,
				  theirs ? &ike->keys.sk_pi : &ike->keys.sk_pr,
				  &id, &out->maced);

	out->parts[0] = theirs ? bytes(a->their_first, a->their_first_len)
			       : bytes(a->our_first, a->our_first_len);
	out->parts[1] = theirs ? BYTES_OF(a->nr) : bytes(a->ni, a->ni_len);
	out->parts[2] = secret_view(&out->maced);
	out->n = a->resuming && gw->sw.first_only ? 1 : 3;
	return e;
}

enum err gw_psk_value(struct gw *gw, struct gw_ike *ike, bool theirs,
		      struct bytes psk, struct secret *out)
{
	enum prf prf = ike->keys.suite.prf;
	struct octets o;
	enum err e = octets_of(gw, ike, theirs, &o);

	if (e == OK && ike->auth->resuming)
		e = ike_auth_resume(
			prf, theirs ? &ike->keys.sk_pi : &ike->keys.sk_pr,
			o.parts, o.n, out);
	else if (e == OK)
		e = ike_auth_psk(prf, psk, o.parts, o.n, out);
	secret_wipe(&o.maced);
	return e;
}

bool gw_shared_auth_ok(struct gw *gw, struct gw_ike *ike,
		       const struct ike_msg *msg, struct bytes psk)
{
	const struct ike_payload *p = ike_msg_find(msg, PLD_AUTH, 0);
	struct ike_auth auth;
	struct secret want;
	bool ok;

	if (p == NULL || ike_auth_parse(p->body, &auth) != OK ||
	    auth.method != AUTH_SHARED_KEY ||
	    gw_psk_value(gw, ike, true, psk, &want) != OK)
		return false;
	ok = bytes_eq_secret(auth.data, secret_view(&want));
	secret_wipe(&want);
	return ok;
}

/* --- certificates -------------------------------------------------------- */

enum err gw_cert_name(const struct gw_id *id, struct peer_name *out)
{
	out->value = bytes(id->b, id->len);
	switch (id->type) {
	case ID_FQDN:
		out->type = PEER_DNS;
		return OK;
	case ID_RFC822_ADDR:
		out->type = PEER_EMAIL;
		return OK;
	case ID_IPV4_ADDR:
	case ID_IPV6_ADDR:
		out->type = PEER_IP;
		return OK;
	case ID_DER_ASN1_DN:
		out->type = PEER_DN;
		return OK;
	default:
		return ERR_UNSUPPORTED;
	}
}

static enum err cert_auth_check(struct gw *gw, struct gw_ike *ike,
				const struct ike_msg *msg,
				const struct ike_auth *auth)
{
	struct bytes certs[CERT_CHAIN_MAX];
	size_t n = ike_msg_count(msg, PLD_CERT);
	struct diag diag = DIAG_INIT;
	struct peer_name name;
	struct ike_cert cert;
	struct octets o;
	enum err e;

	if (gw->cfg.trust == NULL || n == 0 || n > CERT_CHAIN_MAX)
		return ERR_AUTH;
	for (size_t i = 0; i < n; i++) {
		e = ike_cert_parse(ike_msg_find(msg, PLD_CERT, i)->body, &cert);
		if (e != OK || cert.encoding != CERT_X509_SIGNATURE)
			return ERR_AUTH;
		certs[i] = cert.data;
	}
	gw->n.public_key_ops += 2;
	e = gw_cert_name(&ike->auth->idi, &name);
	if (e == OK)
		e = cert_verify_client(gw->cfg.trust, certs, n, &name,
				       gw_wall_s(gw), &diag);
	if (e == OK)
		e = octets_of(gw, ike, true, &o);
	if (e == OK) {
		e = sig_verify(certs[0], (enum sig_method)auth->method,
			       auth->data, o.parts, o.n, &diag);
		secret_wipe(&o.maced);
	}
	if (e != OK)
		log_info("client certificate: %s", diag_text(&diag, e));
	return e;
}

void gw_wr_idr(struct gw *gw, struct ike_wr *m)
{
	struct gw_id mine = our_id(gw);
	struct ike_id id = id_view(&mine);

	ike_wr_id(m, PLD_IDR, &id);
}

enum err gw_wr_cert_auth(struct gw *gw, struct gw_ike *ike, struct ike_wr *m)
{
	struct sign_policy pol = {ike->auth->peer_hashes, gw->cfg.prefer_pkcs1};
	uint8_t sig[AUTH_DATA_MAX];
	enum sig_method method;
	struct octets o;
	size_t len;
	enum err e;

	if (gw->cfg.key == NULL || gw->cfg.n_certs == 0)
		return ERR_AUTH;
	e = octets_of(gw, ike, false, &o);
	if (e == OK)
		e = privkey_sign(gw->cfg.key, &pol, o.parts, o.n, sig, &len,
				 &method);
	secret_wipe(&o.maced);
	gw->n.public_key_ops++;
	if (e != OK)
		return e;
	gw_wr_idr(gw, m);
	for (size_t i = 0; i < gw->cfg.n_certs; i++)
		ike_wr_cert(m, PLD_CERT, gw->cfg.certs[i]);
	if (gw->sw.wrong_auth)
		sig[len - 1] ^= 1;
	ike_wr_auth(m, (uint8_t)method, bytes(sig, len));
	return OK;
}

static enum err wr_shared_auth(struct gw *gw, struct gw_ike *ike,
			       struct ike_wr *m, struct bytes psk)
{
	struct secret value;
	enum err e = gw_psk_value(gw, ike, false, psk, &value);

	if (e != OK)
		return e;
	if (gw->sw.wrong_auth)
		value.b[0] ^= 1;
	ike_wr_auth(m, AUTH_SHARED_KEY, secret_view(&value));
	secret_wipe(&value);
	return OK;
}

/* --- the end of IKE_AUTH ------------------------------------------------- */

void gw_auth_fail(struct gw *gw, struct gw_ike *ike, uint16_t notify)
{
	gw->n.auth_failed++;
	gw_answer_notify(gw, ike, IKE_AUTH, notify);
	gw_ike_dead(gw, ike, gw->cfg.linger_ms);
}

static void replace_old(struct gw *gw, struct gw_ike *ike)
{
	const struct gw_auth *a = ike->auth;
	struct gw_sess *s, *next;
	struct gw_ike *old;

	if (a->resuming) {
		/* RFC 5723 4.3.4: silently, with all its Child SAs. */
		old = gw_ike_find(gw, a->ticket.old_spi);
		if (old != NULL && old->sess != NULL) {
			gw->n.replaced++;
			gw_sess_end(gw, old->sess);
		}
		gw_ticket_used(gw, a->ticket.id);
	}
	for (s = gw->sessions; s != NULL && a->want.initial_contact; s = next) {
		next = s->next;
		if (s->idi.type == a->idi.type && s->idi.len == a->idi.len &&
		    memcmp(s->idi.b, a->idi.b, a->idi.len) == 0) {
			gw->n.replaced++;
			gw_sess_end(gw, s);
		}
	}
}

static void wr_first_child(struct gw *gw, struct gw_ike *ike, struct ike_wr *m)
{
	const struct gw_want *want = &ike->auth->want;
	struct gw_child_keys_in in = {
		.ni = bytes(ike->auth->ni, ike->auth->ni_len),
		.nr = BYTES_OF(ike->auth->nr),
		.send_now = true};
	struct gw_sess *s = ike->sess;
	struct gw_child *c;
	uint16_t refusal = 0;

	if (!want->child)
		return;
	if (want->select != OK)
		refusal = N_NO_PROPOSAL_CHOSEN;
	else if (!gw_lease_take(gw, s, want))
		refusal = N_INTERNAL_ADDRESS_FAILURE;
	else if (!gw_ts_narrow(gw, s, &want->tsi, &want->tsr, &s->tsi, &s->tsr))
		refusal = N_TS_UNACCEPTABLE;
	if (refusal != 0) {
		gw->n.child_failed++;
		ike_wr_notify(m, refusal, BYTES_NONE);
		return;
	}
	if (want->cp)
		gw_wr_cp(gw, m, s, want);
	c = gw_child_new(gw, s);
	c->spi_out = want->spi_out;
	if (suite_from_proposal(&want->chosen, &c->suite) != OK ||
	    gw_child_install(gw, ike, c, &in) != OK) {
		gw_child_free(gw, s, c);
		ike_wr_notify(m, N_NO_PROPOSAL_CHOSEN, BYTES_NONE);
		return;
	}
	gw_wr_chosen(m, &want->chosen, c->spi_in, 4);
	ike_wr_ts(m, PLD_TSI, &s->tsi);
	ike_wr_ts(m, PLD_TSR, &s->tsr);
}

static void make_session(struct gw *gw, struct gw_ike *ike)
{
	const struct gw_auth *a = ike->auth;
	struct gw_sess *s = gw_sess_new(gw, ike);
	const char *user = a->resuming ? a->ticket.user : a->user;

	s->idi = a->idi;
	s->mobike = a->want.mobike;
	s->resumed = a->resuming;
	s->since_ms = gw->now_ms;
	s->nat = ike->nat;
	memcpy(s->user, user, sizeof(s->user));
	s->redirects = ike->redirects;
	gw_auth_limit(gw, s, a);
	if (s->auth_end_s)
		gw_bound(gw, gw_auth_end_ms(gw, s));
	ike->state = GW_ST_UP;
	ike->end_ms = INT64_MAX;
	if (gw->cfg.ike_rekey_ms != 0)
		ike->rekey_ms = gw->now_ms + gw->cfg.ike_rekey_ms;
}

/* Our proof of identity; after EAP the names were said before. */
static enum err wr_proof(struct gw *gw, struct gw_ike *ike, struct ike_wr *m,
			 struct bytes psk)
{
	if (ike->state != GW_ST_EAP_DONE && psk.len == 0 &&
	    !ike->auth->resuming)
		return gw_wr_cert_auth(gw, ike, m);
	if (ike->state != GW_ST_EAP_DONE)
		gw_wr_idr(gw, m);
	return wr_shared_auth(gw, ike, m, psk);
}

/* All our addresses but the one in use (RFC 4555 3.4). */
static void wr_mobike(struct gw *gw, struct gw_ike *ike, struct ike_wr *m)
{
	ike_wr_notify(m, N_MOBIKE_SUPPORTED, BYTES_NONE);
	for (size_t i = 0; i < gw->cfg.n_others; i++) {
		const struct addr *a = &gw->cfg.others[i];

		if (!addr_eq_host(a, &ike->path.local))
			ike_wr_notify(m,
				      a->family == ADDR_V4
					      ? N_ADDITIONAL_IP4_ADDRESS
					      : N_ADDITIONAL_IP6_ADDRESS,
				      addr_view(a));
	}
}

static void wr_child_and_ticket(struct gw *gw, struct gw_ike *ike,
				struct ike_wr *m)
{
	wr_first_child(gw, ike, m);
	if (ike->auth->want.mobike)
		wr_mobike(gw, ike, m);
	gw_wr_ticket_answer(gw, ike, ike->auth->want.ticket, true, m);
}

void gw_auth_finish(struct gw *gw, struct gw_ike *ike, struct bytes psk)
{
	bool resumed = ike->auth->resuming;
	struct gw_act *a;
	struct ike_wr m;

	gw_chain_start(gw, &m);
	if (wr_proof(gw, ike, &m, psk) != OK) {
		gw_auth_fail(gw, ike, N_AUTHENTICATION_FAILED);
		return;
	}
	replace_old(gw, ike);
	make_session(gw, ike);
	gw_wr_token(gw, ike, &m);
	gw_wr_auth_lifetime(gw, ike->sess, &m);
	if (gw->redirect == GW_REDIRECT_AUTH && ike->redirects)
		gw_wr_redirect(gw, &m);
	else
		wr_child_and_ticket(gw, ike, &m);
	gw_auth_free(ike);
	gw_answer(gw, ike, IKE_AUTH, &m);
	gw->n.connected += !resumed;
	gw->n.resumed += resumed;
	a = gw_act_new(gw, GW_DO_UP);
	a->a.u.up.session = ike->sess->id;
	a->a.u.up.resumed = resumed;
}

/* --- the request --------------------------------------------------------- */

static enum err read_idi(const struct ike_msg *msg, struct gw_id *out)
{
	const struct ike_payload *p = ike_msg_find(msg, PLD_IDI, 0);
	struct ike_id id;

	if (p == NULL || ike_id_parse(p->body, &id) != OK ||
	    id.data.len > sizeof(out->b))
		return ERR_MALFORMED;
	out->type = id.type;
	out->len = (uint16_t)id.data.len;
	memcpy(out->b, id.data.p, id.data.len);
	return OK;
}

static bool resume_ok(struct gw *gw, struct gw_ike *ike,
		      const struct ike_msg *msg)
{
	const struct gw_id *id = &ike->auth->idi, *t = &ike->auth->ticket.idi;
	bool same = id->type == t->type && id->len == t->len &&
		    memcmp(id->b, t->b, id->len) == 0;

	return same && ike_msg_count(msg, PLD_CERT) == 0 &&
	       ike_msg_count(msg, PLD_EAP) == 0 &&
	       gw_shared_auth_ok(gw, ike, msg, BYTES_NONE);
}

static void first_request(struct gw *gw, struct gw_ike *ike,
			  const struct ike_msg *msg)
{
	const struct ike_payload *p = ike_msg_find(msg, PLD_AUTH, 0);
	struct bytes psk = BYTES_NONE;
	struct ike_auth auth;
	bool ok = false;

	if (read_idi(msg, &ike->auth->idi) != OK) {
		gw_auth_fail(gw, ike, N_INVALID_SYNTAX);
		return;
	}
	gw_want_read(gw, msg, &ike->auth->want);
	if (p == NULL && !ike->auth->resuming) {
		gw_eap_start(gw, ike);
		return;
	}
	if (p == NULL || ike_auth_parse(p->body, &auth) != OK) {
		gw_auth_fail(gw, ike, N_INVALID_SYNTAX);
		return;
	}
	if (ike->auth->resuming) {
		ok = resume_ok(gw, ike, msg);
	} else if (auth.method == AUTH_SHARED_KEY && gw->cfg.psk != NULL) {
		psk = secret_view(gw->cfg.psk);
		ok = gw_shared_auth_ok(gw, ike, msg, psk);
	} else if (auth.method != AUTH_SHARED_KEY) {
		ok = cert_auth_check(gw, ike, msg, &auth) == OK;
	}
	if (ok)
		gw_auth_finish(gw, ike, psk);
	else
		gw_auth_fail(gw, ike, N_AUTHENTICATION_FAILED);
}

void gw_auth_request(struct gw *gw, struct gw_ike *ike,
		     const struct ike_msg *msg)
{
	switch (ike->state) {
	case GW_ST_NEW:
		first_request(gw, ike, msg);
		break;
	case GW_ST_EAP:
		gw_eap_request(gw, ike, msg);
		break;
	case GW_ST_EAP_DONE:
		if (gw_shared_auth_ok(gw, ike, msg,
				      secret_view(&ike->auth->msk)))
			gw_auth_finish(gw, ike, secret_view(&ike->auth->msk));
		else
			gw_auth_fail(gw, ike, N_AUTHENTICATION_FAILED);
		break;
	case GW_ST_UP:
	case GW_ST_DEAD:
		gw_answer_notify(gw, ike, IKE_AUTH, N_INVALID_SYNTAX);
		break;
	}
}
