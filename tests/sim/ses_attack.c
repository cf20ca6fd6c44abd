/* Stories of a session with somebody who lies: the gateway, or one who stands
 * on the path and answers first. */
#include "tests/sim/ses.h"

#include <string.h>

/* --- lies: nobody may connect to such a gateway, and it learns nothing ---- */

void ses_story_lies(struct ses *x)
{
	struct sim *s = &x->sim;
	unsigned which = sim_random(s, 3);
	bool before = sim_chance(s, 60);
	struct gw_switches *sw;

	ses_config(x);
	x->slow_ms = 0;
	if (which == 2)
		x->cfg.ike.auth = IKE_AUTH_EAP_MSCHAPV2;
	ses_start(x);
	if (before) {
		if (!sim_run_until(s, ses_rests, SES_SETTLE_MS) || x->closed)
			sim_fail(s, "no connection over a good link");
		sim_run(s, 3000);
		ses_suspend(x);
	} else {
		ses_kill(x);
	}
	x->secret_left = false;
	sw = gw_switches(s->gw);
	sw->wrong_auth = which == 0;
	sw->wrong_idr = which == 1;
	sw->early_eap_success = which == 2;
	sw->nack = which == 2;
	x->unkind_ms = INT64_MAX;
	sim_say(s, "--- it lies: %u", which);
	ses_start(x);
	sim_run(s, SES_SETTLE_MS);
	if (s->c.up || x->secret_left)
		sim_fail(s, "manners %u: %s", which,
			 s->c.up ? "connected" : "the password went out");
	if (x->closed && x->why != ERR_UNTRUSTED && x->why != ERR_AUTH &&
	    x->why != ERR_PEER)
		sim_fail(s, "manners %u: closed with %s", which,
			 err_name(x->why));
	x->totals->refused++;
	ses_check_wakes(x);
}

/* --- attack: the true gateway answers too --------------------------------- */

static void forge(struct ses *x, struct ike_wr *w, enum ses_attack how)
{
	static const uint8_t group[2] = {0, 20}, octets[32] = {0x66};
	static const uint8_t other[] = {1, 4, 198, 51, 100, 66};

	switch (how) {
	case SES_ATTACK_NACK:
		ike_wr_notify(w, N_TICKET_NACK, BYTES_NONE);
		break;
	case SES_ATTACK_COOKIE:
		ike_wr_notify(w, N_COOKIE, BYTES_OF(octets));
		break;
	case SES_ATTACK_NO_PROPOSAL:
		ike_wr_notify(w, N_NO_PROPOSAL_CHOSEN, BYTES_NONE);
		break;
	case SES_ATTACK_SYNTAX:
		ike_wr_notify(w, N_INVALID_SYNTAX, BYTES_NONE);
		break;
	case SES_ATTACK_GROUP:
		ike_wr_notify(w, N_INVALID_KE_PAYLOAD, BYTES_OF(group));
		break;
	case SES_ATTACK_REDIRECT:
		ike_wr_notify(w, N_REDIRECT, BYTES_OF(other));
		break;
	case SES_ATTACK_VERSION:
		ike_wr_notify(w, N_INVALID_MAJOR_VERSION, BYTES_NONE);
		break;
	case SES_ATTACK_ACCEPT:
		ike_wr_payload(w, PLD_NONCE, BYTES_OF(octets));
		break;
	case SES_ATTACK_NONE:
	case SES_ATTACK_MIX:
		break;
	}
}

void ses_attack(struct ses *x, const struct ike_msg *msg)
{
	struct sim *s = &x->sim;
	enum ses_attack how = x->attack;
	struct ike_hdr hdr = {.spi_i = msg->hdr.spi_i,
			      .spi_r = msg->hdr.spi_r,
			      .exchange = msg->hdr.exchange,
			      .msg_id = msg->hdr.msg_id,
			      .flags = IKE_FLAG_RESPONSE};
	uint8_t room[256];
	struct ike_wr w;
	struct bytes d;

	/* Where the gateway is silent, who lies decides. */
	if (how == SES_ATTACK_NONE || s->link.cut ||
	    (msg->hdr.flags & IKE_FLAG_RESPONSE))
		return;
	if (how == SES_ATTACK_MIX)
		how = 1 + sim_random(s, SES_ATTACK_ACCEPT - 1);
	if (how == SES_ATTACK_ACCEPT) {
		if (hdr.exchange != IKE_SESSION_RESUME)
			return;
		hdr.spi_r = 0x6666666666666666;
	}
	ike_wr_start(&w, room, sizeof(room), &hdr);
	forge(x, &w, how);
	sim_must(s, ike_wr_end(&w, &d) == OK);
	sim_say(s, "somebody answers: forgery %d", how);
	sim_inject(s, d, &s->c.path, sim_random(s, s->link.delay_ms));
	x->n_forged++;
}

/* As calm as it gets but for the attacker: the first connection asks for the
 * password, no other does. */
void ses_story_attack(struct ses *x)
{
	struct sim *s = &x->sim;
	unsigned n = 1 + sim_random(s, 4);

	ses_config(x);
	ses_calm_config(x);
	ses_start(x);
	ses_calm_up(x);
	x->attack = 1 + sim_random(s, SES_ATTACK_MIX);
	sim_say(s, "--- attack %d", x->attack);
	for (unsigned i = 0; i < n; i++)
		ses_calm_night(x);
	x->totals->attacked++;
	x->totals->forged += x->n_forged;
	if (x->attack == SES_ATTACK_ACCEPT)
		x->totals->accepted_prompts += x->prompts - 1;
	else
		x->totals->attacked_prompts += x->prompts - 1;
	ses_check_connected(x);
	x->totals->connected++;
	/* When the network changes between a forged acceptance and the true
	 * one, that one goes to where nobody listens any more. */
	if (x->prompts > 1 && x->attack != SES_ATTACK_ACCEPT)
		sim_fail(s, "attack %d costs a question", x->attack);
}
