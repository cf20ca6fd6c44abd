/* EAP as server: Identity and MSCHAPv2 (RFC 3748, RFC 2759,
 * draft-kamath-pppext-eap-mschapv2). */
#include "tests/gateway/gw_int.h"

#include <stdio.h>
#include <string.h>

enum { MS_CHALLENGE = 1, MS_RESPONSE = 2, MS_SUCCESS = 3, MS_FAILURE = 4 };
#define MS_RESPONSE_LEN 49

static void wr_eap(struct gw_ike *ike, struct ike_wr *m, uint8_t code,
		   uint8_t type, struct bytes data)
{
	struct ike_eap eap = {code, ike->auth->eap_id, type, data};

	ike_wr_eap(m, &eap);
}

/* The packet with its own id and length in front (draft-kamath 2). */
static void wr_ms(struct gw_ike *ike, struct ike_wr *m, uint8_t op,
		  struct bytes body)
{
	uint8_t buf[256];
	struct wr w = wr_open(buf, sizeof(buf));

	ike->auth->eap_id++;
	wr_u8(&w, op);
	wr_u8(&w, ike->auth->eap_id);
	wr_u16(&w, (uint16_t)(4 + body.len));
	wr_bytes(&w, body);
	wr_eap(ike, m, EAP_REQUEST, EAP_TYPE_MSCHAPV2, wr_view(&w));
}

static void wr_challenge(struct gw *gw, struct gw_ike *ike, struct ike_wr *m)
{
	struct gw_auth *a = ike->auth;
	uint8_t buf[64];
	struct wr w = wr_open(buf, sizeof(buf));

	rng_draw(&gw->rng, a->challenge, sizeof(a->challenge));
	wr_u8(&w, sizeof(a->challenge));
	wr_bytes(&w, BYTES_OF(a->challenge));
	wr_bytes(&w, bytes_str("gateway"));
	wr_ms(ike, m, MS_CHALLENGE, wr_view(&w));
}

static bool wr_method(struct gw *gw, struct gw_ike *ike, struct ike_wr *m)
{
	ike->auth->eap = GW_EAP_CHALLENGE;
	if (gw->cfg.eap_tls)
		return gw_tls_start(gw, ike, m);
	wr_challenge(gw, ike, m);
	return true;
}

void gw_eap_start(struct gw *gw, struct gw_ike *ike)
{
	struct gw_auth *a = ike->auth;
	struct ike_wr m;

	gw_chain_start(gw, &m);
	/* The gateway proves itself by certificate before any credential. */
	if ((gw->cfg.n_users == 0 && !gw->cfg.eap_tls) ||
	    gw_wr_cert_auth(gw, ike, &m) != OK) {
		gw_auth_fail(gw, ike, N_AUTHENTICATION_FAILED);
		return;
	}
	ike->state = GW_ST_EAP;
	rng_draw(&gw->rng, &a->eap_id, 1);
	if (gw->sw.early_eap_success) {
		wr_eap(ike, &m, EAP_SUCCESS, 0, BYTES_NONE);
		ike->state = GW_ST_EAP_DONE;
	} else if (gw->cfg.eap_identity) {
		a->eap = GW_EAP_IDENTITY;
		wr_eap(ike, &m, EAP_REQUEST, EAP_TYPE_IDENTITY, BYTES_NONE);
	} else if (!wr_method(gw, ike, &m)) {
		gw_auth_fail(gw, ike, N_AUTHENTICATION_FAILED);
		return;
	}
	if (gw->sw.early_ticket)
		ike_wr_notify(&m, N_TICKET_LT_OPAQUE,
			      bytes("\0\0\x0e\x10not a ticket", 16));
	gw_answer(gw, ike, IKE_AUTH, &m);
}

static const struct gw_user *find_user(const struct gw *gw, struct bytes name)
{
	for (size_t i = 0; i < gw->cfg.n_users; i++)
		if (bytes_eq(bytes_str(gw->cfg.users[i].name), name))
			return &gw->cfg.users[i];
	return NULL;
}

/* Takes the answer to the challenge; fills the success text and MSK. */
static bool response_ok(struct gw *gw, struct gw_auth *a, struct rd *r,
			char text[43])
{
	struct rd value = rd_sub(r, rd_u8(r));
	struct bytes name = rd_rest(r);
	const struct gw_user *user = find_user(gw, name);
	struct mschap_in in = {.user = name};
	struct mschap_out out;
	uint8_t nt[24];
	bool ok;

	if (rd_left(&value) != MS_RESPONSE_LEN || user == NULL ||
	    name.len >= sizeof(a->user))
		return false;
	rd_copy(&value, in.peer_challenge, sizeof(in.peer_challenge));
	(void)rd_take(&value, 8);
	rd_copy(&value, nt, sizeof(nt));
	memcpy(in.auth_challenge, a->challenge, sizeof(a->challenge));
	in.password = secret_view(user->password);
	if (!rd_ok(&value) || mschap_compute(&in, &out) != OK)
		return false;
	ok = bytes_eq_secret(BYTES_OF(nt), BYTES_OF(out.nt_response));
	if (ok) {
		memcpy(text, out.auth_response, sizeof(out.auth_response));
		a->msk = out.msk;
		memcpy(a->user, name.p, name.len);
		a->user[name.len] = '\0';
	}
	mem_wipe(&out, sizeof(out));
	return ok;
}

static void eap_fail(struct gw *gw, struct gw_ike *ike)
{
	struct ike_wr m;

	gw->n.eap_failed++;
	gw_chain_start(gw, &m);
	wr_eap(ike, &m, EAP_FAILURE, 0, BYTES_NONE);
	ike_wr_notify(&m, N_AUTHENTICATION_FAILED, BYTES_NONE);
	gw_answer(gw, ike, IKE_AUTH, &m);
	gw_ike_dead(gw, ike, gw->cfg.linger_ms);
}

static bool mschap_step(struct gw *gw, struct gw_ike *ike, struct bytes data,
			struct ike_wr *m)
{
	struct gw_auth *a = ike->auth;
	struct rd r = rd_open(data);
	uint8_t op = rd_u8(&r);
	char text[80];

	if (a->eap == GW_EAP_SUCCESS && op == MS_SUCCESS && data.len == 1) {
		wr_eap(ike, m, EAP_SUCCESS, 0, BYTES_NONE);
		ike->state = GW_ST_EAP_DONE;
		return true;
	}
	if (a->eap != GW_EAP_CHALLENGE || op != MS_RESPONSE)
		return false;
	(void)rd_u8(&r);
	if (rd_u16(&r) != data.len || !rd_ok(&r))
		return false;
	if (response_ok(gw, a, &r, text)) {
		a->eap = GW_EAP_SUCCESS;
		memcpy(text + 42, " M=Welcome", 11);
		wr_ms(ike, m, MS_SUCCESS, bytes_str(text));
	} else {
		a->eap = GW_EAP_FAILURE;
		snprintf(text, sizeof(text),
			 "E=691 R=0 C=%032d V=3 M=Access denied", 0);
		wr_ms(ike, m, MS_FAILURE, bytes_str(text));
	}
	return true;
}

void gw_eap_request(struct gw *gw, struct gw_ike *ike,
		    const struct ike_msg *msg)
{
	const struct ike_payload *p = ike_msg_find(msg, PLD_EAP, 0);
	struct gw_auth *a = ike->auth;
	struct ike_eap eap;
	struct ike_wr m;
	bool ok = false;

	if (p == NULL || ike_eap_parse(p->body, &eap) != OK ||
	    eap.code != EAP_RESPONSE || eap.id != a->eap_id) {
		eap_fail(gw, ike);
		return;
	}
	gw_chain_start(gw, &m);
	if (eap.type == EAP_TYPE_IDENTITY && a->eap == GW_EAP_IDENTITY) {
		if (gw->cfg.eap_tls && eap.data.len < sizeof(a->user))
			memcpy(a->user, eap.data.p, eap.data.len);
		ok = wr_method(gw, ike, &m);
	} else if (eap.type == EAP_TYPE_TLS) {
		ok = gw_tls_input(gw, ike, eap.data, &m);
	} else if (eap.type == EAP_TYPE_MSCHAPV2) {
		ok = mschap_step(gw, ike, eap.data, &m);
	}
	if (ok)
		gw_answer(gw, ike, IKE_AUTH, &m);
	else
		eap_fail(gw, ike);
}
