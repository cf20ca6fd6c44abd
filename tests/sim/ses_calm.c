/* Stories of a session on a good link with a gateway that keeps its word:
 * while the ticket lives nobody is asked, and who is idle sleeps. */
#include "tests/sim/ses.h"

#define NIGHT_MS   (24 * SES_HOUR_MS)
#define LONGEST_MS (2 * SES_HOUR_MS) /* of one night */

void ses_calm_config(struct ses *x)
{
	struct sim *s = &x->sim;

	s->gw_cfg.lifetime_s = (sim_chance(s, 50) ? 12 : 24) * 3600;
	gw_set_lifetime(s->gw, s->gw_cfg.lifetime_s);
	x->cfg.ike.auth = IKE_AUTH_EAP_MSCHAPV2;
	/* A rekey voids a ticket, and its answer may be lost. */
	x->cfg.ike.pfs_after_resume = false;
	x->cfg.ike.ike_rekey_ms = 0;
	x->cfg.persistent = true;
	x->cfg.unattended = false;
	x->forgets = true;
	x->slow_ms = 0;
}

void ses_calm_up(struct ses *x)
{
	struct sim *s = &x->sim;

	if (!sim_run_until(s, ses_rests, SES_BACK_MS) || x->closed)
		sim_fail(s, "not connected: %s (%s)",
			 session_state_text(x->state),
			 session_report(x->session)->last_detail);
	/* A ticket that a rekey voids is replaced in the next exchange. */
	sim_run(s, 3000 + sim_random(s, 60000));
	if (!sim_run_until(s, ses_rests, SES_BACK_MS) || x->closed)
		sim_fail(s, "not connected any more");
}

static void calm_suspend(struct ses *x)
{
	ses_suspend(x);
	sim_run(&x->sim, ses_some_ms(x, LONGEST_MS));
	ses_start(x);
}

static void calm_reboot(struct ses *x)
{
	/* The service manager stops it, or the battery is empty. */
	if (sim_chance(&x->sim, 50))
		ses_suspend(x);
	else
		ses_kill(x);
	sim_run(&x->sim, ses_some_ms(x, LONGEST_MS));
	ses_boot(x);
	ses_start(x);
}

static void calm_sleep(struct ses *x)
{
	ses_sleep(x, ses_some_ms(x, LONGEST_MS));
	if (sim_chance(&x->sim, 50))
		ses_path_new(x, sim_chance(&x->sim, 50));
}

static void calm_roam(struct ses *x)
{
	if (sim_chance(&x->sim, 50)) {
		ses_path_lost(x);
		sim_run(&x->sim, ses_some_ms(x, LONGEST_MS));
	}
	if (sim_chance(&x->sim, 30))
		x->v6 = !x->v6;
	ses_path_new(x, sim_chance(&x->sim, 20));
	/* It comes in steps, each while the answer to the one before is on
	 * its way. */
	while (sim_chance(&x->sim, 40)) {
		sim_run(&x->sim, sim_random(&x->sim, 800));
		if (sim_chance(&x->sim, 30))
			x->v6 = !x->v6;
		ses_path_new(x, false);
	}
}

static void calm_nat(struct ses *x)
{
	ses_nat_rebinds(x);
	sim_run(&x->sim, ses_some_ms(x, LONGEST_MS / 4));
}

static void calm_gateway(struct ses *x)
{
	struct sim *s = &x->sim;

	s->link.cut = true;
	sim_run(s, ses_some_ms(x, LONGEST_MS / 4));
	s->link.cut = false;
	end_gw_restart(s, true);
}

void ses_calm_night(struct ses *x)
{
	static const struct {
		const char *name;
		ses_story *play;
	} nights[] = {{"suspend", calm_suspend}, {"sleep", calm_sleep},
		      {"reboot", calm_reboot},	 {"roam", calm_roam},
		      {"nat", calm_nat},	 {"gateway", calm_gateway}};
	unsigned which =
		sim_random(&x->sim, sizeof(nights) / sizeof(nights[0]));

	sim_say(&x->sim, "--- %s", nights[which].name);
	x->totals->nights++;
	nights[which].play(x);
	ses_calm_up(x);
}

void ses_story_calm(struct ses *x)
{
	struct sim *s = &x->sim;
	unsigned n = 1 + sim_random(s, 4);

	ses_config(x);
	ses_calm_config(x);
	ses_start(x);
	ses_calm_up(x);
	for (unsigned i = 0; i < n; i++)
		ses_calm_night(x);
	x->totals->calm++;
	x->totals->calm_nights += n;
	x->totals->calm_prompts += x->prompts - 1;
	if (x->prompts != 1)
		sim_fail(s, "%u questions though the ticket lives", x->prompts);
	ses_check_connected(x);
	x->totals->connected++;
	ses_suspend(x);
}

/* --- idle: 24 hours of a connection that nobody uses ---------------------- */

void ses_story_idle(struct ses *x)
{
	struct sim *s = &x->sim;
	struct ike_config *c = &x->cfg.ike;
	unsigned wakes, keepalives, most;

	ses_config(x);
	ses_calm_config(x);
	s->gw_cfg.dpd_ms = 0;
	end_gw_restart(s, false);
	*gw_switches(s->gw) = x->born;
	s->nat = 4000;
	c->keepalive_ms = 20000 + 1000 * sim_random(s, 30);
	c->dpd_ms = 30000;
	c->ike_rekey_ms = 4 * SES_HOUR_MS;
	c->child_rekey_ms = SES_HOUR_MS;
	ses_start(x);
	ses_calm_up(x);
	wakes = x->wakes;
	keepalives = x->keepalives;
	sim_run(s, NIGHT_MS);
	wakes = x->wakes - wakes;
	keepalives = x->keepalives - keepalives;
	/* One more fits when the first comes at once. */
	most = (unsigned)(NIGHT_MS / c->keepalive_ms) + 1;
	sim_say(s, "24 h: %u wake-ups, %u keepalives, %u intervals", wakes,
		keepalives, most);
	x->totals->idle_h += 24;
	x->totals->idle_h_wakes += wakes;
	x->totals->idle_h_keepalives += most;
	if (!s->c.up)
		sim_fail(s, "not connected in the morning");
	if (wakes > most)
		sim_fail(s, "%u wake-ups in 24 h for %u keepalive intervals",
			 wakes, most);
	ses_check_connected(x);
	x->totals->connected++;
}
