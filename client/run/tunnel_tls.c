/* EAP-TLS: the handshake that the IKE SA asks for, step by step. */
#include "client/run/tunnel_private.h"

#include "client/crypto/tls.h"
#include "client/run/proof.h"
#include "platform/base/log.h"
#include "platform/os.h"

void tunnel_drop_tls(struct tunnel *t)
{
	tls_free(&t->tls);
	privkey_free(&t->tls_key);
}

/* The server is to bear the gateway's name, and a certificate of its CAs. */
static enum err handshake_begin(struct tunnel *t, const struct ike_name *id,
				struct diag *diag)
{
	struct tls_config c = {.certs = t->certs, .n_certs = t->n_certs};
	enum err e;

	tunnel_drop_tls(t);
	e = proof_peer_name(id, &c.peer, diag);
	if (!e && !t->trust)
		e = proof_load_trust(t->profile, &t->trust, diag);
	if (!e)
		e = tunnel_load_key(t, &t->tls_key, diag);
	if (e)
		return e;
	t->tls_id = *id;
	c.peer.value = bytes(t->tls_id.b, t->tls_id.len);
	c.trust = t->trust;
	c.key = t->tls_key;
	c.now = os_now().wall_ms / 1000;
	return tls_new(&c, &t->tls, diag);
}

void tunnel_answer_tls(struct tunnel *t, const struct ike_action *a)
{
	struct ike_tls_step step = {.verdict = OK};
	struct diag diag = DIAG_INIT;
	enum err e;

	if (a->u.ask_tls.start)
		step.verdict = handshake_begin(t, &a->u.ask_tls.id, &diag);
	if (!step.verdict)
		step.verdict = t->tls ? tls_step(t->tls, a->u.ask_tls.in,
						 &step.out, &step.done, &diag)
				      : ERR_STATE;
	if (!step.verdict && step.done)
		step.verdict = tls_msk(t->tls, &step.msk);
	step.detail = diag_text(&diag, step.verdict);
	e = session_give_tls(t->session, &step, os_now().boot_ms);
	if (e)
		log_error("EAP-TLS: %s", err_text(e));
	if (step.verdict || step.done)
		tunnel_drop_tls(t);
	secret_wipe(&step.msk);
}
