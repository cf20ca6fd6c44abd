#include "client/run/tunnel_private.h"

#include <stdio.h>

#include "client/run/proof.h"
#include "platform/base/log.h"
#include "platform/os.h"

enum err tunnel_load_certs(struct tunnel *t, struct diag *diag)
{
	if (t->profile->auth != IKE_AUTH_CERT &&
	    t->profile->auth != IKE_AUTH_EAP_TLS)
		return OK;
	return proof_load_certs(t->profile, t->certs, &t->n_certs,
				&t->certs_buf, diag);
}

void tunnel_forget_secret(struct tunnel *t)
{
	secret_wipe(&t->secret);
	t->has_secret = false;
}

void tunnel_answer_secret(struct tunnel *t, bool is_password)
{
	char prompt[600], id[IKE_NAME_MAX + 1];
	struct diag diag = DIAG_INIT;
	enum err e = OK;

	if (!t->has_secret) {
		snprintf(prompt, sizeof(prompt), "%s for %s at %s",
			 is_password ? "Password" : "Pre-shared key",
			 ike_name_str(is_password ? &t->profile->user
						  : &t->profile->id,
				      id, sizeof(id)),
			 t->profile->gateway);
		e = t->ui.ask_secret(t->ui.ctx, prompt, &t->secret, &diag);
	}
	if (e) {
		session_no_secret(t->session, e, diag_text(&diag, e),
				  os_now().boot_ms);
		return;
	}
	t->has_secret = true;
	session_set_unattended(t->session);
	e = session_give_secret(t->session, &t->secret, os_now().boot_ms);
	if (e)
		log_error("secret: %s", err_text(e));
}

bool tunnel_needs_person(const struct tunnel *t)
{
	const struct profile *p = t->profile;

	return !t->has_secret && !p->password_file[0] &&
	       !p->password_credential[0] && proof_key_is_encrypted(p);
}

enum err tunnel_load_key(struct tunnel *t, struct privkey **out,
			 struct diag *diag)
{
	struct bytes pass =
		t->has_secret ? secret_view(&t->secret) : BYTES_NONE;
	char prompt[PROFILE_PATH_MAX + 40];
	enum err e = proof_load_key(t->profile, t->certs, t->n_certs, pass, out,
				    diag);

	if (e != ERR_NEEDS_PERSON || t->has_secret)
		return e;
	diag_clear(diag);
	snprintf(prompt, sizeof(prompt), "Password of the private key %s",
		 t->profile->private_key);
	e = t->ui.ask_secret(t->ui.ctx, prompt, &t->secret, diag);
	if (!e)
		e = proof_load_key(t->profile, t->certs, t->n_certs,
				   secret_view(&t->secret), out, diag);
	if (e) {
		tunnel_forget_secret(t);
		return e;
	}
	t->has_secret = true;
	session_set_unattended(t->session);
	return OK;
}

void tunnel_answer_sign(struct tunnel *t, const struct ike_action *a)
{
	struct sign_policy policy = {.peer_hashes = a->u.ask_sign.peer_hashes};
	uint8_t sig[AUTH_DATA_MAX];
	size_t sig_len = 0;
	enum sig_method method = SIG_DIGITAL;
	struct privkey *key = NULL;
	struct diag diag = DIAG_INIT;
	enum err e;

	e = tunnel_load_key(t, &key, &diag);
	if (!e)
		e = privkey_sign(key, &policy, a->u.ask_sign.octets, 3, sig,
				 &sig_len, &method);
	privkey_free(&key);
	if (e) {
		session_no_secret(t->session, e, diag_text(&diag, e),
				  os_now().boot_ms);
		return;
	}
	e = session_give_signature(t->session, (uint8_t)method,
				   bytes(sig, sig_len), os_now().boot_ms);
	if (e)
		log_error("signature: %s", err_text(e));
}

static enum err load_trust(struct tunnel *t, struct diag *diag)
{
	return t->trust ? OK : proof_load_trust(t->profile, &t->trust, diag);
}

/* The system's many CAs are not announced: their hashes alone would need
 * several datagrams. */
enum err tunnel_load_ca(struct tunnel *t, struct diag *diag)
{
	enum err e;

	if (t->profile->auth == IKE_AUTH_PSK || !t->profile->ca[0])
		return OK;
	e = load_trust(t, diag);
	if (!e)
		t->n_keyids =
			trust_keyids(t->trust, t->keyids, TUNNEL_KEYIDS_MAX);
	return e;
}

static enum err verify(struct tunnel *t, const struct ike_action *a,
		       struct diag *diag)
{
	enum err e = load_trust(t, diag);

	return e ? e : proof_check_gateway(t->trust, a, diag);
}

static void tell_gateway(const struct tunnel *t, const struct ike_action *a)
{
	char line[600], id[IKE_NAME_MAX + 1], subject[200];

	snprintf(line, sizeof(line), "the gateway is %s (%s)",
		 ike_name_str(&a->u.ask_verify.id, id, sizeof(id)),
		 cert_subject(a->u.ask_verify.certs[0], subject,
			      sizeof(subject)));
	t->ui.progress(t->ui.ctx, line);
}

void tunnel_answer_verify(struct tunnel *t, const struct ike_action *a)
{
	struct diag diag = DIAG_INIT;
	enum err verdict = verify(t, a, &diag);
	enum err e;

	if (!verdict)
		tell_gateway(t, a);
	e = session_give_verdict(t->session, verdict, diag_text(&diag, verdict),
				 os_now().boot_ms);
	if (e)
		log_error("verdict: %s", err_text(e));
}
