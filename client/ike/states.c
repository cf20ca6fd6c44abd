/* The state table: what may come when, with which payloads, and who takes
 * it. Meaning is the exchanges' business, presence is checked here. */
#include "client/ike/sa_private.h"

#define S(state) (1u << (state))
#define P(type)	 (1u << ((type)-PLD_SA))

#define UP_STATES   (S(IKE_ST_UP) | S(IKE_ST_DELETING))
#define CHILD_PARTS (P(PLD_SA) | P(PLD_TSI) | P(PLD_TSR))
/* Payloads of which a message has at most one. */
#define AT_MOST_ONE                                                            \
	(P(PLD_SA) | P(PLD_KE) | P(PLD_IDI) | P(PLD_IDR) | P(PLD_AUTH) |       \
	 P(PLD_NONCE) | P(PLD_TSI) | P(PLD_TSR) | P(PLD_CP) | P(PLD_EAP))
#define NOT_IN_INIT                                                            \
	(P(PLD_IDI) | P(PLD_IDR) | P(PLD_AUTH) | P(PLD_TSI) | P(PLD_TSR) |     \
	 P(PLD_CP) | P(PLD_EAP) | P(PLD_DELETE))

static const struct ike_row rows[] = {
	{.states = S(IKE_ST_INIT),
	 .exchange = IKE_SA_INIT,
	 .kind = REQ_INIT,
	 .must = P(PLD_SA) | P(PLD_KE) | P(PLD_NONCE),
	 .never = NOT_IN_INIT,
	 .alone = {N_COOKIE, N_REDIRECT},
	 .handle = ike_init_answer},
	/* RFC 5723 5: neither SA nor KE nor anything to authenticate */
	{.states = S(IKE_ST_RESUME),
	 .exchange = IKE_SESSION_RESUME,
	 .kind = REQ_RESUME,
	 .must = P(PLD_NONCE),
	 .never = NOT_IN_INIT | P(PLD_SA) | P(PLD_KE) | P(PLD_CERT) |
		  P(PLD_CERTREQ),
	 .alone = {N_COOKIE, N_TICKET_NACK, N_REDIRECT},
	 .handle = ike_resume_answer},
	{.states = S(IKE_ST_AUTH),
	 .exchange = IKE_AUTH,
	 .kind = REQ_AUTH,
	 .must = CHILD_PARTS | P(PLD_IDR) | P(PLD_AUTH),
	 .never = P(PLD_KE) | P(PLD_NONCE) | P(PLD_EAP),
	 .alone = {N_REDIRECT}, /* RFC 5685 6 */
	 .handle = ike_auth_answer},
	{.states = S(IKE_ST_AUTH),
	 .exchange = IKE_AUTH,
	 .kind = REQ_AUTH_RESUMED,
	 .must = CHILD_PARTS | P(PLD_IDR) | P(PLD_AUTH),
	 .never = P(PLD_KE) | P(PLD_NONCE) | P(PLD_EAP) | P(PLD_CERT),
	 .alone = {N_REDIRECT}, /* RFC 5685 6 */
	 .handle = ike_auth_answer},
	{.states = S(IKE_ST_AUTH),
	 .exchange = IKE_AUTH,
	 .kind = REQ_AUTH_EAP,
	 .must = P(PLD_IDR) | P(PLD_AUTH) | P(PLD_EAP),
	 .never = P(PLD_KE) | P(PLD_NONCE),
	 .alone = {N_REDIRECT}, /* RFC 5685 6 */
	 .handle = ike_auth_answer},
	{.states = S(IKE_ST_EAP),
	 .exchange = IKE_AUTH,
	 .kind = REQ_EAP,
	 .must = P(PLD_EAP),
	 .never = P(PLD_KE) | P(PLD_NONCE),
	 .handle = ike_eap_answer},
	{.states = S(IKE_ST_EAP),
	 .exchange = IKE_AUTH,
	 .kind = REQ_AUTH_LAST,
	 .must = CHILD_PARTS | P(PLD_AUTH),
	 .never = P(PLD_KE) | P(PLD_NONCE) | P(PLD_EAP),
	 .alone = {N_REDIRECT}, /* RFC 5685 6 */
	 .handle = ike_auth_last_answer},
	{.states = UP_STATES,
	 .exchange = CREATE_CHILD_SA,
	 .kind = REQ_CHILD,
	 .must = CHILD_PARTS | P(PLD_NONCE),
	 .handle = ike_create_answer},
	{.states = UP_STATES,
	 .exchange = CREATE_CHILD_SA,
	 .kind = REQ_IKE,
	 .must = P(PLD_SA) | P(PLD_NONCE) | P(PLD_KE),
	 .handle = ike_rekey_answer},
	{.states = UP_STATES,
	 .exchange = INFORMATIONAL,
	 .kind = REQ_DELETE_IKE,
	 .handle = ike_info_answer},
	{.states = UP_STATES,
	 .exchange = INFORMATIONAL,
	 .kind = REQ_DELETE_CHILD,
	 .handle = ike_info_answer},
	{.states = UP_STATES,
	 .exchange = INFORMATIONAL,
	 .kind = REQ_TICKET,
	 .handle = ike_info_answer},
	{.states = UP_STATES,
	 .exchange = INFORMATIONAL,
	 .kind = REQ_ALIVE,
	 .handle = ike_info_answer},
	{.states = UP_STATES,
	 .exchange = INFORMATIONAL,
	 .kind = REQ_MOVE,
	 .handle = ike_move_answer},
	{.states = UP_STATES,
	 .exchange = INFORMATIONAL,
	 .kind = REQ_PROBE,
	 .handle = ike_probe_answer},
	/* what the gateway asks */
	{.states = UP_STATES,
	 .exchange = CREATE_CHILD_SA,
	 .must = P(PLD_SA) | P(PLD_NONCE),
	 .handle = ike_create_request},
	{.states = UP_STATES,
	 .exchange = INFORMATIONAL,
	 .handle = ike_info_request},
};

static const struct ike_row *row_find(enum ike_state state, uint8_t exchange,
				      enum ike_req_kind kind)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((rows[i].states & S(state)) &&
		    rows[i].exchange == exchange && rows[i].kind == kind)
			return &rows[i];
	return NULL;
}

/* An answer that refuses, or a notify that needs no company. */
static bool row_excuses(const struct ike_row *row, const struct ike_rx *rx)
{
	struct ike_notify n;

	for (size_t i = 0; i < IKE_ALONE_MAX; i++)
		if (row->alone[i] && ike_msg_notify(rx->msg, row->alone[i], &n))
			return true;
	return rx->has_error && rx->kind != REQ_NONE;
}

/* The offending payload type, or 0 where the row is content. */
static uint8_t row_check(const struct ike_row *row, const struct ike_rx *rx,
			 const char **out_what)
{
	bool excused = row_excuses(row, rx);

	for (uint8_t t = PLD_SA; t <= PLD_EAP; t++) {
		size_t count = ike_msg_count(rx->msg, t);

		*out_what = "has an unwanted";
		if (count && (row->never & P(t)))
			return t;
		*out_what = "repeats";
		if (count > 1 && (AT_MOST_ONE & P(t)))
			return t;
		*out_what = "lacks";
		if (!count && !excused && (row->must & P(t)))
			return t;
	}
	return 0;
}

static void refuse(struct ike_sa *sa, const struct ike_rx *rx)
{
	/* Nothing unprotected may end an attempt. */
	if (rx->kind == REQ_INIT || rx->kind == REQ_RESUME)
		return;
	/* 2.21.3: what is malformed behind a right checksum ends the SA. */
	if (rx->kind == REQ_NONE &&
	    ike_answer_notify(sa, rx, N_INVALID_SYNTAX, BYTES_NONE) != OK)
		log_debug("IKE: no answer could be made");
	ike_close(sa, ERR_PEER);
}

void ike_dispatch(struct ike_sa *sa, struct ike_rx *rx)
{
	const struct ike_row *row;
	const char *what;
	uint8_t bad;
	enum err e;

	row = row_find(sa->state, rx->msg->hdr.exchange, rx->kind);
	if (!row) {
		log_debug("IKE: %s is not expected while %s",
			  ike_exchange_name(rx->msg->hdr.exchange),
			  ike_state_text(sa->state));
		return;
	}
	rx->has_error = ike_msg_error(rx->msg, &rx->error);
	bad = row_check(row, rx, &what);
	if (bad) {
		log_info("IKE: %s from the gateway %s payload %s",
			 ike_exchange_name(row->exchange), what,
			 ike_payload_name(bad));
		if (rx->kind != REQ_INIT && rx->kind != REQ_RESUME)
			diag_set(&sa->diag, ERR_PEER, "%s %s payload %s",
				 ike_exchange_name(row->exchange), what,
				 ike_payload_name(bad));
		refuse(sa, rx);
		return;
	}
	e = row->handle(sa, rx);
	if (e != OK)
		ike_close(sa, e);
}
