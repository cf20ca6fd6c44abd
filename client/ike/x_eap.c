/* EAP inside IKE_AUTH (RFC 7296 2.16): identity, and MSCHAPv2
 * (draft-kamath-pppext-eap-mschapv2, RFC 2759). Runs only behind a gateway
 * whose certificate and AUTH were found right. */
#include "client/ike/sa_private.h"

#include <string.h>

enum { MS_CHALLENGE = 1, MS_RESPONSE = 2, MS_SUCCESS = 3, MS_FAILURE = 4 };
#define MS_HDR_LEN	 4
#define MS_CHALLENGE_LEN 16
#define MS_VALUE_LEN	 49 /* challenge, zeros, NT response, flags */
#define MS_PROOF_LEN	 42 /* "S=" and 40 hex digits */

bool ike_auth_is_eap(enum ike_auth_kind kind)
{
	return kind == IKE_AUTH_EAP_MSCHAPV2 || kind == IKE_AUTH_EAP_TLS;
}

enum err ike_eap_send(struct ike_sa *sa, uint8_t type, struct bytes data)
{
	struct ike_eap out = {.code = EAP_RESPONSE,
			      .id = sa->setup->eap.id,
			      .type = type,
			      .data = data};
	struct ike_wr w;

	ike_chain_start(sa, &w);
	ike_wr_eap(&w, &out);
	return ike_request_send(sa, sa->cur, REQ_EAP, &w);
}

static enum err broken(struct ike_sa *sa, const char *what)
{
	return diag_set(&sa->diag, ERR_PEER, "EAP: %s", what);
}

/* RFC 2759 4: the hashed name is without the domain. */
static struct bytes bare_user(const struct ike_name *n)
{
	struct bytes b = bytes(n->b, n->len);

	for (size_t i = 0; i < n->len; i++)
		if (n->b[i] == '\\')
			b = bytes(n->b + i + 1, n->len - i - 1u);
	return b;
}

/* --- MSCHAPv2 --------------------------------------------------------- */

static enum err ms_challenge(struct ike_sa *sa, struct rd *r)
{
	struct ike_eap_state *s = &sa->setup->eap;
	struct ike_node *n;

	if (s->step != EAP_STEP_START)
		return broken(sa, "MSCHAPv2 challenge in the wrong state");
	if (rd_u8(r) != MS_CHALLENGE_LEN)
		return broken(sa, "MSCHAPv2 challenge of a wrong length");
	rd_copy(r, s->challenge, sizeof(s->challenge));
	if (!rd_ok(r))
		return broken(sa, "MSCHAPv2 challenge is too short");
	s->step = EAP_STEP_PASSWORD;
	sa->ask = ASK_PASSWORD;
	n = ike_queue(sa, IKE_DO_ASK_SECRET, 0);
	if (n)
		n->a.u.ask_secret.is_password = true;
	return OK;
}

static enum err ms_respond(struct ike_sa *sa, const struct mschap_in *in,
			   const struct mschap_out *out)
{
	const struct ike_name *user = &sa->cfg.eap_user;
	uint8_t buf[MS_HDR_LEN + 1 + MS_VALUE_LEN + IKE_NAME_MAX];
	struct wr w = wr_open(buf, sizeof(buf));
	enum err e;

	wr_u8(&w, MS_RESPONSE);
	wr_u8(&w, sa->setup->eap.ms_id);
	wr_u16(&w, (uint16_t)(MS_HDR_LEN + 1 + MS_VALUE_LEN + user->len));
	wr_u8(&w, MS_VALUE_LEN);
	wr_bytes(&w, BYTES_OF(in->peer_challenge));
	wr_zeros(&w, 8);
	wr_bytes(&w, BYTES_OF(out->nt_response));
	wr_u8(&w, 0); /* flags */
	wr_bytes(&w, bytes(user->b, user->len));
	e = wr_finish(&w);
	if (e == OK)
		e = ike_eap_send(sa, EAP_TYPE_MSCHAPV2, wr_view(&w));
	return e;
}

enum err ike_eap_password(struct ike_sa *sa, const struct secret *password)
{
	struct ike_eap_state *s = &sa->setup->eap;
	struct mschap_in in = {.user = bare_user(&sa->cfg.eap_user),
			       .password = secret_view(password)};
	struct mschap_out out = {.msk = {.len = 0}};
	enum err e;

	memcpy(in.auth_challenge, s->challenge, sizeof(in.auth_challenge));
	rng_draw(&sa->rng, in.peer_challenge, sizeof(in.peer_challenge));
	e = mschap_compute(&in, &out);
	if (e == OK) {
		memcpy(s->auth_response, out.auth_response,
		       sizeof(s->auth_response));
		s->msk = out.msk;
		s->step = EAP_STEP_PROOF;
		e = ms_respond(sa, &in, &out);
	} else {
		diag_set(&sa->diag, e,
			 "password is not valid UTF-8 or too "
			 "long");
	}
	mem_wipe(&out, sizeof(out));
	return e;
}

/* The gateway knows the password too: only this makes EAP-Success count. */
static enum err ms_success(struct ike_sa *sa, struct rd *r)
{
	struct ike_eap_state *s = &sa->setup->eap;
	static const uint8_t reply[] = {MS_SUCCESS};
	struct bytes proof;

	if (s->step != EAP_STEP_PROOF)
		return broken(sa, "MSCHAPv2 success in the wrong state");
	proof = rd_take(r, MS_PROOF_LEN);
	if (!bytes_eq_secret(proof, bytes(s->auth_response, MS_PROOF_LEN)))
		return diag_set(&sa->diag, ERR_UNTRUSTED,
				"gateway's EAP server does not know the "
				"password");
	s->step = EAP_STEP_DONE;
	return ike_eap_send(sa, EAP_TYPE_MSCHAPV2, BYTES_OF(reply));
}

/* RFC 2759 6: "E=691 R=0 C=... V=3 M=...". */
static unsigned int failure_code(struct bytes text)
{
	struct rd r = rd_open(text);
	unsigned int code = 0;

	if (rd_u8(&r) != 'E' || rd_u8(&r) != '=')
		return 0;
	for (int i = 0; i < 4 && rd_left(&r); i++) {
		uint8_t c = rd_u8(&r);

		if (c < '0' || c > '9')
			break;
		code = code * 10 + (c - '0');
	}
	return code;
}

static const char *failure_text(unsigned int code)
{
	switch (code) {
	case 646:
		return "not allowed to log in at this hour";
	case 647:
		return "account is disabled";
	case 648:
		return "password has expired";
	case 649:
		return "no permission to dial in";
	case 691:
		return "user name or password is wrong";
	case 709:
		return "password must be changed";
	default:
		return "gateway refused the password";
	}
}

static enum err ms_failure(struct ike_sa *sa, struct rd *r)
{
	static const uint8_t reply[] = {MS_FAILURE};
	unsigned int code = failure_code(rd_rest(r));

	if (sa->setup->eap.step != EAP_STEP_PROOF)
		return broken(sa, "MSCHAPv2 failure in the wrong state");
	sa->setup->eap.step = EAP_STEP_REFUSED;
	secret_wipe(&sa->setup->eap.msk);
	diag_set(&sa->diag, ERR_AUTH, "EAP-MSCHAPv2: %s (E=%u)",
		 failure_text(code), code);
	return ike_eap_send(sa, EAP_TYPE_MSCHAPV2, BYTES_OF(reply));
}

static enum err ms_input(struct ike_sa *sa, struct bytes data)
{
	struct rd r = rd_open(data);
	uint8_t op = rd_u8(&r);
	uint8_t id = rd_u8(&r);
	uint16_t len = rd_u16(&r);
	struct rd body;

	if (!rd_ok(&r) || len < MS_HDR_LEN)
		return broken(sa, "MSCHAPv2 packet is malformed");
	body = rd_sub(&r, (size_t)len - MS_HDR_LEN);
	if (!rd_ok(&r))
		return broken(sa, "MSCHAPv2 packet is too short");
	switch (op) {
	case MS_CHALLENGE:
		sa->setup->eap.ms_id = id;
		return ms_challenge(sa, &body);
	case MS_SUCCESS:
		return ms_success(sa, &body);
	case MS_FAILURE:
		return ms_failure(sa, &body);
	default:
		return broken(sa, "unknown MSCHAPv2 packet");
	}
}

/* --- EAP -------------------------------------------------------------- */

static uint8_t method_of(const struct ike_sa *sa)
{
	return sa->auth == IKE_AUTH_EAP_TLS ? EAP_TYPE_TLS : EAP_TYPE_MSCHAPV2;
}

static enum err eap_request(struct ike_sa *sa, const struct ike_eap *in)
{
	struct ike_eap_state *s = &sa->setup->eap;
	const uint8_t wanted[] = {method_of(sa)};

	s->id = in->id;
	switch (in->type) {
	case EAP_TYPE_IDENTITY:
		if (s->step != EAP_STEP_START)
			return broken(sa, "identity asked in mid-method");
		return ike_eap_send(
			sa, EAP_TYPE_IDENTITY,
			bytes(sa->cfg.eap_user.b, sa->cfg.eap_user.len));
	case EAP_TYPE_NOTIFICATION:
		return ike_eap_send(sa, EAP_TYPE_NOTIFICATION, BYTES_NONE);
	default:
		if (in->type == method_of(sa))
			return in->type == EAP_TYPE_TLS
				       ? ike_eap_tls_input(sa, in->data)
				       : ms_input(sa, in->data);
		/* RFC 3748 5.3.1: a Nak only before a method has begun */
		if (s->step != EAP_STEP_START)
			return broken(sa, "other method in mid-method");
		log_info("EAP: gateway offers method %u; asking for %u",
			 in->type, wanted[0]);
		return ike_eap_send(sa, EAP_TYPE_NAK, BYTES_OF(wanted));
	}
}

static enum err eap_input(struct ike_sa *sa, const struct ike_msg *msg)
{
	struct ike_eap_state *s = &sa->setup->eap;
	const struct ike_payload *p = ike_msg_find(msg, PLD_EAP, 0);
	struct ike_eap in;

	if (!p || ike_eap_parse(p->body, &in) != OK)
		return broken(sa, "malformed packet");
	if (++s->rounds > IKE_EAP_ROUNDS)
		return broken(sa, "conversation does not end");
	switch (in.code) {
	case EAP_REQUEST:
		return eap_request(sa, &in);
	case EAP_SUCCESS:
		/* RFC 3748 4.2; CVE-2021-45079: never before the method */
		if (s->step != EAP_STEP_DONE)
			return diag_set(&sa->diag, ERR_UNTRUSTED,
					"gateway claims EAP success before "
					"it proved to know the password");
		return ike_auth_send_last(sa);
	case EAP_FAILURE:
		return diag_set(&sa->diag, ERR_AUTH,
				"gateway refused the EAP login");
	default:
		return broken(sa, "unknown packet");
	}
}

enum err ike_eap_start(struct ike_sa *sa, const struct ike_msg *msg)
{
	sa->setup->eap.step = EAP_STEP_START;
	ike_set_state(sa, IKE_ST_EAP, "gateway is authenticated");
	return eap_input(sa, msg);
}

enum err ike_eap_answer(struct ike_sa *sa, const struct ike_rx *rx)
{
	if (!ike_msg_count(rx->msg, PLD_EAP))
		return ike_auth_refusal(sa, &rx->error);
	return eap_input(sa, rx->msg);
}
