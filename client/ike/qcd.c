/* Crash detection (RFC 6290) as token taker: a secret that the gateway told
 * under the IKE SA, and that it can only tell again when the SA is unknown to
 * it. Unprotected then, and still proof. */
#include "client/ike/sa_private.h"

#define TOKEN_MIN 16 /* RFC 6290 5 */
#define TOKEN_MAX 128

void ike_qcd_take(struct ike_gen *gen, const struct ike_msg *msg)
{
	struct ike_notify n;

	if (ike_msg_notify(msg, N_QUICK_CRASH_DETECTION, &n) &&
	    n.data.len >= TOKEN_MIN && n.data.len <= TOKEN_MAX &&
	    secret_set(&gen->qcd, n.data) == OK)
		log_debug("IKE: the gateway gave a token of %zu octets",
			  n.data.len);
}

/* 4.5: it may send several, of older secrets of its own. */
static bool token_fits(const struct ike_gen *gen, const struct ike_msg *msg)
{
	const struct ike_payload *p;
	struct ike_notify n;

	if (gen->qcd.len == 0)
		return false;
	for (size_t i = 0; (p = ike_msg_find(msg, PLD_NOTIFY, i)); i++)
		if (ike_notify_parse(p->body, &n) == OK &&
		    n.type == N_QUICK_CRASH_DETECTION &&
		    bytes_eq_secret(n.data, secret_view(&gen->qcd)))
			return true;
	return false;
}

void ike_qcd_input(struct ike_sa *sa, struct ike_gen *gen,
		   const struct ike_msg *msg)
{
	if (!token_fits(gen, msg)) {
		log_debug("IKE: an unprotected %s proves nothing",
			  ike_exchange_name(msg->hdr.exchange));
		return;
	}
	/* A replaced one that the gateway forgot early. */
	if (gen != sa->cur) {
		gen->dead = true;
		return;
	}
	/* 3: silently. The ticket stays: it is for this. */
	diag_set(&sa->diag, ERR_GONE, "the gateway restarted");
	ike_close(sa, sa->state == IKE_ST_DELETING ? sa->why : ERR_GONE);
}
