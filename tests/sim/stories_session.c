/* Stories of a whole session, and of gateways that misbehave. */
#include "tests/sim/sim.h"

#include <string.h>

#define SETTLE_MS 400000

/* --- session: a person's day --------------------------------------------- */

static bool cond_session_rests(struct sim *s)
{
	return s->c.up || s->c.closed;
}

static void sleep_and_wake(struct sim *s)
{
	sim_say(s, "--- suspend");
	session_suspend(s->c.ses, s->now_ms);
	end_client_pull(s);
	if (!s->c.closed || s->c.why != ERR_CANCELLED)
		sim_fail(s, "a suspend does not end at once");
	end_client_free(s);
	sim_run(s, sim_random(s, 100000));
	end_client_session(s);
}

static void cut(struct sim *s)
{
	sim_say(s, "--- the cable is out");
	s->link.cut = true;
	sim_run(s, sim_random(s, 400000));
	s->link.cut = false;
}

/* The monitor says so; the wire is cut meanwhile. */
static void lose_path(struct sim *s)
{
	bool same = sim_chance(s, 40);

	sim_say(s, "--- path lost");
	s->link.cut = true;
	session_path_lost(s->c.ses, s->now_ms);
	end_client_pull(s);
	sim_run(s, sim_random(s, 300000));
	sim_say(s, "--- %s path", same ? "the same" : "a new");
	s->link.cut = false;
	session_path_new(s->c.ses, same, s->now_ms);
	end_client_pull(s);
}

static void change_manners(struct sim *s)
{
	struct gw_switches *sw = gw_switches(s->gw);

	switch (sim_random(s, 10)) {
	case 8:
		s->tickets_denied = true;
		sw->auth_only = !sw->auth_only;
		break;
	case 9:
		s->tickets_denied = true;
		sw->nack_request = !sw->nack_request;
		break;
	case 0:
		sw->nack = !sw->nack;
		break;
	case 1:
		sw->cookie = !sw->cookie;
		break;
	case 2:
		sw->silent_resume = !sw->silent_resume;
		break;
	case 3:
		sw->refuse_proposal = !sw->refuse_proposal;
		break;
	case 4:
		sw->refuse_syntax = !sw->refuse_syntax;
		break;
	case 5:
		sw->forged_nack = !sw->forged_nack;
		break;
	case 6:
		sw->new_address = !sw->new_address;
		break;
	default:
		sw->resume_once = !sw->resume_once;
		break;
	}
}

static void session_op(struct sim *s)
{
	switch (sim_random(s, 11)) {
	case 8:
		lose_path(s);
		break;
	case 9:
		sim_run(s, sim_random(s, 600000));
		break;
	case 0:
	case 1:
		sleep_and_wake(s);
		break;
	case 2:
		cut(s);
		break;
	case 3:
		end_gw_restart(s, sim_chance(s, 70));
		break;
	case 4:
		gw_roll_key(s->gw);
		break;
	case 5:
		change_manners(s);
		break;
	case 6:
		gw_rekey_ike(s->gw, 0, s->now_ms);
		end_gw_pull(s);
		break;
	case 7:
		gw_delete_ike(s->gw, 0, s->now_ms);
		end_gw_pull(s);
		break;
	default:
		for (int i = 0; i < 10; i++) {
			end_client_data(s);
			end_gw_data(s);
			sim_run(s, 100);
		}
		break;
	}
}

static void session_config(struct sim *s)
{
	story_config(s);
	s->c.cfg.ike.max_tries = (uint8_t)(5 + sim_random(s, 4));
	s->c.cfg.renewal =
		(enum session_renewal)(RENEWAL_SETUP + sim_random(s, 4));
	s->c.cfg.unattended = sim_chance(s, 50);
	if (sim_chance(s, 50))
		gw_set_lifetime(s->gw, 120 + sim_random(s, 600));
	if (sim_chance(s, 30))
		s->c.cfg.ike.ike_rekey_ms = 60000 + sim_random(s, 200000);
	if (sim_chance(s, 30))
		s->c.cfg.ike.child_rekey_ms = 30000 + sim_random(s, 100000);
}

static bool cond_ticket_good(struct sim *s)
{
	return s->c.have_ticket && s->c.expires_ms > s->now_ms;
}

/* The point of it all: while connected there is a ticket that is good. */
static void check_ticket_kept(struct sim *s)
{
	if (s->c.cfg.renewal != RENEWAL_AUTO || s->tickets_denied ||
	    session_report(s->c.ses)->renewal_stopped)
		return;
	/* One that was promised for later is asked for in half a minute. */
	if (!sim_run_until(s, cond_ticket_good, 60000))
		sim_fail(s, "connected, and no ticket that is good");
}

void story_session(struct sim *s)
{
	unsigned n = 3 + sim_random(s, 8);

	session_config(s);
	if (sim_chance(s, 70))
		story_bad_link(s);
	end_client_session(s);
	for (unsigned i = 0; i < n; i++) {
		if (sim_chance(s, 80))
			sim_run_until(s, cond_session_rests, SETTLE_MS);
		if (s->c.closed)
			sim_fail(s, "a persistent session closed: %s",
				 s->c.detail);
		session_op(s);
		sim_run(s, sim_random(s, 20000));
	}
	sim_say(s, "--- the link is good again");
	sim_clean_link(s);
	/* Rekeys by timer would never let it rest. */
	sim_run(s, SETTLE_MS);
	if (!sim_run_until(s, cond_up, SETTLE_MS))
		sim_fail(s, "the session does not come back: %s",
			 session_report(s->c.ses)->last_detail);
	if (s->c.cfg.ike.ike_rekey_ms == 0 && s->c.cfg.ike.child_rekey_ms == 0)
		check_connected(s);
	check_ticket_kept(s);
	session_down(s->c.ses, s->now_ms);
	end_client_pull(s);
	if (!sim_run_until(s, cond_closed, SETTLE_MS))
		sim_fail(s, "logging out does not end");
	if (s->c.have_ticket)
		sim_fail(s, "a ticket outlives the logout");
	sim_run(s, SETTLE_MS);
	if (gw_session_count(s->gw) != 0)
		sim_fail(s, "the gateway still has a session");
}

/* --- evil: nobody may connect to such a gateway -------------------------- */

void story_evil(struct sim *s)
{
	struct gw_switches *sw;
	unsigned which = sim_random(s, 3);

	story_config(s);
	sw = gw_switches(s->gw);
	if (which == 2)
		s->c.cfg.ike.auth = IKE_AUTH_EAP_MSCHAPV2;
	sw->wrong_auth = which == 0;
	sw->wrong_idr = which == 1;
	sw->early_eap_success = which == 2;
	end_client_full(s);
	if (!sim_run_until(s, cond_up_or_closed, SETTLE_MS))
		sim_fail(s, "neither up nor closed");
	if (s->c.up)
		sim_fail(s, "connected to a gateway with manners %u", which);
	if (s->c.password_given)
		sim_fail(s, "the password went to manners %u", which);
	if (s->c.why != ERR_UNTRUSTED && s->c.why != ERR_AUTH &&
	    s->c.why != ERR_PEER)
		sim_fail(s, "manners %u: closed with %s (%s)", which,
			 err_name(s->c.why), s->c.detail);
}

/* --- refuse: a ticket that is not taken leads to the full exchange, and a
 * gateway that lies in a resumption is left --- */

void story_refuse(struct sim *s)
{
	unsigned which = sim_random(s, 12);
	bool resumes = which == 4 || which >= 8;
	struct gw_switches *sw;

	story_config(s);
	sw = gw_switches(s->gw);
	memset(sw, 0, sizeof(*sw));
	end_client_session(s);
	if (!sim_run_until(s, cond_up, 60000))
		sim_fail(s, "no connection over a good link");
	sim_run(s, 5000);
	session_suspend(s->c.ses, s->now_ms);
	end_client_pull(s);
	if (!s->c.have_ticket)
		sim_fail(s, "no ticket after a quiet connect");
	sw->nack = which == 0;
	sw->silent_resume = which == 1;
	sw->refuse_proposal = which == 2;
	sw->refuse_syntax = which == 3;
	sw->forged_nack = which == 4;
	sw->wrong_auth = which == 5;
	sw->wrong_idr = which == 6;
	if (which == 7)
		gw_forget_tickets(s->gw);
	/* The two readings of RFC 5723 4.3.3: learnt, or told before. */
	sw->first_only = which == 9 || which == 10;
	s->c.cfg.ike.resume_auth_first_only = which == 10;
	sw->resume_once = which == 11;
	sim_say(s, "--- manners %u", which);
	end_client_session(s);
	sim_run_until(s, cond_up_or_closed, SETTLE_MS);
	if (which == 5 || which == 6) {
		if (s->c.up)
			sim_fail(s, "connected to a gateway that lies (%u)",
				 which);
		return;
	}
	if (!s->c.up)
		sim_fail(s, "manners %u: no connection (%s)", which,
			 s->c.detail);
	/* A forged refusal must not win against the genuine answer. */
	if (s->c.resumed != resumes)
		sim_fail(s, "manners %u: %s", which,
			 s->c.resumed ? "resumed" : "not resumed");
	sim_run(s, SETTLE_MS);
	check_connected(s);
}
