#include "client/run/tunnel_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "platform/base/log.h"
#include "platform/os.h"

#define CERT_FILE_MAX (64 * 1024)
#define CA_FILE_MAX   (4 * 1024 * 1024)
#define SYSTEM_CAS    "/etc/ssl/certs/ca-certificates.crt"

enum err tunnel_load_certs(struct tunnel *t, struct diag *diag)
{
	uint8_t *file = NULL;
	size_t len = 0;
	enum err e;

	if (t->profile->auth != IKE_AUTH_CERT)
		return OK;
	e = os_read_file(t->profile->certificate, CERT_FILE_MAX, &file, &len,
			 diag);
	if (!e)
		e = cert_load(bytes(file, len), t->certs, CERT_CHAIN_MAX,
			      &t->n_certs, &t->certs_buf, diag);
	free(file);
	return e;
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

static enum err load_key(const struct tunnel *t, struct privkey **out,
			 struct diag *diag)
{
	uint8_t *file = NULL;
	size_t len = 0;
	enum err e;

	e = os_read_secret_file(t->profile->private_key, CERT_FILE_MAX, &file,
				&len, diag);
	if (!e)
		e = privkey_load(bytes(file, len), BYTES_NONE, out, diag);
	if (!e && t->n_certs > 0 && !privkey_matches(*out, t->certs[0]))
		e = diag_set(diag, ERR_PROFILE,
			     "private key '%s' does not belong to certificate "
			     "'%s': check [identity] in the profile",
			     t->profile->private_key, t->profile->certificate);
	mem_wipe(file, len);
	free(file);
	return e;
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

	e = load_key(t, &key, &diag);
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

/* IDr as it must stand in the certificate. */
static enum err peer_name(const struct ike_name *id, struct peer_name *out,
			  struct diag *diag)
{
	out->value = bytes(id->b, id->len);
	switch (id->type) {
	case ID_FQDN:
		out->type = PEER_DNS;
		return OK;
	case ID_IPV4_ADDR:
	case ID_IPV6_ADDR:
		out->type = PEER_IP;
		return OK;
	case ID_RFC822_ADDR:
		out->type = PEER_EMAIL;
		return OK;
	case ID_DER_ASN1_DN:
		out->type = PEER_DN;
		return OK;
	default:
		return diag_set(diag, ERR_PROFILE,
				"[gateway] id of this kind cannot stand in a "
				"certificate: use its DNS name");
	}
}

static enum err load_trust(struct tunnel *t, struct diag *diag)
{
	const char *path = t->profile->ca[0] ? t->profile->ca : SYSTEM_CAS;
	uint8_t *file = NULL;
	size_t len = 0;
	enum err e;

	if (t->trust)
		return OK;
	e = trust_new(&t->trust);
	if (!e)
		e = os_read_file(path, CA_FILE_MAX, &file, &len, diag);
	if (!e)
		e = trust_add(t->trust, bytes(file, len), diag);
	free(file);
	if (e)
		trust_free(&t->trust);
	return e;
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
	struct peer_name name;
	enum err e;

	e = peer_name(&a->u.ask_verify.id, &name, diag);
	if (!e)
		e = load_trust(t, diag);
	if (!e)
		e = cert_verify(t->trust, a->u.ask_verify.certs,
				a->u.ask_verify.n_certs, &name,
				os_now().wall_ms / 1000, diag);
	if (!e)
		e = sig_verify(a->u.ask_verify.certs[0],
			       (enum sig_method)a->u.ask_verify.method,
			       a->u.ask_verify.auth_data,
			       a->u.ask_verify.octets, 3, diag);
	return e == ERR_AUTH ? ERR_UNTRUSTED : e;
}

void tunnel_answer_verify(struct tunnel *t, const struct ike_action *a)
{
	struct diag diag = DIAG_INIT;
	enum err verdict = verify(t, a, &diag);
	enum err e;

	e = session_give_verdict(t->session, verdict, diag_text(&diag, verdict),
				 os_now().boot_ms);
	if (e)
		log_error("verdict: %s", err_text(e));
}
